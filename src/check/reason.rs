//! The reasons of a report: each is one fact that was found.

use crate::model::process::{Container, Pid, Process, ProcessState};
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, Family, Socket, SocketQueue, TimeWaitLeft};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Why a port is held, or what to know about one that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A listening, bound or UDP socket that conflicts with the requested bind.
    HoldingSocket(Box<Socket>),
    /// A socket of the same port that does not conflict.
    Elsewhere(Box<Socket>),
    /// The port is the local port of this client connection, usually chosen by the kernel, and of `more` others.
    Client {
        first: Box<Endpoint>,
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
    /// Addresses are in use and no readable table shows by which socket; `is_unread`: an unreadable table may contain
    /// it.
    Unexplained {
        at: Vec<SocketAddr>,
        is_unread: bool,
    },
    /// A socket on all addresses covers these addresses too, which have no row.
    Wildcard {
        socket: Box<Socket>,
        covered: Vec<SocketAddr>,
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
    /// A bind works only with SO_REUSEADDR.
    NeedsReuse,
    /// The system never assigns the port itself.
    Reserved,
    /// Addresses of a family that this machine lacks.
    NoFamily(Vec<IpAddr>),
    Published(Box<Container>),
    Unread(Problem),
}

impl Reason {
    /// Name in the JSON, which stays the same.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::HoldingSocket(_) => "holder",
            Self::Elsewhere(_) => "elsewhere",
            Self::Client { .. } => "client_port",
            Self::TimeWait { .. } => "time_wait",
            Self::Leftover { .. } => "leftover_connections",
            Self::Privileged(_) => "privileged",
            Self::NoSuchAddress(_) => "no_such_address",
            Self::Failed { .. } => "bind_failed",
            Self::Unexplained { .. } => "unexplained",
            Self::Wildcard { .. } => "wildcard",
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
                ProcessState::Uninterruptible => "uninterruptible",
                ProcessState::Zombie => "zombie",
            },
            Self::NeedsReuse => "needs_reuseaddr",
            Self::Reserved => "reserved",
            Self::NoFamily(_) => "no_ipv6",
            Self::Published(_) => "published",
            Self::Unread(_) => "unread",
        }
    }

    /// Whether it alone makes the port unusable.
    pub(super) fn is_decisive(&self) -> bool {
        match self {
            Self::TimeWait { refused, .. } | Self::Leftover { refused, .. } => !refused.is_empty(),
            Self::HoldingSocket(_)
            | Self::Client { .. }
            | Self::Unexplained { .. }
            | Self::Privileged(_)
            | Self::NoSuchAddress(_)
            | Self::Failed { .. } => true,
            _ => false,
        }
    }

    /// Pids of the processes that the reason names.
    pub fn pids(&self) -> Vec<Pid> {
        let sockets: Vec<&Socket> = match self {
            Self::HoldingSocket(socket)
            | Self::Elsewhere(socket)
            | Self::Wildcard { socket, .. }
            | Self::BacklogFull { socket, .. } => vec![socket],
            Self::Client { first, .. } => vec![&first.socket],
            Self::TwoLocalhosts { v4, v6, .. } => vec![v4, v6],
            Self::Leftover { sockets, .. } => sockets.iter().collect(),
            Self::NotRunning { process, .. } => return vec![process.pid()],
            _ => Vec::new(),
        };
        let owners = distinct_owners(sockets).into_iter();
        owners.map(|process| process.pid()).collect()
    }
}

/// The known owners of these sockets, each once.
pub fn distinct_owners<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> Vec<Arc<Process>> {
    let mut owners: Vec<Arc<Process>> = Vec::new();
    for owner in sockets.into_iter().flat_map(|socket| socket.owners.known()) {
        if owners.iter().all(|known| known.id != owner.id) {
            owners.push(Arc::clone(owner));
        }
    }
    owners
}
