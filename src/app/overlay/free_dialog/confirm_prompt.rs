//! What the dialog asks: which ports, targets and signal, and what was typed where a port must be.

use crate::free::{
    Batch, Confirmation, ExecCommand, Explanation, KillPlan, Preview, TargetSet, Timeouts,
};
use crate::model::process::{Inspection, ProcessId, Signal};
use std::time::Instant;

#[derive(Debug)]
pub struct ConfirmPrompt {
    /// One for each port, never none.
    pub plans: Vec<KillPlan>,
    /// Why the ports of other marked rows are not freed too.
    pub skipped: Vec<Explanation>,
    pub targets: TargetSet,
    pub signal: Signal,
    /// True while the signals are offered instead of everything else.
    pub is_choosing_signal: bool,
    /// What was typed so far, where a port must be typed.
    pub typed: String,
    /// True if the screen cannot name every target, so that nothing can be confirmed.
    pub is_truncated: bool,
}

impl ConfirmPrompt {
    pub fn new(plans: Vec<KillPlan>, skipped: Vec<Explanation>) -> Self {
        Self {
            plans,
            skipped,
            targets: TargetSet::Topmost,
            signal: Signal::Terminate,
            is_choosing_signal: false,
            typed: String::new(),
            is_truncated: false,
        }
    }

    /// Returns the plan if there is only one: groups, parents and commands are not offered for several.
    pub fn single(&self) -> Option<&KillPlan> {
        match self.plans.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Returns every owner of every port, each once.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        let mut ids: Vec<ProcessId> = Vec::new();
        for id in self.plans.iter().flat_map(KillPlan::process_ids) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Adds the owners' process trees. Drops the plans whose owners a supervisor manages; returns why if none is left.
    pub fn apply_inspection(&mut self, inspection: &Inspection) -> Option<Explanation> {
        let mut blocked = Vec::new();
        self.plans.retain_mut(|plan| {
            plan.add_trees(&inspection.trees);
            let explanation = plan.blocked_by_supervisor();
            let is_free = explanation.is_none();
            blocked.extend(explanation);
            is_free
        });
        if self.plans.is_empty() {
            return blocked.into_iter().reduce(Explanation::and);
        }
        self.skipped.extend(blocked);
        None
    }

    pub fn preview(&self) -> Preview {
        Preview::new(&self.plans, self.targets, self.signal)
    }

    pub fn target_count(&self, targets: TargetSet) -> usize {
        Preview::new(&self.plans, targets, self.signal).target_count()
    }

    /// Returns the port that must be typed, if one must.
    pub fn typed_port(&self) -> Option<u16> {
        match self.preview().confirmation {
            Confirmation::Key => None,
            Confirmation::TypePort { port, .. } => Some(port),
        }
    }

    pub fn has_more_than_topmost(&self) -> bool {
        self.plans.iter().any(KillPlan::has_more_than_topmost)
    }

    pub fn has_group(&self) -> bool {
        self.single().is_some_and(KillPlan::has_group)
    }

    /// Returns the next parent for `p`: one further up each time; after the last one `None`.
    pub fn next_parent(&self) -> Option<TargetSet> {
        let parents = self.single()?.parents();
        let next = match self.targets {
            TargetSet::Parent(now) => parents.iter().skip_while(|parent| parent.id != now).nth(1),
            TargetSet::Topmost | TargetSet::All | TargetSet::Group => parents.first(),
        };
        next.map(|parent| TargetSet::Parent(parent.id))
    }

    pub fn has_parents(&self) -> bool {
        self.single().is_some_and(|one| !one.parents().is_empty())
    }

    /// Chooses these targets, or the topmost owners again. What was typed applied to the others.
    pub fn set_targets(&mut self, at: TargetSet) {
        self.targets = if self.targets == at {
            TargetSet::Topmost
        } else {
            at
        };
        self.typed.clear();
        self.is_truncated = false;
    }

    pub fn is_confirmed(&self) -> bool {
        let port = self.typed_port();
        !self.is_truncated && port.is_none_or(|port| self.typed == port.to_string())
    }

    /// Returns what to do if it is confirmed as required.
    pub fn confirm(&self, now: Instant) -> Option<(Batch, Vec<ExecCommand>)> {
        self.is_confirmed().then(|| {
            let confirm = |plan: &KillPlan| plan.confirm(self.targets, self.signal, now);
            Batch::begin(
                self.plans.iter().map(confirm).collect(),
                Timeouts::default(),
            )
        })
    }
}
