//! The sockets that close with the targets, and what a person must do before a plan may be confirmed.

use super::kill_plan::{KillPlan, TargetSet};
use crate::model::process::{Process, ProcessId};
use crate::model::socket::{Owners, Protocol, Socket};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
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

/// Returns what confirms these plans together. Of several ports, the first that must be typed stands for all.
pub(super) fn required_confirmation(plans: &[KillPlan], targets: TargetSet) -> Confirmation {
    let closed: BTreeSet<(Protocol, u16)> = also_closed_ports(plans, targets)
        .iter()
        .filter(|other| other.is_listening)
        .map(|other| (other.protocol, other.local.port()))
        .collect();
    let mut why = Vec::new();
    if closed.len() > MAX_PORTS_WITHOUT_TYPING {
        why.push(TypingReason::ClosesPorts(closed.len()));
    }
    let mut port = plans.first().filter(|_| !why.is_empty());
    for plan in plans {
        let reasons = process_reasons(plan, targets);
        if !reasons.is_empty() {
            port = port.or(Some(plan));
        }
        why.extend(reasons);
    }
    why.dedup();
    match port {
        Some(plan) => Confirmation::TypePort {
            port: plan.port,
            why,
        },
        None => Confirmation::Key,
    }
}

fn process_reasons(plan: &KillPlan, targets: TargetSet) -> Vec<TypingReason> {
    let stopped = target_processes(std::slice::from_ref(plan), targets);
    let mut foreign = stopped
        .iter()
        .filter(|process| process.is_foreign(plan.uid));
    let other_user = foreign.next().map(|first| TypingReason::OtherUser {
        first: Arc::clone(first),
        more: foreign.count(),
    });
    let logins = stopped.iter().filter(|process| is_login(process));
    let logins = logins.cloned().map(TypingReason::Login);
    other_user.into_iter().chain(logins).collect()
}

/// Returns the other ports that close with the targets, by port, each protocol and address once.
pub(super) fn also_closed_ports(plans: &[KillPlan], targets: TargetSet) -> Vec<OtherPort> {
    let stopped = target_processes(plans, targets);
    let stopped: Vec<ProcessId> = stopped.iter().map(|one| one.id).collect();
    let is_freed = |other: &OtherPort| {
        let mut sockets = plans.iter().flat_map(|plan| &plan.sockets);
        sockets.any(|socket| (socket.protocol, socket.local) == (other.protocol, other.local))
    };
    // Every plan was made from the same table.
    let others = plans.first().map(|plan| plan.others.ports_of(&stopped));
    let mut others = others.unwrap_or_default();
    others.retain(|other| !is_freed(other));
    others
}

/// Returns the processes that get the signal, each once.
pub(super) fn target_processes(plans: &[KillPlan], targets: TargetSet) -> Vec<Arc<Process>> {
    let mut processes: Vec<Arc<Process>> = Vec::new();
    for target in plans.iter().flat_map(|plan| plan.targets(targets)) {
        if !processes.iter().any(|known| known.id == target.id()) {
            processes.push(target.process);
        }
    }
    processes
}

/// The options of ssh(1) that take a value, so that the value is not taken for options.
const SSH_OPTIONS_WITH_ARGUMENT: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// Returns true if this process is a login on a terminal: an `ssh host` with a terminal that does more than forward, or
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

/// Returns true if ssh was started with `-N` (no command) or `-f` (in the background).
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
                letter if SSH_OPTIONS_WITH_ARGUMENT.contains(letter) => {
                    is_value = at + 1 == letters.len();
                    break;
                }
                _ => {}
            }
        }
    }
    false
}

/// Other sockets with known owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherSockets {
    /// Sorted by port.
    ports: Vec<OtherPort>,
    /// The number of sockets that hold no port, such as connections, by their owners.
    connections: BTreeMap<Vec<ProcessId>, usize>,
    /// The number of sockets whose owners are still being looked up.
    pub pending: usize,
}

/// A socket that holds a port and closes with its owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPort {
    owners: Vec<ProcessId>,
    pub protocol: Protocol,
    pub local: SocketAddr,
    /// False for a TCP socket that is only bound.
    pub is_listening: bool,
}

impl OtherSockets {
    pub fn new<'a>(sockets: impl Iterator<Item = &'a Socket>) -> Self {
        let (mut ports, mut connections, mut pending) = (Vec::new(), BTreeMap::new(), 0);
        for socket in sockets {
            pending += usize::from(socket.owners == Owners::Pending);
            let owners: Vec<ProcessId> = socket.owners.known().iter().map(|one| one.id).collect();
            if owners.is_empty() {
                continue;
            }
            if socket.holds_port() {
                ports.push(OtherPort {
                    owners,
                    protocol: socket.protocol,
                    local: socket.local,
                    is_listening: socket.protocol == Protocol::Udp || socket.is_listening(),
                });
            } else {
                *connections.entry(owners).or_default() += 1;
            }
        }
        ports.sort_by_key(|other| (other.local.port(), other.protocol, other.local));
        Self {
            ports,
            connections,
            pending,
        }
    }

    /// Returns the ports of these processes, each protocol and address once.
    pub fn ports_of(&self, processes: &[ProcessId]) -> Vec<OtherPort> {
        let mut seen = BTreeSet::new();
        self.ports
            .iter()
            .filter(|other| other.owners.iter().any(|id| processes.contains(id)))
            .filter(|other| seen.insert((other.protocol, other.local)))
            .cloned()
            .collect()
    }

    /// Counts the connections of these processes.
    pub fn connections_of(&self, processes: &[ProcessId]) -> usize {
        let theirs = self.connections.iter();
        theirs
            .filter(|(owners, _)| owners.iter().any(|id| processes.contains(id)))
            .map(|(_, count)| count)
            .sum()
    }
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
