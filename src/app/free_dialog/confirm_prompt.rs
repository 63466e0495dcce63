//! The question itself: which ports, which of their holders, which signal, and what was typed where a port must be.

use crate::free::{
    Batch, Confirmation, ExecCommand, Explanation, KillPlan, SIGNALS, Signal, TargetSet, Timeouts,
};
use crate::model::inspection::Inspection;
use crate::model::process::ProcessId;
use std::time::Instant;

#[derive(Debug)]
pub struct ConfirmPrompt {
    /// One for each port, never none.
    pub plans: Vec<KillPlan>,
    /// Why the ports of other marked rows are not freed along.
    pub skipped: Vec<String>,
    pub targets: TargetSet,
    pub signal: Signal,
    /// Whether the signals are offered instead of everything else.
    pub is_choosing_signal: bool,
    /// What was typed so far, where a port must be typed.
    pub typed: String,
    /// Whether the screen cannot name everyone who would end, so that nobody is ended.
    pub is_truncated: bool,
}

/// What must be typed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedConfirmation {
    pub port: u16,
    pub why: Vec<String>,
}

impl ConfirmPrompt {
    pub fn new(plans: Vec<KillPlan>, skipped: Vec<String>) -> Self {
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

    /// The only port that is asked about; of several none, because what is offered for one only is not for many.
    pub fn single(&self) -> Option<&KillPlan> {
        match self.plans.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Every holder of every port, each once.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        let mut ids: Vec<ProcessId> = Vec::new();
        for id in self.plans.iter().flat_map(KillPlan::process_ids) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Takes in where the holders come from. Ports that are better freed by stopping what is behind their holders are left
    /// out; if none is left, that is all there is to say.
    pub fn apply_inspection(&mut self, inspection: &Inspection) -> Option<Explanation> {
        let mut blocked_by_supervisor = Vec::new();
        self.plans.retain_mut(|plan| {
            plan.add_trees(&inspection.trees);
            let bar = plan.blocked_by_supervisor();
            blocked_by_supervisor.extend(bar.clone());
            bar.is_none()
        });
        if self.plans.is_empty() {
            return blocked_by_supervisor.into_iter().reduce(Explanation::and);
        }
        self.skipped
            .extend(blocked_by_supervisor.iter().map(Explanation::summary));
        None
    }

    /// The command that stops what would start the holder again.
    pub fn stop_command(&self) -> Option<String> {
        self.single()?.offer()
    }

    /// The port that must be typed: the first one that demands it stands for all.
    pub fn typed_confirmation(&self) -> Option<TypedConfirmation> {
        let mut demands = self.plans.iter().filter_map(|plan| {
            let demand = plan.required_confirmation(self.targets);
            match demand {
                Confirmation::Key => None,
                Confirmation::TypePort { why } => Some((plan.port, why)),
            }
        });
        let (port, mut why) = demands.next()?;
        why.extend(demands.flat_map(|(_, why)| why));
        why.dedup();
        Some(TypedConfirmation { port, why })
    }

    pub fn has_more_than_topmost(&self) -> bool {
        self.plans.iter().any(KillPlan::has_more_than_topmost)
    }

    pub fn has_group(&self) -> bool {
        self.single().is_some_and(KillPlan::has_group)
    }

    /// The parent that `p` would end instead: one further up each time, and then the holders again.
    pub fn next_parent(&self) -> Option<TargetSet> {
        let parents = self.single()?.parents();
        let next = match self.targets {
            TargetSet::Parent(now) => {
                let mut parents = parents.iter().skip_while(|parent| parent.id != now);
                parents.nth(1)
            }
            TargetSet::Topmost | TargetSet::All | TargetSet::Group => parents.first(),
        };
        next.map(|parent| TargetSet::Parent(parent.id))
    }

    pub fn has_parents(&self) -> bool {
        self.single().is_some_and(|one| !one.parents().is_empty())
    }

    /// Ends others than before, or the topmost holders again. What was typed was typed for others.
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
        let typed = self.typed_confirmation();
        !self.is_truncated && typed.is_none_or(|typed| self.typed == typed.port.to_string())
    }

    /// What is to be done, once it is confirmed as it was demanded.
    pub fn confirm(&self, now: Instant) -> Option<(Batch, Vec<ExecCommand>)> {
        self.is_confirmed().then(|| {
            let plans = self.plans.iter();
            let requests = plans.map(|one| one.confirm(self.targets, self.signal, now));
            Batch::begin(requests.collect(), Timeouts::default())
        })
    }
}

/// The letter of a signal in the menu. QUIT has its second one, because `q` cancels.
pub fn signal_key(signal: Signal) -> char {
    match signal {
        Signal::Terminate => 't',
        Signal::Interrupt => 'i',
        Signal::HangUp => 'h',
        Signal::Quit => 'u',
        Signal::Kill => 'k',
        Signal::Continue => 'c',
    }
}

/// The signal of a letter in the menu.
pub fn signal_for_key(letter: char) -> Option<Signal> {
    let mut signals = SIGNALS.iter().copied();
    signals.find(|signal| signal_key(*signal) == letter)
}
