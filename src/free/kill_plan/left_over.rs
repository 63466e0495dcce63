//! Port proxies that their engine has left over: nothing forwards through them any more, so they may be stopped.

use super::{KillPlan, TargetSet};
use crate::free::protected::Protected;
use crate::model::process::{Engine, Process, ProcessId};
use std::sync::Arc;

impl KillPlan {
    /// Protects no proxy that is known to be left over: it forwards nothing.
    pub(in crate::free) fn unprotect(&mut self, left_over: &[ProcessId]) {
        for owner in &mut self.owners {
            owner.protected.take_if(|why| {
                *why == Protected::ContainerPortProxy && left_over.contains(&owner.process.id)
            });
        }
    }

    /// Returns the targets that are left over, each with its engine.
    pub fn left_over(&self, targets: TargetSet) -> Vec<(Arc<Process>, Engine)> {
        let targets = self.targets(targets).into_iter();
        let engine = |process: &Process| self.tree_of(process.id)?.supervisor.left_over_from;
        targets
            .filter_map(|target| Some((Arc::clone(&target.process), engine(&target.process)?)))
            .collect()
    }
}
