//! Pieces of sentences that say more of a process than those about freeing do, where it is in the dialog itself.

use crate::model::endpoint::{Owners, Socket};
use crate::model::process::Process;
use crate::wording::user;
use std::time::Duration;

/// So much of a command is said; the rest is in the details and in the JSON.
const LONGEST_COMMAND: usize = 60;

/// `java 812 of ops`: who holds a socket, or whatever may be said where that is hidden.
pub(super) fn who_holds(socket: &Socket) -> String {
    match (&socket.owners, user(socket)) {
        (Owners::Known(processes), _) => processes.first().map_or_else(String::new, |first| {
            let count = match processes.len() {
                0 | 1 => String::new(),
                count => format!(" (one of {count} that share the socket)"),
            };
            format!("{}{count}", process_and_user(first))
        }),
        (Owners::NoPermission | Owners::Pending, Some(user)) => format!("a process of {user}"),
        (Owners::NoPermission | Owners::Pending, None) => "a process".to_owned(),
        (Owners::NoProcess, _) => "the kernel itself".to_owned(),
    }
}

/// `java 812 of ops`
pub(super) fn process_and_user(process: &Process) -> String {
    match &process.user {
        Some(user) => format!("{process} of {user}"),
        None => process.to_string(),
    }
}

/// `node server.js, in /srv/shop`: the masked command without the path of its program, and where it runs.
pub(super) fn command_summary(process: &Process) -> Option<String> {
    let mut words = process.arguments().into_iter().map(|word| word.to_string());
    let program = words.next()?;
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let line: Vec<String> = std::iter::once(program).chain(words).collect();
    let line = truncate(&line.join(" "));
    let directory = process.directory.as_ref();
    let place = directory.map(|directory| format!("in {directory}"));
    let command = (line != process.name.to_string()).then_some(line);
    let parts: Vec<String> = command.into_iter().chain(place).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn truncate(line: &str) -> String {
    if line.chars().count() <= LONGEST_COMMAND {
        return line.to_owned();
    }
    let beginning: String = line.chars().take(LONGEST_COMMAND).collect();
    format!("{}…", beginning.trim_end())
}

/// `0.2 ms`, `12 ms`: a time that was measured on this machine.
pub(super) fn milliseconds(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{milliseconds:.0} ms")
    }
}
