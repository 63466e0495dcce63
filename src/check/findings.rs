//! What is asked about a port, and everything that was found about it.

use super::connect::ConnectProbe;
use crate::model::address::Family;
use crate::model::bind::{AddressProbe, BindOutcome};
use crate::model::endpoint::{Endpoint, Socket, covers};
use crate::model::port_spec::PortSpec;
use crate::model::process::{ProcessId, ProcessState};
use crate::model::snapshot::Problem;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The question whether a port can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckRequest {
    pub spec: PortSpec,
    /// Whether to connect as well, which uses up a server that serves once.
    pub connects: bool,
}

/// Everything that was found about a port.
#[derive(Clone, Debug)]
pub struct Findings {
    pub request: CheckRequest,
    /// When this was found.
    pub at: Instant,
    /// The last bind on the address that is asked about, or on each local one; repeated ones are only in `binds`.
    pub probes: Vec<AddressProbe>,
    /// How many binds were tried in all.
    pub binds: usize,
    /// Every socket with that protocol and local port, but those of the program itself.
    pub endpoints: Vec<Endpoint>,
    /// How the holders run that do not simply run.
    pub process_states: Vec<(ProcessId, ProcessState)>,
    pub settings: PortSettings,
    /// How long the system keeps a TIME_WAIT, where that is known.
    pub time_wait: Option<Duration>,
    /// What the name `localhost` stands for, in the order in which clients try it.
    pub localhost: Vec<IpAddr>,
    /// A sentence for each container that publishes the port; safe to show.
    pub published: Vec<String>,
    /// `None` unless it was asked for.
    pub connects: Option<Vec<ConnectProbe>>,
    /// The tables that could not be read.
    pub problems: Vec<Problem>,
    /// Whether this was looked at with the rights of root.
    pub is_root: bool,
}

/// What the system is set to, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSettings {
    /// The first port that needs no privilege (`net.ipv4.ip_unprivileged_port_start` of ip(7)).
    pub unprivileged_from: Option<u16>,
    /// What the system never hands out by itself (`net.ipv4.ip_local_reserved_ports` of ip(7)).
    pub reserved: Vec<RangeInclusive<u16>>,
}

impl Findings {
    /// The binds on addresses that this machine has.
    pub(super) fn usable_probes(&self) -> impl Iterator<Item = &AddressProbe> {
        let probes = self.probes.iter();
        probes.filter(|probe| *server_outcome(probe) != BindOutcome::NoSuchAddress)
    }

    /// What stands on the port, listening, bound or UDP, wherever that is.
    pub(super) fn unconnected(&self) -> impl Iterator<Item = &Socket> {
        let sockets = self.endpoints.iter().map(|endpoint| &endpoint.socket);
        sockets.filter(|socket| socket.holds_port())
    }

    /// Whether a socket is in the way of who binds what was asked about.
    pub(super) fn conflicts(&self, socket: &Socket) -> bool {
        self.request
            .spec
            .address
            .is_none_or(|ip| overlaps(socket, ip))
    }

    /// What stands in the way.
    pub(super) fn conflicting(&self) -> impl Iterator<Item = &Socket> {
        self.unconnected().filter(|socket| self.conflicts(socket))
    }

    /// Whether a table that could not be read may show what holds this address: that of IPv6 shows who takes IPv4 too.
    pub(super) fn is_unread(&self, ip: IpAddr) -> bool {
        let mut problems = self.problems.iter();
        problems.any(|problem| {
            let concerns = ip.is_ipv4() || problem.family == Family::Ipv6;
            concerns && problem.protocol == self.request.spec.protocol
        })
    }

    /// Whether a bind proves that nothing holds its address. Where a table could not be read, one with SO_REUSEADDR does
    /// not: it works beside a socket that is bound and does not listen.
    pub(super) fn is_bound(&self, probe: &AddressProbe) -> bool {
        *server_outcome(probe) == BindOutcome::Bound
            && (probe.without_reuse == BindOutcome::Bound || !self.is_unread(probe.address.ip()))
    }

    /// The binds that nothing which stands there explains.
    pub(super) fn unexplained_probes(&self) -> Vec<&AddressProbe> {
        let is_unheld = |probe: &&AddressProbe| {
            let ip = probe.address.ip();
            !self.unconnected().any(|socket| overlaps(socket, ip))
        };
        self.usable_probes().filter(is_unheld).collect()
    }
}

/// What a bind said that asked as a server does: with SO_REUSEADDR, where that is tried.
pub(super) fn server_outcome(probe: &AddressProbe) -> &BindOutcome {
    probe.with_reuse.as_ref().unwrap_or(&probe.without_reuse)
}

/// Whether a socket and a bind on this address, `::` for IPv6 alone, are about the same port of some address.
pub(super) fn overlaps(socket: &Socket, ip: IpAddr) -> bool {
    let own = socket.local.ip();
    let is_within = ip.is_unspecified() && own.is_ipv4() == ip.is_ipv4();
    is_within
        || covers(
            socket.local,
            socket.only_v6,
            SocketAddr::new(ip, socket.port()),
        )
}
