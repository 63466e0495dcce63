//! Why nothing is stopped to free a port, and what can be done instead, as values. `wording` writes the sentences.

use super::protected::{Protected, protected};
use crate::model::port::Port;
use crate::model::process::{
    CandidateQuery, Container, Pid, Process, ProcessId, ProcessTree, SocketCandidates, Supervisor,
    Unit,
};
use crate::model::socket::{EndpointId, Socket, State, TimeWaitLeft};
use crate::model::text::SystemText;
use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

/// Why no plan is offered for a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub port: Port,
    pub obstacle: Obstacle,
    /// Supervisors found behind the owners.
    pub supervisors: Vec<Supervisor>,
    /// Explanations of other rows in the same dialog.
    pub others: Vec<Explanation>,
}

/// What prevents a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The socket has closed; another may hold the port.
    Closed { now: Option<Box<Socket>> },
    /// The connection is in TIME_WAIT, which no process holds.
    TimeWait {
        left: Option<TimeWaitLeft>,
        listener: Option<Box<Socket>>,
    },
    /// It is the client's end of a connection.
    Client {
        client: Box<Socket>,
        listener: Option<Box<Socket>>,
    },
    /// Nothing listens on the port, only connections are left.
    LeftOver {
        states: Vec<Option<State>>,
        /// The row's socket, if a process holds it.
        held: Option<Box<Socket>>,
        /// Until the last TIME_WAIT ends.
        left: Option<TimeWaitLeft>,
    },
    /// The owner is still being searched for.
    Pending(Box<Socket>),
    /// The owner was not found; the socket says why.
    NotFound {
        socket: Box<Socket>,
        /// Sockets on other addresses whose owners are visible.
        visible: Vec<Socket>,
        probable: Box<ProbableOwners>,
        /// The command that frees the port as root.
        sudo: Option<String>,
    },
    /// No process holds the socket, only the kernel.
    Kernel(Box<Socket>),
    /// Every owner that would have to be stopped is protected.
    Protected {
        protected: Vec<(Arc<Process>, Protected)>,
        owners: Vec<Arc<Process>>,
    },
    /// Its supervisor must be told to stop it.
    Supervised {
        process: Arc<Process>,
        by: SupervisedBy,
        stop_command: Option<String>,
        owners: Vec<Arc<Process>>,
    },
}

/// Who may own the sockets of a port whose owner was not found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProbableOwners {
    /// These sockets.
    pub sockets: Vec<CandidateQuery>,
    /// Their candidates, which are only known a moment after the explanation.
    pub candidates: Vec<SocketCandidates>,
    /// The candidates that are never stopped.
    pub protected: Vec<(Arc<Process>, Protected)>,
}

/// Why stopping a process would not free its port for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupervisedBy {
    /// It forwards a published port of this container.
    PublishedPort(Box<Container>),
    /// This socket of systemd starts the service again.
    SocketActivation(SystemText, Box<Unit>),
    /// It is the main process of this service.
    MainProcess(Box<Unit>),
}

