//! Why nothing is stopped to free a port: a title, a few lines and a summary.

use super::socket::{count_states, holder, user};
use super::{place, place_at, port, protected, time_left_roughly, unit_text};
use crate::free::{Explanation, Obstacle, SupervisedBy};
use crate::model::port::Port;
use crate::model::process::Process;
use crate::model::socket::{Socket, State, TimeWaitLeft};

/// Returns the title of the dialog: `:8080 belongs to ops`
pub fn explanation_title(explanation: &Explanation) -> String {
    let port = explanation.port;
    match &explanation.obstacle {
        Obstacle::Closed { .. } => format!("{port} was closed"),
        Obstacle::TimeWait { .. } => format!("{port} is in TIME_WAIT"),
        Obstacle::Client { .. } => format!("{port} is the port of a client"),
        Obstacle::LeftOver { .. } => format!("nobody listens on {port}"),
        Obstacle::Pending(_) => format!("{port} is held"),
        Obstacle::Hidden { socket, .. } => match user(socket) {
            Some(user) => format!("{port} belongs to {user}"),
            None => format!("{port} belongs to a hidden process"),
        },
        Obstacle::Kernel(_) => format!("{port} belongs to the kernel"),
        Obstacle::Protected { .. } => format!("{port} is not freed"),
        Obstacle::Supervised { .. } => format!("{port} is not freed by stopping a process"),
    }
}

/// Returns the text below the title, a sentence or two a line. `unused` is a port to take instead.
pub fn explanation_lines(explanation: &Explanation, unused: Option<u16>) -> Vec<String> {
    let mut lines = obstacle(explanation.port, &explanation.obstacle);
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

/// Returns title and first line: `:8080 belongs to ops: its process …`
pub fn explanation_summary(explanation: &Explanation) -> String {
    let lines = obstacle(explanation.port, &explanation.obstacle);
    let first = lines.first().map_or("", String::as_str);
    format!("{}: {first}", explanation_title(explanation))
}

fn obstacle(port: Port, obstacle: &Obstacle) -> Vec<String> {
    match obstacle {
        Obstacle::Closed { now } => {
            let now = now.as_ref().map(|now| {
                let (place, holder) = (place(now), holder(now));
                format!("{place} is held by {holder} now.")
            });
            let closed = "already closed: there is nothing to stop.".to_owned();
            std::iter::once(closed).chain(now).collect()
        }
        Obstacle::TimeWait { left, listener } => {
            let left = left.map_or_else(|| "a short time".to_owned(), time_left_roughly);
            let kept = format!("no process holds it; the kernel keeps it for {left}.");
            let held = listener.as_ref().map(|listener| held_by(listener));
            std::iter::once(kept).chain(held).collect()
        }
        Obstacle::Client { client, listener } => client_lines(port, client, listener.as_deref()),
        Obstacle::LeftOver { states, held, left } => {
            left_over(port, states, held.as_deref(), *left)
        }
        Obstacle::Pending(socket) => vec![format!(
            "the owner of {} is not known yet; the question follows as soon as it is.",
            place(socket)
        )],
        Obstacle::Hidden {
            socket,
            visible,
            is_root,
            sudo,
        } => hidden(socket, visible, *is_root, sudo.is_some()),
        Obstacle::Kernel(socket) => vec![format!(
            "no process holds {}; the kernel itself does.",
            place(socket)
        )],
        Obstacle::Protected {
            protected: owners, ..
        } => owners
            .iter()
            .map(|one| format!("{} is protected: it {}.", one.process, protected(one.why)))
            .collect(),
        Obstacle::Supervised {
            process,
            by,
            stop_command,
            ..
        } => {
            let command = stop_command.as_ref();
            let command = command.map(|command| format!("To stop it for good: {command}"));
            std::iter::once(supervised(process, by))
                .chain(command)
                .collect()
        }
    }
}

fn held_by(socket: &Socket) -> String {
    let port = port(socket.protocol, socket.port());
    format!("{port} is held by {}.", holder(socket))
}

fn client_lines(own: Port, client: &Socket, listener: Option<&Socket>) -> Vec<String> {
    let name = holder(client);
    let filter = format!("To free {own} itself, filter for exactly {}.", own.number);
    match (listener, client.remote) {
        (Some(listener), _) => {
            let server = port(listener.protocol, listener.port());
            let (owner, effect) = (holder(listener), effect_of_ending(client, listener));
            let line = format!("{name} is a client of {server}. It is held by {owner}{effect}.");
            vec![line, filter]
        }
        (None, remote) => {
            let remote = remote.map(|remote| place_at(client.protocol, remote));
            vec![
                format!("{name} is a client of {}.", remote.unwrap_or_default()),
                "Nothing on this machine listens there.".to_owned(),
                filter,
            ]
        }
    }
}

/// Returns what ending the client would do; nothing where either owner is unknown.
fn effect_of_ending(client: &Socket, listener: &Socket) -> String {
    let (clients, owners) = (client.owners.known(), listener.owners.known());
    let Some(first) = clients.first().filter(|_| !owners.is_empty()) else {
        return String::new();
    };
    let is_owner = |client: &Process| owners.iter().any(|owner| owner.id == client.id);
    if clients.iter().any(|client| is_owner(client)) {
        ", which is a client of itself".to_owned()
    } else {
        let port = port(listener.protocol, listener.port());
        format!("; ending {} would not free {port}", first.name)
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
        "nobody listens on {port}; what is left is {states}."
    )];
    if let Some(held) = held {
        lines.push(format!("This one is held by {}.", holder(held)));
        lines.push(format!("To stop it, filter for exactly {}.", port.number));
    }
    lines.extend(left.map(|left| {
        let which = match left {
            TimeWaitLeft::Exact(_) => "the last",
            TimeWaitLeft::AtMost(_) => "each",
        };
        let left = time_left_roughly(left);
        format!("No process holds TIME_WAIT; the kernel keeps {which} for {left}.")
    }));
    lines
}

fn hidden(socket: &Socket, visible: &[Socket], is_root: bool, has_sudo: bool) -> Vec<String> {
    let owner = user(socket).map_or_else(
        || "Its process is hidden".to_owned(),
        |user| format!("Its process belongs to user {user}"),
    );
    let first = if is_root {
        format!(
            "{owner}; root cannot see it: it may be in another container or belong to the kernel."
        )
    } else if has_sudo {
        format!("{owner}. Use sudo, or take another port.")
    } else {
        format!("{owner}; you cannot see or stop it.")
    };
    let visible = visible.iter().map(|other| {
        let (other, holder, own) = (place(other), holder(other), place(socket));
        format!("{other} is another one, held by {holder}; ending that would not free {own}.")
    });
    std::iter::once(first).chain(visible).collect()
}

fn supervised(process: &Process, by: &SupervisedBy) -> String {
    match by {
        SupervisedBy::PublishedPort(container) => format!(
            "{process} only forwards the published port of {container}; stopping it would lose the port and leave the \
             container running."
        ),
        SupervisedBy::SocketActivation(socket, unit) => {
            format!("systemd's {socket} starts {unit} again with the next connection.")
        }
        SupervisedBy::MainProcess(unit) => format!(
            "{process} is the main process of {}, which systemd manages.",
            unit_text(unit)
        ),
    }
}
