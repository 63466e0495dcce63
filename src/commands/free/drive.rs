//! Runs the confirmed plans until each has a verdict.

use super::Prepared;
use crate::free::{Batch, ExecCommand, FreeReport, Timeouts};
use crate::model::port::PortSpec;
use crate::os::free::Executor;
use crate::wording;
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// Frees the ports together; returns a report on each that has a plan.
pub fn run_plans(
    ports: &[Prepared],
    executor: &mut Executor,
    timeouts: Timeouts,
) -> Vec<FreeReport> {
    let plans = ports.iter().flatten();
    let specs: Vec<PortSpec> = plans.clone().map(|plan| plan.spec).collect();
    if specs.is_empty() {
        return Vec::new();
    }
    if io::stderr().is_terminal() {
        // Standard error may be closed; the freeing goes on.
        let _ = writeln!(io::stderr(), "{}", wording::watching(&specs));
    }
    let now = Instant::now();
    let requests = plans
        .clone()
        .map(|plan| plan.kill_plan.confirm(plan.targets, plan.signal, now));
    let (mut batch, commands) = Batch::begin(requests.collect(), timeouts);
    let mut commands: VecDeque<ExecCommand> = commands.into();
    loop {
        while let Some(command) = commands.pop_front() {
            for event in executor.perform(command) {
                commands.extend(batch.on(event));
            }
        }
        // Without a watch no more events come.
        if batch.is_answered() || !executor.is_watching() {
            let machines = plans.zip(batch.machines());
            return machines
                .map(|(plan, machine)| FreeReport::freed(plan.spec, machine))
                .collect();
        }
        for event in executor.poll() {
            commands.extend(batch.on(event));
        }
        if commands.is_empty() && !batch.is_answered() {
            executor.wait();
        }
    }
}
