//! Two ports at once: postgres on 5432, whose main process has a milder way to end, and node on 3000.

use super::*;
use crate::free::{
    FreeContext, PortSnapshot, RequestId, SendOutcome, SendReport, TargetSet, plan_row,
};
use crate::model::process::{Process, ProcessId};
use crate::model::testing::{SocketBuilder, environment, instant, moment, process, socket};
use std::sync::Arc;

fn postgres() -> Arc<Process> {
    process(812, "postgres").build()
}

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn held(port: u16) -> SocketBuilder {
    let holder = if port == 5432 { postgres() } else { node() };
    socket(&format!("127.0.0.1:{port}")).owner(&holder)
}

fn request(port: u16) -> KillRequest {
    let context = FreeContext::new(environment(|_| {}), moment(0.0));
    let row = held(port).endpoint();
    match plan_row(&row, &[&row], &context) {
        Ok(plan) => plan.confirm(TargetSet::Topmost, Signal::Terminate, instant(0.0)),
        Err(explanation) => panic!("nothing is asked: {explanation:?}"),
    }
}

/// The orders whose signals went out at second 0.
fn sent() -> Batch {
    let requests = vec![request(5432), request(3000)];
    let (mut batch, commands) = Batch::begin(requests.clone(), Timeouts::default());
    assert_eq!(commands, [ExecCommand::Send(requests.clone())]);
    for request in &requests {
        dispatch(&mut batch, request.id(), 0.0);
    }
    batch
}

fn dispatch(batch: &mut Batch, request: RequestId, at: f64) {
    let sending = SendOutcome::Sent {
        sockets: Vec::new(),
        resumed: Vec::new(),
        missed: Vec::new(),
    };
    let commands = batch.on(ExecEvent::SignalsSent(SendReport {
        request,
        at: instant(at),
        sending,
    }));
    assert_eq!(commands, [ExecCommand::Watch(request)]);
}

/// A look at this port that sees its holder, or that it has ended.
fn look(batch: &mut Batch, port: u16, at: f64, ended: &[ProcessId]) {
    let machines = batch.machines().iter();
    let mut requests = machines.map(|machine| machine.request().clone());
    let request = requests
        .find(|request| request.port().number == port)
        .expect("an order");
    let sockets = if ended.is_empty() {
        vec![held(port).build()]
    } else {
        Vec::new()
    };
    batch.on(ExecEvent::Polled(PortSnapshot {
        request: request.id(),
        at: instant(at),
        sockets,
        ended: ended.to_vec(),
        problems: Vec::new(),
        signal_state: Vec::new(),
        parents: Vec::new(),
        units: Vec::new(),
    }));
}

/// What goes out, by port.
fn sends(commands: &[ExecCommand]) -> Vec<(u16, Signal)> {
    let requests = commands.iter().filter_map(|step| match step {
        ExecCommand::Send(requests) => Some(
            requests
                .iter()
                .map(|request| (request.port().number, request.signal())),
        ),
        ExecCommand::Watch(_) | ExecCommand::TryBind(..) | ExecCommand::StopWatching(_) => None,
    });
    requests.flatten().collect()
}

#[test]
fn the_mildest_signal_goes_only_to_ports_it_is_offered_for() {
    let mut batch = sent();
    assert_eq!(
        (batch.offer(), batch.escalate(instant(1.0))),
        (None, vec![])
    );
    look(&mut batch, 3000, 5.0, &[]);
    assert_eq!(batch.offer(), Some(Signal::Kill));
    look(&mut batch, 5432, 5.0, &[]);
    assert_eq!(batch.offer(), Some(Signal::Interrupt));
    let commands = batch.escalate(instant(6.0));
    assert_eq!(sends(&commands), [(5432, Signal::Interrupt)]);
    // What is left to offer is what node needs.
    assert_eq!(batch.offer(), Some(Signal::Kill));
    let commands = batch.escalate(instant(7.0));
    assert_eq!(sends(&commands), [(3000, Signal::Kill)]);
    assert_eq!(batch.offer(), None);
}

#[test]
fn one_key_escalates_every_port_it_is_offered_for() {
    let mut batch = sent();
    for (port, seconds) in [(3000, 5.0), (5432, 5.0)] {
        look(&mut batch, port, seconds, &[]);
    }
    batch.escalate(instant(6.0));
    let requests: Vec<RequestId> = { batch.machines().iter() }
        .map(|machine| machine.request().id())
        .collect();
    dispatch(&mut batch, requests[0], 6.0);
    look(&mut batch, 5432, 11.0, &[]);
    let commands = batch.escalate(instant(12.0));
    assert_eq!(
        sends(&commands),
        [(5432, Signal::Kill), (3000, Signal::Kill)]
    );
}

#[test]
fn a_batch_is_answered_once_every_port_is() {
    let mut batch = sent();
    look(&mut batch, 5432, 5.0, &[]);
    assert_eq!((batch.has_verdicts(), batch.is_answered()), (false, false));
    look(&mut batch, 3000, 5.0, &[]);
    assert_eq!(
        (
            batch.has_verdicts(),
            batch.is_answered(),
            batch.is_settled()
        ),
        (true, true, false)
    );
}

#[test]
fn an_event_of_one_port_leaves_the_others_unchanged() {
    let mut batch = sent();
    look(&mut batch, 3000, 0.5, &[node().id]);
    let progress: Vec<String> = { batch.machines().iter() }
        .map(|machine| crate::wording::progress(&machine.progress(instant(0.5))))
        .collect();
    assert_eq!(
        progress,
        [
            "SIGTERM sent to postgres 812 0.5 s ago; watching :5432",
            "nothing holds :3000 anymore; trying to bind it",
        ]
    );
}
