//! Finds what there is to know about a port: tries binds, polls its sockets, reads settings.
//!
//! Binds and connects touch the port, so this happens only on request, and each bind is closed before the next. It draws no
//! conclusions: the findings go to [`CheckReport::of`].

mod connect_probe;
pub mod http_probe;

use crate::check::{CheckReport, CheckRequest, Findings, distinct_owners};
use crate::model::environment::Environment;
use crate::model::port::{AddressProbe, EphemeralRange, Port};
use crate::model::process::{
    CandidateQuery, Engine, Process, ProcessId, ProcessState, SocketCandidates,
};
use crate::model::socket::{Endpoint, SocketSource};
use crate::os::candidates;
use crate::os::poller::SocketPoller;
use crate::os::processes::Processes;
use crate::os::processes::run_state::process_state;
use crate::os::sockets::DumpScope;
use crate::os::supervisors;
use crate::os::{bind_probe, environment, interfaces, now};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// What a check depends on besides the request.
#[derive(Clone, Copy, Debug)]
pub struct CheckContext {
    /// The source of sockets; `None` for the best one of this system.
    pub source: Option<SocketSource>,
    pub ephemeral: EphemeralRange,
}

impl CheckContext {
    pub fn new(environment: &Environment, source: Option<SocketSource>) -> Self {
        Self {
            source,
            ephemeral: environment.ephemeral,
        }
    }
}

/// A thread that checks ports. It ends when this handle or the receiver of the reports is dropped.
pub struct Checker {
    requests: Sender<CheckRequest>,
}

impl Checker {
    pub fn start(
        context: CheckContext,
        reports: tokio::sync::mpsc::Sender<Box<CheckReport>>,
    ) -> io::Result<Self> {
        let (requests, incoming) = channel::<CheckRequest>();
        thread::Builder::new()
            .name("checker".to_owned())
            .spawn(move || {
                while let Ok(first) = incoming.recv() {
                    // Only the latest request still matters.
                    let request = incoming.try_iter().last().unwrap_or(first);
                    let report = Box::new(check_port(context, request));
                    if reports.blocking_send(report).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { requests })
    }

    /// Requests a check without blocking. Does nothing once the thread has ended.
    pub fn ask(&self, request: CheckRequest) {
        let _ = self.requests.send(request);
    }
}

/// Checks a port, and connects to it if requested.
pub fn check_port(context: CheckContext, request: CheckRequest) -> CheckReport {
    let mut report = CheckReport::of(findings(context, request));
    if !report.is_explained() {
        // A socket that opened or closed between the poll and the binds does not do so twice.
        let mut again = findings(context, request);
        again.binds += report.findings.binds;
        report = CheckReport::of(again);
    }
    if request.connects {
        report.findings.connects = Some(connect_probe::probe_all(&request));
        report = CheckReport::of(report.findings);
    }
    if report.has_unseen_answer() {
        let mut again = findings(context, request);
        again.binds += report.findings.binds;
        again.connects = report.findings.connects;
        report = CheckReport::of(again);
    }
    report
}

fn findings(context: CheckContext, request: CheckRequest) -> Findings {
    // Remote ends too: whether the other end listens tells a client from a connection that a server left.
    let scope = DumpScope::LocalOrRemote(vec![request.spec.port]);
    let mut poller = SocketPoller::new(context.ephemeral, context.source, scope.with_bound());
    let problems = poller.poll_uncached().problems;
    let mut endpoints = poller.endpoints();
    endpoints.retain(|endpoint| request.spec.has_same_port(&endpoint.socket));
    // The kernel's order means nothing.
    endpoints
        .sort_by_key(|endpoint| (endpoint.socket.local, endpoint.socket.remote, endpoint.id()));
    let port = Port {
        protocol: request.spec.protocol,
        number: request.spec.port,
    };
    let tried = bind_probe::probe_port(request.spec, context.source);
    Findings {
        at: now().instant,
        binds: tried.probes.iter().map(AddressProbe::binds).sum(),
        tried,
        process_states: process_states(&endpoints),
        left_over: left_over(&endpoints, port),
        candidates: candidates_of(&endpoints),
        endpoints,
        settings: environment::port_settings(),
        localhost: interfaces::resolve_localhost(),
        published: supervisors::published_on(port),
        connects: None,
        problems,
        request,
    }
}

/// Returns the owners of the holding sockets.
fn holders(endpoints: &[Endpoint]) -> Vec<Arc<Process>> {
    let sockets = endpoints.iter().map(|endpoint| &endpoint.socket);
    distinct_owners(sockets.filter(|socket| socket.holds_port()))
}

/// Owners of the holding sockets that an engine has left over.
fn left_over(endpoints: &[Endpoint], port: Port) -> Vec<(ProcessId, Engine)> {
    let owners = holders(endpoints).into_iter();
    owners
        .filter_map(|owner| Some((owner.id, supervisors::left_over_from(&owner, port)?)))
        .collect()
}

/// States of the owners of the holding sockets, where they do not simply run.
fn process_states(endpoints: &[Endpoint]) -> Vec<(ProcessId, ProcessState)> {
    let owners = holders(endpoints).into_iter();
    owners
        .filter_map(|owner| Some((owner.id, process_state(owner.id)?)))
        .collect()
}

/// SocketCandidates of the holding sockets whose owner was not found.
fn candidates_of(endpoints: &[Endpoint]) -> Vec<SocketCandidates> {
    let holding = endpoints.iter().filter(|one| one.socket.holds_port());
    let queries: Vec<CandidateQuery> = holding.filter_map(CandidateQuery::of).collect();
    candidates::find(&queries, &mut Processes::default())
}

#[cfg(test)]
mod tests;
