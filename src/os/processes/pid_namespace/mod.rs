//! Checks if the pids in `/proc` belong to portmon's own PID namespace, the only one whose pids it can signal.
//!
//! They do not where a PID namespace still has the outer `/proc` (unshare(1) without `--mount-proc`), or where a mount
//! namespace was entered without its PID namespace: there the same number is another process. No process may be signaled
//! by a pid from `/proc` that was not verified here.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
pub mod system;

pub use system::{own_pid, problem};
