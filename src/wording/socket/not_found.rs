//! Why the owner of a socket was not found, and what shows it.

use super::user;
use crate::model::process::UNMAPPED_USER;
use crate::model::socket::{KernelServices, NotFound, NotFoundCause, Socket};
use crate::wording::number::{alternatives, list};

/// True if a process that could not be read may have the socket.
fn is_hidden(cause: NotFoundCause) -> bool {
    match cause {
        NotFoundCause::OtherUser
        | NotFoundCause::ClosedProcess
        | NotFoundCause::MissingPtrace
        | NotFoundCause::UserNamespace
        | NotFoundCause::HiddenProcesses
        | NotFoundCause::SecurityModule => true,
        NotFoundCause::OtherPidNamespace
        | NotFoundCause::NoProc
        | NotFoundCause::InFlight
        | NotFoundCause::OutOfDescriptors
        | NotFoundCause::NoProcess
        | NotFoundCause::Unknown => false,
    }
}

fn adjective(cause: NotFoundCause) -> &'static str {
    match cause {
        NotFoundCause::OutOfDescriptors => "not looked up",
        cause if is_hidden(cause) => "hidden",
        _ => "not found",
    }
}

/// The cause in a clause, with what shows the owner.
fn clause(not_found: &NotFound) -> String {
    let kernel = the_kernel(not_found.kernel);
    let is_kernel = !not_found.kernel.is_empty();
    // Root would see whether a process has it.
    let sudo = if is_kernel {
        "sudo shows which"
    } else {
        "sudo shows it"
    };
    let clause = match not_found.cause {
        NotFoundCause::OtherUser => sudo.to_owned(),
        NotFoundCause::ClosedProcess => {
            format!("even its own user cannot read its descriptors; {sudo}")
        }
        NotFoundCause::MissingPtrace => "this root lacks CAP_SYS_PTRACE".to_owned(),
        NotFoundCause::UserNamespace => "you have no rights outside this user namespace".to_owned(),
        NotFoundCause::OtherPidNamespace => {
            return format!("it is outside of this PID namespace, or {kernel}");
        }
        NotFoundCause::HiddenProcesses => {
            format!("/proc hides the processes of other users (hidepid); {sudo}")
        }
        NotFoundCause::NoProc => "/proc cannot be read".to_owned(),
        NotFoundCause::InFlight => format!("the socket is {}", in_flight(not_found)),
        NotFoundCause::OutOfDescriptors => "too many open files".to_owned(),
        NotFoundCause::NoProcess => {
            return format!("no process has it; {} {kernel}", how_likely(not_found));
        }
        NotFoundCause::SecurityModule => {
            "a security module keeps processes from being read".to_owned()
        }
        NotFoundCause::Unknown => "the reason is unknown".to_owned(),
    };
    if is_kernel {
        format!("{} {kernel}; {clause}", how_likely(not_found))
    } else {
        clause
    }
}

/// `the kernel itself (WireGuard)`
pub fn the_kernel(services: KernelServices) -> String {
    let names = services.names();
    if names.is_empty() {
        return "the kernel itself".to_owned();
    }
    format!("the kernel itself ({})", alternatives(&names))
}

fn how_likely(not_found: &NotFound) -> &'static str {
    if not_found.probably_kernel().is_some() {
        "probably"
    } else {
        "possibly"
    }
}

/// `probably on its way through a UNIX socket of python3 4242`
fn in_flight(not_found: &NotFound) -> String {
    let carriers = &not_found.carriers[..];
    match carriers {
        [] => "probably on its way through a UNIX socket".to_owned(),
        _ => format!(
            "probably on its way through a UNIX socket of {}",
            list(carriers)
        ),
    }
}

/// `hidden (sudo shows it)`
pub fn cause(not_found: &NotFound) -> String {
    format!("{} ({})", adjective(not_found.cause), clause(not_found))
}

/// `owner hidden; sudo shows it`, beside the owner as a [`noun`]
pub fn note(not_found: &NotFound) -> String {
    match not_found.cause {
        NotFoundCause::NoProcess if !not_found.kernel.is_empty() => {
            return "no process has it".to_owned();
        }
        NotFoundCause::SecurityModule if !not_found.kernel.is_empty() => {
            return "no process that could be read has it".to_owned();
        }
        _ => {}
    }
    format!(
        "owner {}; {}",
        adjective(not_found.cause),
        clause(not_found)
    )
}

/// `hidden (opened by root; sudo shows it)`
pub fn owner_not_found(socket: &Socket, not_found: &NotFound) -> String {
    let opened = user(socket).map_or_else(String::new, |user| format!("opened by {user}; "));
    let (adjective, clause) = (adjective(not_found.cause), clause(not_found));
    format!("{adjective} ({opened}{clause})")
}

/// `a hidden process of dev`: an owner that was not found, as a noun.
pub fn noun(not_found: &NotFound, user: Option<&str>) -> String {
    if let Some(services) = not_found.probably_kernel() {
        return format!("probably {}", the_kernel(services));
    }
    let noun = match not_found.cause {
        NotFoundCause::NoProcess | NotFoundCause::InFlight => "an unknown owner",
        cause if is_hidden(cause) => "a hidden process",
        _ => "an unknown process",
    };
    match user {
        Some(user) => format!("{noun} of {user}"),
        None => noun.to_owned(),
    }
}

