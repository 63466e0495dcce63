//! The explanations: one function for each reason why no ending is offered.

use super::context::RowContext;
use super::explanation::{Barrier, Explanation};
use super::kill_plan::KillPlan;
use crate::model::endpoint::{Owners, Socket, State};
use crate::model::environment::Environment;
use crate::model::ports::Port;
use crate::model::shell::quoted;
use crate::model::time_wait::{TIME_WAIT, TimeWaitLeft};
use crate::wording;
use std::iter;
use std::time::Instant;

/// The row has closed before anything was asked.
pub(super) fn closed(scene: &RowContext) -> Explanation {
    let port = wording::port(scene.row.protocol, scene.row.port());
    let now = scene
        .on_port(scene.row.port())
        .into_iter()
        .find(|socket| socket.holds_port() && socket.id != scene.row.id);
    let mut explanation = Explanation::new(
        Barrier::Closed,
        format!("{port} was closed"),
        vec!["already closed: nothing is left to end.".to_owned()],
    );
    if let Some(now) = now {
        let line = format!(
            "{} is held by {} now.",
            wording::place(now),
            wording::holder(now)
        );
        explanation.lines.push(line);
        explanation.go_to = Some(now.id);
    }
    explanation
}

/// A connection whose process went; only the kernel remembers it.
pub(super) fn time_wait(scene: &RowContext) -> Explanation {
    let port = wording::port(scene.row.protocol, scene.row.port());
    let now = scene.context.now.instant;
    let since = |_: &Socket| scene.context.state_since;
    let left = TimeWaitLeft::of_last(iter::once(scene.row), now, TIME_WAIT, since);
    let kept = left.map_or_else(|| "a short time".to_owned(), wording::time_left_roughly);
    let line = format!("no process holds it; the kernel keeps it for {kept}.");
    let mut explanation = Explanation::new(
        Barrier::Kernel,
        format!("{port} is in TIME_WAIT"),
        vec![line],
    );
    if let Some(listener) = scene.row.remote.and_then(|remote| scene.listener(remote)) {
        explanation.lines.push(held_by(listener));
        explanation.go_to = Some(listener.id);
    }
    explanation
}

/// The row is the client's end: ending the client frees nothing.
pub(super) fn client(scene: &RowContext) -> Explanation {
    let client = wording::holder(scene.row);
    let Some(remote) = scene.row.remote else {
        return left_over(scene);
    };
    let port = wording::port(scene.row.protocol, remote.port());
    let own = wording::port(scene.row.protocol, scene.row.port());
    let title = format!("{own} is the port of a client");
    let meant = format!(
        "To free {own} itself, filter for exactly {}.",
        scene.row.port()
    );
    match scene.listener(remote) {
        Some(listener) => {
            let words = format!(
                "{client} is a client of {port}. It is held by {}{}.",
                wording::holder(listener),
                effect_of_ending(scene.row, listener),
            );
            let mut explanation = Explanation::new(Barrier::Client, title, vec![words, meant]);
            explanation.go_to = Some(listener.id);
            explanation
        }
        None => Explanation::new(
            Barrier::Client,
            title,
            vec![
                format!(
                    "{client} is a client of {}.",
                    wording::place_at(scene.row.protocol, remote)
                ),
                "Nothing on this machine listens there.".to_owned(),
                meant,
            ],
        ),
    }
}

/// What ending the client would do for the port of the listener; nothing where their holders are not known.
fn effect_of_ending(client: &Socket, listener: &Socket) -> String {
    let (clients, owners) = (client.owners.known(), listener.owners.known());
    let port = wording::port(listener.protocol, listener.port());
    if clients.is_empty() || owners.is_empty() {
        String::new()
    } else if clients
        .iter()
        .any(|one| owners.iter().any(|other| other.id == one.id))
    {
        ", which is a client of itself".to_owned()
    } else {
        format!("; ending {} would not free {port}", short_name(client))
    }
}

/// Nobody listens on the port any more, or ever did.
pub(super) fn left_over(scene: &RowContext) -> Explanation {
    let port = wording::port(scene.row.protocol, scene.row.port());
    let left = scene.on_port(scene.row.port());
    let mut lines = vec![format!(
        "nobody listens on {port}; what is left is {}.",
        wording::states(&left)
    )];
    if scene.row.owners != Owners::NoProcess {
        lines.push(format!(
            "This one is held by {}.",
            wording::holder(scene.row)
        ));
        lines.push(format!(
            "To end it, filter for exactly {}.",
            scene.row.port()
        ));
    }
    lines.extend(time_wait_text(&left, scene.context.now.instant));
    Explanation::new(
        Barrier::LeftOver,
        format!("nobody listens on {port}"),
        lines,
    )
}

