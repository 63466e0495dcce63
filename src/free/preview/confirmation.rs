//! What a person must do before a plan may be confirmed.

use crate::free::kill_plan::{KillPlan, OtherPort, TargetSet};
use crate::model::process::Process;
use crate::model::socket::Protocol;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Closing more other listening ports than this takes more than one key.
const MAX_PORTS_WITHOUT_TYPING: usize = 3;

/// What confirms a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The key `y`.
    Key,
    /// The port must be typed, for these reasons.
    TypePort { port: u16, why: Vec<TypingReason> },
}

/// Why one key is not enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypingReason {
    /// This many other listening ports close.
    ClosesPorts(usize),
    /// The process and this many others belong to another user.
    OtherUser { first: Arc<Process>, more: usize },
    /// The process is a login on a terminal.
    Login(Arc<Process>),
}

/// Returns what confirms these plans together, which also close other ports. For several ports, typing the first port
/// that requires it is enough.
pub fn required_confirmation(
    plans: &[KillPlan],
    targets: TargetSet,
    also_closed: &[OtherPort],
) -> Confirmation {
    let listening = also_closed.iter().filter(|other| other.is_listening());
    let closed: BTreeSet<(Protocol, u16)> = listening
        .map(|other| (other.socket.protocol, other.socket.port()))
        .collect();
    let closes_many = closed.len() > MAX_PORTS_WITHOUT_TYPING;
    let mut port = plans.first().filter(|_| closes_many);
    let mut why = Vec::new();
    why.extend(closes_many.then_some(TypingReason::ClosesPorts(closed.len())));
    for plan in plans {
        let reasons = process_reasons(plan, targets);
        if !reasons.is_empty() {
            port = port.or(Some(plan));
        }
        why.extend(reasons);
    }
    why.dedup();
    port.map_or(Confirmation::Key, |plan| Confirmation::TypePort {
        port: plan.port.number,
        why,
    })
}

fn process_reasons(plan: &KillPlan, targets: TargetSet) -> Vec<TypingReason> {
    let targets = plan.targets(targets);
    let stopped = targets.into_iter().map(|target| target.process);
    let mut foreign = stopped
        .clone()
        .filter(|process| process.is_foreign(plan.uid));
    let other_user = foreign.next().map(|first| TypingReason::OtherUser {
        first,
        more: foreign.count(),
    });
    let logins = stopped
        .filter(|process| is_login(process))
        .map(TypingReason::Login);
    other_user.into_iter().chain(logins).collect()
}

/// The options of ssh(1) that take a value, so that the value is not taken for options.
const SSH_OPTIONS_WITH_ARGUMENT: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// True if this process is a login on a terminal: an `ssh host` with a terminal that does more than forward, or
/// the `sshd` of a session, which names its terminal in its title (`sshd: dev@pts/3`).
fn is_login(process: &Process) -> bool {
    let name = process.name.raw();
    if name == "ssh" {
        process.terminal.is_some() && !is_forward_only(process)
    } else if name.starts_with("sshd") {
        let title = process.command_line();
        title.contains("@pts/") || title.contains("@tty")
    } else {
        false
    }
}

/// True if ssh was started with `-N` (no command) or `-f` (in the background).
fn is_forward_only(process: &Process) -> bool {
    let mut arguments = process
        .command
        .iter()
        .skip(1)
        .map(|argument| argument.raw());
    while let Some(argument) = arguments.next() {
        let mut letters = argument.strip_prefix('-').unwrap_or_default().chars();
        match letters
            .find(|letter| "Nf".contains(*letter) || SSH_OPTIONS_WITH_ARGUMENT.contains(*letter))
        {
            Some('N' | 'f') => return true,
            // Its value is the next argument.
            Some(_) if letters.next().is_none() => drop(arguments.next()),
            Some(_) | None => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    #[test]
    fn an_ssh_is_a_login_unless_it_only_forwards() {
        let cases = [
            ("ssh host", Some("pts/4"), true),
            ("ssh -L 3000:localhost:3000 host", Some("pts/4"), true),
            ("ssh -L3000:localhost:3000 -p 22 host", Some("pts/4"), true),
            ("ssh -NL 3000:localhost:3000 host", Some("pts/4"), false),
            ("ssh -L 3000:localhost:3000 host -N", Some("pts/4"), false),
            ("ssh -fL 3000:localhost:3000 host", Some("pts/4"), false),
            ("ssh -i -N host", Some("pts/4"), true),
            ("ssh -L 3000:localhost:3000 host", None, false),
            ("sshd: dev@pts/3", None, true),
            ("sshd: dev@notty", None, false),
            ("node ssh", Some("pts/4"), false),
        ];
        for (command, terminal, expected) in cases {
            let name = command.split([' ', ':']).next().unwrap_or_default();
            let mut process = process(7, name).command(command);
            if let Some(terminal) = terminal {
                process = process.terminal(terminal);
            }
            assert_eq!(is_login(&process.build()), expected, "{command}");
        }
    }
}
