//! Processes in a sentence: where they come from, why some are never signaled, and what became of the others.

use super::number::{alternatives, grouped};
use super::{cause, list, seconds, unread};
use crate::free::{Protected, ReleaseKind, SignalError, SurvivalReason, Survivor, TargetOutcome};
use crate::model::process::shell::NoRestartCommand;
use crate::model::process::{CandidateChange, Origin, Process, SIGNALS, Signal};
use crate::model::text::escaped;
use std::sync::Arc;
use std::time::Duration;

/// `npm 3970 ← zsh 3801 (pts/4)`: where a process comes from.
pub fn origin(origin: &Origin) -> String {
    let name = |adopter: &Option<Arc<Process>>| {
        let adopter = adopter.as_ref();
        adopter.map_or_else(|| "init".to_owned(), ToString::to_string)
    };
    match origin {
        Origin::FirstProcess => "none (this is init)".to_owned(),
        Origin::Ancestors(ancestors) => chain(ancestors),
        Origin::Started(adopter) => name(adopter),
        Origin::Adopted(adopter) => format!("parent has exited (now under {})", name(adopter)),
        Origin::StartedOrAdopted(adopter) => {
            format!("{}, or a parent that has exited", name(adopter))
        }
        Origin::Unknown => "parent has exited or is hidden".to_owned(),
    }
}

/// `npm 3970 ← zsh 3801 (pts/4)`
pub(super) fn chain(ancestors: &[Arc<Process>]) -> String {
    let names: Vec<String> = ancestors.iter().map(|one| on_terminal(one)).collect();
    names.join(" ← ")
}

/// `zsh 3801 (pts/4)`
pub(super) fn on_terminal(process: &Process) -> String {
    match &process.terminal {
        Some(terminal) => format!("{} ({terminal})", process_and_thread(process)),
        None => process_and_thread(process),
    }
}

/// The end of a sentence about a process that is never signaled: `systemd 900` …
pub fn protected(why: Protected) -> &'static str {
    match why {
        Protected::FirstProcess => "is init or part of the kernel",
        Protected::KernelThread => "is a kernel thread, which no signal can end",
        Protected::SelfPid => "is portmon itself",
        Protected::Ancestor => "is an ancestor of portmon, and stopping it could end portmon",
        Protected::SystemdManager => "manages the services of a whole session",
        Protected::RunsContainers => "manages containers, which may keep running without it",
        Protected::ContainerPortProxy => {
            "only forwards published ports of containers, which would keep running without it"
        }
    }
}

/// `python3 4083 (worker0)`: a process, with the name of its main thread where that is another.
pub fn process_and_thread(process: &Process) -> String {
    match process.thread_name() {
        Some(thread) => format!("{process} ({thread})"),
        None => process.to_string(),
    }
}

/// `node`, without its pid, where the sentence has named the process already; `it` if the name is unknown.
pub(super) fn program(process: &Process) -> String {
    if process.name.is_empty() {
        "it".to_owned()
    } else {
        process.name.to_string()
    }
}

/// Returns the user of a process by name, or by number.
pub(super) fn user_of(process: &Process) -> String {
    match (&process.user, process.uid) {
        (Some(user), _) => user.to_string(),
        (None, Some(uid)) => format!("uid {uid}"),
        (None, None) => "an unknown user".to_owned(),
    }
}

/// Returns why the command that restarts a process was not copied.
pub fn no_restart_command(process: &Process, why: NoRestartCommand) -> String {
    let why = match why {
        NoRestartCommand::NoCommand => format!("it is unknown how {process} was started"),
        NoRestartCommand::Title => {
            format!("{process} has replaced its arguments with a process title")
        }
        NoRestartCommand::NoDirectory => format!("the directory of {process} is unknown"),
        NoRestartCommand::DirectoryRemoved => format!("the directory of {process} was removed"),
    };
    format!("{why}, so nothing was copied")
}

