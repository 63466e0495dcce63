//! What portmon could not read, what is missing from its output, and what is wrong with its environment.

use super::number::joined;
use crate::model::environment::PidNamespaceProblem;
use crate::model::snapshot::Problem;
use crate::model::socket::NotFoundCounts;
use std::fmt::Display;
use std::iter;

/// Names the tables that could not be read: `the tcp6 socket table could not be read: out of memory`. Empty without
/// problems.
pub fn unread(problems: &[Problem]) -> String {
    let reasons = match problems {
        [] => return String::new(),
        [only] => {
            let (table, reason) = (only.table(), &only.reason);
            return format!("the {table} socket table could not be read: {reason}");
        }
        [first, rest @ ..] if rest.iter().all(|one| one.reason == first.reason) => {
            first.reason.clone()
        }
        all => joined(all, ", "),
    };
    format!("the socket tables could not be read: {reasons}")
}

/// What the pids on the screen are, and what does not work because of it.
pub fn pids_problem(problem: PidNamespaceProblem) -> String {
    match problem {
        PidNamespaceProblem::OuterNamespace { shown, own } => format!(
            "/proc belongs to another PID namespace, where portmon is pid {shown} instead of {own}: pids are those of \
             that namespace, and a process is signaled only if its pid is confirmed to be the same here"
        ),
        PidNamespaceProblem::NotShown => {
            "/proc/self is not portmon (/proc is not mounted, or belongs to another PID namespace): owners may be \
             missing, and nothing can be signaled"
                .to_owned()
        }
    }
}

pub fn filter_hint(hint: &str) -> String {
    format!("filter: {hint}")
}

pub fn unread_table(problem: &Problem) -> String {
    format!("cannot read {problem}")
}

/// `no rows matched, but some socket tables could not be read: tcp6 sockets: out of memory`
pub fn not_found_but_unread(problems: &[Problem]) -> String {
    let problems = joined(problems, "; ");
    format!("no rows matched, but some socket tables could not be read: {problems}")
}

pub const SHORT_LIVED_MISSED: &str =
    "some short-lived sockets were missed: more closed than the kernel keeps for portmon";

/// Describes why a watch sees only the sockets that are open at a poll.
pub fn short_lived_unseen(error: &dyn Display) -> String {
    format!("sockets that open and close between two polls are missed: {error}")
}

/// `213 connections to other machines left out (--all shows them)`
pub fn left_out(connections: usize) -> Option<String> {
    match connections {
        0 => None,
        1 => Some("1 connection to another machine left out (--all shows it)".to_owned()),
        many => Some(format!(
            "{many} connections to other machines left out (--all shows them)"
        )),
    }
}

/// `172 owners hidden (sudo shows them), 1 not found`; sudo shows only as many as are hidden for a cause that it removes.
pub fn owners_not_found(counts: &NotFoundCounts) -> Option<String> {
    let sudo = match (counts.hidden, counts.shown_by_sudo) {
        (_, 0) => String::new(),
        (1, _) => " (sudo shows it)".to_owned(),
        (hidden, shown) if hidden == shown => " (sudo shows them)".to_owned(),
        (_, shown) => format!(" (sudo shows {shown})"),
    };
    let parts = [
        (counts.hidden, format!("hidden{sudo}")),
        (counts.not_found, "not found".to_owned()),
        (
            counts.not_looked_up,
            "not looked up (too many open files)".to_owned(),
        ),
    ];
    let mut parts = parts.into_iter().filter(|(owners, _)| *owners > 0);
    let (owners, first) = parts.next()?;
    let first = format!("{} {first}", super::count(owners, "owner"));
    let rest = parts.map(|(owners, what)| format!("{owners} {what}"));
    Some(iter::once(first).chain(rest).collect::<Vec<_>>().join(", "))
}
