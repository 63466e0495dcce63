//! Who agrees to what: the flags, or the person at the terminal.

use crate::cli::{Consent, FreeOptions};
use crate::free::Confirmation;
use crate::report::free::text::{self, PortPlan};
use crate::terminal;
use std::io::{self, IsTerminal, Write};

/// What was decided about one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Confirmed,
    /// Why not, as the end of a sentence.
    Declined(String),
    DryRun,
}

/// A decision for each plan.
pub fn decide(plans: &[&PortPlan], options: &FreeOptions) -> Vec<Decision> {
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
    match options.consent {
        Consent::YesToCount(agreed) if agreed == count && !options.dry_run => {
            all(Decision::Confirmed)
        }
        Consent::YesToCount(agreed) if agreed == count => all(Decision::DryRun),
        Consent::YesToCount(agreed) => declined(format!(
            "--yes={agreed} was said, and the ports are {count}"
        )),
        Consent::Yes if is_range => declined(format!(
            "for a range the number of ports is to be said: --yes={count}"
        )),
        // What was agreed to is told as it would be; nobody need be asked.
        _ if options.dry_run => all(Decision::DryRun),
        Consent::Yes => all(Decision::Confirmed),
        Consent::Ask if !(io::stdin().is_terminal() && io::stderr().is_terminal()) => {
            let flag = if is_range {
                format!("--yes={count}")
            } else {
                "--yes".to_owned()
            };
            declined(format!(
                "no terminal is there to ask on; {flag} does it without asking"
            ))
        }
        Consent::Ask
            if is_range && !is_answered(&text::count_question(count), &count.to_string()) =>
        {
            declined("it was not confirmed".to_owned())
        }
        Consent::Ask => plans.iter().map(|plan| preview(plan, is_range)).collect(),
    }
}

/// Asks about one port; of a range only about what more than a count is needed for.
fn preview(plan: &PortPlan, is_counted: bool) -> Decision {
    let is_confirmed = match plan.preview().confirmation {
        Confirmation::Key if is_counted => true,
        Confirmation::Key => is_yes(&answer(&text::question(plan))),
        Confirmation::TypePort { .. } => is_answered(
            &text::typed_question(plan),
            &plan.single_port.port.to_string(),
        ),
    };
    if is_confirmed {
        Decision::Confirmed
    } else {
        Decision::Declined("it was not confirmed".to_owned())
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

/// A line from the terminal; nothing where it cannot be asked. What was typed before the question answers nothing.
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
