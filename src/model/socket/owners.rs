//! Who has a socket open, and why that is not known where it is not.

use super::KernelServices;
use crate::model::process::Process;
use std::sync::Arc;

/// Processes that have a socket open, as far as they can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owners {
    /// Not looked up yet.
    Pending,
    /// At least one process, the topmost first. Shared by all sockets with the same owners.
    Known(Arc<[Arc<Process>]>),
    /// Something has it open, and no search found what.
    NotFound(NotFound),
    /// No process has it: the kernel keeps it before or after one does (TIME_WAIT, SYN_RECV).
    NoProcess,
}

/// What is known of an owner that was not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound {
    pub cause: NotFoundCause,
    /// Processes through whose UNIX sockets it is probably being passed on. None of them counts as an owner.
    pub carriers: Arc<[Arc<Process>]>,
    /// Services of the kernel that it may belong to.
    pub kernel: KernelServices,
}

/// The established cause why an owner was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotFoundCause {
    /// Processes of other users could not be read: that takes root's rights (ptrace(2)).
    OtherUser,
    /// A process of the socket's user, who asks, is closed even to that user: it has capabilities, or has changed its user
    /// (`PR_SET_DUMPABLE` of prctl(2)).
    ClosedProcess,
    /// Root has no CAP_SYS_PTRACE, as in most containers, and some processes could not be read without it.
    MissingPtrace,
    /// The rights of a user namespace do not reach processes outside of it (user_namespaces(7)).
    UserNamespace,
    /// Every process in `/proc` was read, and `/proc` shows only those of one PID namespace (pid_namespaces(7)).
    OtherPidNamespace,
    /// `/proc` leaves out the processes of other users (`hidepid` of proc(5)).
    HiddenProcesses,
    /// There is no `/proc`, or it cannot be read.
    NoProc,
    /// It is probably on its way through a UNIX socket of a carrier (`SCM_RIGHTS` of unix(7)), and open in no process.
    InFlight,
    /// portmon had no descriptor left for the search, which is repeated.
    OutOfDescriptors,
    /// Some processes could not be read in spite of every right: a security module denies it (Landlock, SELinux and others).
    SecurityModule,
    /// Every process of this machine was read, and none has it.
    NoProcess,
    /// None of these is established.
    Unknown,
}

impl Owners {
    pub fn known(&self) -> &[Arc<Process>] {
        match self {
            Self::Known(processes) => processes,
            Self::Pending | Self::NotFound(_) | Self::NoProcess => &[],
        }
    }

    /// Replaces the descriptions of known owners that `update` changes.
    pub fn describe(&mut self, update: impl Fn(&mut Arc<Process>)) {
        if let Self::Known(processes) = self {
            let mut described = processes.to_vec();
            described.iter_mut().for_each(update);
            *processes = described.into();
        }
    }

    /// The topmost owner, which is shown for all.
    pub fn first(&self) -> Option<&Arc<Process>> {
        self.known().first()
    }

    /// What is known of an owner that was not found; `None` of others.
    pub fn not_found(&self) -> Option<&NotFound> {
        match self {
            Self::NotFound(not_found) => Some(not_found),
            Self::Pending | Self::Known(_) | Self::NoProcess => None,
        }
    }
}

impl From<NotFoundCause> for Owners {
    /// Not found for this cause, without carriers.
    fn from(cause: NotFoundCause) -> Self {
        Self::NotFound(NotFound {
            cause,
            carriers: Arc::default(),
            kernel: KernelServices::default(),
        })
    }
}

impl NotFound {
    /// True if it is established that root of this machine would find the owner.
    pub fn is_shown_by_sudo(&self) -> bool {
        self.cause.is_shown_by_sudo() && self.kernel.is_empty()
    }

    /// Services of the kernel that it belongs to, as far as can be told where no process has it that root can read.
    pub fn probably_kernel(&self) -> Option<KernelServices> {
        let is_searched = matches!(
            self.cause,
            NotFoundCause::NoProcess | NotFoundCause::SecurityModule
        );
        (is_searched && !self.kernel.is_empty()).then_some(self.kernel)
    }
}

/// Numbers of owners that were not found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotFoundCounts {
    /// A process that could not be read may be the owner.
    pub hidden: usize,
    /// How many of the hidden ones root of this machine would find.
    pub shown_by_sudo: usize,
    /// Searched in vain, and not known to be hidden.
    pub not_found: usize,
    /// Not searched, for lack of descriptors.
    pub not_looked_up: usize,
}

impl NotFoundCounts {
    pub fn all(&self) -> usize {
        self.hidden + self.not_looked_up + self.not_found
    }

    /// Counts an owner: 1 adds it, -1 removes it.
    pub fn change(&mut self, owner: &NotFound, by: isize) {
        let change = |count: &mut usize| *count = count.saturating_add_signed(by);
        match owner.cause {
            NotFoundCause::OutOfDescriptors => change(&mut self.not_looked_up),
            cause if cause.is_hidden() && owner.probably_kernel().is_none() => {
                change(&mut self.hidden);
            }
            _ => change(&mut self.not_found),
        }
        if owner.is_shown_by_sudo() {
            change(&mut self.shown_by_sudo);
        }
    }
}

impl NotFoundCause {
    /// True if a process that could not be read may have the socket.
    pub fn is_hidden(self) -> bool {
        match self {
            Self::OtherUser
            | Self::ClosedProcess
            | Self::MissingPtrace
            | Self::UserNamespace
            | Self::HiddenProcesses
            | Self::SecurityModule => true,
            Self::OtherPidNamespace
            | Self::NoProc
            | Self::InFlight
            | Self::OutOfDescriptors
            | Self::NoProcess
            | Self::Unknown => false,
        }
    }

    /// True if a process that this user may signal may have the socket, and could not be read.
    pub fn leaves_candidates(self) -> bool {
        match self {
            Self::OtherUser
            | Self::ClosedProcess
            | Self::MissingPtrace
            | Self::HiddenProcesses
            | Self::SecurityModule
            | Self::Unknown => true,
            Self::UserNamespace
            | Self::OtherPidNamespace
            | Self::NoProc
            | Self::InFlight
            | Self::OutOfDescriptors
            | Self::NoProcess => false,
        }
    }

    /// True if root of this machine would find the owner, if a process has it.
    fn is_shown_by_sudo(self) -> bool {
        match self {
            Self::OtherUser | Self::ClosedProcess | Self::HiddenProcesses => true,
            Self::MissingPtrace
            | Self::UserNamespace
            | Self::OtherPidNamespace
            | Self::NoProc
            | Self::InFlight
            | Self::OutOfDescriptors
            | Self::SecurityModule
            | Self::NoProcess
            | Self::Unknown => false,
        }
    }
}
