//! The limit of open descriptors, which portmon raises for itself: half of its descriptors are handles of processes.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

pub use system::{can_open, lower_limit, raise_limit};
