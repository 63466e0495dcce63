//! Whether a port is free: the one judgement of the socket tables and the binds, for every command that says so.

use super::bind::{AddressProbe, BindResult, PortBinds};
use super::port_spec::PortSpec;
use crate::model::snapshot::Problem;
use crate::model::socket::Socket;

/// What is known about a port.
#[derive(Clone, Copy, Debug)]
pub struct PortEvidence<'a> {
    pub spec: PortSpec,
    /// Every socket of that protocol and port that a readable table shows.
    pub sockets: &'a [&'a Socket],
    /// The tables that could not be read.
    pub problems: &'a [Problem],
    pub binds: &'a PortBinds,
}

/// What the evidence proves. Nothing holds a port only where something proves that: a bind that succeeds, or tables that
/// would show whatever holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Every bind succeeded, also without SO_REUSEADDR.
    Usable,
    /// Nothing holds it. Connections that are left prevent a bind without SO_REUSEADDR.
    OnlyWithReuseAddr,
    /// Nothing holds it, by the tables alone: it is privileged, and this user is not.
    NotPermitted,
    /// This machine does not have the address.
    NoSuchAddress,
    Held(Holding),
    Unknown(Doubt),
}

/// What holds a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// A listening, bound or UDP socket that conflicts with the bind.
    Socket,
    /// Connections, with or without a process; not even SO_REUSEADDR helps.
    Connections,
    /// The kernel refuses a bind, and no table shows why.
    Unseen(WhyUnseen),
}

/// Why no table shows what refuses a bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnseen {
    /// A table could not be read.
    UnreadTable,
    /// The source of the tables does not show sockets that are bound and do not listen.
    BoundNotShown,
    /// The cause is not known.
    NotKnown,
}

impl WhyUnseen {
    pub fn of(is_unread: bool, shows_bound: bool) -> Self {
        match (is_unread, shows_bound) {
            (true, _) => Self::UnreadTable,
            (false, false) => Self::BoundNotShown,
            (false, true) => Self::NotKnown,
        }
    }
}

/// Why it is not known whether a port is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A bind failed for another reason than a socket in the way; error text of the system, safe to show.
    BindFailed(String),
    /// This user may not bind the port, and the tables would not show every socket that holds it.
    NotPermitted(WhyUnseen),
    /// It can be bound with SO_REUSEADDR alone, and the table that would say why could not be read.
    OnlyWithReuseAddr,
}

impl Availability {
    pub fn of(evidence: &PortEvidence) -> Self {
        let conflicting = |socket: &&Socket| evidence.spec.conflicts(socket);
        let mut holding = evidence.sockets.iter().filter(|one| one.holds_port());
        if holding.any(conflicting) {
            return Self::Held(Holding::Socket);
        }
        let probes = evidence.binds.probes.iter();
        let deciding = probes.filter(|probe| evidence.spec.is_decided_by(probe));
        let each = deciding.map(|probe| evidence.of_address(probe));
        // Of several the first, as with binds.
        let worst = each.min_by_key(|one| std::cmp::Reverse(one.severity()));
        worst.unwrap_or(Self::NoSuchAddress)
    }

    pub fn is_free(&self) -> bool {
        match self {
            Self::Usable | Self::OnlyWithReuseAddr | Self::NotPermitted => true,
            Self::NoSuchAddress | Self::Held(_) | Self::Unknown(_) => false,
        }
    }

    /// A missing address says nothing where others exist.
    fn severity(&self) -> u8 {
        match self {
            Self::NoSuchAddress => 0,
            Self::Usable => 1,
            Self::NotPermitted => 2,
            Self::OnlyWithReuseAddr => 3,
            Self::Unknown(_) => 4,
            Self::Held(_) => 5,
        }
    }
}

impl PortEvidence<'_> {
    /// Judges one address that no socket in the tables holds.
    pub fn of_address(&self, probe: &AddressProbe) -> Availability {
        let is_unread = self.is_unread(probe);
        match probe.result() {
            BindResult::NoSuchAddress => Availability::NoSuchAddress,
            BindResult::Usable => Availability::Usable,
            BindResult::Failed(error) => Availability::Unknown(Doubt::BindFailed(error)),
            BindResult::NotPermitted => match self.why_unseen(probe) {
                WhyUnseen::NotKnown => Availability::NotPermitted,
                why => Availability::Unknown(Doubt::NotPermitted(why)),
            },
            BindResult::OnlyWithReuseAddr if is_unread => {
                Availability::Unknown(Doubt::OnlyWithReuseAddr)
            }
            BindResult::OnlyWithReuseAddr if self.has_connections(probe) => {
                Availability::OnlyWithReuseAddr
            }
            BindResult::InUse if !is_unread && self.has_connections(probe) => {
                Availability::Held(Holding::Connections)
            }
            BindResult::OnlyWithReuseAddr | BindResult::InUse => {
                Availability::Held(Holding::Unseen(self.why_unseen(probe)))
            }
        }
    }

    /// Why the tables may not show a socket on this address.
    fn why_unseen(&self, probe: &AddressProbe) -> WhyUnseen {
        WhyUnseen::of(self.is_unread(probe), self.binds.shows_bound)
    }

    fn is_unread(&self, probe: &AddressProbe) -> bool {
        probe.is_unread(self.spec.protocol, self.problems)
    }

    fn has_connections(&self, probe: &AddressProbe) -> bool {
        let mut connections = self.sockets.iter().filter(|one| !one.holds_port());
        connections.any(|socket| probe.overlaps(socket))
    }
}
