//! Supervisors of the owners: what would restart them, and why some must be stopped through their supervisor.

use super::explanation::{Barrier, Explanation};
use super::kill_plan::{KillPlan, TargetSet};
use super::kill_request::Target;
use super::preview::Restarter;
use crate::model::process::Process;
use crate::model::supervisor::{Container, Supervisor};
use crate::wording;
use std::iter;

impl KillPlan {
    /// Returns what may restart a topmost owner, each once.
    pub fn restarted_by(&self) -> Vec<Restarter> {
        let mut restarters: Vec<Restarter> = Vec::new();
        for (_, supervisor) in self.supervisors() {
            let unit = supervisor.unit.iter().filter(|unit| unit.may_restart());
            let unit = unit.cloned().map(Restarter::Unit);
            let container = supervisor.container.iter().cloned();
            for restarter in unit.chain(container.map(Restarter::Container)) {
                if !restarters.contains(&restarter) {
                    restarters.push(restarter);
                }
            }
        }
        restarters
    }

    /// Returns the command that stops whatever would restart them.
    pub fn stop_command(&self) -> Option<String> {
        self.supervisors()
            .find_map(|(_, supervisor)| supervisor.stop_command())
    }

    /// Returns why nothing may be signalled, if a supervisor manages a target, whether or not it has a command to offer.
    pub fn blocked_by_supervisor(&self) -> Option<Explanation> {
        let port = wording::port(self.protocol, self.port);
        let mut blocked_by_supervisor = self.supervisors().filter_map(|(target, supervisor)| {
            let why = self.block_reason(&target.process, supervisor)?;
            Some((why, supervisor.stop_command()))
        });
        let (line, command) = blocked_by_supervisor.next()?;
        let end = command
            .iter()
            .map(|command| format!("What ends it for good: {command}"));
        let mut explanation = Explanation::new(
            Barrier::Protected,
            format!("{port} is not freed by ending a process"),
            iter::once(line).chain(end).collect(),
        );
        explanation.offer = command;
        explanation.owners = self.owner_processes();
        Some(explanation)
    }

    /// Returns why this owner must be stopped through its supervisor, if so.
    fn block_reason(&self, process: &Process, supervisor: &Supervisor) -> Option<String> {
        let container = supervisor.container.as_ref();
        if let Some(container) = container.filter(|one| one.publishes(self.port, self.protocol)) {
            return Some(carries(process, container));
        }
        let unit = supervisor.unit.as_ref()?;
        if let Some(socket) = unit.triggered_by.first() {
            return Some(format!(
                "{socket} of systemd starts {unit} again with the next connection."
            ));
        }
        (unit.main == Some(process.pid())).then(|| {
            format!(
                "{process} is the main process of {}, which systemd starts and ends.",
                wording::unit_text(unit)
            )
        })
    }

    /// Returns the topmost targets with their supervisors.
    fn supervisors(&self) -> impl Iterator<Item = (Target, &Supervisor)> {
        let targets = self.targets(TargetSet::Topmost).into_iter();
        targets.filter_map(|target| {
            let trees = self.tree_of(target.id())?;
            Some((target, &trees.supervisor))
        })
    }
}

impl Explanation {
    /// Adds the supervisors of hidden or protected owners.
    pub fn add_supervisors(&mut self, behind: &[Supervisor]) {
        for supervisor in behind {
            let behind = [
                supervisor.unit.as_ref().map(wording::unit_text),
                supervisor.container.as_ref().map(ToString::to_string),
            ];
            for words in behind.into_iter().flatten() {
                let line = format!("It belongs to {words}.");
                if !self.lines.contains(&line) {
                    self.lines.push(line);
                }
            }
            // What stops it for good is better than what ends a process of it.
            if let Some(command) = supervisor.stop_command() {
                self.offer = Some(command);
            }
        }
    }
}

fn carries(process: &Process, container: &Container) -> String {
    format!(
        "{process} only carries the published port of {container}; to end it would lose the port and leave the container."
    )
}

#[cfg(test)]
mod tests;
