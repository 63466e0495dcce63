//! How the executor's thread sleeps: until a command comes, a target ends, or the next poll is due.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod system;

pub use system::Waker;