/// Returns why a process was not signaled: `node 4242 has already exited`.
pub fn signal_error(error: &SignalError) -> String {
    match error {
        SignalError::AlreadyExited(process) => format!("{process} has already exited"),
        SignalError::PidReused(process) => format!(
            "{process} has exited, and pid {} is now another process",
            process.pid()
        ),
        SignalError::ProgramChanged(before, now) => program_changed(before, now),
        SignalError::NotAnOwner(process) => {
            format!("{process} no longer holds the socket that was shown")
        }
        SignalError::NotACandidate(process, change) => candidate_change(process, *change),
        SignalError::OwnerNotFound(process, why) => {
            format!(
                "the owner of the socket that {process} held is now {}",
                cause(why)
            )
        }
        SignalError::NotPermitted(process) => {
            format!("you are not permitted to signal {process}")
        }
        SignalError::Protected(process, why) => format!("{process} {}", protected(*why)),
        SignalError::Failed(process, error) => {
            format!("{process} could not be signaled: {error}")
        }
        SignalError::TablesUnread(problem) => unread(std::slice::from_ref(problem)),
    }
}

/// `python3 4242 is now sleep`; of two programs with one name, `python3 4242 is now another python3: python3 shop.py`.
fn program_changed(before: &Process, now: &Process) -> String {
    if before.name == now.name {
        let (name, command) = (&now.name, now.command_line());
        format!("{before} is now another {name}: {command}")
    } else {
        format!("{before} is now {}", now.name)
    }
}

/// Returns why a process no longer is what probably held the port: `webserver 4242 now runs another program`.
fn candidate_change(process: &Process, change: CandidateChange) -> String {
    match change {
        CandidateChange::SocketClosed => {
            format!("the socket that {process} probably held has closed")
        }
        CandidateChange::OwnerFound => {
            format!("the owner of the socket is known now, and it is not {process}")
        }
        CandidateChange::User => format!("{process} no longer has the user of the socket"),
        CandidateChange::Cgroup => {
            format!("{process} is no longer in the control group of the socket")
        }
        CandidateChange::Readable => {
            format!(
                "the descriptors of {process} can be read now, and the socket is not among them"
            )
        }
    }
}

/// Returns the error for a text that is not a signal: `not a signal: "STOP" (try TERM, INT, HUP, QUIT, KILL or CONT)`.
pub fn unknown_signal(text: &str) -> String {
    let names: Vec<&str> = SIGNALS.iter().map(|signal| signal.short_name()).collect();
    format!(
        "not a signal: \"{}\" (try {})",
        escaped(text),
        alternatives(&names)
    )
}

/// ` node 4242 ended 0.8 s after SIGTERM.`: a sentence for each way and signal, each with a blank before it.
pub(super) fn releases(outcomes: &[TargetOutcome]) -> String {
    let released = release_groups(outcomes).into_iter();
    let resumed = outcomes
        .iter()
        .filter(|outcome| outcome.was_suspended)
        .map(|one| format!("{} was suspended, so SIGCONT was sent too", one.process));
    released
        .chain(resumed)
        .map(|sentence| format!(" {sentence}."))
        .collect::<Vec<_>>()
        .concat()
}

/// `node 4242 and node 4300 ended 0.8 s after SIGTERM`, for each group that ended the same way.
pub(super) fn release_groups(outcomes: &[TargetOutcome]) -> Vec<String> {
    let kind = |outcome: &&TargetOutcome| (outcome.how, outcome.after.map(|(_, signal)| signal));
    let groups = grouped(outcomes, kind).into_iter();
    groups
        .map(|((how, _), group)| {
            let processes: Vec<_> = group.iter().map(|outcome| &outcome.process).collect();
            let after = group.iter().filter_map(|outcome| outcome.after).max();
            let after = after.map(|(time, signal)| format!(" {} after {signal}", seconds(time)));
            let (verb, rest) = match how {
                ReleaseKind::Ended => ("ended", ""),
                ReleaseKind::ClosedSocket => ("closed the port", ""),
                ReleaseKind::StillRunning => ("closed the port", " and is still running"),
            };
            let (processes, after) = (list(&processes), after.unwrap_or_default());
            format!("{processes} {verb}{after}{rest}")
        })
        .collect()
}

/// `gunicorn 7001 ended`, without times.
pub(super) fn ended(outcomes: &[TargetOutcome]) -> String {
    list(&outcomes.iter().map(ended_alone).collect::<Vec<_>>())
}

fn ended_alone(outcome: &TargetOutcome) -> String {
    match outcome.how {
        ReleaseKind::Ended => format!("{} ended", outcome.process),
        ReleaseKind::ClosedSocket | ReleaseKind::StillRunning => {
            format!("{} closed the port", outcome.process)
        }
    }
}

