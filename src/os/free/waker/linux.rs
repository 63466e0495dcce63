//! An eventfd(2) beside the pidfds, so that one poll(2) waits for all of them.

use crate::os::free::process_handle::ProcessHandle;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone)]
pub struct Waker(Arc<OwnedFd>);

impl Waker {
    pub fn new() -> io::Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self(Arc::new(fd)))
    }

    #[expect(clippy::unused_self, reason = "elsewhere a waker must know its thread")]
    pub fn set_current_thread(&self) {}

    /// Ends the wait, or the next one. A write to a full counter fails, which wakes already.
    pub fn wake(&self) {
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }

    pub fn wait<'a>(&self, targets: impl Iterator<Item = &'a ProcessHandle>, longest: Duration) {
        let pidfds = targets.filter_map(ProcessHandle::pidfd);
        let mut fds = vec![PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
        fds.extend(pidfds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let longest = Timespec::try_from(longest).ok();
        // An interrupted wait is only a shorter one.
        let _ = poll(&mut fds, longest.as_ref());
        let _ = rustix::io::read(&*self.0, &mut [0; 8]);
    }
}
