//! Builds plans and events of the executor for tests.

use super::{
    BindProbe, ExecEvent, ExecResult, FreeContext, KillPlan, PortSnapshot, RequestId, SendOutcome,
    SignalError, plan_row,
};
use crate::model::port::{AddressProbe, BindOutcome, PortBinds};
use crate::model::process::ProcessId;
use crate::model::socket::Endpoint;
use crate::model::testing::{SocketBuilder, environment, instant, moment};
use std::collections::HashMap;
use std::net::{Ipv6Addr, SocketAddr};

/// The plan for the first of these sockets.
pub fn plan(sockets: Vec<SocketBuilder>) -> KillPlan {
    let table: Vec<Endpoint> = sockets.into_iter().map(SocketBuilder::endpoint).collect();
    let all: Vec<&Endpoint> = table.iter().collect();
    let context = FreeContext::new(environment(|_| {}), moment(0.0));
    plan_row(all[0], &all, &context).expect("a plan")
}

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
        states: HashMap::new(),
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
        takes_ipv4: false,
        with_reuseaddr: Some(with.clone()),
        without_reuseaddr: without.clone(),
    };
    ExecResult::BindProbed(BindProbe {
        binds: PortBinds {
            probes: addresses.iter().map(probe).collect(),
            shows_bound: true,
        },
        localhost: vec![Ipv6Addr::LOCALHOST.into()],
    })
}
