//! Evidence for tests: each test names only what was found.

use super::{Evidence, Question, Settings};
use crate::model::endpoint::{Endpoint, Protocol, Side};
use crate::model::freeing::{Attempt, BindOutcome};
use crate::model::testing::{SocketBuilder, instant};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub const LOCAL: [&str; 4] = ["127.0.0.1", "::1", "0.0.0.0", "::"];
pub const V4: [&str; 2] = ["127.0.0.1", "0.0.0.0"];
pub const V6: [&str; 2] = ["::1", "::"];

pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// A port on which every bind worked and nothing was seen.
pub fn port(port: u16) -> Evidence {
    Evidence {
        question: Question {
            protocol: Protocol::Tcp,
            port,
            address: None,
            connects: false,
        },
        at: instant(0.0),
        attempts: Vec::new(),
        binds: 8,
        endpoints: Vec::new(),
        conditions: Vec::new(),
        settings: Settings {
            unprivileged_from: Some(1024),
            reserved: Vec::new(),
        },
        time_wait: Some(Duration::from_mins(1)),
        localhost: vec![ip("::1"), ip("127.0.0.1")],
        published: Vec::new(),
        connects: None,
        problems: Vec::new(),
        is_root: false,
    }
    .binds(&LOCAL, &BindOutcome::Bound, &BindOutcome::Bound)
}

impl Evidence {
    pub fn binds(mut self, ips: &[&str], with: &BindOutcome, without: &BindOutcome) -> Self {
        for text in ips {
            let address = SocketAddr::new(ip(text), self.question.port);
            self.attempts.retain(|attempt| attempt.address != address);
            self.attempts.push(Attempt {
                address,
                with_reuse: Some(with.clone()),
                without_reuse: without.clone(),
            });
        }
        self.attempts.sort_by_key(|attempt| {
            LOCAL
                .iter()
                .position(|text| ip(text) == attempt.address.ip())
        });
        self
    }

    pub fn refused(self, ips: &[&str]) -> Self {
        self.binds(ips, &BindOutcome::InUse, &BindOutcome::InUse)
    }

    pub fn needs_reuse(self, ips: &[&str]) -> Self {
        self.binds(ips, &BindOutcome::Bound, &BindOutcome::InUse)
    }

    /// The question is about this address alone.
    pub fn on(mut self, text: &str) -> Self {
        self.question.address = Some(ip(text));
        self.attempts
            .retain(|attempt| attempt.address.ip() == ip(text));
        self
    }

    pub fn udp(mut self) -> Self {
        self.question.protocol = Protocol::Udp;
        for attempt in &mut self.attempts {
            attempt.with_reuse = None;
        }
        self
    }

    pub fn sees(mut self, socket: SocketBuilder) -> Self {
        self.endpoints.push(socket.endpoint());
        self
    }

    pub fn sees_client(mut self, socket: SocketBuilder, is_local: bool) -> Self {
        let mut endpoint: Endpoint = socket.endpoint();
        endpoint.relation.side = Side::Client;
        endpoint.relation.is_local = is_local;
        self.endpoints.push(endpoint);
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}
