//! Decides which plans are confirmed: by flags, or by the person at the terminal.

use super::arguments::{Consent, FreeArgs};
use crate::free::Confirmation;
use crate::report::free::text::{self, PortPlan};
use crate::terminal;
use std::io::{self, IsTerminal, Write};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Confirmed,
    /// The reason, as the end of a sentence.
    Declined(String),
    DryRun,
}

/// Returns a decision for each plan.
pub fn decide(plans: &[&PortPlan], options: &FreeArgs) -> Vec<Decision> {
    let count = plans.len();
    if count == 0 {
        return Vec::new();
    }
    let is_range = options
        .targets
        .iter()
        .any(|target| target.only_port().is_none());
    let all = |decision: Decision| vec![decision; count];
    let declined = |why: String| all(Decision::Declined(why));
    match options.yes {
        Consent::YesToCount(agreed) if agreed == count && !options.dry_run => {
            all(Decision::Confirmed)
        }
        Consent::YesToCount(agreed) if agreed == count => all(Decision::DryRun),
        Consent::YesToCount(agreed) => declined(format!(
            "--yes={agreed} does not match: there are {count} ports"
        )),
        Consent::Yes if is_range => {
            declined(format!("a range needs the number of ports: --yes={count}"))
        }
        _ if options.dry_run => all(Decision::DryRun),
        Consent::Yes => all(Decision::Confirmed),
        Consent::Ask if !(io::stdin().is_terminal() && io::stderr().is_terminal()) => {
            let flag = if is_range {
                format!("--yes={count}")
            } else {
                "--yes".to_owned()
            };
            declined(format!(
                "there is no terminal to ask on; {flag} skips the question"
            ))
        }
        Consent::Ask
            if is_range && !is_answered(&text::count_question(count), &count.to_string()) =>
        {
            declined("not confirmed".to_owned())
        }
        Consent::Ask => plans.iter().map(|plan| preview(plan, is_range)).collect(),
    }
}

/// Asks about one port; in a range only if the port must be typed.
fn preview(plan: &PortPlan, is_counted: bool) -> Decision {
    let is_confirmed = match plan.preview().confirmation {
        Confirmation::Key if is_counted => true,
        Confirmation::Key => is_yes(&answer(&text::question(plan))),
        Confirmation::TypePort { .. } => {
            is_answered(&text::typed_question(plan), &plan.spec.port.to_string())
        }
    };
    if is_confirmed {
        Decision::Confirmed
    } else {
        Decision::Declined("not confirmed".to_owned())
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"]
        .iter()
        .any(|yes| answer.eq_ignore_ascii_case(yes))
}

fn is_answered(question: &str, expected: &str) -> bool {
    answer(question) == expected
}

/// Reads a line from the terminal; empty if there is none. Discards what was typed before the question.
fn answer(question: &str) -> String {
    terminal::discard_typed_ahead();
    let mut errors = io::stderr();
    let mut line = String::new();
    let asked = write!(errors, "{question}").and_then(|()| errors.flush());
    match asked.and_then(|()| io::stdin().read_line(&mut line)) {
        Ok(_) => line.trim().to_owned(),
        Err(_) => String::new(),
    }
}
