//! Why nothing is stopped to free a port: a title, a few lines and a summary.

use super::process::program;
use super::socket::not_found;
use super::{
    count_states, one_of_many, owners, place, probably, protected, suffix, time_left_roughly,
    unit_text, unreadable, user,
};
use crate::free::{Explanation, Obstacle, Protected, SupervisedBy};
use crate::model::port::Port;
use crate::model::process::{Process, SocketCandidates};
use crate::model::socket::{Socket, State, TimeWaitLeft};
use std::sync::Arc;

/// Returns the title of the dialog: `:8080 belongs to ops`
pub fn explanation_title(explanation: &Explanation) -> String {
    let port = explanation.port;
    let is = match &explanation.obstacle {
        Obstacle::Closed { .. } => "was closed",
        Obstacle::TimeWait { .. } => "is in TIME_WAIT",
        Obstacle::Client { .. } => "is the port of a client",
        Obstacle::LeftOver { .. } => "has no listener",
        Obstacle::Pending(_) => "is held",
        Obstacle::NotFound { socket, .. } if is_probably_kernel(socket) => {
            "probably belongs to the kernel itself"
        }
        Obstacle::NotFound { socket, .. } => match user(socket) {
            Some(user) => return format!("{port} belongs to {user}"),
            None => "belongs to an unknown user",
        },
        Obstacle::Kernel(_) => "belongs to the kernel",
        Obstacle::Protected { .. } => "cannot be freed",
        Obstacle::Supervised { .. } => "cannot be freed by stopping its process",
    };
    format!("{port} {is}")
}

