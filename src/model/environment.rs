//! What stays the same about this machine and this process, read once at the start.

use crate::model::port::{EphemeralRange, Localhost};
use crate::model::process::Pid;

/// Facts about the machine, the user and portmon's own process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Host name, safe to show; empty if there is none.
    pub host: String,
    pub ephemeral: EphemeralRange,
    /// What `localhost` resolves to.
    pub localhost: Localhost,
    /// User whose sockets are "mine": with sudo the invoking user. On Windows the last part of the SID; `None` where
    /// users have no numbers.
    pub uid: Option<u32>,
    /// portmon's own pid first, then its ancestors'; empty where `/proc` does not show portmon.
    pub self_pids: Vec<Pid>,
    /// Set if the pids in `/proc` are not those of portmon's own PID namespace.
    pub pids_problem: Option<PidNamespaceProblem>,
    /// Absolute path of portmon: root's PATH lacks `~/.cargo/bin`.
    pub executable: Option<String>,
    /// Home directory, by which paths are shortened.
    pub home: Option<String>,
    /// True in an SSH session.
    pub is_ssh: bool,
}

/// Why the pids in `/proc` cannot be signaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PidNamespaceProblem {
    /// `/proc` belongs to an outer PID namespace, which knows portmon by another pid.
    OuterNamespace { shown: Pid, own: Pid },
    /// `/proc/self` is missing or another process.
    NotShown,
}
