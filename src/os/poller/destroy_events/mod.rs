//! Sockets that the kernel destroyed between two polls.
//!
//! Received only on request: while anyone listens, closing a connection costs the machine a little more.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod system;

pub use system::DestroyEvents;
