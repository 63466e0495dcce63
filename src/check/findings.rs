//! The question about a port, and everything that was found about it: binds, sockets, settings and connects.

use crate::model::port::{
    AddressProbe, Availability, BindResult, PortBinds, PortEvidence, PortSpec,
};
use crate::model::process::{Container, Engine, ProcessId, ProcessState, SocketCandidates};
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, EndpointId, Socket};
use crate::model::text::SystemText;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// The question whether a port can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckRequest {
    pub spec: PortSpec,
    /// True to connect as well, which uses up a server that serves once.
    pub connects: bool,
}

/// Everything that was found about a port.
#[derive(Clone, Debug)]
pub struct Findings {
    pub request: CheckRequest,
    pub at: Instant,
    /// The last bind on the requested address, or on each local one.
    pub tried: PortBinds,
    /// Number of binds in all, repeated ones included.
    pub binds: usize,
    /// Every socket with that protocol and local port except portmon's own.
    pub endpoints: Vec<Endpoint>,
    /// States of the owners that do not simply run.
    pub process_states: Vec<(ProcessId, ProcessState)>,
    /// The owners that only forward a published port and that this engine has left over.
    pub left_over: Vec<(ProcessId, Engine)>,
    /// SocketCandidates of the sockets whose owner was not found.
    pub candidates: Vec<SocketCandidates>,
    pub settings: PortSettings,
    /// Addresses of `localhost`, in the order in which clients try them.
    pub localhost: Vec<IpAddr>,
    /// Containers that publish the port, whether or not a socket shows it.
    pub published: Vec<Container>,
    /// `None` unless it was requested.
    pub connects: Option<Vec<ConnectProbe>>,
    /// The socket tables that could not be read.
    pub problems: Vec<Problem>,
}

/// System settings about ports, where the system tells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortSettings {
    /// First port that needs no privilege (`net.ipv4.ip_unprivileged_port_start` of ip(7)).
    pub unprivileged_from: Option<u16>,
    /// True in WSL with the network of Windows (`networkingMode=mirrored`): programs of Windows use the same ports.
    pub shares_ports_with_windows: bool,
    /// Ports that the kernel never chooses as ephemeral ports (`net.ipv4.ip_local_reserved_ports` of ip(7)).
    pub reserved: Vec<RangeInclusive<u16>>,
}

impl Findings {
    /// Judges the port by everything that was found. No socket of this machine is on an address that it lacks.
    pub(super) fn availability(&self) -> Availability {
        if self.is_foreign() {
            return Availability::NoSuchAddress;
        }
        let endpoints = self.endpoints.iter();
        let sockets: Vec<&Socket> = endpoints.map(|endpoint| &endpoint.socket).collect();
        Availability::of(&PortEvidence {
            spec: self.request.spec,
            sockets: &sockets,
            problems: &self.problems,
            binds: &self.tried,
        })
    }

    /// Probes of the addresses that this machine has, as far as they decide.
    pub(super) fn local_probes(&self) -> impl Iterator<Item = &AddressProbe> {
        let spec = self.request.spec;
        let probes = self.tried.probes.iter();
        probes.filter(move |probe| {
            spec.is_decided_by(probe) && probe.result() != BindResult::NoSuchAddress
        })
    }

    /// Listeners, bound sockets and UDP sockets of the port, on any address.
    pub(super) fn holding(&self) -> impl Iterator<Item = &Socket> {
        let sockets = self.endpoints.iter().map(|endpoint| &endpoint.socket);
        sockets.filter(|socket| socket.holds_port())
    }

    /// The holding sockets that conflict with the requested bind.
    pub(super) fn conflicting(&self) -> impl Iterator<Item = &Socket> {
        self.holding().filter(|socket| self.is_conflicting(socket))
    }

    pub(super) fn is_conflicting(&self, socket: &Socket) -> bool {
        self.request.spec.conflicts(socket) && !self.is_foreign()
    }

    /// True if this machine lacks the requested address.
    fn is_foreign(&self) -> bool {
        let has_address = self.request.spec.address.ip().is_some();
        has_address && BindResult::of(&self.tried.probes) == BindResult::NoSuchAddress
    }

