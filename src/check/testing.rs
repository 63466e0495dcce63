//! Builders of findings for tests: each test names only what matters to it.

use super::{CheckRequest, Findings, PortSettings};
use crate::model::port::{AddressProbe, AddressSpec, BindOutcome, PortBinds, PortSpec};
use crate::model::socket::{Endpoint, Protocol, SocketRole};
use crate::model::testing::{SocketBuilder, instant};
use std::net::{IpAddr, SocketAddr};

pub const LOCAL: [&str; 4] = ["127.0.0.1", "::1", "0.0.0.0", "::"];
pub const V4: [&str; 2] = ["127.0.0.1", "0.0.0.0"];
pub const V6: [&str; 2] = ["::1", "::"];

pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A port without sockets on which every bind succeeds.
pub fn port(port: u16) -> Findings {
    Findings {
        request: CheckRequest {
            spec: PortSpec::tcp(port),
            connects: false,
        },
        at: instant(0.0),
        tried: PortBinds {
            probes: Vec::new(),
            shows_bound: true,
        },
        binds: 0,
        endpoints: Vec::new(),
        process_states: Vec::new(),
        left_over: Vec::new(),
        candidates: Vec::new(),
        settings: PortSettings {
            unprivileged_from: Some(1024),
            shares_ports_with_windows: false,
            reserved: Vec::new(),
        },
        localhost: vec![ip("::1"), ip("127.0.0.1")],
        published: Vec::new(),
        connects: None,
        problems: Vec::new(),
    }
    .binds(&LOCAL, &BindOutcome::Bound, &BindOutcome::Bound)
}

impl Findings {
    pub fn binds(mut self, ips: &[&str], with: &BindOutcome, without: &BindOutcome) -> Self {
        for text in ips {
            let address = SocketAddr::new(ip(text), self.request.spec.port);
            self.tried.probes.retain(|probe| probe.address != address);
            self.tried.probes.push(AddressProbe {
                address,
                takes_ipv4: false,
                with_reuseaddr: Some(with.clone()),
                without_reuseaddr: without.clone(),
            });
        }
        self.tried
            .probes
            .sort_by_key(|probe| LOCAL.iter().position(|text| ip(text) == probe.address.ip()));
        self.counted()
    }

    /// Counts the binds as the checker does.
    fn counted(mut self) -> Self {
        self.binds = self.tried.probes.iter().map(AddressProbe::binds).sum();
        self
    }

    pub fn refused(self, ips: &[&str]) -> Self {
        self.binds(ips, &BindOutcome::InUse, &BindOutcome::InUse)
    }

    pub fn bound_only_with_reuse(self, ips: &[&str]) -> Self {
        self.binds(ips, &BindOutcome::Bound, &BindOutcome::InUse)
    }

    /// Asks about this address alone.
    pub fn on(mut self, text: &str) -> Self {
        self.request.spec.address = AddressSpec::Ip(ip(text));
        self.tried
            .probes
            .retain(|probe| probe.address.ip() == ip(text));
        self.counted()
    }

    /// Asks about `[::]`, for both families, and gets these outcomes of a bind of both, with SO_REUSEADDR and without.
    pub fn on_both_families(self, with: &BindOutcome, without: &BindOutcome) -> Self {
        let mut findings = self.on("::");
        let both = findings.tried.probes.iter().map(|alone| AddressProbe {
            takes_ipv4: true,
            with_reuseaddr: Some(with.clone()),
            without_reuseaddr: without.clone(),
            ..alone.clone()
        });
        let both: Vec<AddressProbe> = both.collect();
        findings.tried.probes.splice(0..0, both);
        findings.counted()
    }

    pub fn udp(mut self) -> Self {
        self.request.spec.protocol = Protocol::Udp;
        for probe in &mut self.tried.probes {
            probe.with_reuseaddr = None;
        }
        self.counted()
    }

    pub fn sees(mut self, socket: SocketBuilder) -> Self {
        self.endpoints.push(socket.endpoint());
        self
    }

    pub fn sees_client(mut self, socket: SocketBuilder, is_local: bool) -> Self {
        let mut endpoint: Endpoint = socket.endpoint();
        endpoint.relation.role = SocketRole::Client;
        endpoint.relation.is_local = is_local;
        self.endpoints.push(endpoint);
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
