//! What portmon could not read, and what is wrong with its environment.

use crate::model::environment::PidsProblem;
use crate::model::snapshot::Problem;

/// Names the tables that could not be read: `the table of tcp6 sockets could not be read: out of memory`. Empty without
/// problems.
pub fn unread(problems: &[Problem]) -> String {
    let Some((first, rest)) = problems.split_first() else {
        return String::new();
    };
    if rest.is_empty() {
        return format!(
            "the table of {} sockets could not be read: {}",
            first.table(),
            first.reason
        );
    }
    let reasons = if rest.iter().all(|one| one.reason == first.reason) {
        first.reason.clone()
    } else {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        all.join(", ")
    };
    format!("the socket tables could not be read: {reasons}")
}

/// What the pids on the screen are, and what does not work because of it.
pub fn pids_problem(problem: PidsProblem) -> String {
    match problem {
        PidsProblem::OuterNamespace { shown, own } => format!(
            "/proc belongs to another PID namespace, where portmon is pid {shown} instead of {own}: pids are shown as in \
             that namespace and cannot be signaled"
        ),
        PidsProblem::NotShown => {
            "/proc/self is not portmon (/proc is not mounted, or belongs to another PID namespace): owners may be \
             missing, and nothing can be signaled"
                .to_owned()
        }
    }
}
