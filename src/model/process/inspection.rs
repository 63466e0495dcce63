//! What is asked about processes only when someone looks: where they come from and what hangs on them.
//!
//! It costs a walk over every process, so details and the dialog ask once for it and the sampler never does.

use super::supervisor::Supervisor;
use crate::model::port::{ExitStatus, Port};
use crate::model::process::{Pid, Process, ProcessId, ProcessState};
use crate::model::socket::EndpointId;
use std::net::IpAddr;
use std::sync::Arc;

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectRequest {
    pub requester: Requester,
    pub endpoint: EndpointId,
    /// The holders whose kin is wanted.
    pub processes: Vec<ProcessId>,
    /// The port that the row holds for itself: what relays ports into containers does not tell which one by itself.
    pub port: Option<Port>,
    /// Where several ports are asked about at once: which holder has which.
    pub ports: Vec<(ProcessId, Port)>,
    /// Whether an unused port near this one is wanted, proved by a bind.
    pub unused_near: Option<u16>,
}

impl InspectRequest {
    /// The port that this process was asked about, the first one if there are several.
    pub fn port_of(&self, process: ProcessId) -> Option<Port> {
        let own = self.ports.iter().find(|(holder, _)| *holder == process);
        own.map(|(_, port)| *port).or(self.port)
    }
}

/// Who asks. A later question of the same asker takes the place of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    Details,
    Dialog,
    /// Wants to know what became of the processes, and nothing of their kin.
    History,
    ReuseWatch,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The question as it was asked.
    pub request: InspectRequest,
    pub trees: Vec<ProcessTree>,
    /// Whether they still run, as far as that may be known.
    pub exit_statuses: Vec<(ProcessId, ExitStatus)>,
    /// What stands behind the port where its holders may not be seen; else each kin tells its own.
    pub supervisor: Supervisor,
    /// The addresses of this machine that are not loopback.
    pub addresses: Vec<IpAddr>,
    pub unused: Option<u16>,
}

impl Inspection {
    pub fn tree_of(&self, process: ProcessId) -> Option<&ProcessTree> {
        self.trees.iter().find(|kin| kin.process == process)
    }

    /// All that stands behind the port, be it behind its holders or behind those who may not be seen.
    pub fn behind(&self) -> Vec<Supervisor> {
        let kin = self.trees.iter().map(|kin| kin.supervisor.clone());
        kin.chain([self.supervisor.clone()]).collect()
    }
}

/// The family of one process at the time of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessTree {
    pub process: ProcessId,
    /// The parent first, then its parent, up to but without the first process of the system.
    pub ancestors: Vec<Arc<Process>>,
    /// Children and their children.
    pub descendants: Vec<Arc<Process>>,
    /// How it is if it does not simply run, such as stopped, as far as the system tells.
    pub process_state: Option<ProcessState>,
    /// Every process of its process group, with itself, by pid; empty where the system does not tell.
    pub group: Vec<Arc<Process>>,
    pub supervisor: Supervisor,
    /// What this user may not do, of the process itself, its ancestors and its group; only those where there is something.
    pub restrictions: Vec<Restriction>,
}

/// What the system does not let this user do with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restriction {
    pub process: ProcessId,
    /// The file descriptors may not be read, so that nobody knows which sockets it has open.
    pub no_fds: bool,
    /// No signal may be sent to it (kill(2)).
    pub no_signal: bool,
}

/// Where a process comes from. An adopter is init (`None`) or a systemd, which orphans are moved under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The process itself is the first of the system.
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
    /// Returns where the process comes from.
    pub fn origin(&self) -> Origin {
        match self.ancestors.first() {
            None => self.adopted_origin(None),
            Some(parent) if parent.name.raw() == "systemd" => self.adopted_origin(Some(parent)),
            Some(_) => Origin::Ancestors(self.ancestors.clone()),
        }
    }

    /// Returns the origin of a child of init or a systemd: each has what it started, and every orphan.
    fn adopted_origin(&self, adopter: Option<&Arc<Process>>) -> Origin {
        let adopter_pid = adopter.map_or(FIRST, |adopter| adopter.pid());
        let unit = self.supervisor.unit.as_ref();
        let process = self.group.iter().find(|one| one.id == self.process);
        if self.process.pid.0 <= FIRST.0 {
            Origin::FirstProcess
        } else if unit.is_some_and(|unit| unit.main == Some(self.process.pid)) {
            Origin::Started(adopter.cloned())
        } else if process.is_none_or(|process| process.parent != Some(adopter_pid)) {
            Origin::Unknown
        } else if process.is_some_and(|process| is_in_session_of_another(process, adopter_pid)) {
            Origin::Adopted(adopter.cloned())
        } else {
            Origin::StartedOrAdopted(adopter.cloned())
        }
    }
}

const FIRST: Pid = Pid(1);

/// Returns true if the session shows that the parent has only adopted the process: a process without a session of its own
/// has that of its first parent (setsid(2)); one with its own, like every daemon, may have been started by any.
fn is_in_session_of_another(process: &Process, parent: Pid) -> bool {
    // 0 is a session outside of this PID namespace, such as that of a container's init.
    let session = process.session.filter(|session| session.0 > FIRST.0);
    session.is_some_and(|session| session != process.pid() && session != parent)
}
