//! An event as a line of text, with fixed columns for grep and awk.
//!
//! ```text
//! 10:00:03 opened   tcp 127.0.0.1:5173   LISTEN       node 9120         vite · ~/code/shop
//! 10:00:04 changed  tcp 127.0.0.1:51324 → 127.0.0.1:5173   ESTABLISHED → TIME_WAIT  -                 was chrome 942
//! ```
//!
//! A stream does not know its widest cell: a column has the width of its usual content, and longer cells push it out.

use crate::model::socket::SocketRole;
use crate::report::json::timestamp;
use crate::report::padded;
use crate::report::watch::{EventKind, SocketEvent};
use crate::table::fields::{Column, field};
use crate::table::row::{DisplayContext, Row};
use crate::table::value::Value;
use crate::wording;
use jiff::tz::TimeZone;
use std::time::SystemTime;

/// `127.0.0.1:65535`
const ADDRESS_WIDTH: usize = 15;

/// `127.0.0.1:65535 → 127.0.0.1:65535`
const ADDRESSES_WIDTH: usize = 2 * ADDRESS_WIDTH + 3;

/// `ESTABLISHED`
const STATE_WIDTH: usize = 11;

/// Most process names and a pid of seven digits.
const OWNERS_WIDTH: usize = 16;

/// Returns the line without a newline. Without a time zone the time is in UTC: `10:00:03Z`.
pub fn text(event: &SocketEvent, zone: Option<&TimeZone>, context: &DisplayContext) -> String {
    let row = &event.row;
    let line = [
        clock(event.at, zone),
        format!(" {:<8} ", event.kind.name()),
        format!("{} ", row.endpoint.socket.protocol),
        addresses(row, context),
        "  ".to_owned(),
        padded(&state(event, context), STATE_WIDTH),
        "  ".to_owned(),
        padded(&owners(row, context), OWNERS_WIDTH),
        remarks(event, context),
    ];
    line.concat().trim_end().to_owned()
}

/// Returns the line that says that short-lived sockets may be missing before it.
pub fn missed_text(at: SystemTime, zone: Option<&TimeZone>) -> String {
    format!(
        "{} missed   {}",
        clock(at, zone),
        wording::SHORT_LIVED_MISSED
    )
}

fn clock(at: SystemTime, zone: Option<&TimeZone>) -> String {
    let at = timestamp(at);
    match zone {
        Some(zone) => at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string(),
        None => at.strftime("%H:%M:%SZ").to_string(),
    }
}

fn addresses(row: &Row, context: &DisplayContext) -> String {
    let local = row.endpoint.socket.local_end();
    let Some(remote) = row.endpoint.socket.remote_end() else {
        return padded(&local, ADDRESS_WIDTH);
    };
    let arrow = arrow(row, context);
    padded(&format!("{local} {arrow} {remote}"), ADDRESSES_WIDTH)
}

/// Direction of a connection.
fn arrow(row: &Row, context: &DisplayContext) -> &'static str {
    match row.endpoint.relation.role {
        SocketRole::Server => context.from_arrow(),
        SocketRole::Unconnected | SocketRole::Client | SocketRole::Unknown => context.to_arrow(),
    }
}

fn state(event: &SocketEvent, context: &DisplayContext) -> String {
    let state = |row| cell_text(row, Column::State, context);
    let now = state(&event.row);
    match event.before.as_ref().map(state) {
        Some(before) if event.kind == EventKind::Changed && before != now => {
            format!("{before} {} {now}", context.to_arrow())
        }
        _ => now,
    }
}

/// `node 9120`, `gunicorn ×5 7001`, or for a hidden owner `- (root)`.
fn owners(row: &Row, context: &DisplayContext) -> String {
    let process = cell_text(row, Column::Process, context);
    match (field(Column::Pid).value)(row, context) {
        Value::Unknown => process,
        pid => format!("{process} {pid}"),
    }
}

/// Description or peer, and the previous owner, each after two spaces.
fn remarks(event: &SocketEvent, context: &DisplayContext) -> String {
    let row = &event.row;
    // WHAT would repeat the remote address.
    let what = if row.endpoint.socket.remote.is_some() {
        value(row, Column::Peer, context).map(|peer| format!("{} {peer}", arrow(row, context)))
    } else {
        value(row, Column::What, context)
    };
    let remarks = [what, predecessor(event, context)].into_iter().flatten();
    remarks.fold(String::new(), |said, remark| said + "  " + &remark)
}

/// `was node 4242`: owner of the socket that was replaced, or before the owners changed.
fn predecessor(event: &SocketEvent, context: &DisplayContext) -> Option<String> {
    let before = event.before.as_ref()?;
    let was = owners(before, context);
    let is_shown = match event.kind {
        EventKind::Replaced => true,
        EventKind::Changed => {
            !before.endpoint.socket.owners.known().is_empty() && was != owners(&event.row, context)
        }
        EventKind::Opened | EventKind::Closed => false,
    };
    is_shown.then(|| format!("was {was}"))
}

fn cell_text(row: &Row, column: Column, context: &DisplayContext) -> String {
    (field(column).value)(row, context).to_string()
}

fn value(row: &Row, column: Column, context: &DisplayContext) -> Option<String> {
    match (field(column).value)(row, context) {
        Value::Unknown => None,
        value => Some(value.to_string()),
    }
}
