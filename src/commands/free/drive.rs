//! Runs the confirmed plans until each has a verdict.

use crate::free::{Batch, ExecCommand, FreeMachine, KillRequest, PortPlan, Timeouts};
use crate::os::free::Executor;
use crate::wording;
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// Frees the ports together; the results are in their order.
pub fn run_plans(
    plans: &[&PortPlan],
    executor: &mut Executor,
    timeouts: Timeouts,
) -> Vec<FreeMachine> {
    if plans.is_empty() {
        return Vec::new();
    }
    if io::stderr().is_terminal() {
        // Standard error may be closed; the freeing goes on.
        let ports: Vec<_> = plans.iter().map(|plan| plan.spec).collect();
        let _ = writeln!(io::stderr(), "{}", wording::watching(&ports));
    }
    let now = Instant::now();
    let requests: Vec<KillRequest> = plans
        .iter()
        .map(|plan| plan.kill_plan.confirm(plan.targets, plan.signal, now))
        .collect();
    let (mut batch, commands) = Batch::begin(requests, timeouts);
    drive(&mut batch, commands.into(), executor);
    batch.machines().to_vec()
}

fn drive(batch: &mut Batch, mut commands: VecDeque<ExecCommand>, executor: &mut Executor) {
    loop {
        while let Some(command) = commands.pop_front() {
            for event in executor.perform(command) {
                commands.extend(batch.on(event));
            }
        }
        // Without a watch no more events come.
        if batch.is_answered() || !executor.is_watching() {
            return;
        }
        for event in executor.poll() {
            commands.extend(batch.on(event));
        }
        if commands.is_empty() && !batch.is_answered() {
            executor.wait();
        }
    }
}
