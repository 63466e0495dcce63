//! Several ports that are freed together, each with a verdict of its own.

use super::kill_request::KillRequest;
use super::observation::{ExecCommand, ExecEvent};
use super::state_machine::{FreeMachine, Timeouts};
use crate::model::signal::Signal;
use std::time::Instant;

/// What was confirmed at once: one port, or those of the marked rows.
#[derive(Clone, Debug)]
pub struct Batch {
    machines: Vec<FreeMachine>,
}

impl Batch {
    /// Starts what was confirmed. The executor must have been told to hold on to the processes when the question opened.
    pub fn begin(requests: Vec<KillRequest>, timeouts: Timeouts) -> (Self, Vec<ExecCommand>) {
        let machines = requests.iter().cloned();
        let machines = machines
            .map(|request| FreeMachine::new(request, timeouts))
            .collect();
        (Self { machines }, vec![ExecCommand::Send(requests)])
    }

    /// Takes in what happened. What was found for an order of before says nothing about those of now, and is dropped.
    pub fn on(&mut self, event: ExecEvent) -> Vec<ExecCommand> {
        let request = event.request();
        let mut machines = self.machines.iter_mut();
        let meant = machines.find(|machine| machine.request().id() == request);
        meant.map_or_else(Vec::new, |machine| machine.on(event))
    }

    /// In the order in which they were asked about; never empty.
    pub fn machines(&self) -> &[FreeMachine] {
        &self.machines
    }

    /// Whether every port has a verdict, be it one that may still change.
    pub fn has_verdicts(&self) -> bool {
        let mut machines = self.machines.iter();
        machines.all(|machine| machine.verdict().is_some())
    }

    /// Whether nothing is watched any more.
    pub fn is_settled(&self) -> bool {
        self.machines.iter().all(FreeMachine::is_settled)
    }

    /// Whether whoever waits no longer than was agreed on has all answers.
    pub fn is_answered(&self) -> bool {
        self.machines.iter().all(FreeMachine::is_answered)
    }

    /// The mildest signal that is offered for one of the ports.
    pub fn offer(&self) -> Option<Signal> {
        self.machines.iter().filter_map(FreeMachine::offer).min()
    }

    /// Sends what is [offered](Self::offer) wherever just that is. Nothing where nothing is.
    pub fn escalate(&mut self, now: Instant) -> Vec<ExecCommand> {
        let Some(signal) = self.offer() else {
            return Vec::new();
        };
        let meant = self
            .machines
            .iter_mut()
            .filter(|machine| machine.offer() == Some(signal));
        let requests = meant.filter_map(|machine| machine.escalate(now)).collect();
        vec![ExecCommand::Send(requests)]
    }
}

#[cfg(test)]
mod tests;
