//! A process: its identity, by which decisions are made, and its description, which is only shown.

mod candidate;
mod inspection;
mod login;
mod run_state;
mod secrets;
pub mod shell;
mod signal;
mod supervisor;

pub use candidate::{CandidateChange, CandidateQuery, SocketCandidates, SocketOrigin};
pub use inspection::{
    ExitStatus, InspectRequest, Inspection, Origin, ProcessTree, Requester, Restriction,
};
pub use login::{LoginKind, is_interactive_shell, leads_terminal, login_kind};
pub use run_state::{ProcessState, RunState};
pub use signal::{SIGNALS, Signal};
pub use supervisor::{Container, Engine, Manager, Published, Supervisor, Unit};

use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::SystemTime;

/// A process id, which the kernel reuses: see [`ProcessId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u32);

impl Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Name of a user that portmon's user namespace does not map (user_namespaces(7)).
pub const UNMAPPED_USER: &str = "unmapped";

/// When a process started, at the full resolution of its system and in units of that system.
///
/// Linux: clock ticks since boot, field 22 of `/proc/PID/stat` (proc_pid_stat(5)). macOS: microseconds since the epoch
/// (`pbi_start_tvsec`, `pbi_start_tvusec`). Windows: the creation FILETIME. Only good for comparing with its like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StartTime(pub u64);

/// The identity of a process, which no later process with the same pid has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    pub pid: Pid,
    pub start: StartTime,
}

/// The exec of a process that made it what it is now, which no other exec of it has (execve(2)). Only good for comparing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecId(pub u64);

/// A process. Everything but `id` only describes it and may be missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub id: ProcessId,
    /// `None` where the system does not tell, or not this user.
    pub exec: Option<ExecId>,
    /// The name of its program, whatever the process calls itself; empty if unknown.
    pub name: SystemText,
    /// The name of its main thread, which the process may have set (comm of proc_pid_comm(5)); `None` on systems without one.
    pub comm: Option<SystemText>,
    /// The arguments, the program's name first. They may have secrets: see [`arguments`](Self::arguments).
    pub command: Vec<SystemText>,
    /// True if the process wrote a title over its arguments: the first of `command` is the title.
    pub is_titled: bool,
    pub executable: Option<SystemText>,
    pub directory: Option<SystemText>,
    pub started_at: Option<SystemTime>,
    pub parent: Option<Pid>,
    /// The process group, one for each job of a shell (credentials(7)).
    pub group: Option<Pid>,
    pub session: Option<Pid>,
    pub uid: Option<u32>,
    pub user: Option<SystemText>,
    /// The controlling terminal, such as `pts/4`.
    pub terminal: Option<SystemText>,
    pub is_kernel_thread: bool,
}

impl Process {
    pub fn pid(&self) -> Pid {
        self.id.pid
    }

    /// Returns true unless the process has executed another program since, as a later description of it shows. A new title
    /// or thread name is no other program.
    pub fn is_same_program(&self, now: &Self) -> bool {
        match (self.exec, now.exec) {
            (Some(before), Some(after)) => before == after,
            (None, _) | (_, None) => self.name == now.name,
        }
    }

    /// Returns true if both users are known and differ.
    pub fn is_foreign(&self, uid: Option<u32>) -> bool {
        uid.is_some() && self.uid.is_some() && self.uid != uid
    }

    /// Returns the name of the main thread, if neither the program nor its title is called that.
    pub fn thread_name(&self) -> Option<&SystemText> {
        let comm = self.comm.as_ref()?;
        let begins = |text: &SystemText| text.bytes().starts_with(comm.bytes());
        let is_known = begins(&self.name) || self.command.iter().any(begins);
        (!is_known && !comm.bytes().trim_ascii().is_empty()).then_some(comm)
    }

    /// The title that the process wrote over its arguments, with secrets masked.
    pub fn title(&self) -> Option<SystemText> {
        self.arguments()
            .into_iter()
            .next()
            .filter(|_| self.is_titled)
    }

    /// The arguments with passwords, tokens and keys replaced by `•••`.
    pub fn arguments(&self) -> Vec<SystemText> {
        let mut mask = secrets::Mask::default();
        let title = usize::from(self.is_titled);
        let titles = self.command.iter().take(title).map(secrets::in_title);
        let arguments = self.command.iter().skip(title);
        titles
            .chain(arguments.map(|argument| mask.apply(argument)))
            .collect()
    }

    /// The masked arguments on one line, made safe to show; the name where the system shows no arguments.
    pub fn command_line(&self) -> String {
        if self.command.is_empty() {
            return self.name.to_string();
        }
        let shown: Vec<String> = self.arguments().iter().map(ToString::to_string).collect();
        shown.join(" ")
    }
}

/// `node 4242`: how a process is named in every sentence; `process 4242` if the name of its program is unknown.
impl Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            write!(f, "process {}", self.id.pid)
        } else {
            write!(f, "{} {}", self.name, self.id.pid)
        }
    }
}

/// Sorts processes whose parent is not in the list first, then by pid. A master comes before its workers: it restarts a
/// worker that exits, and stops them all when it exits.
pub fn topmost_first(mut processes: Vec<Arc<Process>>) -> Vec<Arc<Process>> {
    let pids: Vec<Pid> = processes.iter().map(|process| process.pid()).collect();
    processes.sort_by_key(|process| (!is_topmost(process, &pids), process.pid()));
    processes
}

/// True if no other process among `pids` is the parent of this one.
pub fn is_topmost(process: &Process, pids: &[Pid]) -> bool {
    process
        .parent
        .is_none_or(|parent| parent == process.pid() || !pids.contains(&parent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    #[test]
    fn a_thread_is_named_beside_a_program_of_another_name() {
        let shown = |name: &str, comm: &str, command: &str| {
            let process = process(7, name).with(|it| {
                (it.comm, it.command) = (Some(comm.into()), vec![command.into()]);
            });
            let process = process.build();
            let thread = process.thread_name().map(ToString::to_string);
            (process.to_string(), thread)
        };
        let named = |name: &str, thread: Option<&str>| (name.to_owned(), thread.map(str::to_owned));
        let cases = [
            (shown("node", "node", "node"), named("node 7", None)),
            (
                shown("python3.11", "worker0", "python3 a.py"),
                named("python3.11 7", Some("worker0")),
            ),
            (
                shown("chrome_crashpad_handler", "chrome_crashpad", "x"),
                named("chrome_crashpad_handler 7", None),
            ),
            (
                shown("gunicorn", "gunicorn: maste", "gunicorn: master"),
                named("gunicorn 7", None),
            ),
            (shown("", "", ""), named("process 7", None)),
        ];
        for (shown, expected) in cases {
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn a_master_comes_before_its_workers_whatever_their_pids() {
        let family = vec![
            process(10, "worker").parent(20).build(),
            process(20, "master").parent(1).build(),
            process(30, "worker").parent(20).build(),
        ];
        let order: Vec<u32> = topmost_first(family)
            .iter()
            .map(|process| process.pid().0)
            .collect();
        assert_eq!(order, [20, 10, 30]);
    }
}
