//! Finds out whether a port can be used: tries real binds, looks at who stands there and how the system is set.
//!
//! Binds and connects touch the port, so nothing here happens unless a person asks, and each bind is closed before the
//! next is tried. It concludes nothing: what was found goes to [`CheckReport::of`].

mod connect_probe;

use crate::check::{CheckReport, CheckRequest, Findings};
use crate::model::bind::AddressProbe;
use crate::model::endpoint::Endpoint;
use crate::model::ports::EphemeralRange;
use crate::model::process::{ProcessId, ProcessState};
use crate::model::socket_source::SocketSource;
use crate::model::time_wait::TIME_WAIT;
use crate::os::poller::SocketPoller;
use crate::os::processes::start_time::process_state;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::os::supervisors;
use crate::os::{bind_probe, environment, now};
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// What a check is made with.
#[derive(Clone, Copy, Debug)]
pub struct CheckContext {
    /// Where sockets are read from; `None` for what is best here.
    pub source: Option<SocketSource>,
    pub ephemeral: EphemeralRange,
    pub is_root: bool,
}

/// The handle of a thread that checks ports, which ends when this is dropped or the answers have no receiver.
pub struct Checker {
    questions: Sender<CheckRequest>,
}

impl Checker {
    pub fn start(
        context: CheckContext,
        answers: tokio::sync::mpsc::Sender<Box<CheckReport>>,
    ) -> io::Result<Self> {
        let (questions, incoming) = channel::<CheckRequest>();
        thread::Builder::new()
            .name("checker".to_owned())
            .spawn(move || {
                while let Ok(first) = incoming.recv() {
                    // Whoever asked again does not want the earlier answer.
                    let request = incoming.try_iter().last().unwrap_or(first);
                    let answer = Box::new(check_port(context, request));
                    if answers.blocking_send(answer).is_err() {
                        return;
                    }
                }
            })?;
        Ok(Self { questions })
    }

    /// Asks; never blocks. Once the thread ended, which the receiver of the answers sees, it does nothing.
    pub fn ask(&self, request: CheckRequest) {
        let _ = self.questions.send(request);
    }
}

/// Looks, tries, and connects if that is asked for.
pub fn check_port(context: CheckContext, request: CheckRequest) -> CheckReport {
    let mut answer = CheckReport::of(findings(context, request));
    if !answer.is_explained() {
        // What came or went between the look and the binds is not there to be seen twice.
        let before = answer.findings.binds;
        let mut findings = findings(context, request);
        findings.binds += before;
        answer = CheckReport::of(findings);
    }
    if request.connects {
        answer.findings.connects = Some(connect_probe::probe_all(&request));
    }
    answer
}

fn findings(context: CheckContext, request: CheckRequest) -> Findings {
    let dump = DumpRequest {
        // More than this port: whether the other end listens tells a client from what a server left.
        scope: DumpScope::LocalOrRemote(vec![request.spec.port]),
        with_bound: true,
    };
    let mut poller = SocketPoller::new(context.ephemeral, context.source, dump);
    let problems = poller.poll_uncached().problems;
    let mut endpoints = poller.endpoints();
    endpoints.retain(|endpoint| request.spec.has_same_port(&endpoint.socket));
    // The order of the tables is the kernel's and says nothing.
    endpoints
        .sort_by_key(|endpoint| (endpoint.socket.local, endpoint.socket.remote, endpoint.id()));
    let probes = bind_probe::probe_port(request.spec);
    Findings {
        at: now().instant,
        binds: probes.iter().map(AddressProbe::binds).sum(),
        probes,
        process_states: process_states(&endpoints),
        endpoints,
        settings: environment::port_settings(),
        time_wait: TIME_WAIT,
        localhost: bind_probe::resolve_localhost(),
        published: supervisors::published_on(request.spec.port, request.spec.protocol),
        connects: None,
        problems,
        is_root: context.is_root,
        request,
    }
}

/// How those run that stand there and do not simply run.
fn process_states(endpoints: &[Endpoint]) -> Vec<(ProcessId, ProcessState)> {
    let bound = endpoints
        .iter()
        .filter(|endpoint| endpoint.socket.holds_port());
    let mut ids: Vec<ProcessId> = bound
        .flat_map(|endpoint| endpoint.socket.owners.known())
        .map(|process| process.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .filter_map(|id| Some((id, process_state(id)?)))
        .collect()
}

#[cfg(test)]
mod tests;
