//! How the executor's thread sleeps: until a command comes, a process ends, or the time for the next look is there.

#[cfg(target_os = "linux")]
pub use linux::Waker;
#[cfg(not(target_os = "linux"))]
pub use portable::Waker;

#[cfg(target_os = "linux")]
mod linux {
    use crate::os::free::target_handle::TargetHandle;
    use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};
    use std::sync::Arc;
    use std::time::Duration;

    /// An eventfd beside the pidfds, so that one poll waits for all of them.
    #[derive(Clone)]
    pub struct Waker(Arc<OwnedFd>);

    impl Waker {
        pub fn new() -> io::Result<Self> {
            let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            Ok(Self(Arc::new(fd)))
        }

        #[expect(clippy::unused_self, reason = "elsewhere a bell must know its thread")]
        pub fn set_current_thread(&self) {}

        /// Ends the wait, or the next one. A full counter rings already, so a failed write is none.
        pub fn wake(&self) {
            let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
        }

        pub fn wait<'a>(&self, running: impl Iterator<Item = &'a TargetHandle>, longest: Duration) {
            let mut fds = vec![PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)];
            let pidfds = running.filter_map(TargetHandle::pidfd);
            fds.extend(pidfds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
            let longest = Timespec::try_from(longest).ok();
            // An interrupted wait is only a shorter one.
            let _ = poll(&mut fds, longest.as_ref());
            let _ = rustix::io::read(&*self.0, &mut [0; 8]);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use crate::os::free::target_handle::TargetHandle;
    use std::io;
    use std::sync::{Arc, OnceLock};
    use std::thread::{self, Thread};
    use std::time::Duration;

    /// Parks the thread; an end is seen with the next look.
    #[derive(Clone, Default)]
    pub struct Waker(Arc<OnceLock<Thread>>);

    impl Waker {
        #[expect(
            clippy::unnecessary_wraps,
            reason = "on Linux it takes a file descriptor"
        )]
        pub fn new() -> io::Result<Self> {
            Ok(Self::default())
        }

        pub fn set_current_thread(&self) {
            self.0.get_or_init(thread::current);
        }

        /// Before the thread is known it cannot be waiting, and it reads its commands before it waits.
        pub fn wake(&self) {
            if let Some(thread) = self.0.get() {
                thread.unpark();
            }
        }

        #[expect(clippy::unused_self, reason = "on Linux it waits for the bell itself")]
        pub fn wait<'a>(
            &self,
            _running: impl Iterator<Item = &'a TargetHandle>,
            longest: Duration,
        ) {
            thread::park_timeout(longest);
        }
    }
}
