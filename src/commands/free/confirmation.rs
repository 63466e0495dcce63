//! Confirms plans: by flags, or by the person at the terminal.

use super::Prepared;
use super::arguments::{Consent, FreeArgs};
use crate::free::{Confirmation, PortPlan, Refusal};
use crate::terminal;
use crate::wording;
use std::io::{self, IsTerminal, Write};

/// Replaces each plan that is not confirmed with its report.
pub fn confirm(ports: &mut [Prepared], options: &FreeArgs) {
    let count = ports.iter().flatten().count();
    if count == 0 {
        return;
    }
    let mut targets = options.targets.iter();
    let is_range = targets.any(|target| target.only_port().is_none());
    let refusal = refusal_of_all(count, is_range, options);
    for port in ports {
        let Ok(plan) = port else { continue };
        let report = if let Some(why) = &refusal {
            plan.refused(why.clone())
        } else if options.dry_run {
            plan.dry_run()
        } else if options.yes == Consent::Ask && !is_confirmed(plan, is_range) {
            plan.refused(Refusal::NotConfirmed)
        } else {
            continue;
        };
        *port = Err(Box::new(report));
    }
}

/// True if a person at a terminal can be asked.
pub fn can_ask(options: &FreeArgs) -> bool {
    options.yes == Consent::Ask
        && !options.dry_run
        && io::stdin().is_terminal()
        && io::stderr().is_terminal()
}

/// Returns why none of the plans is confirmed. Asks for the number of ports of a range.
fn refusal_of_all(count: usize, is_range: bool, options: &FreeArgs) -> Option<Refusal> {
    match options.yes {
        Consent::YesToCount(agreed) if agreed != count => {
            Some(Refusal::WrongCount { agreed, count })
        }
        Consent::Yes if is_range => Some(Refusal::NeedsCount(count)),
        Consent::Ask if options.dry_run => None,
        Consent::Ask if !(io::stdin().is_terminal() && io::stderr().is_terminal()) => {
            let count = is_range.then_some(count);
            Some(Refusal::NoTerminal { count })
        }
        Consent::Ask if is_range => {
            let is_confirmed = is_answered(&wording::count_question(count), &count.to_string());
            (!is_confirmed).then_some(Refusal::NotConfirmed)
        }
        Consent::Ask | Consent::Yes | Consent::YesToCount(_) => None,
    }
}

/// Asks about one port. A range was confirmed by its count, so a port of it is asked about only if something must be typed.
/// Of several candidates, the one whose pid was typed becomes the only target.
fn is_confirmed(plan: &mut PortPlan, is_counted: bool) -> bool {
    match plan.preview().confirmation {
        Confirmation::Key => {
            let yes = ["y", "yes"];
            is_counted || yes.contains(&&*answer(&wording::free_question(plan)).to_lowercase())
        }
        Confirmation::TypePort { .. } => is_answered(
            &wording::typed_question(plan.spec),
            &plan.spec.port.to_string(),
        ),
        Confirmation::TypePid { .. } => {
            let Some(unproved) = plan.kill_plan.unproved() else {
                return false;
            };
            let question = wording::pid_question(plan.spec, &unproved, &plan.processes());
            let typed = answer(&question);
            let candidate = plan.kill_plan.typed_candidate(&typed);
            plan.targets = candidate.unwrap_or(plan.targets);
            candidate.is_some()
        }
    }
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
