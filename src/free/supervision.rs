//! Supervisors of the owners: what would restart them, and why some must be stopped through their supervisor.

use super::explanation::{Explanation, Obstacle, SupervisedBy};
use super::kill_plan::{KillPlan, TargetSet};
use super::kill_request::Target;
use super::preview::Restarter;
use crate::model::process::Process;
use crate::model::supervisor::Supervisor;

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

    /// Returns why nothing is stopped after all, if a supervisor must be told to stop an owner.
    pub fn blocked_by_supervisor(&self) -> Option<Explanation> {
        let (process, by, stop_command) = self.supervisors().find_map(|(target, supervisor)| {
            let by = self.supervised_by(&target.process, supervisor)?;
            Some((target.process, by, supervisor.stop_command()))
        })?;
        let obstacle = Obstacle::Supervised {
            process,
            by,
            stop_command,
            owners: self.owner_processes(),
        };
        Some(Explanation::new(self.to_port(), obstacle))
    }

    fn supervised_by(&self, process: &Process, supervisor: &Supervisor) -> Option<SupervisedBy> {
        let mut container = supervisor.container.iter();
        if let Some(container) = container.find(|one| one.publishes(self.port, self.protocol)) {
            return Some(SupervisedBy::PublishedPort(Box::new(container.clone())));
        }
        let unit = supervisor.unit.as_ref()?;
        if let Some(socket) = unit.triggered_by.first() {
            let unit = Box::new(unit.clone());
            return Some(SupervisedBy::SocketActivation(socket.clone(), unit));
        }
        (unit.main == Some(process.pid()))
            .then(|| SupervisedBy::MainProcess(Box::new(unit.clone())))
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

#[cfg(test)]
mod tests;
