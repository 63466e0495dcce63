//! Why a process may not act on a signal.

use super::{Pid, ProcessId, Signal};

/// What the system tells of a process that may not act on a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    pub process: ProcessId,
    /// `None` if it simply runs.
    pub state: Option<ProcessState>,
    /// The process that traces it (ptrace(2)), and may withhold a signal.
    pub tracer: Option<Pid>,
    /// True if it is the first process of another PID namespace than portmon's, as the init of a container is.
    pub is_namespace_init: bool,
    /// The signals that the kernel drops because of that: it has no handler for them (pid_namespaces(7)).
    pub drops: Vec<Signal>,
}

impl RunState {
    /// Returns that of a process that acts on signals.
    pub fn plain(process: ProcessId) -> Self {
        Self {
            process,
            state: None,
            tracer: None,
            is_namespace_init: false,
            drops: Vec::new(),
        }
    }

    /// True if there is nothing to tell.
    pub fn is_plain(&self) -> bool {
        *self == Self::plain(self.process)
    }
}

/// The state of a process that does not run: it may hold a port without serving it, and not act on a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessState {
    /// Stopped by a signal (T).
    Suspended,
    /// Stopped by a debugger (t).
    Traced,
    /// Its control group is frozen (cgroups(7)), as `docker pause` and `systemctl freeze` do it.
    Frozen,
    /// Waiting in the kernel for something that no signal interrupts (D).
    Uninterruptible,
    /// Exited and not reaped (Z).
    Zombie,
}

impl ProcessState {
    /// Returns the state with this letter in `/proc` (proc_pid_stat(5)); `None` if the process runs, or sleeps until a
    /// signal interrupts it.
    pub fn of(letter: char) -> Option<Self> {
        match letter {
            'T' => Some(Self::Suspended),
            't' => Some(Self::Traced),
            'D' => Some(Self::Uninterruptible),
            'Z' => Some(Self::Zombie),
            _ => None,
        }
    }
}
