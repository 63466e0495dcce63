//! Sockets in a sentence: who has them open, and in which states they are.

use super::process::user_of;
use super::{count, list};
use crate::free::Unproved;
use crate::model::process::{Process, SocketCandidates, UNMAPPED_USER};
use crate::model::socket::{Owners, Socket, State};
use std::fmt::Display;
use std::sync::Arc;

pub(super) mod not_found;

pub use not_found::{cause, owner_not_found};

/// Counts sockets by state: `2 ESTABLISHED and 12 TIME_WAIT`.
pub fn states(sockets: &[&Socket]) -> String {
    let states: Vec<Option<State>> = sockets.iter().map(|socket| socket.state).collect();
    count_states(&states)
}

/// Counts by state; those without one as `1 socket`.
pub fn count_states(states: &[Option<State>]) -> String {
    let count_of = |wanted: Option<State>| states.iter().filter(|state| **state == wanted).count();
    let named = State::ALL
        .iter()
        .map(|state| (count_of(Some(*state)), state.name()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{number} {name}"));
    let others = count_of(None);
    let others = (others > 0).then(|| count(others, "socket"));
    list(&named.chain(others).collect::<Vec<_>>())
}

/// What a socket does whose remote end is itself.
pub const CONNECTED_TO_ITSELF: &str = "connected to itself";

/// The owners of a socket: `node 4242 and node 4300`, or what is known of them where they are hidden.
pub fn owners(socket: &Socket) -> String {
    match &socket.owners {
        Owners::Known(processes) => list(processes),
        Owners::NotFound(not_found) => not_found::noun(not_found, user(socket).as_deref()),
        Owners::Pending => "a process that is still being looked up".to_owned(),
        Owners::NoProcess => "no process".to_owned(),
    }
}

/// `node 4242 holds`, `node 4242 and node 4300 hold`
pub(super) fn owners_hold(socket: &Socket) -> String {
    owners_with(socket, ["holds", "hold"])
}

/// The owners of a socket and a verb, of which the second form follows several owners.
pub(super) fn owners_with(socket: &Socket, [one, several]: [&str; 2]) -> String {
    let are_several = socket.owners.known().len() > 1;
    let verb = if are_several { several } else { one };
    format!("{} {verb}", owners(socket))
}

/// The user of a socket in a sentence: by name, or by number.
pub fn user(socket: &Socket) -> Option<String> {
    let name = socket.user.as_ref().map(|user| match user.to_string() {
        name if name == UNMAPPED_USER => "an unmapped user".to_owned(),
        name => name,
    });
    name.or_else(|| socket.uid.map(|uid| format!("uid {uid}")))
}

/// Who may own a socket: `probably webserver 4242`, `probably one of api 4300 and webserver 4242`; `None` where too many
/// match for one of them to be probable.
pub fn probably(candidates: &SocketCandidates) -> Option<String> {
    let names = || format!("probably {}", candidate_names(candidates));
    candidates.are_few().then(names)
}

/// `webserver 4242`, `one of api 4300 and webserver 4242`, `one of su 4300 and 2 others that you may not signal`
pub fn candidate_names(candidates: &SocketCandidates) -> String {
    let processes = candidates.processes.iter();
    let mut parts: Vec<String> = processes.map(ToString::to_string).collect();
    let others = candidates.others;
    parts.extend((others > 0).then(|| {
        let others = count(others, "other");
        format!("{others} that you may not signal")
    }));
    match parts.as_slice() {
        [only] => only.clone(),
        many => format!("one of {}", list(many)),
    }
}

/// Many candidates, none of whom is named: `one of 68 processes of root whose descriptors are not readable`
pub fn one_of_many(candidates: &SocketCandidates) -> String {
    let uid = candidates.origin.uid;
    let is_own = |process: &&Arc<Process>| process.uid == Some(uid);
    let own = candidates.processes.iter().find(is_own);
    let user = own.map_or_else(|| format!("uid {uid}"), |process| user_of(process));
    let number = candidates.count();
    format!("one of {number} processes of {user} whose descriptors are not readable")
}

/// Why nothing proves that one of these candidates, or of this many others, is the owner.
pub fn unreadable(candidates: &[Arc<Process>], others: usize) -> &'static str {
    match candidates.len() + others {
        1 => "its descriptors are not readable",
        _ => "their descriptors are not readable",
    }
}

/// `portmon cannot prove that webserver 4242 holds :8080: its descriptors are not readable`
pub fn unproved(unproved: &Unproved, port: impl Display) -> String {
    let Unproved { candidates, others } = unproved;
    let unreadable = unreadable(candidates, *others);
    let others = match others {
        0 => String::new(),
        others => format!("{} that you may not signal", count(*others, "other")),
    };
    let holds = match candidates.as_slice() {
        [only] if others.is_empty() => format!("that {only} holds {port}"),
        [only] => format!("that {only} holds {port}, and not one of {others}"),
        many if others.is_empty() => format!("which of these {} holds {port}", many.len()),
        many => format!(
            "which of these {}, or of {others}, holds {port}",
            many.len()
        ),
    };
    format!("portmon cannot prove {holds}: {unreadable}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{process, socket};

    #[test]
    fn an_owner_is_named_as_far_as_it_is_visible() {
        let mut nameless = socket("127.0.0.1:80").build();
        nameless.user = None;
        let mut unknown = nameless.clone();
        unknown.uid = None;
        let sockets = [
            socket("127.0.0.1:80")
                .owner(&process(1, "node").build())
                .build(),
            socket("127.0.0.1:80").build(),
            nameless,
            unknown,
            socket("127.0.0.1:80").without_owner().build(),
        ];
        assert_eq!(
            sockets.map(|socket| owners(&socket)),
            [
                "node 1",
                "a hidden process of dev",
                "a hidden process of uid 1000",
                "a hidden process",
                "no process",
            ]
        );
    }

    #[test]
    fn sockets_of_a_port_are_counted_by_state() {
        let sockets = [
            socket("127.0.0.1:80")
                .to("127.0.0.1:1")
                .state(State::TimeWait)
                .build(),
            socket("127.0.0.1:80").to("127.0.0.1:2").build(),
            socket("127.0.0.1:80")
                .to("127.0.0.1:3")
                .state(State::TimeWait)
                .build(),
        ];
        let sockets: Vec<&Socket> = sockets.iter().collect();
        assert_eq!(states(&sockets), "1 ESTABLISHED and 2 TIME_WAIT");
    }
}
