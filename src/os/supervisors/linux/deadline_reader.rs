//! A reader that fails after its deadline, in however many reads.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::time::Instant;

/// Reads what another process writes, which may be anything, slowly or never.
pub struct DeadlineReader<S> {
    pub source: S,
    pub end: Instant,
}

impl<S: Read + AsFd> Read for DeadlineReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).map_err(io::Error::other)?;
        // Callers read again after an EINTR, with the time that is left then.
        match poll(&mut [PollFd::new(&self.source, PollFlags::IN)], Some(&left))? {
            0 => Err(ErrorKind::TimedOut.into()),
            _ => self.source.read(buffer),
        }
    }
}