impl Explanation {
    pub(super) fn new(port: Port, obstacle: Obstacle) -> Self {
        Self {
            port,
            obstacle,
            supervisors: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Adds the explanation of another row, unless it says the same.
    pub fn and(mut self, other: Self) -> Self {
        let subject = |one: &Self| (one.port, one.timeless().obstacle);
        let mut known = iter::once(&self).chain(&self.others);
        if !known.any(|known| subject(known) == subject(&other)) {
            self.others.push(other);
        }
        self
    }

    /// Returns the explanation without its remaining times and counts, so that two explanations of the same facts are
    /// equal.
    pub fn timeless(&self) -> Self {
        let mut timeless = self.clone();
        match &mut timeless.obstacle {
            Obstacle::TimeWait { left, .. } => *left = None,
            Obstacle::LeftOver { states, left, .. } => {
                states.clear();
                *left = None;
            }
            Obstacle::Closed { .. }
            | Obstacle::Client { .. }
            | Obstacle::Pending(_)
            | Obstacle::NotFound { .. }
            | Obstacle::Kernel(_)
            | Obstacle::Protected { .. }
            | Obstacle::Supervised { .. } => {}
        }
        timeless.others = self.others.iter().map(Self::timeless).collect();
        timeless
    }

    /// Adds what is known about the supervisors of hidden or protected owners.
    pub fn add_supervisors(&mut self, supervisors: &[Supervisor]) {
        for supervisor in supervisors {
            if !self.supervisors.contains(supervisor) {
                self.supervisors.push(supervisor.clone());
            }
        }
    }

    /// Returns the sockets whose candidates are to be found.
    pub fn unowned(&self) -> &[CandidateQuery] {
        self.probable().map_or(&[], |probable| &probable.sockets)
    }

    fn probable(&self) -> Option<&ProbableOwners> {
        match &self.obstacle {
            Obstacle::NotFound { probable, .. } => Some(probable),
            _ => None,
        }
    }

    /// Returns the candidates, each set of them once.
    pub fn candidates(&self) -> Vec<&SocketCandidates> {
        let mut distinct: Vec<&SocketCandidates> = Vec::new();
        let all = self.probable().into_iter();
        for one in all.flat_map(|probable| &probable.candidates) {
            if !distinct
                .iter()
                .any(|known| known.processes == one.processes)
            {
                distinct.push(one);
            }
        }
        distinct
    }

    /// Adds who probably owns the sockets whose owner was not found.
    pub fn add_candidates(&mut self, found: &[SocketCandidates], self_pids: &[Pid]) {
        let Obstacle::NotFound { probable, .. } = &mut self.obstacle else {
            return;
        };
        probable.candidates = found.to_vec();
        let processes = found.iter().flat_map(SocketCandidates::named);
        let processes: BTreeMap<ProcessId, &Arc<Process>> =
            processes.map(|process| (process.id, process)).collect();
        let reason = |process: &Arc<Process>| {
            let why = protected(process, self_pids)?;
            Some((Arc::clone(process), why))
        };
        probable.protected = processes.into_values().filter_map(reason).collect();
    }

    /// True if one of the protected owners is a port proxy, which its engine may have left over.
    pub fn has_port_proxy(&self) -> bool {
        let Obstacle::Protected { protected, .. } = &self.obstacle else {
            return false;
        };
        let mut reasons = protected.iter().map(|(_, why)| *why);
        reasons.any(|why| why == Protected::ContainerPortProxy)
    }

    /// Returns the proxies of which these trees show that their engine has left them over: a plan may stop them.
    pub fn left_over(&self, trees: &[ProcessTree]) -> Vec<ProcessId> {
        let Obstacle::Protected { protected, .. } = &self.obstacle else {
            return Vec::new();
        };
        let is_proxy = |tree: &&ProcessTree| {
            let proxy = |(process, why): &(Arc<Process>, Protected)| {
                process.id == tree.process && *why == Protected::ContainerPortProxy
            };
            tree.supervisor.left_over_from.is_some() && protected.iter().any(proxy)
        };
        let left_over = trees.iter().filter(is_proxy);
        left_over.map(|tree| tree.process).collect()
    }

    /// Returns a command to copy. Raw: show it through [`escaped`](crate::model::text::escaped).
    pub fn command(&self) -> Option<String> {
        // Stopping a supervisor is better than stopping a process of it.
        let mut supervisors = self.supervisors.iter().rev();
        supervisors
            .find_map(Supervisor::stop_command)
            .or_else(|| match &self.obstacle {
                Obstacle::NotFound { sudo, .. } => sudo.clone(),
                Obstacle::Supervised { stop_command, .. } => stop_command.clone(),
                _ => None,
            })
    }

    /// Returns the endpoint to go to: the listener, or a visible socket that holds the port.
    pub fn go_to(&self) -> Option<EndpointId> {
        let socket = match &self.obstacle {
            Obstacle::Closed { now: listener }
            | Obstacle::TimeWait { listener, .. }
            | Obstacle::Client { listener, .. } => listener.as_deref(),
            Obstacle::NotFound { visible, .. } => visible.first(),
            Obstacle::LeftOver { .. }
            | Obstacle::Pending(_)
            | Obstacle::Kernel(_)
            | Obstacle::Protected { .. }
            | Obstacle::Supervised { .. } => None,
        };
        socket.map(|socket| socket.id)
    }

    /// Returns the port whose supervisor should be looked up.
    pub fn supervised_port(&self) -> Option<Port> {
        use Obstacle::{NotFound, Protected};
        matches!(self.obstacle, NotFound { .. } | Protected { .. }).then_some(self.port)
    }

    /// Returns the port near which an unused one would help, for `InspectRequest::unused_near`.
    pub fn unused_near(&self) -> Option<u16> {
        let is_kernel = matches!(self.obstacle, Obstacle::Kernel(_));
        (is_kernel || self.supervised_port().is_some()).then_some(self.port.number)
    }

    /// Returns the owners of the port, where none of them is stopped.
    pub fn owners(&self) -> &[Arc<Process>] {
        match &self.obstacle {
            Obstacle::Protected { owners, .. } | Obstacle::Supervised { owners, .. } => owners,
            _ => &[],
        }
    }

    pub fn process_ids(&self) -> Vec<ProcessId> {
        self.owners().iter().map(|owner| owner.id).collect()
    }
}