/// How long the kernel keeps what is in TIME_WAIT of all this.
fn time_wait_text(left: &[&Socket], now: Instant) -> Option<String> {
    let is_waiting = |one: &&Socket| one.state == Some(State::TimeWait);
    let waiting = left.iter().copied().filter(is_waiting);
    let left = TimeWaitLeft::of_last(waiting, now, TIME_WAIT, |_| None)?;
    let which = match left {
        TimeWaitLeft::Exact(_) => "the last",
        TimeWaitLeft::AtMost(_) => "each",
    };
    let kept = wording::time_left_roughly(left);
    Some(format!(
        "No process holds TIME_WAIT; the kernel keeps {which} for {kept}."
    ))
}

/// The meant socket has an owner that may not be seen; whoever may be seen on other addresses is named, not ended.
pub(super) fn no_permission(scene: &RowContext, sockets: &[&Socket]) -> Explanation {
    let Some((own, others)) = sockets.split_first() else {
        return left_over(scene);
    };
    let port = wording::port(own.protocol, own.port());
    let user = wording::user(own);
    let title = match &user {
        Some(user) => format!("{port} belongs to {user}"),
        None => format!("{port} belongs to a process that may not be seen"),
    };
    let mut explanation = Explanation::new(
        Barrier::NoPermission,
        title,
        vec![hidden_words(
            user.as_deref(),
            scene.context.environment.is_root,
        )],
    );
    for other in others
        .iter()
        .filter(|other| !other.owners.known().is_empty())
    {
        explanation.lines.push(format!(
            "{} is another one, held by {}; ending that would not free {}.",
            wording::place(other),
            wording::holder(other),
            wording::place(own),
        ));
        explanation.go_to = explanation.go_to.or(Some(other.id));
    }
    let Environment {
        me,
        is_root,
        executable,
        ..
    } = scene.context.environment;
    if let (Some(_), false, Some(executable)) = (me, is_root, executable) {
        explanation.offer = Some(format!(
            "sudo {} free {}",
            quoted(executable.as_bytes()),
            wording::target(own.protocol, own.port())
        ));
    }
    explanation.port = Some(Port::of(own));
    explanation.unused_near = Some(own.port());
    explanation
}

/// The socket is there but its holders were not found yet.
pub(super) fn pending(own: &Socket) -> Explanation {
    let port = wording::port(own.protocol, own.port());
    let line = format!(
        "who holds {} is still being looked for; the question comes as soon as it is known.",
        wording::place(own)
    );
    Explanation::new(Barrier::Pending, format!("{port} is held"), vec![line])
}

/// Something stands on the port that no process has: the kernel's own.
pub(super) fn unowned(own: &Socket) -> Explanation {
    let port = wording::port(own.protocol, own.port());
    let line = format!(
        "no process holds {}; the kernel itself does.",
        wording::place(own)
    );
    let mut explanation = Explanation::new(
        Barrier::Kernel,
        format!("{port} belongs to the kernel"),
        vec![line],
    );
    explanation.unused_near = Some(own.port());
    explanation
}

/// Everything that would have to be ended is never ended.
pub(super) fn protected(plan: &KillPlan) -> Explanation {
    let port = wording::port(plan.protocol, plan.port);
    let lines = plan
        .protected
        .iter()
        .map(|protected| {
            format!(
                "{} is never ended: it {}.",
                protected.process,
                wording::protected(protected.why)
            )
        })
        .collect();
    let mut explanation =
        Explanation::new(Barrier::Protected, format!("{port} is not freed"), lines);
    explanation.port = Some(plan.to_port());
    explanation.owners = plan.owner_processes();
    explanation.unused_near = Some(plan.port);
    explanation
}

fn held_by(listener: &Socket) -> String {
    let port = wording::port(listener.protocol, listener.port());
    format!("{port} is held by {}.", wording::holder(listener))
}

fn hidden_words(user: Option<&str>, is_root: bool) -> String {
    let user = user.map_or_else(String::new, |user| format!(" (socket of user {user})"));
    if is_root {
        format!(
            "Not even root sees a process here{user}: it is in another container, or the kernel's own."
        )
    } else {
        format!("You may not see or end the process{user}.")
    }
}

/// `chrome`: the client without its pid, which was just said.
fn short_name(row: &Socket) -> String {
    match row.owners.first() {
        Some(process) => process.name.to_string(),
        None => "it".to_owned(),
    }
}
