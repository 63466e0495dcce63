//! Whether the pids that `/proc` shows are pids of portmon's own PID namespace, the only ones that a signal understands.
//!
//! They are not where a PID namespace still has the `/proc` of an outer one (unshare(1) without `--mount-proc`), or a
//! mount namespace was entered without its PID namespace: the same number is another process there. Nothing may be
//! signalled by a number from `/proc` that was not proven here.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::{are_own, own, problem, prove_any, prove_pidfd};

/// The pid of portmon itself, as processes are numbered when they are described.
#[cfg(not(target_os = "linux"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "Linux may not show this process at all"
)]
pub fn own() -> Option<crate::model::process::Pid> {
    Some(crate::model::process::Pid(std::process::id()))
}

/// Only on Linux can pids be those of another namespace.
#[cfg(not(target_os = "linux"))]
pub fn problem() -> Option<crate::model::environment::PidsProblem> {
    None
}