/// Returns the text below the title, a sentence or two a line. `unused` is a port to take instead.
pub fn explanation_lines(explanation: &Explanation, unused: Option<u16>) -> Vec<String> {
    let mut lines = obstacle(explanation);
    for supervisor in &explanation.supervisors {
        let unit = supervisor.unit.as_ref().map(unit_text);
        let container = supervisor.container.as_ref().map(ToString::to_string);
        for name in unit.into_iter().chain(container) {
            let line = format!("It belongs to {name}.");
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    for other in &explanation.others {
        lines.push(format!("{}:", explanation_title(other)));
        lines.extend(explanation_lines(other, None));
    }
    lines.extend(unused.map(|port| format!("Port {port} is free (bound just now).")));
    lines
}

/// Returns title and first line: `:8080 belongs to ops: Its process …`
pub fn explanation_summary(explanation: &Explanation) -> String {
    let lines = obstacle(explanation);
    let first = lines.first().map_or("", String::as_str);
    format!("{}: {first}", explanation_title(explanation))
}

fn obstacle(explanation: &Explanation) -> Vec<String> {
    let port = explanation.port;
    match &explanation.obstacle {
        Obstacle::Closed { now } => {
            let now = now.as_ref();
            let now = now.map(|now| format!("{} is now held by {}.", place(now), owners(now)));
            lines("already closed: there is nothing to stop.".to_owned(), now)
        }
        Obstacle::TimeWait { left, listener } => {
            let left = left.map_or_else(|| "a short time".to_owned(), time_left_roughly);
            let kept = format!("no process holds it; the kernel keeps it for {left}.");
            let held = listener.as_ref();
            let held =
                held.map(|socket| format!("{} is held by {}.", Port::of(socket), owners(socket)));
            lines(kept, held)
        }
        Obstacle::Client { client, listener } => client_lines(port, client, listener.as_deref()),
        Obstacle::LeftOver { states, held, left } => {
            left_over(port, states, held.as_deref(), *left)
        }
        Obstacle::Pending(socket) => vec![format!(
            "the owner of {} is still being looked up; portmon asks as soon as it is found.",
            place(socket)
        )],
        Obstacle::NotFound {
            socket,
            visible,
            sudo,
            probable,
        } => {
            let visible = visible.iter().map(|other| {
                let (other, owners, hidden) = (place(other), owners(other), place(socket));
                format!("{other} is another socket, held by {owners}; stopping that would not free {hidden}.")
            });
            let candidates = explanation.candidates().into_iter().map(probable_owner);
            let never_stopped = probable.protected.iter().map(protected_owner);
            let first = not_found::sentence(socket, sudo.is_some());
            lines(first, candidates.chain(never_stopped).chain(visible))
        }
        Obstacle::Kernel(socket) => {
            vec![format!(
                "no process holds {}; the kernel itself does.",
                place(socket)
            )]
        }
        Obstacle::Protected {
            protected: owners, ..
        } => owners.iter().map(protected_owner).collect(),
        Obstacle::Supervised {
            process,
            by,
            stop_command,
            ..
        } => {
            let command = stop_command.as_ref();
            let command = command.map(|command| format!("To stop it: {command}"));
            lines(supervised(process, by), command)
        }
    }
}

fn protected_owner((owner, why): &(Arc<Process>, Protected)) -> String {
    format!("{owner} is protected: it {}.", protected(*why))
}

/// `It is probably webserver 4242; its descriptors are not readable, so portmon cannot prove it.`
fn probable_owner(candidates: &SocketCandidates) -> String {
    let Some(probably) = probably(candidates) else {
        return format!("It may be {}.", one_of_many(candidates));
    };
    let unreadable = unreadable(&candidates.processes, candidates.others);
    format!("It is {probably}; {unreadable}, so portmon cannot prove it.")
}

fn is_probably_kernel(socket: &Socket) -> bool {
    let not_found = socket.owners.not_found();
    not_found.is_some_and(|not_found| not_found.probably_kernel().is_some())
}

fn lines(first: String, more: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(first).chain(more).collect()
}

fn client_lines(own: Port, client: &Socket, listener: Option<&Socket>) -> Vec<String> {
    let name = owners(client);
    let filter = format!(
        "To free {own} instead, set the filter to exactly {}.",
        own.number
    );
    if let Some(listener) = listener {
        let (server, owners) = (Port::of(listener), owners(listener));
        let effect = effect_of_ending(client, listener);
        let line = format!("{name} is a client of {server}. It is held by {owners}{effect}.");
        return vec![line, filter];
    }
    let server = client
        .remote_end()
        .map(|remote| format!("{remote}{}", suffix(client.protocol)));
    vec![
        format!("{name} is a client of {}.", server.unwrap_or_default()),
        "Nothing on this machine listens there.".to_owned(),
        filter,
    ]
}

/// Returns what ending the client would do; nothing where either owner is unknown.
fn effect_of_ending(client: &Socket, listener: &Socket) -> String {
    let (clients, owners) = (client.owners.known(), listener.owners.known());
    let Some(first) = clients.first().filter(|_| !owners.is_empty()) else {
        return String::new();
    };
    let is_owner = |client: &Process| owners.iter().any(|owner| owner.id == client.id);
    if clients.iter().any(|client| is_owner(client)) {
        ", the same process".to_owned()
    } else {
        let port = Port::of(listener);
        let name = program(first);
        format!("; ending {name} would not free {port}")
    }
}

fn left_over(
    port: Port,
    states: &[Option<State>],
    held: Option<&Socket>,
    left: Option<TimeWaitLeft>,
) -> Vec<String> {
    let states = count_states(states);
    let mut lines = vec![format!(
        "nothing listens on {port}, but sockets remain: {states}."
    )];
    if let Some(held) = held {
        lines.push(format!("The selected socket is held by {}.", owners(held)));
        let number = port.number;
        lines.push(format!(
            "To stop that process, set the filter to exactly {number}."
        ));
    }
    lines.extend(left.map(|left| {
        let which = match left {
            TimeWaitLeft::Exact(_) => "the last",
            TimeWaitLeft::AtMost(_) => "each",
        };
        let left = time_left_roughly(left);
        format!("No process holds a socket in TIME_WAIT; the kernel keeps {which} for {left}.")
    }));
    lines
}

fn supervised(process: &Process, by: &SupervisedBy) -> String {
    match by {
        SupervisedBy::PublishedPort(container) => format!(
            "{process} only forwards the published port of {container}; stopping it would only unpublish the port and \
             leave the container running."
        ),
        SupervisedBy::SocketActivation(socket, unit) => {
            format!("systemd's {socket} starts {unit} again on the next connection.")
        }
        SupervisedBy::MainProcess(unit) => format!(
            "{process} is the main process of {}, which systemd manages.",
            unit_text(unit)
        ),
    }
}
