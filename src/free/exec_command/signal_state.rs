//! How a process handles a signal, as the kernel tells it.

use crate::model::process::{Pid, ProcessState};

/// How a process handles one signal at one moment, from `/proc/PID/status` and that of its threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignalState {
    pub disposition: SignalDisposition,
    pub blocked_by: BlockedBy,
    /// True if it was sent and no thread has taken it yet (SigPnd, ShdPnd).
    pub is_pending: bool,
    /// The process that traces it (ptrace(2)), and may withhold the signal.
    pub tracer: Option<Pid>,
    /// `None` if it is simply running.
    pub process_state: Option<ProcessState>,
}

/// Disposition of the signal, which is that of all threads (SigIgn, SigCgt of proc_pid_status(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignalDisposition {
    Ignored,
    Caught,
    /// The kernel's own action, which for SIGTERM is to end the process.
    Default,
    /// The same for the first process of a PID namespace, for which the kernel drops such a signal (pid_namespaces(7)).
    DefaultOfInit,
}

/// Which threads of a process block the signal (SigBlk).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockedBy {
    /// Not the first one, by whose mask the kernel drops an ignored signal (`sig_ignored` of its `kernel/signal.c`).
    NotFirst,
    First,
    Every,
    /// The first one may be waiting in sigwait(3), where the mask does not show the signals that it waits for, or the other
    /// threads could not be read.
    Unknown,
}

impl SignalState {
    /// True if the kernel drops the signal as it is sent: it is ignored, not blocked, and there is no tracer to ask.
    pub fn is_dropped(&self) -> bool {
        let is_ignored = match self.disposition {
            SignalDisposition::Ignored | SignalDisposition::DefaultOfInit => true,
            SignalDisposition::Caught | SignalDisposition::Default => false,
        };
        is_ignored && self.blocked_by == BlockedBy::NotFirst && self.tracer.is_none()
    }
}
