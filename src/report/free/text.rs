//! The words of `portmon free`: what is asked, and what became of each port.

use super::{Account, Outcome};
use crate::model::endpoint::Socket;
use crate::model::freeing::{
    Explanation, Freeing, Next, Proposal, Signal, Targets, Verdict, unknown_words,
};
use crate::model::process::Process;
use crate::model::target::Spot;
use crate::model::text::escaped;
use crate::model::words;
use std::sync::Arc;

/// A port, what holds it, and what is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub spot: Spot,
    pub proposal: Proposal,
    pub targets: Targets,
    pub signal: Signal,
}

impl Plan {
    /// Who would get the signal.
    pub fn recipients(&self) -> Vec<Arc<Process>> {
        let targets = self.proposal.targets(self.targets).into_iter();
        targets.map(|target| Arc::clone(&target.process)).collect()
    }

    /// Why there is nobody to signal, though the port is held: the group is not known, or has somebody who is never ended.
    pub fn without_recipients(&self) -> Account {
        self.refused("the process group is not known, or this portmon or another process that is never ended is of it")
    }

    /// That nobody agreed to it.
    pub fn refused(&self, why: &str) -> Account {
        let message = format!("Nothing sent for {}: {why}.", self.spot);
        self.told(Some(Outcome::Refused), message)
    }

    /// What would have been done, as far as that can be known.
    pub fn dry_run(&self) -> Account {
        let unknown = unknown_words(&[&self.proposal], self.targets);
        if let Some(words) = self.proposal.not_permitted_words(self.targets) {
            let unknown = unknown.map(|unknown| format!("{unknown}."));
            let parts = std::iter::once(words).chain(unknown);
            let message = parts.collect::<Vec<_>>().join(" ");
            return Account {
                would_signal: Some(Vec::new()),
                ..self.told(Some(Outcome::NotPermitted), message)
            };
        }
        let (recipients, signal) = (self.recipients(), self.signal);
        let names = words::list(&recipients);
        let freed = format!("{} would be freed: {signal} to {names}", self.spot);
        let parts = std::iter::once(freed).chain(unknown);
        let message = parts.collect::<Vec<_>>().join("; ");
        Account {
            would_signal: Some(recipients.into_iter().map(|one| (one, signal)).collect()),
            ..self.told(None, message)
        }
    }

    fn told(&self, outcome: Option<Outcome>, message: String) -> Account {
        let holders = self.proposal.holders.iter();
        Account {
            outcome,
            holders: holders.map(|holder| Arc::clone(&holder.process)).collect(),
            ..Account::without_signal(self.spot, Outcome::Refused, message)
        }
    }
}

/// `End node 4242? [y/N] `
pub fn question(plan: &Plan) -> String {
    format!(
        "Free {}: {} to {}? [y/N] ",
        plan.spot,
        plan.signal,
        words::list(&plan.recipients())
    )
}

/// Where a single key is too little.
pub fn typed_question(plan: &Plan) -> String {
    format!("Free {}: type {} to do it: ", plan.spot, plan.spot.port)
}

pub fn count_question(count: usize) -> String {
    let ports = words::count(count, "port");
    format!("Free {ports}: type {count} to do it: ")
}

/// An explanation and its way out on one line.
pub fn explained(explanation: &Explanation, unused: Option<u16>) -> String {
    let title = format!("{}.", explanation.title);
    let lines = explanation.lines.iter().map(|line| sentence(line));
    // Last, so that nothing behind it is copied with it.
    let offer = explanation.offer.as_ref();
    let offer = offer.map(|offer| format!("Try: {}", escaped(offer)));
    let unused = unused.map(Explanation::unused_words);
    let parts = std::iter::once(title)
        .chain(lines)
        .chain(unused)
        .chain(offer);
    parts.collect::<Vec<_>>().join(" ")
}

/// The sentence of a verdict, with the command that does what a key does in the monitor.
pub fn verdict(spot: Spot, freeing: &Freeing) -> String {
    let Some(verdict) = freeing.verdict() else {
        return format!("Whether {spot} is free is unknown: it was not watched to the end");
    };
    let words = verdict.without_offer();
    match verdict {
        Verdict::NotEnded {
            next: Next::Offer(signal),
            ..
        } => format!(
            "{words}; portmon free {} --signal {signal} is stronger",
            spot.word()
        ),
        _ => words,
    }
}

/// `:3000 is STILL HELD: node 4300 has it on 127.0.0.1`
pub fn still_held(spot: Spot, socket: &Socket) -> String {
    let (holder, place) = (words::holder(socket), socket.local_address());
    format!("{spot} is STILL HELD: {holder} has it on {place}")
}

/// What is said while it lasts, for whoever sits before it.
pub fn progress(plans: &[&Plan]) -> String {
    let ports: Vec<Spot> = plans.iter().map(|plan| plan.spot).collect();
    format!("watching {}", words::list(&ports))
}

fn sentence(line: &str) -> String {
    if line.ends_with('.') {
        line.to_owned()
    } else {
        format!("{line}.")
    }
}
