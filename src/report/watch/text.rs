//! An event as a line for people, and for those who grep it: the same words in the same places.
//!
//! ```text
//! 10:00:03 opened   tcp 127.0.0.1:5173   LISTEN       node 9120         vite · ~/code/shop
//! 10:00:04 changed  tcp 127.0.0.1:51324 → 127.0.0.1:5173   ESTABLISHED → TIME_WAIT  -                 was chrome 942
//! ```
//!
//! A stream cannot know how wide its columns will be, so each has the width of what it mostly holds and gives way.

use crate::model::endpoint::Side;
use crate::report::json::timestamp;
use crate::report::watch::{Event, Kind};
use crate::table::fields::{Column, field, written_address};
use crate::table::row::{Row, Surroundings};
use crate::table::value::Value;
use jiff::tz::TimeZone;
use std::time::SystemTime;
use unicode_width::UnicodeWidthStr;

/// `127.0.0.1:65535`
const PLACE: usize = 15;

/// `127.0.0.1:65535 → 127.0.0.1:65535`
const PLACES: usize = 2 * PLACE + 3;

/// `ESTABLISHED`
const STATE: usize = 11;

/// Most names, and a pid of seven digits.
const HOLDERS: usize = 16;

/// The line without its end. Where the time zone is unknown the time is UTC and says so: `10:00:03Z`.
pub fn text(event: &Event, zone: Option<&TimeZone>, around: &Surroundings) -> String {
    let row = &event.row;
    let line = [
        clock(event.at, zone),
        format!(" {:<8} ", event.kind.name()),
        format!("{} ", row.endpoint.socket.protocol),
        place(row, around),
        "  ".to_owned(),
        padded(state(event, around), STATE),
        "  ".to_owned(),
        padded(holders(row, around), HOLDERS),
        remarks(event, around),
    ];
    line.concat().trim_end().to_owned()
}

fn clock(at: SystemTime, zone: Option<&TimeZone>) -> String {
    let at = timestamp(at);
    match zone {
        Some(zone) => at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string(),
        None => at.strftime("%H:%M:%SZ").to_string(),
    }
}

fn place(row: &Row, around: &Surroundings) -> String {
    let local = written_address(row);
    let Some(remote) = row.endpoint.socket.remote else {
        return padded(local, PLACE);
    };
    let arrow = arrow(row, around);
    padded(format!("{local} {arrow} {remote}"), PLACES)
}

/// Whence or where to a connection goes.
fn arrow(row: &Row, around: &Surroundings) -> &'static str {
    match row.endpoint.relation.side {
        Side::Server => around.from_arrow(),
        Side::Standing | Side::Client | Side::Unknown => around.to_arrow(),
    }
}

fn state(event: &Event, around: &Surroundings) -> String {
    let state = |row| said(row, Column::State, around);
    let now = state(&event.row);
    match event.before.as_ref().map(state) {
        Some(before) if event.kind == Kind::Changed && before != now => {
            format!("{before} {} {now}", around.to_arrow())
        }
        _ => now,
    }
}

/// `node 9120`, `gunicorn ×5 7001`, or who may not be seen: `- (root)`.
fn holders(row: &Row, around: &Surroundings) -> String {
    let process = said(row, Column::Process, around);
    match (field(Column::Pid).value)(row, around) {
        Value::Nothing => process,
        pid => format!("{process} {pid}"),
    }
}

/// What runs there or who is at the other end, and who was there before; each behind two blanks.
fn remarks(event: &Event, around: &Surroundings) -> String {
    let row = &event.row;
    // WHAT would say the other end's address once more.
    let what = if row.endpoint.socket.remote.is_some() {
        value(row, Column::Peer, around).map(|peer| format!("{} {peer}", arrow(row, around)))
    } else {
        value(row, Column::What, around)
    };
    let remarks = [what, predecessor(event, around)].into_iter().flatten();
    remarks.fold(String::new(), |said, remark| said + "  " + &remark)
}

/// `was node 4242`: who held what was replaced, or held it before its holders changed.
fn predecessor(event: &Event, around: &Surroundings) -> Option<String> {
    let before = event.before.as_ref()?;
    let was = holders(before, around);
    let is_worth_a_word = match event.kind {
        Kind::Replaced => true,
        Kind::Changed => {
            !before.endpoint.socket.owners.known().is_empty() && was != holders(&event.row, around)
        }
        Kind::Opened | Kind::Closed => false,
    };
    is_worth_a_word.then(|| format!("was {was}"))
}

fn said(row: &Row, column: Column, around: &Surroundings) -> String {
    (field(column).value)(row, around).to_string()
}

fn value(row: &Row, column: Column, around: &Surroundings) -> Option<String> {
    match (field(column).value)(row, around) {
        Value::Nothing => None,
        value => Some(value.to_string()),
    }
}

fn padded(text: String, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    text + &" ".repeat(missing)
}
