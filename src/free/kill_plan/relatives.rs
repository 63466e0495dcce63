//! Groups and parents of a port's owners, as far as they may be signaled with them.

use super::{KillPlan, TargetSet};
use crate::free::protected::{Protected, protected};
use crate::model::process::{
    Pid, Process, ProcessId, ProcessState, RunState, Signal, leads_terminal,
};
use std::sync::Arc;

/// Why a parent or a process group is not signaled with the owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelativeObstacle {
    /// It is not known, or has exited.
    Unknown,
    /// The parent is the first process of the system.
    FirstProcess,
    Protected(Arc<Process>, Protected),
    /// It leads the session of a terminal.
    Login(Arc<Process>),
    /// It is the main process of an owner's service.
    MainProcess(Arc<Process>),
}

impl KillPlan {
    /// Returns why the parent of the first topmost owner is not signaled with it.
    pub fn parent_obstacle(&self) -> RelativeObstacle {
        let topmost = self.unprotected_owners(|owner| owner.is_topmost);
        let Some(owner) = topmost.first() else {
            return RelativeObstacle::Unknown;
        };
        let tree = self.tree_of(owner.id);
        match tree.and_then(|tree| tree.ancestors.first()) {
            Some(parent) => self.obstacle_of(parent),
            None if owner.parent == Some(Pid(1)) => RelativeObstacle::FirstProcess,
            None => RelativeObstacle::Unknown,
        }
    }

    /// Returns why the process groups of the topmost owners are not signaled.
    pub fn group_obstacle(&self) -> RelativeObstacle {
        let topmost = self
            .unprotected_owners(|owner| owner.is_topmost)
            .into_iter();
        let trees = topmost.filter_map(|process| self.tree_of(process.id));
        let mut members = trees.flat_map(|tree| &tree.group);
        let denied = members.find(|process| !self.may_signal(process));
        denied.map_or(RelativeObstacle::Unknown, |member| self.obstacle_of(member))
    }

    fn obstacle_of(&self, process: &Arc<Process>) -> RelativeObstacle {
        let shown = Arc::clone(process);
        match protected(process, &self.self_pids) {
            Some(why) => RelativeObstacle::Protected(shown, why),
            None if !self.may_signal(process) => RelativeObstacle::MainProcess(shown),
            None if leads_terminal(process) => RelativeObstacle::Login(shown),
            None => RelativeObstacle::Unknown,
        }
    }

    /// Returns the targets that may not act on a signal, each with why.
    pub(in crate::free) fn run_states(&self, targets: TargetSet) -> Vec<(Arc<Process>, &RunState)> {
        let run_state = |id: ProcessId| {
            let mut trees = self.trees().iter();
            trees.find_map(|tree| tree.run_state_of(id))
        };
        let targets = self.targets(targets).into_iter();
        targets
            .filter_map(|target| Some((Arc::clone(&target.process), run_state(target.id())?)))
            .collect()
    }

    /// Returns the targets that get SIGCONT after this signal: those that are suspended.
    pub(in crate::free) fn resumed_by(
        &self,
        signal: Signal,
        targets: TargetSet,
    ) -> Vec<Arc<Process>> {
        let states = self.run_states(targets).into_iter();
        let is_resumed =
            |state: &RunState| signal.resumes() && state.state == Some(ProcessState::Suspended);
        let resumed = states.filter(|(_, state)| is_resumed(state));
        resumed.map(|(process, _)| process).collect()
    }

    /// True if the group has more members than owners.
    pub fn has_group(&self) -> bool {
        let mut group = self.group().into_iter();
        group.any(|member| self.owner(member.id).is_none())
    }

    /// Returns the topmost owners' process groups; empty if unknown or if a member may not be signaled, since a group gets
    /// a signal as a whole.
    pub(super) fn group(&self) -> Vec<&Arc<Process>> {
        let topmost = self
            .unprotected_owners(|owner| owner.is_topmost)
            .into_iter();
        let trees = topmost.filter_map(|process| self.tree_of(process.id));
        let mut members: Vec<&Arc<Process>> = trees.flat_map(|tree| &tree.group).collect();
        members.sort_by_key(|process| {
            let mut owners = self.owners.iter();
            let rank = owners.position(|owner| owner.process.id == process.id);
            (rank.unwrap_or(self.owners.len()), process.pid())
        });
        members.dedup_by_key(|process| process.id);
        if !members.iter().all(|process| self.may_signal(process)) {
            members.clear();
        }
        members
    }

    pub(super) fn with_ancestors(&self, last: ProcessId) -> Vec<&Arc<Process>> {
        let mut processes = self.unprotected_owners(|owner| owner.is_topmost);
        let mut parents = self.parents();
        let end = parents.iter().position(|parent| parent.id == last);
        parents.truncate(end.map_or(0, |end| end + 1));
        processes.extend(parents);
        processes
    }

    /// Returns the ancestors of the first topmost owner that may be signaled with it, the nearest first, up to the first
    /// that may not or that leads a terminal's session.
    pub fn parents(&self) -> Vec<&Arc<Process>> {
        let topmost = self.unprotected_owners(|owner| owner.is_topmost);
        let tree = topmost.first().and_then(|process| self.tree_of(process.id));
        tree.map_or(&[][..], |tree| &tree.ancestors)
            .iter()
            .take_while(|process| self.may_signal(process) && !leads_terminal(process))
            .collect()
    }

    /// True unless the process is protected or the main process of an owner's service, which systemd manages.
    fn may_signal(&self, process: &Process) -> bool {
        let trees = self.trees().iter();
        let mut units = trees.filter_map(|tree| tree.supervisor.unit.as_ref());
        !units.any(|unit| unit.main == Some(process.pid()))
            && protected(process, &self.self_pids).is_none()
    }
}
