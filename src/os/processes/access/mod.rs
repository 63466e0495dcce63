//! What the system does not let this user do with a process, by trying it.

use crate::model::process::{ProcessId, Restriction};
use crate::os::free::is_denied;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;
#[cfg(windows)]
#[path = "windows.rs"]
mod system;

/// Returns the restrictions of these processes; those without any are absent.
pub fn restrictions(of: impl Iterator<Item = ProcessId>) -> Vec<Restriction> {
    let restriction = |process: ProcessId| Restriction {
        process,
        no_fds: system::hides_fds(process.pid),
        no_signal: is_denied(process),
    };
    of.map(restriction)
        .filter(|one| one.no_fds || one.no_signal)
        .collect()
}
