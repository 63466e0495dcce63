//! What the kernel tells of sockets that close, gathered from one look to the next.
//!
//! Only while somebody asks for every event: while anyone listens, each connection of the machine costs a little more.

use crate::model::raw_socket::RawSocket;
use crate::os::Error;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub use linux::DestroyEvents;

/// Elsewhere no system tells.
#[cfg(not(target_os = "linux"))]
pub struct DestroyEvents(std::convert::Infallible);

#[cfg(not(target_os = "linux"))]
impl DestroyEvents {
    pub fn open() -> Result<Self, Error> {
        Err(Error::CloseEventsUnsupported)
    }

    pub fn wait_until(&mut self, _until: Instant) {
        match self.0 {}
    }

    pub fn take(&mut self) -> (Vec<RawSocket>, bool) {
        match self.0 {}
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Error, Instant, RawSocket};
    use crate::os::sockets::diag::DestroyListener;
    use crate::os::sockets::self_sockets;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// How many are kept until the next look, some 7 MB of them.
    const MAX_EVENTS: usize = 100_000;

    pub struct DestroyEvents {
        /// `None` once it could not be read any more.
        destroy_listener: Option<DestroyListener>,
        closed: Vec<RawSocket>,
        has_missed: bool,
    }

    #[cfg(test)]
    impl DestroyEvents {
        /// The kernel keeps no more than this many bytes for it, or what it allows at least.
        pub fn set_receive_buffer(&self, bytes: usize) {
            let destroy_listener = self.destroy_listener.as_ref();
            destroy_listener
                .expect("it is open")
                .set_receive_buffer(bytes);
        }
    }

    impl DestroyEvents {
        pub fn open() -> Result<Self, Error> {
            Ok(Self {
                destroy_listener: Some(DestroyListener::open()?),
                closed: Vec::new(),
                has_missed: false,
            })
        }

        /// Listens until then. What closes is taken in as it comes, because the kernel keeps only so much of it.
        pub fn wait_until(&mut self, until: Instant) {
            loop {
                let left = until.saturating_duration_since(Instant::now());
                let Some(destroy_listener) =
                    self.destroy_listener.as_ref().filter(|_| !left.is_zero())
                else {
                    return std::thread::sleep(left);
                };
                let timeout = Timespec::try_from(left).ok();
                // A signal only brings the next turn of the loop forward.
                let _ = poll(
                    &mut [PollFd::new(destroy_listener, PollFlags::IN)],
                    timeout.as_ref(),
                );
                self.drain();
            }
        }

        /// What closed since this was last asked, and whether the kernel dropped some of it.
        pub fn take(&mut self) -> (Vec<RawSocket>, bool) {
            self.drain();
            let closed = std::mem::take(&mut self.closed);
            (closed, std::mem::take(&mut self.has_missed))
        }

        fn drain(&mut self) {
            let (closed, has_missed) = (&mut self.closed, &mut self.has_missed);
            let Some(destroy_listener) = &mut self.destroy_listener else {
                return;
            };
            let drained = destroy_listener.drain(&mut |socket| {
                if closed.len() == MAX_EVENTS {
                    *has_missed = true;
                } else if !self_sockets::contains(socket.cookie()) {
                    closed.push(*socket);
                }
            });
            if let Ok(overrun) = drained {
                self.has_missed |= overrun.has_missed;
            } else {
                (self.destroy_listener, self.has_missed) = (None, true);
            }
        }
    }
}
