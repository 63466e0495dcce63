//! Supervisors of a port's owners: which may restart one, and which must be told to stop one instead of a signal.

use super::{KillPlan, TargetSet};
use crate::free::explanation::{Explanation, Obstacle, SupervisedBy};
use crate::model::process::{Container, Process, Supervisor, Unit};
use std::sync::Arc;

/// What may restart an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restarter {
    Unit(Unit),
    Container(Container),
}

impl KillPlan {
    /// Returns what may restart a topmost owner, each once.
    pub fn restarted_by(&self) -> Vec<Restarter> {
        let mut restarters = Vec::new();
        for (_, supervisor) in self.supervisors() {
            let unit = supervisor.unit.clone().filter(Unit::may_restart);
            let container = supervisor.container.clone().map(Restarter::Container);
            for restarter in unit.map(Restarter::Unit).into_iter().chain(container) {
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
        let obstacle = self.supervisors().find_map(|(process, supervisor)| {
            Some(Obstacle::Supervised {
                by: self.supervised_by(&process, supervisor)?,
                process,
                stop_command: supervisor.stop_command(),
                owners: self.owner_processes(),
            })
        })?;
        Some(Explanation::new(self.port, obstacle))
    }

    /// True if a supervisor must be told to stop the process.
    pub(super) fn is_managed(&self, process: &Process) -> bool {
        let tree = self.tree_of(process.id);
        tree.is_some_and(|tree| self.supervised_by(process, &tree.supervisor).is_some())
    }

    fn supervised_by(&self, process: &Process, supervisor: &Supervisor) -> Option<SupervisedBy> {
        if let Some(container) = &supervisor.container
            && container.publishes(self.port)
        {
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
    fn supervisors(&self) -> impl Iterator<Item = (Arc<Process>, &Supervisor)> {
        let targets = self.targets(TargetSet::Topmost).into_iter();
        targets.filter_map(|target| {
            let supervisor = &self.tree_of(target.id())?.supervisor;
            Some((target.process, supervisor))
        })
    }
}

#[cfg(test)]
mod tests;