pub(super) fn targets(outcomes: &[TargetOutcome], survivors: &[Survivor]) -> String {
    let ended = outcomes.iter().map(ended_alone);
    let all: Vec<String> = ended.chain(survivors.iter().map(survivor)).collect();
    all.join(", ")
}

/// `stubborn 1246 ignores SIGTERM`
fn survivor(survivor: &Survivor) -> String {
    let Survivor {
        process, signal, ..
    } = survivor;
    if let Some(error) = &survivor.error {
        return signal_error(error);
    }
    let does = survival(survivor.reason, *signal, survivor.waited);
    let is_suspended = matches!(survivor.reason, SurvivalReason::Suspended(_));
    let resumed = if survivor.was_suspended && !is_suspended {
        " (it was suspended, so SIGCONT was sent too)"
    } else {
        ""
    };
    format!("{process} {does}{resumed}")
}

/// What follows the name of a process that has not ended.
pub(super) fn survival(reason: SurvivalReason, signal: Signal, waited: Duration) -> String {
    match reason {
        SurvivalReason::Ignores => format!("ignores {signal}"),
        SurvivalReason::IsInit => format!(
            "is the first process of its PID namespace and has no handler for {signal}, so the kernel drops it"
        ),
        SurvivalReason::Blocks => format!("blocks {signal}"),
        SurvivalReason::Took if signal == Signal::HangUp => {
            format!("handles {signal}, which may not end it")
        }
        SurvivalReason::Took => format!("handles {signal} and is still shutting down"),
        SurvivalReason::NotTaken => format!("has not taken {signal} yet"),
        SurvivalReason::Frozen(true) => {
            format!("is frozen, and takes {signal} only once it is thawed")
        }
        SurvivalReason::Frozen(false) => "is frozen".to_owned(),
        SurvivalReason::Suspended(true) => {
            format!("is suspended, and takes {signal} only after SIGCONT")
        }
        SurvivalReason::Suspended(false) => "is suspended".to_owned(),
        SurvivalReason::Stopped => "is stopped by a debugger".to_owned(),
        SurvivalReason::Traced(by) => {
            format!("is traced by process {by}, which may have withheld {signal}")
        }
        SurvivalReason::Uninterruptible => "is in uninterruptible sleep (state D)".to_owned(),
        SurvivalReason::Continued => format!("keeps running after {signal}"),
        SurvivalReason::Unknown => {
            format!("has not ended {} s after {signal}", waited.as_secs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::{Manager, Pid, ProcessTree, Supervisor, Unit};
    use crate::model::testing::{process, process_tree};

    /// The origin of a process with this parent and session, in a service with this main process.
    fn shown((pid, parent, session): (u32, u32, u32), above: &[(u32, &str)], main: u32) -> String {
        let itself = process(pid, "node")
            .parent(parent)
            .with(|it| it.session = Some(Pid(session)))
            .build();
        let ancestors = above.iter().map(|(pid, name)| process(*pid, name).build());
        let mut unit = Unit::new("shop.service".into(), Manager::System);
        unit.main = Some(Pid(main));
        let tree = ProcessTree {
            ancestors: ancestors.collect(),
            group: vec![itself.clone()],
            supervisor: Supervisor {
                unit: Some(unit),
                ..Supervisor::default()
            },
            ..process_tree(itself.id)
        };
        origin(&tree.origin())
    }

    #[test]
    fn an_adopting_process_is_not_shown_as_the_parent() {
        let manager = [(900, "systemd")];
        let cases = [
            (
                ((30, 20, 10), &[(20, "npm"), (10, "zsh")][..], 7),
                "npm 20 ← zsh 10",
            ),
            (((30, 1, 30), &[], 30), "init"),
            (((30, 1, 10), &[], 7), "parent has exited (now under init)"),
            (((30, 1, 30), &[], 7), "init, or a parent that has exited"),
            (((30, 1, 1), &[], 7), "init, or a parent that has exited"),
            (((30, 20, 10), &[], 7), "parent has exited or is hidden"),
            (((30, 900, 30), &manager, 30), "systemd 900"),
            (
                ((30, 900, 10), &manager, 7),
                "parent has exited (now under systemd 900)",
            ),
            (
                ((30, 900, 30), &manager, 7),
                "systemd 900, or a parent that has exited",
            ),
            (((1, 0, 1), &[], 7), "none (this is init)"),
        ];
        for ((whose, above, main), expected) in cases {
            assert_eq!(shown(whose, above, main), expected, "{whose:?}");
        }
    }
}
