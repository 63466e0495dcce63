//! Processes that portmon never ends, whoever confirms it.

use crate::model::process::{Pid, Process};
use std::fmt::{self, Display};

/// Why a process is not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    FirstProcess,
    KernelThread,
    Itself,
    Ancestor,
    SystemdManager,
}

impl Refusal {
    /// Said of the process: `systemd 900` …
    pub fn words(self) -> &'static str {
        match self {
            Self::FirstProcess => "belongs to the system itself",
            Self::KernelThread => "is a thread of the kernel, which no signal ends",
            Self::Itself => "is this portmon",
            Self::Ancestor => "runs this portmon, which would end with it",
            Self::SystemdManager => "manages the services of a whole session",
        }
    }
}

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// Whether this process is one that is never ended; `lineage` is portmon's own pid and then its ancestors'.
pub fn refusal(process: &Process, lineage: &[Pid]) -> Option<Refusal> {
    let pid = process.pid();
    let name = process.name.raw();
    if is_of_the_system(pid) {
        Some(Refusal::FirstProcess)
    } else if process.is_kernel_thread {
        Some(Refusal::KernelThread)
    } else if lineage.first() == Some(&pid) {
        Some(Refusal::Itself)
    } else if lineage.contains(&pid) {
        Some(Refusal::Ancestor)
    } else if name == "systemd" || name == "(sd-pam)" {
        Some(Refusal::SystemdManager)
    } else {
        None
    }
}

/// Pid 0 would be a whole process group and 1 is init; on Windows 4 is the System process.
fn is_of_the_system(pid: Pid) -> bool {
    pid.0 <= 1 || cfg!(windows) && pid.0 == 4
}