/// What to do about it, in a sentence or two; `has_sudo` if the command line with sudo is offered.
pub fn sentence(socket: &Socket, has_sudo: bool) -> String {
    let Some(not_found) = socket.owners.not_found() else {
        return String::new();
    };
    // Not of whom its process is now: that may have dropped its rights since.
    let opened = user(socket).map_or_else(
        || "Its process is hidden".to_owned(),
        |user| {
            let is_unmapped =
                (socket.user.as_ref()).is_some_and(|name| name.raw() == UNMAPPED_USER);
            let word = if is_unmapped { "" } else { "user " };
            format!("It was opened by {word}{user}")
        },
    );
    let why = match not_found.cause {
        _ if not_found.probably_kernel().is_some() => return unowned_sentence(not_found),
        _ if is_hidden(not_found.cause) && !not_found.kernel.is_empty() => {
            let kernel = the_kernel(not_found.kernel);
            let advice = if has_sudo {
                "Use sudo to tell, or take another port."
            } else {
                "Take another port."
            };
            return format!(
                "{opened}: a process that you cannot see has it, or {kernel}. {advice}"
            );
        }
        NotFoundCause::OtherUser if has_sudo => ". Use sudo, or take another port.",
        NotFoundCause::OtherUser => "; its process is hidden from you.",
        NotFoundCause::ClosedProcess => {
            "; even that user cannot read the descriptors of its process. Use sudo, or take another port."
        }
        NotFoundCause::MissingPtrace if socket.uid == Some(0) => {
            ". This root lacks CAP_SYS_PTRACE (in a container: --cap-add SYS_PTRACE), without which it cannot read every \
             process: add the capability, or take another port."
        }
        NotFoundCause::MissingPtrace => {
            ". This root lacks CAP_SYS_PTRACE (in a container: --cap-add SYS_PTRACE), without which it cannot read every \
             process: run portmon as that user, or add the capability."
        }
        NotFoundCause::UserNamespace => {
            ". You have no rights outside this user namespace: run portmon outside it, or take another port."
        }
        NotFoundCause::SecurityModule => {
            ". A security module keeps some processes from being read, even by root: take another port."
        }
        NotFoundCause::HiddenProcesses => {
            ". /proc hides the processes of other users (hidepid). Use sudo, or take another port."
        }
        _ => return unowned_sentence(not_found),
    };
    format!("{opened}{why}")
}

/// Where no process is known to be hidden.
fn unowned_sentence(not_found: &NotFound) -> String {
    let kernel = the_kernel(not_found.kernel);
    match not_found.cause {
        NotFoundCause::OtherPidNamespace => format!(
            "No process of this PID namespace has it: it is outside, on the host or in another container, or it is {kernel}."
        ),
        NotFoundCause::NoProc => "Its owner cannot be looked up: /proc cannot be read.".to_owned(),
        NotFoundCause::OutOfDescriptors => {
            "Its owner could not be looked up: too many open files (ulimit -n). Try again with a higher limit.".to_owned()
        }
        NotFoundCause::InFlight => {
            let way = in_flight(not_found);
            format!("No process has it open: the socket is {way}, and opens in the process that receives it.")
        }
        NotFoundCause::SecurityModule => {
            format!("No process that could be read has it: {} {kernel}.", how_likely(not_found))
        }
        NotFoundCause::NoProcess => {
            let likely = how_likely(not_found);
            format!("Every process of this machine was read, and none has it: {likely} {kernel}.")
        }
        _ => "Its owner was not found; the reason is unknown.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::socket;
    use NotFoundCause::*;

    #[test]
    fn who_opened_a_socket_is_not_called_its_holder() {
        let causes = [
            OtherUser,
            ClosedProcess,
            MissingPtrace,
            UserNamespace,
            HiddenProcesses,
            SecurityModule,
        ];
        for cause in causes {
            let hidden = socket("127.0.0.1:80").user(0, "root").not_found(cause);
            let hidden = hidden.build();
            let said = [true, false].map(|has_sudo| sentence(&hidden, has_sudo));
            for said in said {
                assert!(said.starts_with("It was opened by user root"), "{said}");
                assert!(!said.contains("belongs"), "{said}");
            }
        }
    }

    #[test]
    fn an_unmapped_user_is_not_named_as_a_login() {
        let mut unmapped = socket("127.0.0.1:80")
            .not_found(NotFoundCause::UserNamespace)
            .build();
        unmapped.user = Some(UNMAPPED_USER.into());
        let begins = "It was opened by an unmapped user. You have no rights";
        assert!(sentence(&unmapped, false).starts_with(begins));
    }

    #[test]
    fn root_is_not_told_to_ask_as_root() {
        let of = |uid, name| {
            let hidden = socket("127.0.0.1:80").user(uid, name);
            sentence(&hidden.not_found(MissingPtrace).build(), false)
        };
        assert!(of(0, "root").ends_with("process: add the capability, or take another port."));
        assert!(
            of(33, "www").ends_with("process: run portmon as that user, or add the capability.")
        );
    }
}
