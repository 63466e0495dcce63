//! The previous owner of a port, for an empty table and for the details.

use crate::app::{App, PastOwner};
use crate::model::process::ExitStatus;
use crate::model::process::Process;
use crate::model::socket::{Age, Owners, Protocol};
use crate::table::description;
use crate::table::row::DisplayContext;
use crate::wording;

/// `python3 9130 (debugpy · ~/code/api), closed 62 s ago · ended 0.4 s after portmon sent SIGTERM`
pub fn description(app: &App, past: &PastOwner) -> String {
    let context = app.display_context();
    let udp = match past.protocol {
        Protocol::Tcp => "",
        Protocol::Udp => " (udp)",
    };
    let exit_status = past
        .owners
        .first()
        .and_then(|owner| exit_status(app, owner));
    format!(
        "{}{udp}, {}{}",
        owner(past, &context),
        closed(past, &context),
        exit_status
            .map(|exit_status| format!(" {} {exit_status}", context.dot()))
            .unwrap_or_default()
    )
}

/// What became of a process, if that is known.
pub fn exit_status(app: &App, process: &Process) -> Option<String> {
    match app.exit_status(process) {
        ExitStatus::Unknown => None,
        ExitStatus::EndedAfter(after, signal) => Some(format!(
            "ended {} after portmon sent {signal}",
            wording::seconds(after)
        )),
        ExitStatus::Ended => Some("it has exited".to_owned()),
        ExitStatus::StillRunning => Some("still running".to_owned()),
    }
}

/// `gunicorn 7001 ×5 (api.wsgi · ~/code/api)`
fn owner(past: &PastOwner, context: &DisplayContext) -> String {
    let user = past.user.as_ref().map(|user| format!(" of {user}"));
    let user = user.unwrap_or_default();
    match &past.owners {
        Owners::Known(holders) => {
            let Some(first) = holders.first() else {
                return "a process".to_owned();
            };
            let times = match holders.len() {
                0 | 1 => String::new(),
                count => format!(" {}", context.times(count)),
            };
            let what = description::describe_process(first, context).text(context);
            format!("{first}{times} ({what})")
        }
        Owners::NoPermission => format!("a hidden process{user}"),
        Owners::Pending => format!("a process{user}, not identified in time"),
        Owners::NoProcess => "no process (the kernel)".to_owned(),
    }
}

/// `closed 62 s ago after 4 min 12 s`; the age is a bound for a socket that was open before portmon started.
fn closed(past: &PastOwner, context: &DisplayContext) -> String {
    let ago = context.now.instant.saturating_duration_since(past.closed);
    let at_closing = context.now.at(past.closed);
    let age = Age::of_socket(past.since, past.owners.known(), at_closing);
    format!(
        "closed {} ago after {}",
        wording::duration(ago),
        wording::age(age)
    )
}

#[cfg(test)]
mod tests;
