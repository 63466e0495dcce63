//! Finds the supervisor of a process: its systemd unit by the control group, its container by that, its arguments or its
//! ports.
//!
//! [`of`] only reads files. What asks a container engine or `systemctl` waits half a second at most, and returns nothing
//! rather than an error. It must never change anything, and never use a name it was given as anything but text.

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::{SupervisorLookup, left_over_from, of, published_on};
