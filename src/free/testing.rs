//! Builds events of the executor for tests.

use super::{BindProbe, ExecEvent, ExecResult, PortSnapshot, RequestId, SendOutcome, SignalError};
use crate::model::port::{AddressProbe, BindOutcome};
use crate::model::process::ProcessId;
use crate::model::testing::{SocketBuilder, instant};
use std::collections::HashMap;
use std::net::{Ipv6Addr, SocketAddr};

pub fn event(request: RequestId, seconds: f64, result: ExecResult) -> ExecEvent {
    let at = instant(seconds);
    ExecEvent {
        request,
        at,
        result,
    }
}

/// Every target got its signal; these were resumed.
pub fn sent(resumed: Vec<ProcessId>) -> ExecResult {
    ExecResult::SignalsSent(SendOutcome::Sent {
        sockets: Vec::new(),
        resumed,
        missed: HashMap::new(),
    })
}

pub fn not_sent(error: SignalError) -> ExecResult {
    ExecResult::SignalsSent(SendOutcome::NotSent(error))
}

/// A poll that read every table: these sockets are there, and these targets have ended.
pub fn polled(sockets: Vec<SocketBuilder>, ended: Vec<ProcessId>) -> ExecResult {
    ExecResult::Polled(PortSnapshot {
        sockets: sockets.into_iter().map(SocketBuilder::build).collect(),
        ended,
        ..PortSnapshot::default()
    })
}

/// A bind of each address, with and without SO_REUSEADDR. `localhost` is `::1`.
pub fn probed(addresses: &[SocketAddr], with: &BindOutcome, without: &BindOutcome) -> ExecResult {
    let probe = |address: &SocketAddr| AddressProbe {
        address: *address,
        with_reuseaddr: Some(with.clone()),
        without_reuseaddr: without.clone(),
    };
    ExecResult::BindProbed(BindProbe {
        probes: addresses.iter().map(probe).collect(),
        localhost: vec![Ipv6Addr::LOCALHOST.into()],
    })
}
