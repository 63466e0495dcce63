//! How the executor's thread sleeps: until a command comes, a target ends, or the next poll is due.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::Waker;
