//! The reasons of an answer: each is one thing that was seen. What each says stands in `telling`.

use crate::model::address::Family;
use crate::model::endpoint::Socket;
use crate::model::process::{Pid, Process, ProcessState};
use crate::model::time_wait::TimeWaitLeft;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Why a port is held, or what is to be known of one that is free. One variant a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A socket stands in the way and somebody has it, seen or not.
    Holder {
        socket: Box<Socket>,
        is_root: bool,
    },
    /// The port is a connection's own, and so the kernel's choice more often than anybody's.
    Client {
        socket: Box<Socket>,
        /// Whether the other end is on this machine.
        is_local: bool,
        /// How many more connections have it as their own port.
        more: usize,
    },
    TimeWait {
        count: usize,
        binding: LeftoverBind,
        /// Until the last ends.
        left: Option<TimeWaitLeft>,
    },
    /// Connections whose listener is gone.
    Leftover {
        /// `2 ESTABLISHED and 1 CLOSE_WAIT`
        states: String,
        holders: Vec<Arc<Process>>,
        binding: LeftoverBind,
    },
    /// The bind is a matter of rights; `from` is the first port that needs none, where that is known.
    Privileged {
        port: u16,
        from: Option<u16>,
    },
    NoSuchAddress(IpAddr),
    /// The bind failed in another way.
    Failed {
        at: SocketAddr,
        why: String,
    },
    /// A bind says that the port is in use, and no table says by what.
    Unexplained {
        places: Vec<SocketAddr>,
        /// Whether a table that could not be read may show it.
        is_unread: bool,
    },
    /// A socket on all addresses takes those too that have no row.
    Wildcard {
        socket: Box<Socket>,
        takes: Vec<SocketAddr>,
    },
    /// The other family is as free as can be.
    OneFamily {
        taken: Family,
        usable: Vec<IpAddr>,
    },
    /// These addresses can be bound, though not all.
    Partly(Vec<IpAddr>),
    /// 127.0.0.1 and ::1 lead to different processes.
    TwoLocalhosts {
        v4: Box<Socket>,
        v6: Box<Socket>,
        /// What `localhost` stands for, the first first.
        localhost: Vec<IpAddr>,
    },
    BacklogFull {
        socket: Box<Socket>,
        waiting: u32,
        room: u32,
    },
    NotRunning {
        process: Arc<Process>,
        process_state: ProcessState,
    },
    /// A bind without SO_REUSEADDR is refused, one with it is not.
    NeedsReuse,
    /// The system never hands the port out by itself.
    Reserved(u16),
    /// Addresses of a family that this machine has not.
    NoFamily(Vec<IpAddr>),
    Published(String),
    /// A socket of the same number that is in nobody's way.
    Elsewhere {
        socket: Box<Socket>,
        is_root: bool,
    },
    /// A table that could not be read.
    Unread(String),
}

/// What binds say where connections are left of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftoverBind {
    /// Only with SO_REUSEADDR.
    WithReuse,
    Refused,
}

impl Reason {
    /// The cause in a word for scripts, which stays the same.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Holder { .. } => "holder",
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
            Reason::NotRunning { process_state, .. } => match process_state {
                ProcessState::Suspended => "stopped",
                ProcessState::Traced => "traced",
                ProcessState::Uninterruptible => "uninterruptible",
                ProcessState::Zombie => "zombie",
            },
            Self::NeedsReuse => "needs_reuseaddr",
            Self::Reserved(_) => "reserved",
            Self::NoFamily(_) => "no_ipv6",
            Self::Published(_) => "published",
            Self::Elsewhere { .. } => "elsewhere",
            Self::Unread(_) => "unread",
        }
    }

    /// The processes it speaks of.
    pub fn pids(&self) -> Vec<Pid> {
        let of =
            |processes: &[Arc<Process>]| processes.iter().map(|process| process.pid()).collect();
        match self {
            Self::Holder { socket, .. }
            | Self::Client { socket, .. }
            | Self::Wildcard { socket, .. }
            | Self::BacklogFull { socket, .. }
            | Self::Elsewhere { socket, .. } => of(socket.owners.known()),
            Self::TwoLocalhosts { v4, v6, .. } => {
                of(&[v4.owners.known(), v6.owners.known()].concat())
            }
            Self::Leftover { holders, .. } => of(holders),
            Reason::NotRunning { process, .. } => vec![process.pid()],
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