    /// SocketCandidates of this socket, if its owner was not found and there are some.
    pub fn candidates_of(&self, socket: EndpointId) -> Option<&SocketCandidates> {
        self.candidates.iter().find(|one| one.socket == socket)
    }

    /// True if an unreadable table may contain the socket that refuses these binds.
    pub(super) fn is_unread(&self, probe: &AddressProbe) -> bool {
        probe.is_unread(self.request.spec.protocol, &self.problems)
    }

    /// True if a bind proves that nothing holds its address. With SO_REUSEADDR it would succeed beside a socket that is
    /// bound without listening, so only connections that were seen explain why one without it fails.
    pub(super) fn is_bindable(&self, probe: &AddressProbe) -> bool {
        match probe.result() {
            BindResult::Usable => true,
            BindResult::OnlyWithReuseAddr => {
                !self.is_unread(probe) && self.connections_on(probe).next().is_some()
            }
            BindResult::NoSuchAddress
            | BindResult::NotPermitted
            | BindResult::Failed(_)
            | BindResult::InUse => false,
        }
    }

    /// The connections that conflict with these binds.
    pub(super) fn connections_on(&self, probe: &AddressProbe) -> impl Iterator<Item = &Socket> {
        let sockets = self.endpoints.iter().map(|endpoint| &endpoint.socket);
        sockets.filter(|socket| !socket.holds_port() && probe.overlaps(socket))
    }

    /// The addresses of this machine where a connect was answered although no socket that was seen receives there.
    pub(super) fn answered_unseen(&self) -> Vec<SocketAddr> {
        let is_here = |ip: IpAddr| {
            let mut probes = self.local_probes();
            ip.is_loopback() || probes.any(|probe| probe.address.ip() == ip)
        };
        let is_seen = |ip: IpAddr| {
            let mut listeners = self.holding().filter(|socket| socket.is_listening());
            listeners.any(|socket| socket.receives(ip))
        };
        let connects = self.connects.iter().flatten();
        let answered =
            connects.filter(|probe| matches!(probe.outcome, ConnectOutcome::Accepted { .. }));
        let addresses = answered.map(|probe| probe.address);
        let protocol = self.request.spec.protocol;
        let is_unread = self.problems.iter().any(|one| one.protocol == protocol);
        addresses
            .filter(|at| !is_unread && is_here(at.ip()) && !is_seen(at.ip()))
            .collect()
    }

    /// True if a bind on some address gave this result.
    pub(super) fn has_result(&self, result: &BindResult) -> bool {
        let mut probes = self.tried.probes.iter();
        probes.any(|probe| probe.result() == *result)
    }

    /// True if some address can be bound only with SO_REUSEADDR.
    pub fn needs_reuseaddr(&self) -> bool {
        self.has_result(&BindResult::OnlyWithReuseAddr)
    }

    /// Probes of the addresses that no holding socket is on.
    pub(super) fn unheld_probes(&self) -> impl Iterator<Item = &AddressProbe> {
        self.local_probes()
            .filter(|probe| !self.holding().any(|socket| probe.overlaps(socket)))
    }
}

/// Longest time that a connect may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectProbe {
    pub address: SocketAddr,
    pub outcome: ConnectOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectOutcome {
    Accepted {
        took: Duration,
        banner: Banner,
    },
    Refused,
    TimedOut,
    NoSuchAddress,
    /// Error text of the system, safe to show.
    Failed(String),
}

/// What a server sent after `GET / HTTP/1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Banner {
    Http {
        /// `HTTP/1.1 200 OK`
        status: SystemText,
        server: Option<SystemText>,
    },
    /// First bytes of an answer that is not HTTP.
    Other(SystemText),
    /// It closed the connection without an answer.
    Closed,
    Nothing,
}

impl ConnectOutcome {
    /// Name in the JSON, which stays the same.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "connected",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::NoSuchAddress => "no_such_address",
            Self::Failed(_) => "failed",
        }
    }
}
