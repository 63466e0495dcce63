//! Runs the confirmed plans until each has a verdict.

use super::Prepared;
use super::interrupt::Interrupts;
use crate::free::{Batch, ExecCommand, FreeReport, PortPlan, Timeouts};
use crate::model::port::PortSpec;
use crate::os::free::Executor;
use crate::wording;
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// What became of the ports, and the exit code of the signal that ended the watch before all were answered.
pub struct Driven {
    /// One for each port that has a plan.
    pub reports: Vec<FreeReport>,
    pub exit_code: Option<u8>,
}

/// Frees the ports together.
pub fn run_plans(
    ports: &[Prepared],
    executor: &mut Executor,
    interrupts: Option<&Interrupts>,
    timeouts: Timeouts,
) -> Driven {
    let plans: Vec<&PortPlan> = ports.iter().flatten().map(AsRef::as_ref).collect();
    let mut driven = Driven {
        reports: Vec::new(),
        exit_code: None,
    };
    if plans.is_empty() {
        return driven;
    }
    if io::stderr().is_terminal() {
        let specs: Vec<PortSpec> = plans.iter().map(|plan| plan.spec).collect();
        // Standard error may be closed; the freeing goes on.
        let _ = writeln!(io::stderr(), "{}", wording::watching(&specs));
    }
    let now = Instant::now();
    let requests = plans
        .iter()
        .map(|plan| plan.kill_plan.confirm(plan.targets, plan.signal, now));
    let (batch, commands) = Batch::begin(requests.collect(), timeouts);
    let (batch, exit_code) = run_batch(batch, commands, executor, interrupts);
    driven.exit_code = exit_code;
    let machines = plans.iter().zip(batch.machines());
    let reports = machines.map(|(plan, machine)| {
        if exit_code.is_some() && !machine.is_answered() {
            FreeReport::interrupted(plan, machine)
        } else {
            FreeReport::freed(plan, machine)
        }
    });
    driven.reports.extend(reports);
    driven
}

/// Runs the commands until each port is answered or no longer watched, or until a signal comes, whose exit code it returns.
fn run_batch(
    mut batch: Batch,
    commands: Vec<ExecCommand>,
    executor: &mut Executor,
    interrupts: Option<&Interrupts>,
) -> (Batch, Option<u8>) {
    let mut commands: VecDeque<ExecCommand> = commands.into();
    loop {
        if let Some(exit_code) = interrupts.and_then(Interrupts::exit_code) {
            return (batch, Some(exit_code));
        }
        while let Some(command) = commands.pop_front() {
            for event in executor.perform(command) {
                commands.extend(batch.on(event));
            }
        }
        // Without a watch no more events come.
        if batch.is_answered() || !executor.is_watching() {
            return (batch, None);
        }
        for event in executor.poll() {
            commands.extend(batch.on(event));
        }
        if commands.is_empty() && !batch.is_answered() {
            executor.wait();
        }
    }
}
