//! The sockets that portmon opens itself (bind and connect probes), which are never shown as rows.
//!
//! They are known by cookie, which the kernel never reuses, so that a poll in the midst of a probe on another thread
//! recognizes them.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod system;

pub use system::{contains, register};
