use super::*;
use crate::model::port::EphemeralRange;
use crate::model::socket::{Since, State};
use crate::model::testing::{SocketBuilder, instant, moment, process as a_process, socket};
use crate::report::json::JsonEndpoint;
use crate::table::row::ChangeMark;
use std::collections::HashSet;

fn shown(row: &Row, column: Column) -> String {
    let context = DisplayContext {
        now: moment(10.0),
        home: Some("/home/dev"),
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    };
    (field(column).value)(row, &context).to_string()
}

fn row(socket: SocketBuilder) -> Row {
    Row::from(socket.endpoint())
}

#[test]
fn every_column_has_a_field_with_its_own_letter_and_key() {
    let columns: Vec<Column> = FIELDS.iter().map(|field| field.column).collect();
    assert_eq!(columns, Column::ALL);
    let letters: HashSet<char> = FIELDS.iter().map(|field| field.letter).collect();
    assert_eq!(letters.len(), FIELDS.len());
    let keys: Vec<&str> = FIELDS
        .iter()
        .filter_map(|field| Some(field.key?.0))
        .collect();
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
}

/// The place of a field in an endpoint of `list --json` (RFC 6901), unless it is derived from other values.
fn json_pointer(column: Column) -> Option<&'static str> {
    match column {
        Column::Port => Some("/local/port"),
        Column::Local => Some("/local/address"),
        Column::State => Some("/state"),
        Column::Pid => Some("/owners/0/pid"),
        Column::Process => Some("/owners/0/name"),
        Column::User => Some("/user"),
        Column::Proto => Some("/protocol"),
        Column::Peer => Some("/peer"),
        Column::Service => Some("/service"),
        Column::Remote => Some("/remote/address"),
        Column::RemotePort => Some("/remote/port"),
        Column::Command => Some("/owners/0/command"),
        Column::Range => Some("/range"),
        Column::Uptime => Some("/owners/0/started_at"),
        Column::Directory => Some("/owners/0/directory"),
        Column::Executable => Some("/owners/0/executable"),
        Column::Age | Column::What | Column::Queue => None,
    }
}

#[test]
fn every_field_is_in_the_json() {
    let node = a_process(7, "node").directory("/x").build();
    let row = row(socket("127.0.0.1:1").to("127.0.0.1:2").owner(&node));
    let ephemeral = EphemeralRange::IANA;
    let json = serde_json::to_value(JsonEndpoint::new(&row.endpoint, ephemeral)).expect("JSON");
    let pointers = Column::ALL
        .iter()
        .filter_map(|column| json_pointer(*column));
    let missing: Vec<&str> = pointers
        .filter(|pointer| json.pointer(pointer).is_none())
        .collect();
    assert_eq!(missing, [""; 0], "{json:#}");
}

#[test]
fn owners_are_shown_by_the_topmost_else_by_user_else_not() {
    let master = a_process(20, "gunicorn").build();
    let worker = a_process(21, "gunicorn").parent(20).build();
    let local = || socket("127.0.0.1:8000");
    let left = local().to("127.0.0.1:2").state(State::TimeWait);
    let cases = [
        (
            local().owners(&[&master, &worker]),
            ["20", "gunicorn ×2", "dev"],
        ),
        (local().user(0, "root"), ["-", "- (root)", "root"]),
        (local().user(0, "root").pending(), ["-", "…", "root"]),
        (left.without_owner(), ["-", "-", "-"]),
    ];
    for (socket, expected) in cases {
        let row = row(socket);
        let cells = [Column::Pid, Column::Process, Column::User];
        assert_eq!(cells.map(|column| shown(&row, column)), expected);
    }
}

#[test]
fn an_age_is_exact_when_seen_to_open_and_bounded_otherwise() {
    let node = a_process(7, "node").build();
    let mut seen = row(socket("127.0.0.1:1").owner(&node));
    seen.endpoint.since = Since::Opened(instant(6.0));
    let existed = row(socket("127.0.0.1:1").owner(&node));
    let hidden = row(socket("127.0.0.1:1"));
    let ages = [seen, existed, hidden].map(|row| shown(&row, Column::Age));
    assert_eq!(ages, ["4s", "≤2h", ">10s"]);
}

#[test]
fn a_closed_row_sorts_and_filters_by_its_last_state() {
    let mut gone = row(socket("127.0.0.1:1"));
    gone.change_mark = ChangeMark::Closed(instant(1.0));
    assert_eq!(shown(&gone, Column::State), "LISTEN");
}

#[test]
fn a_queue_is_a_pair_and_unknown_without_source_data() {
    let listener = row(socket("127.0.0.1:1").queue(3, 5));
    let unknown = row(socket("127.0.0.1:1"));
    let queues = [listener, unknown].map(|row| shown(&row, Column::Queue));
    assert_eq!(queues, ["3/5", "-"]);
}
