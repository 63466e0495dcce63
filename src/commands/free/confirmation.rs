//! Decides which plans are confirmed: by flags, or by the person at the terminal.

use super::arguments::{Consent, FreeArgs};
use crate::free::{Confirmation, PortPlan, Refusal};
use crate::terminal;
use crate::wording;
use std::io::{self, IsTerminal, Write};

#[derive(Clone, Copy)]
pub enum Decision {
    Confirmed,
    Declined(Refusal),
    DryRun,
}

/// Returns a decision for each plan.
pub fn decide(plans: &[&PortPlan], options: &FreeArgs) -> Vec<Decision> {
    let count = plans.len();
    if count == 0 {
        return Vec::new();
    }
    let mut targets = options.targets.iter();
    let is_range = targets.any(|target| target.only_port().is_none());
    let declined = |why| vec![Decision::Declined(why); count];
    match options.yes {
        Consent::YesToCount(agreed) if agreed != count => {
            declined(Refusal::WrongCount { agreed, count })
        }
        Consent::Yes if is_range => declined(Refusal::NeedsCount(count)),
        _ if options.dry_run => vec![Decision::DryRun; count],
        Consent::Yes | Consent::YesToCount(_) => vec![Decision::Confirmed; count],
        Consent::Ask if !(io::stdin().is_terminal() && io::stderr().is_terminal()) => {
            let count = is_range.then_some(count);
            declined(Refusal::NoTerminal { count })
        }
        Consent::Ask
            if is_range && !is_answered(&wording::count_question(count), &count.to_string()) =>
        {
            declined(Refusal::NotConfirmed)
        }
        Consent::Ask => plans.iter().map(|plan| ask(plan, is_range)).collect(),
    }
}

/// Asks about one port; in a range, which was confirmed by its count, only if the port must be typed.
fn ask(plan: &PortPlan, is_counted: bool) -> Decision {
    let is_confirmed = match plan.preview().confirmation {
        Confirmation::Key => is_counted || is_yes(&answer(&wording::free_question(plan))),
        Confirmation::TypePort { .. } => is_answered(
            &wording::typed_question(plan.spec),
            &plan.spec.port.to_string(),
        ),
    };
    if is_confirmed {
        Decision::Confirmed
    } else {
        Decision::Declined(Refusal::NotConfirmed)
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
