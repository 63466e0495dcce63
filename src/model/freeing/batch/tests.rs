//! Two ports at once: postgres on 5432, whose main process has a milder way to end, and node on 3000.

use super::*;
use crate::model::freeing::{
    Circumstances, Dispatch, Look, OrderId, Question, Sending, Targets, ask,
};
use crate::model::process::{Process, ProcessId};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
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

fn order(port: u16) -> Order {
    let circumstances = Circumstances {
        me: Some(1000),
        is_root: false,
        host: "here".to_owned(),
        lineage: Vec::new(),
        executable: None,
        row_is_meant: false,
        is_gone: false,
        now: moment(0.0),
        state_since: None,
    };
    let row = held(port).endpoint();
    match ask(&row, &[&row], &circumstances) {
        Question::Free(proposal) => {
            proposal.confirm(Targets::Topmost, Signal::Terminate, instant(0.0))
        }
        Question::Explain(explanation) => panic!("nothing is asked: {explanation:?}"),
    }
}

/// The orders whose signals went out at second 0.
fn sent() -> Batch {
    let orders = vec![order(5432), order(3000)];
    let (mut batch, steps) = Batch::begin(orders.clone(), Terms::default());
    assert_eq!(steps, [Step::Send(orders.clone())]);
    for order in &orders {
        dispatch(&mut batch, order.id(), 0.0);
    }
    batch
}

fn dispatch(batch: &mut Batch, order: OrderId, at: f64) {
    let sending = Sending::Sent {
        sockets: Vec::new(),
        woken: Vec::new(),
        missed: Vec::new(),
    };
    let steps = batch.on(Happening::Sent(Dispatch {
        order,
        at: instant(at),
        sending,
    }));
    assert_eq!(steps, [Step::Watch(order)]);
}

/// A look at this port that sees its holder, or that it has ended.
fn look(batch: &mut Batch, port: u16, at: f64, ended: &[ProcessId]) {
    let freeings = batch.freeings().iter();
    let mut orders = freeings.map(|freeing| freeing.order().clone());
    let order = orders.find(|order| order.port() == port).expect("an order");
    let sockets = if ended.is_empty() {
        vec![held(port).build()]
    } else {
        Vec::new()
    };
    batch.on(Happening::Looked(Look {
        order: order.id(),
        at: instant(at),
        sockets,
        ended: ended.to_vec(),
        problems: Vec::new(),
        conduct: Vec::new(),
        parents: Vec::new(),
        units: Vec::new(),
    }));
}

/// What goes out, by port.
fn sends(steps: &[Step]) -> Vec<(u16, Signal)> {
    let orders = steps.iter().filter_map(|step| match step {
        Step::Send(orders) => Some(orders.iter().map(|order| (order.port(), order.signal()))),
        Step::Watch(_) | Step::TryBind(..) | Step::StopWatching(_) => None,
    });
    orders.flatten().collect()
}

#[test]
fn the_mildest_signal_is_offered_and_sent_only_where_it_is_the_one_that_helps() {
    let mut batch = sent();
    assert_eq!((batch.offer(), batch.insist(instant(1.0))), (None, vec![]));
    look(&mut batch, 3000, 5.0, &[]);
    assert_eq!(batch.offer(), Some(Signal::Kill));
    look(&mut batch, 5432, 5.0, &[]);
    assert_eq!(batch.offer(), Some(Signal::Interrupt));
    let steps = batch.insist(instant(6.0));
    assert_eq!(sends(&steps), [(5432, Signal::Interrupt)]);
    // What is left to offer is what node needs.
    assert_eq!(batch.offer(), Some(Signal::Kill));
    let steps = batch.insist(instant(7.0));
    assert_eq!(sends(&steps), [(3000, Signal::Kill)]);
    assert_eq!(batch.offer(), None);
}

#[test]
fn one_answer_serves_every_port_that_it_is_offered_for() {
    let mut batch = sent();
    for (port, seconds) in [(3000, 5.0), (5432, 5.0)] {
        look(&mut batch, port, seconds, &[]);
    }
    batch.insist(instant(6.0));
    let orders: Vec<OrderId> = { batch.freeings().iter() }
        .map(|freeing| freeing.order().id())
        .collect();
    dispatch(&mut batch, orders[0], 6.0);
    look(&mut batch, 5432, 11.0, &[]);
    let steps = batch.insist(instant(12.0));
    assert_eq!(sends(&steps), [(5432, Signal::Kill), (3000, Signal::Kill)]);
}

#[test]
fn whoever_waits_is_told_once_every_port_has_its_answer() {
    let mut batch = sent();
    look(&mut batch, 5432, 5.0, &[]);
    assert_eq!((batch.has_verdicts(), batch.is_told()), (false, false));
    look(&mut batch, 3000, 5.0, &[]);
    assert_eq!(
        (batch.has_verdicts(), batch.is_told(), batch.is_settled()),
        (true, true, false)
    );
}

#[test]
fn what_happens_to_one_port_leaves_the_other_as_it_was() {
    let mut batch = sent();
    look(&mut batch, 3000, 0.5, &[node().id]);
    let progress: Vec<String> = { batch.freeings().iter() }
        .map(|freeing| freeing.progress(instant(0.5)))
        .collect();
    assert_eq!(
        progress,
        [
            "SIGTERM sent to postgres 812 0.5 s ago; watching :5432",
            "nothing holds :3000 any more; trying to bind it",
        ]
    );
}
