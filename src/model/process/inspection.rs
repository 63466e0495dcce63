//! Inspections: what portmon asks about processes only when someone looks at them.
//!
//! An inspection reads every process, so only the details and the dialog request one, never the sampler.

use super::supervisor::Supervisor;
use crate::model::port::Port;
use crate::model::process::{
    CandidateQuery, Pid, Process, ProcessId, RunState, Signal, SocketCandidates,
};
use crate::model::socket::EndpointId;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// A request to the inspector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectRequest {
    pub requester: Requester,
    pub endpoint: EndpointId,
    /// The owners whose process trees are wanted.
    pub processes: Vec<ProcessId>,
    /// The port of the row, which identifies the container behind a port proxy.
    pub port: Option<Port>,
    /// The port of each owner, for a request about several rows.
    pub ports: Vec<(ProcessId, Port)>,
    /// The sockets whose candidates are wanted, and the process trees of those.
    pub unowned: Vec<CandidateQuery>,
    /// Asks for an unused port after this one, verified by a bind.
    pub unused_near: Option<u16>,
}

impl InspectRequest {
    /// The request for these processes, without a port.
    pub fn new(requester: Requester, endpoint: EndpointId, processes: Vec<ProcessId>) -> Self {
        Self {
            requester,
            endpoint,
            processes,
            port: None,
            ports: Vec::new(),
            unowned: Vec::new(),
            unused_near: None,
        }
    }

    /// Returns the port of this process; of several the first.
    pub fn port_of(&self, process: ProcessId) -> Option<Port> {
        let own = self.ports.iter().find(|(owner, _)| *owner == process);
        own.map(|(_, port)| *port).or(self.port)
    }
}

/// Sender of a request. Its next request replaces one that is not answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    Details,
    Dialog,
    /// Asks for exit statuses, and not for process trees.
    History,
    /// Asks for a process whose command is to be copied.
    Restart,
    ReuseWatch,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub request: InspectRequest,
    /// The processes of the request as they are now; those that have ended are absent.
    pub described: Vec<Arc<Process>>,
    pub trees: Vec<ProcessTree>,
    pub exit_statuses: Vec<(ProcessId, ExitStatus)>,
    /// SocketCandidates of the sockets whose owner was not found.
    pub candidates: Vec<SocketCandidates>,
    /// Supervisor of the port if its owner is hidden; otherwise each process tree has its own.
    pub supervisor: Supervisor,
    /// The addresses of this machine that are not loopback.
    pub addresses: Vec<IpAddr>,
    pub unused: Option<u16>,
}

impl Inspection {
    /// Returns a process of the request as it is now, unless it has ended.
    pub fn described(&self, process: ProcessId) -> Option<&Arc<Process>> {
        self.described.iter().find(|now| now.id == process)
    }

    pub fn tree_of(&self, process: ProcessId) -> Option<&ProcessTree> {
        self.trees.iter().find(|tree| tree.process == process)
    }

    /// Returns the supervisors of all owners, also of a hidden one, and those of candidates that the control group of the
    /// socket proves.
    pub fn supervisors(&self) -> Vec<Supervisor> {
        let is_meant = |tree: &&ProcessTree| {
            let mut candidates = self.candidates.iter();
            self.request.processes.contains(&tree.process)
                || candidates.any(|one| one.proves_supervisor_of(tree.process))
        };
        let of_trees = self.trees.iter().filter(is_meant);
        let of_trees = of_trees.map(|tree| &tree.supervisor);
        of_trees.chain([&self.supervisor]).cloned().collect()
    }
}

/// What became of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    Unknown,
    /// It exited this long after portmon had sent the signal, whatever the cause.
    EndedAfter(Duration, Signal),
    Ended,
    StillRunning,
}

impl ExitStatus {
    /// True if the status cannot change any more.
    pub fn is_final(self) -> bool {
        match self {
            Self::EndedAfter(..) | Self::Ended => true,
            Self::Unknown | Self::StillRunning => false,
        }
    }
}

/// A process with its relatives, at the time of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessTree {
    pub process: ProcessId,
    /// The parent first, then its parent, and so on, without init.
    pub ancestors: Vec<Arc<Process>>,
    pub descendants: Vec<Arc<Process>>,
    /// The first process of all, which adopts orphans; `None` if it is unknown.
    pub init: Option<Arc<Process>>,
    /// The process group, including the process itself, by pid; empty if the system does not report groups.
    pub group: Vec<Arc<Process>>,
    pub supervisor: Supervisor,
    /// Of the process, its ancestors and its group; only those with a restriction.
    pub restrictions: Vec<Restriction>,
    /// Of the same processes; only those that may not act on a signal.
    pub run_states: Vec<RunState>,
}

/// What the system does not let this user do with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restriction {
    pub process: ProcessId,
    /// The file descriptors may not be read, so it is unknown which sockets the process has open.
    pub no_fds: bool,
    /// No signal may be sent to it (kill(2)).
    pub no_signal: bool,
}

/// How a process was started. Orphans are adopted by init (`None`) or by a systemd manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The process is init itself.
    FirstProcess,
    /// Its ancestors, the parent first.
    Ancestors(Vec<Arc<Process>>),
    /// Started by the adopter, as the main process of a unit.
    Started(Option<Arc<Process>>),
    /// Its parent has exited.
    Adopted(Option<Arc<Process>>),
    /// Started by the adopter, or by a parent that has exited.
    StartedOrAdopted(Option<Arc<Process>>),
    /// Its parent has exited or is hidden.
    Unknown,
}

impl ProcessTree {
    /// Returns why this one of them may not act on a signal; `None` if it acts.
    pub fn run_state_of(&self, process: ProcessId) -> Option<&RunState> {
        self.run_states.iter().find(|one| one.process == process)
    }

    pub fn origin(&self) -> Origin {
        match self.ancestors.first() {
            None => self.adopted_origin(None),
            Some(parent) if parent.name.raw() == "systemd" => self.adopted_origin(Some(parent)),
            Some(_) => Origin::Ancestors(self.ancestors.clone()),
        }
    }

    /// Returns the origin of a child of init or a systemd manager, whose children are the processes that it started and
    /// all orphans.
    fn adopted_origin(&self, adopter: Option<&Arc<Process>>) -> Origin {
        let adopter_pid = adopter.map_or(FIRST, |adopter| adopter.pid());
        let main = self.supervisor.unit.as_ref().and_then(|unit| unit.main);
        let process = self.group.iter().find(|one| one.id == self.process);
        if self.process.pid <= FIRST {
            return Origin::FirstProcess;
        }
        match process.filter(|process| process.parent == Some(adopter_pid)) {
            _ if main == Some(self.process.pid) => Origin::Started(adopter.cloned()),
            None => Origin::Unknown,
            Some(process) if is_in_session_of_another(process, adopter_pid) => {
                Origin::Adopted(adopter.cloned())
            }
            Some(_) => Origin::StartedOrAdopted(adopter.cloned()),
        }
    }
}

const FIRST: Pid = Pid(1);

/// True if the session shows that the parent has adopted the process: a process that leads no session is in that of the
/// parent which started it (setsid(2)). The leader of a session, like every daemon, may have been started by any process.
fn is_in_session_of_another(process: &Process, parent: Pid) -> bool {
    // 0 is a session outside of this PID namespace, such as that of a container's init.
    let session = process.session.filter(|session| *session > FIRST);
    session.is_some_and(|session| session != process.pid() && session != parent)
}
