//! The question itself: which holders, and what was typed where the port must be.

use crate::model::freeing::{Batch, Demand, Proposal, Signal, Step, Targets, Terms};
use std::time::Instant;

#[derive(Debug)]
pub struct Asking {
    pub proposal: Proposal,
    pub targets: Targets,
    /// What was typed so far, where the port must be typed.
    pub typed: String,
}

impl Asking {
    pub fn demand(&self) -> Demand {
        self.proposal.demand(self.targets)
    }

    pub fn switch_targets(&mut self) {
        self.targets = match self.targets {
            Targets::Topmost => Targets::All,
            Targets::All => Targets::Topmost,
        };
        self.typed.clear();
    }

    pub fn is_confirmed(&self) -> bool {
        self.demand() == Demand::Key || self.typed == self.proposal.port.to_string()
    }

    /// What is to be done, once it is confirmed as it was demanded.
    pub fn confirm(&self, now: Instant) -> Option<(Batch, Vec<Step>)> {
        self.is_confirmed().then(|| {
            let order = self.proposal.confirm(self.targets, Signal::Terminate, now);
            Batch::begin(vec![order], Terms::default())
        })
    }
}
