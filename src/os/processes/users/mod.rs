//! Users: their names, and the one portmon works for.

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

pub use system::{invoking_uid, is_root, look_up};
