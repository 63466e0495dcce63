//! What the dialog asks: which ports, targets and signal, and what was typed where a number must be.

use crate::free::{
    Batch, ExecCommand, Explanation, KillPlan, Preview, TargetChoice, TargetSet, Timeouts,
};
use crate::model::process::{Inspection, ProcessId, Signal};
use crate::model::socket::Endpoint;
use std::collections::BTreeSet;
use std::time::Instant;

#[derive(Debug)]
pub struct ConfirmPrompt {
    /// One for each port, never none.
    pub plans: Vec<KillPlan>,
    /// Why the ports of other marked rows are not freed too.
    pub skipped: Vec<Explanation>,
    /// What would be done; it names the targets and the signal.
    pub preview: Preview,
    /// The targets to begin with, until the process trees are known.
    begins_with: Option<TargetChoice>,
    /// True while the signals are offered instead of everything else.
    pub is_choosing_signal: bool,
    /// Digits typed so far, if a port or pid must be typed.
    pub typed: String,
    /// True if the screen cannot name every target, so that nothing can be confirmed.
    pub is_truncated: bool,
}

impl ConfirmPrompt {
    pub fn new(plans: Vec<KillPlan>, skipped: Vec<Explanation>, begins_with: TargetChoice) -> Self {
        Self {
            preview: Preview::new(&plans, TargetSet::Topmost, Signal::Terminate),
            plans,
            skipped,
            begins_with: Some(begins_with),
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

    /// Returns how many processes these targets are.
    pub fn target_count(&self, targets: TargetSet) -> usize {
        let all = self.plans.iter().flat_map(|plan| plan.targets(targets));
        all.map(|target| target.id()).collect::<BTreeSet<_>>().len()
    }

    /// True if it asks about candidates.
    pub fn is_unproved(&self) -> bool {
        self.plans.iter().any(KillPlan::is_unproved)
    }

    /// Describes the owners as they are now and adds their process trees. Drops the plans whose owners a supervisor
    /// manages; returns why if none is left.
    pub fn apply_inspection(&mut self, inspection: &Inspection) -> Option<Explanation> {
        let mut blocked = Vec::new();
        self.plans.retain_mut(|plan| {
            plan.describe(&inspection.described);
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
        let targets = self.first_targets().unwrap_or(self.preview.targets);
        self.ask(targets, self.preview.signal);
        None
    }

    /// Returns the targets to begin with, if the plans offer them: a group or a parent only for one port.
    fn first_targets(&mut self) -> Option<TargetSet> {
        match (self.begins_with.take()?, self.single()) {
            (choice @ (TargetChoice::Group | TargetChoice::WithParent), plan) => {
                choice.resolve(plan?)
            }
            (TargetChoice::All, _) => Some(TargetSet::All),
            (TargetChoice::Topmost, _) => None,
        }
    }

    /// Updates what else would close.
    pub fn update_others(&mut self, table: &[&Endpoint]) {
        for plan in &mut self.plans {
            plan.update_others(table);
        }
        self.ask(self.preview.targets, self.preview.signal);
    }

    /// Asks about these targets and this signal. What was typed for other targets is forgotten.
    pub fn ask(&mut self, targets: TargetSet, signal: Signal) {
        if targets != self.preview.targets {
            self.typed.clear();
            self.is_truncated = false;
        }
        self.is_choosing_signal = false;
        self.preview = Preview::new(&self.plans, targets, signal);
    }

    pub fn is_confirmed(&self) -> bool {
        !self.is_truncated && self.preview.confirmation.accepts(&self.typed)
    }

    /// Returns the batch and its first commands; `None` unless the port or pid was typed where required and every target
    /// fits on the screen. Of several candidates only the one whose pid was typed is a target.
    pub fn confirm(&self, now: Instant) -> Option<(Batch, Vec<ExecCommand>)> {
        let (targets, signal) = (self.preview.targets, self.preview.signal);
        self.is_confirmed().then(|| {
            let plans = self.plans.iter();
            let requests = plans.map(|plan| {
                let typed = plan.typed_candidate(&self.typed);
                plan.confirm(typed.unwrap_or(targets), signal, now)
            });
            Batch::begin(requests.collect(), Timeouts::default())
        })
    }
}
