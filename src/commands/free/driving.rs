//! Does what was confirmed, until there is nothing more to wait for.

use crate::model::freeing::{Batch, Freeing, Order, Step, Terms};
use crate::os::freeing::Executor;
use crate::report::free::text::{self, Plan};
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// Frees the ports together; what became of each is in their order.
pub fn free(plans: &[&Plan], executor: &mut Executor, terms: Terms) -> Vec<Freeing> {
    if plans.is_empty() {
        return Vec::new();
    }
    if io::stderr().is_terminal() {
        // Standard error may be closed; it is done nevertheless.
        let _ = writeln!(io::stderr(), "{}", text::progress(plans));
    }
    let now = Instant::now();
    let orders: Vec<Order> = plans
        .iter()
        .map(|plan| plan.proposal.confirm(plan.targets, plan.signal, now))
        .collect();
    let (mut batch, steps) = Batch::begin(orders, terms);
    drive(&mut batch, steps.into(), executor);
    batch.freeings().to_vec()
}

fn drive(batch: &mut Batch, mut steps: VecDeque<Step>, executor: &mut Executor) {
    loop {
        while let Some(step) = steps.pop_front() {
            for happening in executor.perform(step) {
                steps.extend(batch.on(happening));
            }
        }
        // What nobody watches any more has no more to tell.
        if batch.is_told() || !executor.is_watching() {
            return;
        }
        for happening in executor.look() {
            steps.extend(batch.on(happening));
        }
        if steps.is_empty() && !batch.is_told() {
            executor.rest();
        }
    }
}
