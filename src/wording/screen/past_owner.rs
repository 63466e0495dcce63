//! Who had a port before: which process, when its socket closed, and whether the process still runs.

use crate::model::process::{ExitStatus, Process};
use crate::model::socket::{Age, Owners, Protocol};
use crate::model::text::SystemText;
use crate::wording::socket::not_found;
use crate::wording::{duration, known_age, seconds};
use std::time::Duration;

/// `python3 9130 (debugpy · ~/code/api), closed 62 s ago, was open for 4 min 12 s · exited`
pub fn past_owner(owners: &str, protocol: Protocol, closed: &str) -> String {
    let udp = match protocol {
        Protocol::Tcp => "",
        Protocol::Udp => " (udp)",
    };
    format!("{owners}{udp}, closed {closed}")
}

/// `2 s ago, was open for 72 s · still running`: when a socket closed, at which age, and what became of its owner.
pub fn closed(ago: Duration, age: Option<Age>, exit_status: ExitStatus) -> String {
    let age = age
        .and_then(known_age)
        .map(|age| format!(", was open for {age}"));
    let (ago, age) = (duration(ago), age.unwrap_or_default());
    format!("{ago} ago{age}{}", exit_status_text(exit_status))
}

fn exit_status_text(status: ExitStatus) -> String {
    match status {
        ExitStatus::Unknown => String::new(),
        ExitStatus::EndedAfter(after, signal) => {
            let after = seconds(after);
            format!(" · ended {after} after portmon sent {signal}")
        }
        ExitStatus::Ended => " · exited".to_owned(),
        ExitStatus::StillRunning => " · still running".to_owned(),
    }
}

/// `gunicorn 7001 ×5 (api.wsgi · ~/code/api)`, with what `describe` returns for a process.
pub fn past_owners(
    owners: &Owners,
    user: Option<&SystemText>,
    describe: &dyn Fn(&Process) -> String,
) -> String {
    let user = user.map(ToString::to_string);
    match owners {
        Owners::Known(owners) => match &owners[..] {
            [] => "a process".to_owned(),
            [one] => format!("{one} ({})", describe(one)),
            [first, ..] => format!("{first} ×{} ({})", owners.len(), describe(first)),
        },
        Owners::NotFound(not_found) => not_found::noun(not_found, user.as_deref()),
        Owners::Pending => match user {
            Some(user) => format!("an unidentified process of {user}"),
            None => "an unidentified process".to_owned(),
        },
        Owners::NoProcess => "no process (the kernel)".to_owned(),
    }
}
