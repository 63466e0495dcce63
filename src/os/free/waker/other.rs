//! Parks the thread; the end of a target is seen by the next poll.

use crate::os::free::process_handle::ProcessHandle;
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;

#[derive(Clone, Default)]
pub struct Waker(Arc<OnceLock<Thread>>);

impl Waker {
    #[expect(clippy::unnecessary_wraps, reason = "on Linux it opens a descriptor")]
    pub fn new() -> io::Result<Self> {
        Ok(Self::default())
    }

    pub fn set_current_thread(&self) {
        self.0.get_or_init(thread::current);
    }

    /// Ends the wait, or the next one. A thread that is not known yet reads its commands before it waits.
    pub fn wake(&self) {
        if let Some(thread) = self.0.get() {
            thread.unpark();
        }
    }

    #[expect(clippy::unused_self, reason = "on Linux it waits for its descriptor")]
    pub fn wait<'a>(&self, _targets: impl Iterator<Item = &'a ProcessHandle>, longest: Duration) {
        thread::park_timeout(longest);
    }
}
