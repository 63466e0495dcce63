//! A process: its identity, by which decisions are made, and its description, which is only shown.

mod candidate;
mod inspection;
mod login;
pub mod shell;
mod signal;
mod supervisor;

pub use candidate::{CandidateChange, CandidateQuery, SocketCandidates, SocketOrigin};
pub use inspection::{
    ExitStatus, InspectRequest, Inspection, Origin, ProcessTree, Requester, Restriction,
};
pub use login::{LoginKind, is_interactive_shell, leads_terminal, login_kind};
pub use signal::{SIGNALS, Signal};
pub use supervisor::{Container, Engine, Manager, Published, Supervisor, Unit};

use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::mem;
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
    pub name: SystemText,
    /// The arguments, the program's name first. They may have secrets: see [`arguments`](Self::arguments).
    pub command: Vec<SystemText>,
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

    /// The arguments with passwords, tokens and keys replaced by `•••`.
    pub fn arguments(&self) -> Vec<SystemText> {
        let mut hides_next = false;
        let masked = |argument: &SystemText| {
            let raw = argument.raw();
            let is_flag = raw.starts_with('-');
            let takes_secret = is_flag && !raw.contains('=') && names_a_secret(&raw);
            if mem::replace(&mut hides_next, takes_secret) && !is_flag {
                return MASK.into();
            }
            mask_within(&raw).map_or_else(|| argument.clone(), |text| text.as_str().into())
        };
        self.command.iter().map(masked).collect()
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

/// `node 4242`: how a process is named in every sentence.
impl Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.id.pid)
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

const MASK: &str = "•••";
const SECRET_WORDS: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "access_key",
    "private_key",
    "credential",
];

/// Masks the value of `--token=VALUE` or `API_KEY=VALUE` and the password of `scheme://user:password@host`.
fn mask_within(argument: &str) -> Option<String> {
    if let Some((name, value)) = argument.split_once('=')
        && names_a_secret(name)
        && !value.is_empty()
    {
        return Some(format!("{name}={MASK}"));
    }
    let (scheme, rest) = argument.split_once("://")?;
    let (login, host) = rest.split_once('@')?;
    let (user, _) = login.split_once(':').filter(|_| !login.contains('/'))?;
    Some(format!("{scheme}://{user}:{MASK}@{host}"))
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// The state of a process that does not run: it may hold a port without serving it, and not act on a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessState {
    /// Stopped by a signal (T).
    Suspended,
    /// Stopped by a debugger (t).
    Traced,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    #[test]
    fn secrets_in_arguments_are_masked() {
        let cases = [
            ("app --password=hunter2 -v", "app --password=••• -v"),
            ("app --api-key abc --port 3", "app --api-key ••• --port 3"),
            ("env GITHUB_TOKEN=abc node", "env GITHUB_TOKEN=••• node"),
            (
                "psql postgres://dev:pw@localhost/shop",
                "psql postgres://dev:•••@localhost/shop",
            ),
            ("app --token --verbose", "app --token --verbose"),
            ("curl http://localhost/a:b@c", "curl http://localhost/a:b@c"),
        ];
        for (command, shown) in cases {
            assert_eq!(
                process(1, "app").command(command).build().command_line(),
                shown
            );
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
