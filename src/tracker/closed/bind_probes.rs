//! Sockets that only tried a bind, of whatever program: they are no events.

use super::REPLACE_WINDOW;
use crate::model::socket::{Protocol, RawSocket};
use hashbrown::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

/// Local ends of the connections that were lately destroyed, and when that was reported.
///
/// The kernel reports a closed TCP socket without another end in the same way whether it listened or not (`inet_diag_msg`
/// has the state CLOSE for both). So one counts as a listener only if it accepted one of these connections.
#[derive(Default)]
pub struct BindProbes {
    accepted: HashMap<SocketAddr, Instant>,
}

impl BindProbes {
    pub fn forget_before(&mut self, now: Instant) {
        self.accepted
            .retain(|_, at| now.saturating_duration_since(*at) < REPLACE_WINDOW);
    }

    /// Returns these short-lived sockets, in the same order, without those that only bound a port. A UDP socket that is its
    /// own other end is a probe of portmon, which connects it so.
    pub fn without_probes(
        &mut self,
        mut destroyed: Vec<RawSocket>,
        now: Instant,
    ) -> Vec<RawSocket> {
        let tcp = destroyed.iter().filter(|one| one.protocol == Protocol::Tcp);
        let connected = tcp.filter(|one| one.remote.is_some());
        self.accepted
            .extend(connected.map(|one| (one.local(), now)));
        destroyed.retain(|one| match one.protocol {
            Protocol::Tcp => one.remote.is_some() || self.has_accepted(one),
            Protocol::Udp => one.remote != one.local,
        });
        destroyed
    }

    fn has_accepted(&self, listener: &RawSocket) -> bool {
        let at = listener.local();
        if at.ip().is_unspecified() {
            self.accepted.keys().any(|one| one.port() == at.port())
        } else {
            self.accepted.contains_key(&at)
        }
    }
}
