//! Sockets that the kernel destroyed between two polls, received while waiting for the next one.
//!
//! Only on request: while anyone listens, closing a connection costs the machine a little more.

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
    subscription: Option<DestroySubscription>,
    destroyed: Vec<RawSocket>,
    has_overrun: bool,
}

impl DestroyEvents {
    pub fn open() -> Result<Self, Error> {
        Ok(Self {
            subscription: Some(DestroySubscription::open()?),
            destroyed: Vec::new(),
            has_overrun: false,
        })
    }

    /// Waits until then and receives events as they come, because the kernel queues only so many.
    pub fn wait_until(&mut self, until: Instant) {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some(subscription) = self.subscription.as_ref().filter(|_| !left.is_zero()) else {
                return std::thread::sleep(left);
            };
            let timeout = Timespec::try_from(left).ok();
            let mut ready = [PollFd::new(subscription, PollFlags::IN)];
            // A signal only wakes the loop early.
            let _ = poll(&mut ready, timeout.as_ref());
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
        let Some(subscription) = &mut self.subscription else {
            return;
        };
        let drained = subscription.drain(&mut |socket| {
            if destroyed.len() == MAX_EVENTS {
                *has_overrun = true;
            } else if !self_sockets::contains(socket.cookie()) {
                destroyed.push(*socket);
            }
        });
        self.has_overrun |= drained.unwrap_or(true);
        if drained.is_err() {
            self.subscription = None;
        }
    }

    /// Limits the kernel's queue to this many bytes, or to the least that it allows.
    #[cfg(test)]
    pub fn set_receive_buffer(&self, bytes: usize) {
        let subscription = self.subscription.as_ref();
        subscription.expect("it is open").set_receive_buffer(bytes);
    }
}
