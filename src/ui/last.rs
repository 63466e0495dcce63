//! Who held a port before, in words: in an empty table and in the details.

use crate::app::App;
use crate::model::endpoint::{Owners, Protocol};
use crate::model::memory::{Fate, Past};
use crate::model::process::Process;
use crate::model::span::spoken;
use crate::table::fields::age_of;
use crate::table::row::Surroundings;
use crate::table::value::shown_age;
use crate::table::what;

/// `python3 9130 (debugpy · ~/code/api), closed 62 s ago · ended by portmon with SIGTERM`
pub fn described(app: &App, past: &Past) -> String {
    let around = app.surroundings();
    let udp = match past.protocol {
        Protocol::Tcp => "",
        Protocol::Udp => " (udp)",
    };
    let fate = past.owners.first().and_then(|owner| fate(app, owner));
    format!(
        "{}{udp}, {}{}",
        owner(past, &around),
        closed(past, &around),
        fate.map(|fate| format!(" {} {fate}", around.dot()))
            .unwrap_or_default()
    )
}

/// What became of a process, where that is known.
pub fn fate(app: &App, process: &Process) -> Option<String> {
    match app.fate(process) {
        Fate::Unknown => None,
        Fate::EndedBy(signal) => Some(format!("ended by portmon with {signal}")),
        Fate::Ended => Some("it has ended".to_owned()),
        Fate::RunsOn => Some("it runs on".to_owned()),
    }
}

/// `gunicorn 7001 ×5 (api.wsgi · ~/code/api)`
fn owner(past: &Past, around: &Surroundings) -> String {
    let user = past.user.as_ref().map(|user| format!(" of {user}"));
    let user = user.unwrap_or_default();
    match &past.owners {
        Owners::Known(holders) => {
            let Some(first) = holders.first() else {
                return "a process".to_owned();
            };
            let times = match holders.len() {
                0 | 1 => String::new(),
                count => format!(" {}", around.times(count)),
            };
            let what = what::of_process(first, around).joined(around);
            format!("{first}{times} ({what})")
        }
        Owners::Hidden => format!("a process{user} that may not be seen"),
        Owners::Sought => format!("a process{user} that was not found in time"),
        Owners::None => "no process but the kernel".to_owned(),
    }
}

/// `closed 62 s ago after 4m12s`; how long it stood is only bounded where it stood before portmon looked.
fn closed(past: &Past, around: &Surroundings) -> String {
    let ago = around.now.instant.saturating_duration_since(past.closed);
    let at_closing = around.now.at(past.closed);
    let (bound, stood) = age_of(past.since, past.owners.known(), at_closing);
    format!(
        "closed {} ago after {}",
        spoken(ago),
        shown_age(bound, stood)
    )
}

#[cfg(test)]
mod tests;
