//! The reasons of a report: each is one fact that was found.

use crate::model::port::WhyUnseen;
use crate::model::process::{Container, Engine, Pid, Process, ProcessState, SocketCandidates};
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, Family, Socket, SocketQueue, TimeWaitLeft};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Why a port is held, or what to know about one that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A listening, bound or UDP socket that conflicts with the requested bind.
    HoldingSocket(Box<Socket>),
    /// Who may own a socket whose owner was not found.
    Candidates(SocketCandidates),
    /// A socket of the same port that does not conflict.
    Elsewhere(Box<Socket>),
    /// The port is the local port of this client connection, usually chosen by the kernel, and of `more` others.
    Client {
        first: Box<Endpoint>,
        more: usize,
    },
    /// The port is both ends of this connection, and of `more` others.
    SelfConnection {
        first: Box<Socket>,
        more: usize,
    },
    /// `refused`: the addresses that cannot be bound at all. If empty, they can be bound with SO_REUSEADDR only.
    TimeWait {
        count: usize,
        refused: Vec<IpAddr>,
        /// Until the last one ends.
        left: Option<TimeWaitLeft>,
    },
    /// Connections whose listener has closed; `refused` as for `TimeWait`.
    Leftover {
        sockets: Vec<Socket>,
        refused: Vec<IpAddr>,
    },
    /// The user may not bind the port, which is below this first unprivileged one; `None` for another cause.
    Privileged(Option<u16>),
    NoSuchAddress(IpAddr),
    /// A bind failed with another error; `error` is the system's text.
    Failed {
        at: SocketAddr,
        error: String,
    },
    /// Addresses are in use and no table shows by which socket.
    Unexplained {
        at: Vec<SocketAddr>,
        why: WhyUnseen,
    },
    /// A socket on all addresses covers these addresses too, which have no row.
    Wildcard {
        socket: Box<Socket>,
        covered: Vec<SocketAddr>,
    },
    /// A socket bound to an interface blocks these addresses, but does not receive what is sent to them.
    OtherInterface {
        socket: Box<Socket>,
        unheard: Vec<SocketAddr>,
    },
    /// Only some addresses can be bound. `taken` is the family that cannot be bound, if the other one can.
    Partly {
        usable: Vec<IpAddr>,
        taken: Option<Family>,
    },
    /// 127.0.0.1 and ::1 lead to different processes.
    TwoLocalhosts {
        v4: Box<Socket>,
        v6: Box<Socket>,
        /// Addresses of `localhost`, in the order in which clients try them.
        localhost: Vec<IpAddr>,
    },
    BacklogFull {
        socket: Box<Socket>,
        queue: SocketQueue,
    },
    NotRunning {
        process: Arc<Process>,
        state: ProcessState,
    },
    /// The engine has left this port proxy over: it forwards nothing any more.
    LeftOver {
        process: Arc<Process>,
        engine: Engine,
    },
    /// A bind works only with SO_REUSEADDR.
    NeedsReuse,
    /// The system never assigns the port itself.
    Reserved,
    /// Addresses of a family that this machine lacks.
    NoFamily(Vec<IpAddr>),
    Published {
        container: Box<Container>,
        forwarding: Forwarding,
    },
    /// Connects to these addresses were answered, though no socket table shows a listener there.
    AnsweredUnseen(Vec<SocketAddr>),
    /// WSL shares ports with Windows, whose programs no table here shows.
    SharedWithWindows,
    Unread(Problem),
}

/// How connections come to a container that publishes a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// A socket here holds the port, such as that of the engine's proxy.
    BySocket,
    /// None does, and a connect was answered.
    ByRule,
    /// None does: a rule may forward them, or the engine publishes the port in another network namespace.
    Unknown,
}

