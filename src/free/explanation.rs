//! Why nothing is stopped to free a port, and what can be done instead, as values. `wording` writes the sentences.

use super::kill_plan::KillPlan;
use super::plan::RowContext;
use super::protected::ProtectedOwner;
use crate::model::platform::PLATFORM;
use crate::model::port::{Port, PortSpec};
use crate::model::process::shell::quoted;
use crate::model::process::{Container, Process, ProcessId, Supervisor, Unit};
use crate::model::socket::{EndpointId, Owners, QueueOrTimer, Socket, State, TimeWaitLeft};
use crate::model::text::SystemText;
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
    /// This user cannot see the owner.
    Hidden {
        socket: Box<Socket>,
        /// Sockets on other addresses whose owners are visible.
        visible: Vec<Socket>,
        is_root: bool,
        /// The command that frees the port as root.
        sudo: Option<String>,
    },
    /// No process holds the socket, only the kernel.
    Kernel(Box<Socket>),
    /// Every owner that would have to be stopped is protected.
    Protected {
        protected: Vec<ProtectedOwner>,
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
        let new = other.timeless();
        let mut known = iter::once(&self).chain(&self.others);
        if !known.any(|one| one.timeless().obstacle == new.obstacle && one.port == new.port) {
            self.others.push(other);
        }
        self
    }

    /// Returns the explanation without what passes by itself, to compare what two are about.
    pub fn timeless(&self) -> Self {
        let mut timeless = self.clone();
        match &mut timeless.obstacle {
            Obstacle::LeftOver { states, left, .. } => (*states, *left) = (Vec::new(), None),
            Obstacle::TimeWait { left, .. } => *left = None,
            Obstacle::Closed { .. }
            | Obstacle::Client { .. }
            | Obstacle::Pending(_)
            | Obstacle::Hidden { .. }
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

    /// A command to copy. Raw: show it through [`escaped`](crate::model::text::escaped).
    pub fn command(&self) -> Option<String> {
        // Stopping a supervisor is better than stopping a process of it.
        let mut supervisors = self.supervisors.iter().rev();
        supervisors
            .find_map(Supervisor::stop_command)
            .or_else(|| match &self.obstacle {
                Obstacle::Hidden { sudo, .. } => sudo.clone(),
                Obstacle::Supervised { stop_command, .. } => stop_command.clone(),
                _ => None,
            })
    }

    /// The socket that really holds the port: where `l` goes.
    pub fn go_to(&self) -> Option<EndpointId> {
        match &self.obstacle {
            Obstacle::Closed { now: listener }
            | Obstacle::TimeWait { listener, .. }
            | Obstacle::Client { listener, .. } => listener.as_ref().map(|socket| socket.id),
            Obstacle::Hidden { visible, .. } => visible.first().map(|socket| socket.id),
            Obstacle::LeftOver { .. }
            | Obstacle::Pending(_)
            | Obstacle::Kernel(_)
            | Obstacle::Protected { .. }
            | Obstacle::Supervised { .. } => None,
        }
    }

    /// The port whose supervisor is worth knowing.
    pub fn supervised_port(&self) -> Option<Port> {
        let is_wanted = matches!(
            self.obstacle,
            Obstacle::Hidden { .. } | Obstacle::Protected { .. }
        );
        is_wanted.then_some(self.port)
    }

    /// The port near which an unused one would help; goes into `InspectRequest::unused_near`.
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

/// The row closed before the question.
pub(super) fn closed(row: &RowContext) -> Explanation {
    let mut on_port = row.on_port(row.row.port()).into_iter();
    let now = on_port.find(|socket| socket.holds_port() && socket.id != row.row.id);
    let now = now.map(unchanging);
    Explanation::new(Port::of(row.row), Obstacle::Closed { now })
}

pub(super) fn time_wait(row: &RowContext) -> Explanation {
    let since = |_: &Socket| row.context.state_since;
    let now = row.context.now.instant;
    let left = TimeWaitLeft::of_last(iter::once(row.row), now, PLATFORM.time_wait(), since);
    let listener = row.row.remote.and_then(|remote| row.listener(remote));
    let listener = listener.map(unchanging);
    Explanation::new(Port::of(row.row), Obstacle::TimeWait { left, listener })
}

/// The row is the client's end: stopping the client frees nothing.
pub(super) fn client(row: &RowContext) -> Explanation {
    let Some(remote) = row.row.remote else {
        return left_over(row);
    };
    let obstacle = Obstacle::Client {
        client: unchanging(row.row),
        listener: row.listener(remote).map(unchanging),
    };
    Explanation::new(Port::of(row.row), obstacle)
}

/// Nothing listens on the port any more, or ever did.
pub(super) fn left_over(row: &RowContext) -> Explanation {
    let left = row.on_port(row.row.port());
    let is_held = row.row.owners != Owners::NoProcess;
    let waiting = left
        .iter()
        .copied()
        .filter(|socket| socket.state == Some(State::TimeWait));
    let now = row.context.now.instant;
    let obstacle = Obstacle::LeftOver {
        states: left.iter().map(|socket| socket.state).collect(),
        held: is_held.then(|| unchanging(row.row)),
        left: TimeWaitLeft::of_last(waiting, now, PLATFORM.time_wait(), |_| None),
    };
    Explanation::new(Port::of(row.row), obstacle)
}

/// The owner of the first socket is hidden; visible owners on other addresses are named and not stopped.
pub(super) fn no_permission(row: &RowContext, sockets: &[&Socket]) -> Explanation {
    let Some((own, others)) = sockets.split_first() else {
        return left_over(row);
    };
    let environment = row.context.environment;
    let executable = environment.executable.as_ref();
    let port = PortSpec {
        protocol: own.protocol,
        address: None,
        port: own.port(),
    };
    let sudo = executable
        .filter(|_| environment.uid.is_some() && !environment.is_root)
        .map(|path| {
            format!(
                "sudo {} free {}",
                quoted(path.as_bytes()),
                port.to_argument()
            )
        });
    let visible = others.iter().filter(|one| !one.owners.known().is_empty());
    let obstacle = Obstacle::Hidden {
        socket: unchanging(own),
        visible: visible.map(|socket| *unchanging(socket)).collect(),
        is_root: environment.is_root,
        sudo,
    };
    Explanation::new(Port::of(own), obstacle)
}

pub(super) fn pending(own: &Socket) -> Explanation {
    Explanation::new(Port::of(own), Obstacle::Pending(unchanging(own)))
}

/// A socket of the kernel itself holds the port.
pub(super) fn unowned(own: &Socket) -> Explanation {
    Explanation::new(Port::of(own), Obstacle::Kernel(unchanging(own)))
}

pub(super) fn protected(plan: &KillPlan) -> Explanation {
    let obstacle = Obstacle::Protected {
        protected: plan.protected.clone(),
        owners: plan.owner_processes(),
    };
    Explanation::new(plan.to_port(), obstacle)
}

/// Returns the socket without its queue, so that an explanation of the same facts stays equal.
fn unchanging(socket: &Socket) -> Box<Socket> {
    Box::new(Socket {
        queue_or_timer: QueueOrTimer::Unknown,
        ..socket.clone()
    })
}
