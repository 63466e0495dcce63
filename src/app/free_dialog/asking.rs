//! The question itself: which ports, which of their holders, which signal, and what was typed where a port must be.

use crate::model::freeing::{
    Batch, Demand, Explanation, Proposal, SIGNALS, Signal, Step, Targets, Terms,
};
use crate::model::inspection::Inspection;
use crate::model::process::ProcessId;
use std::time::Instant;

#[derive(Debug)]
pub struct Asking {
    /// One for each port, never none.
    pub proposals: Vec<Proposal>,
    /// Why the ports of other marked rows are not freed along.
    pub left_out: Vec<String>,
    pub targets: Targets,
    pub signal: Signal,
    /// Whether the signals are offered instead of everything else.
    pub is_choosing: bool,
    /// What was typed so far, where a port must be typed.
    pub typed: String,
    /// Whether the screen cannot name everyone who would end, so that nobody is ended.
    pub is_cut: bool,
}

/// What must be typed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    pub port: u16,
    pub why: Vec<String>,
}

impl Asking {
    pub fn new(proposals: Vec<Proposal>, left_out: Vec<String>) -> Self {
        Self {
            proposals,
            left_out,
            targets: Targets::Topmost,
            signal: Signal::Terminate,
            is_choosing: false,
            typed: String::new(),
            is_cut: false,
        }
    }

    /// The only port that is asked about; of several none, because what is offered for one only is not for many.
    pub fn only(&self) -> Option<&Proposal> {
        match self.proposals.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Every holder of every port, each once.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        let mut ids: Vec<ProcessId> = Vec::new();
        for id in self.proposals.iter().flat_map(Proposal::process_ids) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Takes in where the holders come from. Ports that are better freed by stopping what is behind their holders are left
    /// out; if none is left, that is all there is to say.
    pub fn learn(&mut self, inspection: &Inspection) -> Option<Explanation> {
        let mut barred = Vec::new();
        self.proposals.retain_mut(|proposal| {
            proposal.learn(&inspection.kin);
            let bar = proposal.barred();
            barred.extend(bar.clone());
            bar.is_none()
        });
        if self.proposals.is_empty() {
            return barred.into_iter().reduce(Explanation::and);
        }
        self.left_out
            .extend(barred.iter().map(Explanation::in_short));
        None
    }

    /// The command that stops what would start the holder again.
    pub fn offer(&self) -> Option<String> {
        self.only()?.offer()
    }

    /// The port that must be typed: the first one that demands it stands for all.
    pub fn typing(&self) -> Option<Typing> {
        let mut demands = self.proposals.iter().filter_map(|proposal| {
            let demand = proposal.demand(self.targets);
            match demand {
                Demand::Key => None,
                Demand::TypePort { why } => Some((proposal.port, why)),
            }
        });
        let (port, mut why) = demands.next()?;
        why.extend(demands.flat_map(|(_, why)| why));
        why.dedup();
        Some(Typing { port, why })
    }

    pub fn has_more_than_topmost(&self) -> bool {
        self.proposals.iter().any(Proposal::has_more_than_topmost)
    }

    pub fn has_group(&self) -> bool {
        self.only().is_some_and(Proposal::has_group)
    }

    /// The parent that `p` would end instead: one further up each time, and then the holders again.
    pub fn next_parent(&self) -> Option<Targets> {
        let parents = self.only()?.parents();
        let next = match self.targets {
            Targets::Parent(now) => {
                let mut parents = parents.iter().skip_while(|parent| parent.id != now);
                parents.nth(1)
            }
            Targets::Topmost | Targets::All | Targets::Group => parents.first(),
        };
        next.map(|parent| Targets::Parent(parent.id))
    }

    pub fn has_parents(&self) -> bool {
        self.only().is_some_and(|one| !one.parents().is_empty())
    }

    /// Ends others than before, or the topmost holders again. What was typed was typed for others.
    pub fn aim(&mut self, at: Targets) {
        self.targets = if self.targets == at {
            Targets::Topmost
        } else {
            at
        };
        self.typed.clear();
        self.is_cut = false;
    }

    pub fn is_confirmed(&self) -> bool {
        let typing = self.typing();
        !self.is_cut && typing.is_none_or(|typing| self.typed == typing.port.to_string())
    }

    /// What is to be done, once it is confirmed as it was demanded.
    pub fn confirm(&self, now: Instant) -> Option<(Batch, Vec<Step>)> {
        self.is_confirmed().then(|| {
            let proposals = self.proposals.iter();
            let orders = proposals.map(|one| one.confirm(self.targets, self.signal, now));
            Batch::begin(orders.collect(), Terms::default())
        })
    }
}

/// The letter of a signal in the menu. QUIT has its second one, because `q` cancels.
pub fn letter_of(signal: Signal) -> char {
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
pub fn signal_of(letter: char) -> Option<Signal> {
    let mut signals = SIGNALS.iter().copied();
    signals.find(|signal| letter_of(*signal) == letter)
}
