//! Two ports at once: postgres on 5432, whose main process has a milder way to end, and node on 3000.

use super::*;
use crate::free::testing::{event, plan, polled, sent};
use crate::free::{KillRequest, RequestId, TargetSet};
use crate::model::process::{Process, ProcessId};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crate::wording;
use std::sync::Arc;

fn owner(port: u16) -> Arc<Process> {
    let (pid, name) = if port == 5432 {
        (812, "postgres")
    } else {
        (4242, "node")
    };
    process(pid, name).build()
}

fn held(port: u16) -> SocketBuilder {
    socket(&format!("127.0.0.1:{port}")).owner(&owner(port))
}

fn request(port: u16) -> KillRequest {
    plan(vec![held(port)]).confirm(TargetSet::Topmost, Signal::Terminate, instant(0.0))
}

/// The requests whose signals were sent at second 0.
fn sent_batch() -> Batch {
    let requests = vec![request(5432), request(3000)];
    let (mut batch, commands) = Batch::begin(requests.clone(), Timeouts::default());
    assert_eq!(commands, [ExecCommand::Send(requests)]);
    for port in [5432, 3000] {
        send(&mut batch, port, 0.0);
    }
    batch
}

fn id(batch: &Batch, port: u16) -> RequestId {
    let mut machines = batch.machines().iter();
    let machine = machines.find(|machine| machine.port().number == port);
    machine.expect("a request").request().id()
}

fn send(batch: &mut Batch, port: u16, at: f64) {
    let request = id(batch, port);
    let commands = batch.on(event(request, at, sent(Vec::new())));
    assert_eq!(commands, [ExecCommand::Watch(request)]);
}

/// A poll of this port sees its owner.
fn poll(batch: &mut Batch, port: u16, at: f64) {
    let request = id(batch, port);
    batch.on(event(request, at, polled(vec![held(port)], Vec::new())));
}

/// The signals of these commands, by port.
fn sends(commands: &[ExecCommand]) -> Vec<(u16, Signal)> {
    let requests = commands.iter().filter_map(|command| match command {
        ExecCommand::Send(requests) => Some(requests),
        ExecCommand::Watch(_) | ExecCommand::TryBind(..) | ExecCommand::StopWatching(_) => None,
    });
    let requests = requests.flatten();
    requests
        .map(|request| (request.port().number, request.signal()))
        .collect()
}

#[test]
fn the_mildest_signal_goes_only_to_ports_it_is_offered_for() {
    let mut batch = sent_batch();
    let early = (batch.offer(), batch.escalate(instant(1.0)));
    assert_eq!(early, (None, vec![]));
    poll(&mut batch, 3000, 5.0);
    assert_eq!(batch.offer(), Some(Signal::Kill));
    poll(&mut batch, 5432, 5.0);
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
    let mut batch = sent_batch();
    for port in [3000, 5432] {
        poll(&mut batch, port, 5.0);
    }
    batch.escalate(instant(6.0));
    send(&mut batch, 5432, 6.0);
    poll(&mut batch, 5432, 11.0);
    let commands = batch.escalate(instant(12.0));
    let both = [(5432, Signal::Kill), (3000, Signal::Kill)];
    assert_eq!(sends(&commands), both);
}

#[test]
fn a_batch_is_answered_once_every_port_is() {
    let mut batch = sent_batch();
    let state = |batch: &Batch| {
        (
            batch.has_verdicts(),
            batch.is_answered(),
            batch.is_settled(),
        )
    };
    poll(&mut batch, 5432, 5.0);
    assert_eq!(state(&batch), (false, false, false));
    poll(&mut batch, 3000, 5.0);
    assert_eq!(state(&batch), (true, true, false));
}

#[test]
fn an_event_of_one_port_leaves_the_others_unchanged() {
    let mut batch = sent_batch();
    let ended: Vec<ProcessId> = vec![owner(3000).id];
    let request = id(&batch, 3000);
    batch.on(event(request, 0.5, polled(Vec::new(), ended)));
    let machines = batch.machines().iter();
    let progress = machines.map(|machine| wording::progress(&machine.progress(instant(0.5))));
    assert_eq!(
        progress.collect::<Vec<_>>(),
        [
            "SIGTERM sent to postgres 812 0.5 s ago; watching :5432",
            "nothing holds :3000 anymore; trying to bind it",
        ]
    );
}
