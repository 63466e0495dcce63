//! What is asked about processes only when someone looks: where they come from and what hangs on them.
//!
//! It costs a walk over every process, so details and the dialog ask once for it and the sampler never does.

use crate::model::endpoint::EndpointId;
use crate::model::history::ExitStatus;
use crate::model::ports::Port;
use crate::model::process::{Pid, Process, ProcessId, ProcessState};
use crate::model::supervisor::Supervisor;
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

impl ProcessTree {
    /// Who started it: `npm 3970 ← zsh 3801 (pts/4)`.
    pub fn chain(&self) -> String {
        let is_adopter = |one: &&Arc<Process>| one.name.raw() == "systemd";
        match self.ancestors.first() {
            None => self.started_or_adopted_by(None),
            Some(parent) if is_adopter(&parent) => self.started_or_adopted_by(Some(parent)),
            Some(_) => self.links(),
        }
    }

    /// Below the system's first process, or a user's systemd, stands what that has started and every orphan.
    fn started_or_adopted_by(&self, parent: Option<&Arc<Process>>) -> String {
        let by = parent.map_or_else(|| FIRST_PROCESS.to_owned(), ToString::to_string);
        let unit = self.supervisor.unit.as_ref();
        let is_main = unit.is_some_and(|unit| unit.main == Some(self.process.pid));
        let mut group = self.group.iter();
        let itself = group.find(|process| process.id == self.process);
        let first = parent.map_or(FIRST, |parent| parent.pid());
        if self.process.pid.0 <= FIRST.0 {
            format!("nobody: it is {FIRST_PROCESS}")
        } else if is_main {
            by
        } else if itself.is_none_or(|itself| itself.parent != Some(first)) {
            "somebody who has ended or may not be seen".to_owned()
        } else if itself.is_some_and(|itself| is_in_session_of_another(itself, first)) {
            format!("nobody who still runs (adopted by {by})")
        } else {
            format!("{by}, or somebody who has ended")
        }
    }

    fn links(&self) -> String {
        let link = |process: &Arc<Process>| match &process.terminal {
            Some(terminal) => format!("{process} ({terminal})"),
            None => process.to_string(),
        };
        let links: Vec<String> = self.ancestors.iter().map(link).collect();
        links.join(" ← ")
    }
}

const FIRST: Pid = Pid(1);
const FIRST_PROCESS: &str = "the system's first process";

/// Whether the session tells that its parent has only adopted it: whoever makes no session of its own has that of the one
/// that started it (setsid(2)), and whoever made one, as every daemon does, may have been started by anybody.
fn is_in_session_of_another(process: &Process, parent: Pid) -> bool {
    // 0 is a session outside of this PID namespace, such as that of a container's first process.
    let session = process.session.filter(|session| session.0 > FIRST.0);
    session.is_some_and(|session| session != process.pid() && session != parent)
}

#[cfg(test)]
mod tests;
