//! Every system call sees the same pids here.

use crate::model::environment::PidNamespaceProblem;
use crate::model::process::Pid;

pub fn own_pid() -> Option<Pid> {
    Some(Pid(std::process::id()))
}

pub fn problem() -> Option<PidNamespaceProblem> {
    None
}
