//! What the kernel tells of sockets that close, gathered from one look to the next.
//!
//! Only while somebody asks for every event: while anyone listens, each connection of the machine costs a little more.

use crate::model::sighting::Sighting;
use crate::os::Error;
use std::time::Instant;

#[cfg(target_os = "linux")]
pub use linux::Closings;

/// Elsewhere no system tells.
#[cfg(not(target_os = "linux"))]
pub struct Closings(std::convert::Infallible);

#[cfg(not(target_os = "linux"))]
impl Closings {
    pub fn open() -> Result<Self, Error> {
        Err(Error::NotToldHere)
    }

    pub fn rest(&mut self, _until: Instant) {
        match self.0 {}
    }

    pub fn take(&mut self) -> (Vec<Sighting>, bool) {
        match self.0 {}
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{Error, Instant, Sighting};
    use crate::os::own;
    use crate::os::sockets::diag::Destroyed;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    /// How many are kept until the next look, some 7 MB of them.
    const MOST: usize = 100_000;

    pub struct Closings {
        /// `None` once it could not be read any more.
        destroyed: Option<Destroyed>,
        heard: Vec<Sighting>,
        has_missed: bool,
    }

    #[cfg(test)]
    impl Closings {
        /// The kernel keeps no more than this many bytes for it, or what it allows at least.
        pub fn make_room(&self, bytes: usize) {
            let destroyed = self.destroyed.as_ref();
            destroyed.expect("it is open").make_room(bytes);
        }
    }

    impl Closings {
        pub fn open() -> Result<Self, Error> {
            Ok(Self {
                destroyed: Some(Destroyed::open()?),
                heard: Vec::new(),
                has_missed: false,
            })
        }

        /// Listens until then. What closes is taken in as it comes, because the kernel keeps only so much of it.
        pub fn rest(&mut self, until: Instant) {
            loop {
                let rest = until.saturating_duration_since(Instant::now());
                let Some(destroyed) = self.destroyed.as_ref().filter(|_| !rest.is_zero()) else {
                    return std::thread::sleep(rest);
                };
                let timeout = Timespec::try_from(rest).ok();
                // A signal only brings the next turn of the loop forward.
                let _ = poll(
                    &mut [PollFd::new(destroyed, PollFlags::IN)],
                    timeout.as_ref(),
                );
                self.drain();
            }
        }

        /// What closed since this was last asked, and whether the kernel dropped some of it.
        pub fn take(&mut self) -> (Vec<Sighting>, bool) {
            self.drain();
            let heard = std::mem::take(&mut self.heard);
            (heard, std::mem::take(&mut self.has_missed))
        }

        fn drain(&mut self) {
            let (heard, has_missed) = (&mut self.heard, &mut self.has_missed);
            let Some(destroyed) = &mut self.destroyed else {
                return;
            };
            let drained = destroyed.drain(&mut |socket| {
                if heard.len() == MOST {
                    *has_missed = true;
                } else if !own::is_own(socket.cookie()) {
                    heard.push(*socket);
                }
            });
            if let Ok(overrun) = drained {
                self.has_missed |= overrun.has_missed;
            } else {
                (self.destroyed, self.has_missed) = (None, true);
            }
        }
    }
}
