//! Why a process does not simply run: suspended, traced, frozen, asleep in the kernel, or exited and not reaped.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
pub mod system;

#[cfg(target_os = "linux")]
pub mod cgroup_mounts;
#[cfg(target_os = "linux")]
pub mod freezer;
#[cfg(target_os = "linux")]
pub mod status;

pub use system::{process_state, run_states};
