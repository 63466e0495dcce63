//! What the system does not let this user do with a process, found out by trying.

use crate::model::inspection::Restriction;
use crate::model::process::ProcessId;
use crate::os::free::is_denied;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux::hides_fds;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos::hides_fds;

/// Restrictions of these processes; of those without any, nothing.
pub fn restrictions(of: impl Iterator<Item = ProcessId>) -> Vec<Restriction> {
    let restriction = |process: ProcessId| Restriction {
        process,
        no_fds: hides_fds(process.pid),
        no_signal: is_denied(process),
    };
    of.map(restriction)
        .filter(|one| one.no_fds || one.no_signal)
        .collect()
}

/// Windows tells everybody the owners of all sockets.
#[cfg(windows)]
fn hides_fds(_pid: crate::model::process::Pid) -> bool {
    false
}
