//! What is wrong with the environment that portmon runs in.

use crate::model::environment::PidsProblem;

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
