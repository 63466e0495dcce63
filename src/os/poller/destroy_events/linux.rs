//! Destroy events of the kernel, received while waiting for the next poll.

use crate::model::socket::RawSocket;
use crate::os::Error;
use crate::os::sockets::diag::DestroySubscription;
use crate::os::sockets::self_sockets;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::Instant;

/// Events kept until the next poll; about 7 MB.
const MAX_EVENTS: usize = 100_000;

pub struct DestroyEvents {
    /// `None` after a read error.
    listener: Option<DestroySubscription>,
    destroyed: Vec<RawSocket>,
    has_overrun: bool,
}

impl DestroyEvents {
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            listener: Some(DestroySubscription::open()?),
            destroyed: Vec::new(),
            has_overrun: false,
        })
    }

    /// Waits until then and receives events as they come, because the kernel queues only so many.
    pub fn wait_until(&mut self, until: Instant) {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some(listener) = self.listener.as_ref().filter(|_| !left.is_zero()) else {
                return std::thread::sleep(left);
            };
            let timeout = Timespec::try_from(left).ok();
            // A signal only wakes the loop early.
            let _ = poll(
                &mut [PollFd::new(listener, PollFlags::IN)],
                timeout.as_ref(),
            );
            self.drain();
        }
    }

    /// Takes the sockets destroyed since the last call; true if the kernel dropped some.
    pub fn take(&mut self) -> (Vec<RawSocket>, bool) {
        self.drain();
        let destroyed = std::mem::take(&mut self.destroyed);
        (destroyed, std::mem::take(&mut self.has_overrun))
    }

    fn drain(&mut self) {
        let (destroyed, has_overrun) = (&mut self.destroyed, &mut self.has_overrun);
        let Some(listener) = &mut self.listener else {
            return;
        };
        let drained = listener.drain(&mut |socket| {
            if destroyed.len() == MAX_EVENTS {
                *has_overrun = true;
            } else if !self_sockets::contains(socket.cookie()) {
                destroyed.push(*socket);
            }
        });
        self.has_overrun |= drained.as_ref().copied().unwrap_or(true);
        if drained.is_err() {
            self.listener = None;
        }
    }

    /// Limits the kernel's queue to this many bytes, or to the least that it allows.
    #[cfg(test)]
    pub fn set_receive_buffer(&self, bytes: usize) {
        let listener = self.listener.as_ref();
        listener.expect("it is open").set_receive_buffer(bytes);
    }
}
