//! Several ports that are freed together, each with a verdict of its own.

use super::exec_command::{ExecCommand, ExecEvent};
use super::request::KillRequest;
use super::state_machine::{FreeMachine, NextSteps, Timeouts};
use super::verdict::VerdictClass;
use crate::model::port::Port;
use crate::model::process::Signal;
use std::time::Instant;

/// The ports that were confirmed together.
#[derive(Clone, Debug)]
pub struct Batch {
    machines: Vec<FreeMachine>,
}

impl Batch {
    /// Starts the confirmed requests. The executor must hold handles of the processes since the preview was shown.
    pub fn begin(requests: Vec<KillRequest>, timeouts: Timeouts) -> (Self, Vec<ExecCommand>) {
        let machines = requests
            .iter()
            .map(|request| FreeMachine::new(request.clone(), timeouts))
            .collect();
        (Self { machines }, vec![ExecCommand::Send(requests)])
    }

    /// Passes an event to the machine of its request. An event of an earlier request is dropped.
    pub fn on(&mut self, event: ExecEvent) -> Vec<ExecCommand> {
        let mut machines = self.machines.iter_mut();
        machines
            .find(|machine| machine.request().id() == event.request)
            .map_or_else(Vec::new, |machine| machine.on(event))
    }

    /// Returns a machine for each request, in the same order; never empty.
    pub fn machines(&self) -> &[FreeMachine] {
        &self.machines
    }

    /// True if no signal was sent at all.
    pub fn has_sent_nothing(&self) -> bool {
        let mut machines = self.machines.iter();
        machines.all(|machine| machine.signaled().is_empty())
    }

    /// True if every port has a verdict, which may still change.
    pub fn has_verdicts(&self) -> bool {
        self.machines
            .iter()
            .all(|machine| machine.verdict().is_some())
    }

    /// True if no port is watched any longer.
    pub fn is_settled(&self) -> bool {
        self.machines.iter().all(FreeMachine::is_settled)
    }

    /// True if a caller that waits no longer than the timeouts has all its answers.
    pub fn is_answered(&self) -> bool {
        self.machines.iter().all(FreeMachine::is_answered)
    }

    /// Returns the mildest signal that is offered for one of the ports.
    pub fn offer(&self) -> Option<Signal> {
        self.machines.iter().filter_map(FreeMachine::offer).min()
    }

    /// Returns what can be done next about the ports that are not free.
    pub fn next_steps(&self) -> NextSteps {
        let steps = self.machines.iter().map(NextSteps::after);
        let steps = steps.filter(|steps| !steps.is_empty());
        steps.reduce(NextSteps::and).unwrap_or_default()
    }

    /// Returns the ports that have a verdict other than free.
    pub fn unfree_ports(&self) -> Vec<Port> {
        let is_unfree = |machine: &&FreeMachine| {
            let verdict = machine.verdict();
            verdict.is_some_and(|verdict| verdict.kind.class() != VerdictClass::Free)
        };
        let machines = self.machines.iter().filter(is_unfree);
        machines.map(FreeMachine::port).collect()
    }

    /// Sends the [offered](Self::offer) signal to the survivors on the ports that offer it, if there is one.
    pub fn escalate(&mut self, now: Instant) -> Vec<ExecCommand> {
        let Some(signal) = self.offer() else {
            return Vec::new();
        };
        let requests = self
            .machines
            .iter_mut()
            .filter(|machine| machine.offer() == Some(signal))
            .filter_map(|machine| machine.escalate(now))
            .collect();
        vec![ExecCommand::Send(requests)]
    }
}

#[cfg(test)]
mod tests;
