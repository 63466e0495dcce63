//! The reasons of a report: each is one fact that was found.

use crate::model::process::{Container, Pid, Process, ProcessState};
use crate::model::snapshot::Problem;
use crate::model::socket::{Family, Socket, TimeWaitLeft};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Why a port is held, or what to know about one that is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A listening, bound or UDP socket.
    Holder(Box<Socket>),
    /// The port is the local port of a connection, usually chosen by the kernel.
    Client {
        socket: Box<Socket>,
        /// Whether the other end is on this machine.
        is_local: bool,
        /// Number of further connections with this local port.
        more: usize,
    },
    TimeWait {
        count: usize,
        bind: LeftoverBind,
        /// Until the last one ends.
        left: Option<TimeWaitLeft>,
    },
    /// Connections whose listener is gone.
    Leftover {
        sockets: Vec<Socket>,
        bind: LeftoverBind,
    },
    /// The user may not bind the port; `from` is the first port that anyone may bind, where it is known.
    Privileged {
        port: u16,
        from: Option<u16>,
    },
    NoSuchAddress(IpAddr),
    /// A bind failed with another error; `error` is the system's text.
    Failed {
        at: SocketAddr,
        error: String,
    },
    /// Addresses are in use, and no table shows by what.
    Unexplained {
        addresses: Vec<SocketAddr>,
        /// Whether a table that could not be read may show it.
        is_unread: bool,
    },
    /// A socket on all addresses covers these addresses too, which have no row.
    Wildcard {
        socket: Box<Socket>,
        covered: Vec<SocketAddr>,
    },
    /// The other family is free.
    OneFamily {
        taken: Family,
        usable: Vec<IpAddr>,
    },
    /// Some addresses can be bound, though not all.
    Partly(Vec<IpAddr>),
    /// 127.0.0.1 and ::1 lead to different processes.
    TwoLocalhosts {
        v4: Box<Socket>,
        v6: Box<Socket>,
        /// Addresses of `localhost`, in the order in which clients try them.
        localhost: Vec<IpAddr>,
    },
    BacklogFull {
        socket: Box<Socket>,
        waiting: u32,
        backlog: u32,
    },
    NotRunning {
        process: Arc<Process>,
        state: ProcessState,
    },
    /// A bind works only with SO_REUSEADDR.
    NeedsReuse,
    /// The system never assigns the port itself.
    Reserved(u16),
    /// Addresses of a family that this machine lacks.
    NoFamily(Vec<IpAddr>),
    Published(Box<Container>),
    /// A socket of the same port that does not conflict.
    Elsewhere(Box<Socket>),
    Unread(Problem),
}

/// Result of the binds on the addresses where connections are left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftoverBind {
    OnlyWithReuseAddr,
    /// On these addresses.
    Refused(Vec<IpAddr>),
}

impl Reason {
    /// Name in the JSON, which stays the same.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Holder(_) => "holder",
            Self::Client { .. } => "client_port",
            Self::TimeWait { .. } => "time_wait",
            Self::Leftover { .. } => "leftover_connections",
            Self::Privileged { .. } => "privileged",
            Self::NoSuchAddress(_) => "no_such_address",
            Self::Failed { .. } => "bind_failed",
            Self::Unexplained { .. } => "unexplained",
            Self::Wildcard { .. } => "wildcard",
            Self::OneFamily { taken, .. } => match taken {
                Family::Ipv4 => "only_ipv4",
                Family::Ipv6 => "only_ipv6",
            },
            Self::Partly(_) => "partly",
            Self::TwoLocalhosts { .. } => "two_localhosts",
            Self::BacklogFull { .. } => "backlog_full",
            Self::NotRunning { state, .. } => match state {
                ProcessState::Suspended => "stopped",
                ProcessState::Traced => "traced",
                ProcessState::Uninterruptible => "uninterruptible",
                ProcessState::Zombie => "zombie",
            },
            Self::NeedsReuse => "needs_reuseaddr",
            Self::Reserved(_) => "reserved",
            Self::NoFamily(_) => "no_ipv6",
            Self::Published(_) => "published",
            Self::Elsewhere(_) => "elsewhere",
            Self::Unread(_) => "unread",
        }
    }

    /// Pids of the processes that the reason names.
    pub fn pids(&self) -> Vec<Pid> {
        match self {
            Self::Holder(socket)
            | Self::Client { socket, .. }
            | Self::Wildcard { socket, .. }
            | Self::BacklogFull { socket, .. }
            | Self::Elsewhere(socket) => pids(socket.owners.known()),
            Self::TwoLocalhosts { v4, v6, .. } => {
                pids(&[v4.owners.known(), v6.owners.known()].concat())
            }
            Self::Leftover { sockets, .. } => pids(&distinct_owners(sockets)),
            Self::NotRunning { process, .. } => vec![process.pid()],
            Self::TimeWait { .. }
            | Self::Privileged { .. }
            | Self::NoSuchAddress(_)
            | Self::Failed { .. }
            | Self::Unexplained { .. }
            | Self::OneFamily { .. }
            | Self::Partly(_)
            | Self::NeedsReuse
            | Self::Reserved(_)
            | Self::NoFamily(_)
            | Self::Published(_)
            | Self::Unread(_) => Vec::new(),
        }
    }
}

fn pids(processes: &[Arc<Process>]) -> Vec<Pid> {
    processes.iter().map(|process| process.pid()).collect()
}

/// The known owners of these sockets, each once.
pub fn distinct_owners<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> Vec<Arc<Process>> {
    let owners = sockets.into_iter().flat_map(|socket| socket.owners.known());
    let mut owners: Vec<Arc<Process>> = owners.cloned().collect();
    owners.sort_by_key(|process| process.id);
    owners.dedup_by_key(|process| process.id);
    owners
}
