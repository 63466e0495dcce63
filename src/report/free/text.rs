//! The words of `portmon free`: what is asked, and what became of each port.

use super::{FreeOutcome, FreeReport};
use crate::free::{
    Explanation, FreeMachine, KillPlan, NextAction, Preview, TargetSet, Verdict, Warning,
    not_permitted,
};
use crate::model::port::PortSpec;
use crate::model::process::{Process, Signal};
use crate::model::socket::Socket;
use crate::model::text::escaped;
use crate::wording;
use std::iter;
use std::sync::Arc;

/// A port, what holds it, and what is to be done.
#[derive(Clone, Debug)]
pub struct PortPlan {
    pub spec: PortSpec,
    pub kill_plan: KillPlan,
    pub targets: TargetSet,
    pub signal: Signal,
}

impl PortPlan {
    /// Who would get the signal.
    pub fn processes(&self) -> Vec<Arc<Process>> {
        let targets = self.kill_plan.targets(self.targets).into_iter();
        targets.map(|target| Arc::clone(&target.process)).collect()
    }

    pub fn preview(&self) -> Preview {
        let plans = std::slice::from_ref(&self.kill_plan);
        Preview::new(plans, self.targets, self.signal)
    }

    /// Reports that there is no target: the group is unknown, or a member may not be signalled.
    pub fn without_targets(&self) -> FreeReport {
        self.refused(
            "its process group is unknown, or contains portmon or another protected process",
        )
    }

    /// Reports that nothing was sent, and why.
    pub fn refused(&self, why: &str) -> FreeReport {
        let message = format!("Nothing sent for {}: {why}.", self.spec);
        self.report(Some(FreeOutcome::Refused), message)
    }

    /// Reports what would be done, as far as that is known.
    pub fn dry_run(&self) -> FreeReport {
        let preview = self.preview();
        let unseen = preview
            .also_closes
            .unseen
            .as_ref()
            .map(wording::unseen_text);
        let (outcome, message, targets) =
            if let Some(denied) = not_permitted(&self.kill_plan, self.targets) {
                let message = wording::not_permitted_text(&denied);
                (Some(FreeOutcome::NotPermitted), message, Vec::new())
            } else {
                let processes = self.processes();
                let names = wording::list(&processes);
                let (port, signal, kept) = (self.spec, self.signal, stays_held(&preview));
                let message = if kept.is_empty() {
                    format!("{port} would be freed: {signal} to {names}")
                } else {
                    let kept = kept.join("; ");
                    format!("{port} would not be freed completely: {kept}; {signal} to {names}")
                };
                (None, message, processes)
            };
        let parts: Vec<String> = std::iter::once(message).chain(unseen).collect();
        FreeReport {
            would_signal: Some(targets.into_iter().map(|one| (one, self.signal)).collect()),
            ..self.report(outcome, parts.join("; "))
        }
    }

    fn report(&self, outcome: Option<FreeOutcome>, message: String) -> FreeReport {
        let holders = self.kill_plan.owners.iter();
        FreeReport {
            outcome,
            holders: holders.map(|holder| Arc::clone(&holder.process)).collect(),
            ..FreeReport::without_signal(self.spec, FreeOutcome::Refused, message)
        }
    }
}

/// Returns why the port would still be held after all targets have ended.
fn stays_held(preview: &Preview) -> Vec<String> {
    let warnings = preview.warnings.iter();
    let kept = warnings.filter(|warning| match warning {
        Warning::StaysHeld(_) | Warning::Protected(_) => true,
        Warning::NotPermitted(_) | Warning::Suspended(_) => false,
    });
    kept.map(wording::warning).collect()
}

/// `End node 4242? [y/N] `
pub fn question(plan: &PortPlan) -> String {
    format!(
        "Free {}: {} to {}? [y/N] ",
        plan.spec,
        plan.signal,
        wording::list(&plan.processes())
    )
}

/// Where a single key is too little.
pub fn typed_question(plan: &PortPlan) -> String {
    format!("Free {}: type {} to do it: ", plan.spec, plan.spec.port)
}

pub fn count_question(count: usize) -> String {
    let ports = wording::count(count, "port");
    format!("Free {ports}: type {count} to do it: ")
}

/// Returns an explanation on one line, with the command to run instead at its end.
pub fn explained(explanation: &Explanation, unused: Option<u16>) -> String {
    let title = format!("{}.", wording::explanation_title(explanation));
    let lines = wording::explanation_lines(explanation, unused).into_iter();
    // Last, so that nothing behind it is copied with it.
    let command = explanation.command();
    let command = command.map(|command| format!("Try: {}", escaped(&command)));
    let parts = iter::once(title).chain(lines.map(sentence)).chain(command);
    parts.collect::<Vec<_>>().join(" ")
}

/// The sentence of a verdict, with the command that does what a key does in the monitor.
pub fn verdict(spec: PortSpec, freeing: &FreeMachine) -> String {
    let Some(verdict) = freeing.verdict() else {
        return format!("Whether {spec} is free is unknown: it was not watched to the end");
    };
    let words = wording::verdict(verdict);
    match verdict {
        Verdict::NotEnded {
            next: NextAction::Offer(signal),
            ..
        } => format!(
            "{words}; portmon free {} --signal {signal} is stronger",
            spec.to_argument()
        ),
        _ => words,
    }
}

/// `:3000 is STILL HELD: node 4300 has it on 127.0.0.1`
pub fn still_held(spec: PortSpec, socket: &Socket) -> String {
    let (holder, place) = (wording::holder(socket), socket.local_address());
    format!("{spec} is STILL HELD: {holder} has it on {place}")
}

/// What is said while it lasts, for whoever sits before it.
pub fn progress(plans: &[&PortPlan]) -> String {
    let ports: Vec<PortSpec> = plans.iter().map(|plan| plan.spec).collect();
    format!("watching {}", wording::list(&ports))
}

fn sentence(line: String) -> String {
    if line.ends_with('.') {
        line
    } else {
        format!("{line}.")
    }
}
