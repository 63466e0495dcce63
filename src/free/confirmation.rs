//! What a person must do before a proposal may be confirmed.

use super::kill_plan::{KillPlan, TargetSet};
use crate::model::endpoint::Protocol;
use crate::model::process::Process;
use std::collections::BTreeSet;
use std::sync::Arc;

/// More other ports than these are not closed by one key.
const FEW_PORTS: usize = 3;

/// What confirms a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// The key `y`.
    Key,
    /// The port must be typed; each reason is a clause such as `it also closes 5 other ports`.
    TypePort { why: Vec<String> },
}

impl KillPlan {
    /// What a person must do before [`confirm`](Self::confirm) may be called.
    pub fn required_confirmation(&self, targets: TargetSet) -> Confirmation {
        let mut why = Vec::new();
        let ports: BTreeSet<(Protocol, u16)> = self
            .also_closes(targets)
            .iter()
            .map(|other| (other.protocol, other.local.port()))
            .collect();
        if ports.len() > FEW_PORTS {
            why.push(format!("it also closes {} other ports", ports.len()));
        }
        let ended: Vec<Arc<Process>> = self
            .targets(targets)
            .into_iter()
            .map(|target| target.process)
            .collect();
        why.extend(self.other_users_text(&ended));
        let logins = ended.iter().filter(|process| is_login(process));
        why.extend(logins.map(|process| format!("{process} is a login on a terminal")));
        if why.is_empty() {
            Confirmation::Key
        } else {
            Confirmation::TypePort { why }
        }
    }

    /// Which of those that would end belong to another user: `gunicorn 7001 of root and 4 more belong to others`.
    fn other_users_text(&self, ended: &[Arc<Process>]) -> Option<String> {
        let me = self.me?;
        let is_foreign = |process: &&Arc<Process>| process.uid.is_some_and(|uid| uid != me);
        let mut foreign = ended.iter().filter(is_foreign);
        let first = foreign.next()?;
        let user = first.owner_name();
        Some(match foreign.count() {
            0 => format!("{first} belongs to {user}"),
            more => format!("{first} of {user} and {more} more belong to others"),
        })
    }
}

/// The options of ssh(1) that take a value, so that the value is not taken for options.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// Whether ending this process ends a login on a terminal: an `ssh host` with a terminal that is more than a forward,
/// or the `sshd` of a session, which names its terminal in its title (`sshd: dev@pts/3`).
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

/// Whether it was started with `-N` (no command) or `-f` (in the background).
fn is_forward_only(process: &Process) -> bool {
    let mut is_value = false;
    for argument in process.command.iter().skip(1) {
        let argument = argument.raw();
        if std::mem::take(&mut is_value) {
            continue;
        }
        let Some(letters) = argument.strip_prefix('-') else {
            continue;
        };
        for (at, letter) in letters.char_indices() {
            match letter {
                'N' | 'f' => return true,
                letter if WITH_VALUE.contains(letter) => {
                    is_value = at + 1 == letters.len();
                    break;
                }
                _ => {}
            }
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
