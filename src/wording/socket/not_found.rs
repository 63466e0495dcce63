//! Why the owner of a socket was not found, and what shows it.

use super::user;
use crate::model::socket::{NotFoundCause, Owners, Socket};

/// `hidden` where a process could not be read, `not found` where that is not the cause.
fn adjective(cause: NotFoundCause) -> &'static str {
    match cause {
        NotFoundCause::OtherUser
        | NotFoundCause::ClosedProcess
        | NotFoundCause::MissingPtrace
        | NotFoundCause::UserNamespace
        | NotFoundCause::HiddenProcesses => "hidden",
        NotFoundCause::OtherPidNamespace
        | NotFoundCause::NoProc
        | NotFoundCause::NoProcess
        | NotFoundCause::Unknown => "not found",
        NotFoundCause::OutOfDescriptors => "not looked up",
    }
}

/// The cause in a clause, with what shows the owner.
fn clause(cause: NotFoundCause) -> &'static str {
    match cause {
        NotFoundCause::OtherUser => "sudo shows it",
        NotFoundCause::ClosedProcess => "its process is closed even to its user; sudo shows it",
        NotFoundCause::MissingPtrace => "this root lacks CAP_SYS_PTRACE",
        NotFoundCause::UserNamespace => "your rights end at this user namespace",
        NotFoundCause::OtherPidNamespace => {
            "it is outside of this PID namespace, or the kernel itself"
        }
        NotFoundCause::HiddenProcesses => {
            "/proc hides the processes of other users (hidepid); sudo shows it"
        }
        NotFoundCause::NoProc => "/proc cannot be read",
        NotFoundCause::OutOfDescriptors => "too many open files",
        NotFoundCause::NoProcess => "no process has it; possibly the kernel itself",
        NotFoundCause::Unknown => "the reason is unknown",
    }
}

/// `hidden (sudo shows it)`
pub fn cause(cause: NotFoundCause) -> String {
    format!("{} ({})", adjective(cause), clause(cause))
}

/// `owner hidden; sudo shows it`
pub fn note(cause: NotFoundCause) -> String {
    format!("owner {}; {}", adjective(cause), clause(cause))
}

/// `hidden (a process of root; sudo shows it)`
pub fn owner_not_found(socket: &Socket, cause: NotFoundCause) -> String {
    let owner = user(socket).map_or_else(String::new, |user| match cause {
        NotFoundCause::NoProcess => format!("a socket of {user}; "),
        _ => format!("a process of {user}; "),
    });
    format!("{} ({owner}{})", adjective(cause), clause(cause))
}

/// `a hidden process of dev`: an owner that was not found, as a noun.
pub fn noun(cause: NotFoundCause, user: Option<&str>) -> String {
    let noun = match (cause, adjective(cause)) {
        (NotFoundCause::NoProcess, _) => "an unknown owner",
        (_, "hidden") => "a hidden process",
        _ => "an unknown process",
    };
    match user {
        Some(user) => format!("{noun} of {user}"),
        None => noun.to_owned(),
    }
}

/// What to do about it, in a sentence or two; `has_sudo` if the command line with sudo is offered.
pub fn sentence(socket: &Socket, has_sudo: bool) -> String {
    let owner = user(socket).map_or_else(
        || "Its process is hidden".to_owned(),
        |user| format!("Its process belongs to user {user}"),
    );
    let Owners::NotFound(not_found) = &socket.owners else {
        return format!("{owner}.");
    };
    let why = match not_found.cause {
        NotFoundCause::OtherUser if has_sudo => ". Use sudo, or take another port.",
        NotFoundCause::OtherUser => "; you cannot see or stop it.",
        NotFoundCause::ClosedProcess => {
            " and is closed even to that user. Use sudo, or take another port."
        }
        NotFoundCause::MissingPtrace => {
            ". This root lacks CAP_SYS_PTRACE (in a container: --cap-add SYS_PTRACE), without which it cannot read the \
             processes of others: ask as that user, or add the capability."
        }
        NotFoundCause::UserNamespace => {
            ". Your rights end at this user namespace: ask outside of it, or take another port."
        }
        NotFoundCause::HiddenProcesses => {
            ". /proc hides the processes of other users (hidepid). Use sudo, or take another port."
        }
        cause => return not_found_sentence(cause).to_owned(),
    };
    format!("{owner}{why}")
}

/// Where no process is known to be hidden.
fn not_found_sentence(cause: NotFoundCause) -> &'static str {
    match cause {
        NotFoundCause::OtherPidNamespace => {
            "No process of this PID namespace has it: it is outside, on the host or in another container, or it is the \
             kernel itself."
        }
        NotFoundCause::NoProc => "Its owner cannot be looked up: /proc cannot be read.",
        NotFoundCause::OutOfDescriptors => {
            "Its owner could not be looked up: too many open files (ulimit -n). Try again with a higher limit."
        }
        NotFoundCause::NoProcess => {
            "Every process of this machine was read, and none has it: possibly the kernel itself."
        }
        _ => "Its owner was not found; the reason is unknown.",
    }
}