impl Reason {
    /// Name in the JSON, which stays the same.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::HoldingSocket(_) => "holder",
            Self::Candidates(_) => "candidates",
            Self::Elsewhere(_) => "elsewhere",
            Self::Client { .. } => "client_port",
            Self::SelfConnection { .. } => "self_connection",
            Self::TimeWait { .. } => "time_wait",
            Self::Leftover { .. } => "leftover_connections",
            Self::Privileged(_) => "privileged",
            Self::NoSuchAddress(_) => "no_such_address",
            Self::Failed { .. } => "bind_failed",
            Self::Unexplained { .. } => "unexplained",
            Self::Wildcard { .. } => "wildcard",
            Self::OtherInterface { .. } => "other_interface",
            Self::Partly { taken, .. } => match taken {
                Some(Family::Ipv4) => "only_ipv4",
                Some(Family::Ipv6) => "only_ipv6",
                None => "partly",
            },
            Self::TwoLocalhosts { .. } => "two_localhosts",
            Self::BacklogFull { .. } => "backlog_full",
            Self::NotRunning { state, .. } => match state {
                ProcessState::Suspended => "stopped",
                ProcessState::Traced => "traced",
                ProcessState::Frozen => "frozen",
                ProcessState::Uninterruptible => "uninterruptible",
                ProcessState::Zombie => "zombie",
            },
            Self::LeftOver { .. } => "left_over",
            Self::NeedsReuse => "needs_reuseaddr",
            Self::Reserved => "reserved",
            Self::NoFamily(_) => "no_ipv6",
            Self::Published { .. } => "published",
            Self::AnsweredUnseen(_) => "answered_unseen",
            Self::SharedWithWindows => "shared_with_windows",
            Self::Unread(_) => "unread",
        }
    }

    /// True if it alone makes the port unusable.
    pub(super) fn is_decisive(&self) -> bool {
        match self {
            Self::TimeWait { refused, .. } | Self::Leftover { refused, .. } => !refused.is_empty(),
            Self::HoldingSocket(_)
            | Self::Client { .. }
            | Self::SelfConnection { .. }
            | Self::Unexplained { .. }
            | Self::NoSuchAddress(_) => true,
            // What says nothing about the port: such a bind is refused before anyone looks at it.
            Self::Privileged(_)
            | Self::Failed { .. }
            | Self::Candidates(_)
            | Self::Elsewhere(_)
            | Self::Wildcard { .. }
            | Self::OtherInterface { .. }
            | Self::Partly { .. }
            | Self::TwoLocalhosts { .. }
            | Self::BacklogFull { .. }
            | Self::NotRunning { .. }
            | Self::LeftOver { .. }
            | Self::NeedsReuse
            | Self::Reserved
            | Self::NoFamily(_)
            | Self::Published { .. }
            | Self::AnsweredUnseen(_)
            | Self::SharedWithWindows
            | Self::Unread(_) => false,
        }
    }

    /// Pids of the processes that the reason names.
    pub fn pids(&self) -> Vec<Pid> {
        let processes: Vec<Arc<Process>> = match self {
            Self::HoldingSocket(socket)
            | Self::Elsewhere(socket)
            | Self::Wildcard { socket, .. }
            | Self::OtherInterface { socket, .. }
            | Self::BacklogFull { socket, .. } => socket.owners.known().to_vec(),
            Self::Client { first, .. } => first.socket.owners.known().to_vec(),
            Self::SelfConnection { first, .. } => first.owners.known().to_vec(),
            Self::TwoLocalhosts { v4, v6, .. } => [v4.owners.known(), v6.owners.known()].concat(),
            Self::Leftover { sockets, .. } => distinct_owners(sockets),
            Self::NotRunning { process, .. } | Self::LeftOver { process, .. } => {
                vec![Arc::clone(process)]
            }
            Self::Candidates(candidates) => candidates.processes.clone(),
            Self::TimeWait { .. }
            | Self::Privileged(_)
            | Self::NoSuchAddress(_)
            | Self::Failed { .. }
            | Self::Unexplained { .. }
            | Self::Partly { .. }
            | Self::NeedsReuse
            | Self::Reserved
            | Self::NoFamily(_)
            | Self::Published { .. }
            | Self::AnsweredUnseen(_)
            | Self::SharedWithWindows
            | Self::Unread(_) => Vec::new(),
        };
        processes.iter().map(|process| process.pid()).collect()
    }
}

/// The known owners of these sockets, each once, by process id.
pub fn distinct_owners<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> Vec<Arc<Process>> {
    let owners = sockets.into_iter().flat_map(|socket| socket.owners.known());
    let owners = owners.map(|owner| (owner.id, Arc::clone(owner)));
    owners.collect::<BTreeMap<_, _>>().into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{process, socket};

    #[test]
    fn owners_and_their_pids_are_sorted_by_process_id() {
        let [seven, eight, nine] = [7, 8, 9].map(|pid| process(pid, "node").build());
        let sockets = vec![
            socket("127.0.0.1:3000").owners(&[&nine]).build(),
            socket("127.0.0.2:3000").owners(&[&seven, &nine]).build(),
            socket("127.0.0.3:3000").owners(&[&eight]).build(),
        ];
        assert_eq!(distinct_owners(&sockets), [seven, eight, nine]);
        let leftover = Reason::Leftover {
            sockets,
            refused: Vec::new(),
        };
        assert_eq!(leftover.pids(), [7, 8, 9].map(Pid));
    }
}
