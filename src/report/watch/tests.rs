use super::*;
use crate::model::endpoint::{Side, State};
use crate::model::ports::EphemeralRange;
use crate::model::process::Process;
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use crate::report::json::{JsonEndpoint, JsonEvent};
use crate::table::listing::Chips;
use crate::table::query;
use jiff::tz::{Offset, TimeZone};
use serde_json::json;
use std::sync::Arc;

const OWN: Pid = Pid(9000);

fn around() -> Surroundings<'static> {
    Surroundings {
        now: moment(0.0),
        home: Some("/home/dev"),
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    }
}

/// Follows what `filter` asks for and has looked once, at nothing.
fn watching(filter: &str, chips: Chips) -> Watching {
    let filter = Filter {
        query: query::parse_finished(filter).query.exact(),
        chips,
        ..Filter::default()
    };
    let mut watching = Watching::new(filter, Some(OWN));
    watching.take_in(changes(0.0, Vec::new()));
    watching
}

fn everything() -> Watching {
    watching("", Chips::default())
}

fn changes(seconds: f64, list: Vec<Change>) -> Changes {
    Changes {
        taken: moment(seconds),
        took: Duration::ZERO,
        interval: Duration::from_secs(1),
        problems: Vec::new(),
        list,
        missed: false,
        closeup: None,
    }
}

/// A listener whose owner is still looked for.
fn sought(local: &str) -> Endpoint {
    let mut endpoint = socket(local).endpoint();
    endpoint.socket.owners = Owners::Sought;
    endpoint
}

fn node() -> Arc<Process> {
    let node = process(4242, "node").command("node vite.js");
    node.directory("/home/dev/code/shop").build()
}

/// The moments of the events in whole tenths of a second, and each as text without its time.
fn told(events: &[Event]) -> Vec<(u128, String)> {
    let tenths = |event: &Event| {
        let since = event.at.duration_since(moment(0.0).wall);
        since.expect("after the beginning").as_millis() / 100
    };
    let line = |event: &Event| text(event, None, &around());
    let words = |line: String| {
        line.split_whitespace()
            .skip(1)
            .collect::<Vec<_>>()
            .join(" ")
    };
    events
        .iter()
        .map(|event| (tenths(event), words(line(event))))
        .collect()
}

/// What is told at `seconds` of a look that was taken then.
fn after(watching: &mut Watching, seconds: f64, list: Vec<Change>) -> Vec<(u128, String)> {
    watching.take_in(changes(seconds, list));
    due(watching, seconds)
}

fn due(watching: &mut Watching, seconds: f64) -> Vec<(u128, String)> {
    told(&watching.due(instant(seconds), &around()))
}

fn line(tenths: u128, words: &str) -> (u128, String) {
    (tenths, words.to_owned())
}

const NOTHING: [(u128, String); 0] = [];

#[test]
fn what_stands_at_the_start_is_no_event_but_its_end_is() {
    let mut watching = everything();
    let found = socket("127.0.0.1:1").owner(&process(7, "a").build());
    let found = found.endpoint();
    let id = found.id();
    assert_eq!(
        after(&mut watching, 1.0, vec![Change::Found(found)]),
        NOTHING
    );
    assert_eq!(
        after(&mut watching, 2.0, vec![Change::Closed(id)]),
        [line(20, "closed tcp 127.0.0.1:1 LISTEN a 7 a")]
    );
    assert_eq!(after(&mut watching, 3.0, vec![Change::Closed(id)]), NOTHING);
}

#[test]
fn what_opened_waits_for_its_owner() {
    let mut watching = everything();
    let opened = Change::Opened(sought("127.0.0.1:1"));
    assert_eq!(after(&mut watching, 1.0, vec![opened]), NOTHING);
    assert_eq!(watching.next_due(), Some(instant(2.0)));
    let still = Change::Refreshed(sought("127.0.0.1:1"));
    assert_eq!(after(&mut watching, 1.2, vec![still]), NOTHING);
    let refreshed = socket("127.0.0.1:1").owner(&node()).endpoint();
    let expected = line(
        10,
        "opened tcp 127.0.0.1:1 LISTEN node 4242 vite.js · ~/code/shop",
    );
    assert_eq!(
        after(&mut watching, 1.5, vec![Change::Refreshed(refreshed)]),
        [expected]
    );
    assert_eq!(watching.next_due(), None);
}

#[test]
fn an_owner_that_is_not_found_is_waited_for_one_second() {
    let mut watching = everything();
    let opened = Change::Opened(sought("127.0.0.1:1"));
    after(&mut watching, 1.0, vec![opened]);
    assert_eq!(due(&mut watching, 1.9), NOTHING);
    let expected = line(10, "opened tcp 127.0.0.1:1 LISTEN …");
    assert_eq!(due(&mut watching, 2.0), [expected]);
    let refreshed = socket("127.0.0.1:1").owner(&node()).endpoint();
    let refreshed = Change::Refreshed(refreshed);
    assert_eq!(after(&mut watching, 2.5, vec![refreshed]), NOTHING);
}

#[test]
fn what_waits_keeps_back_what_came_later_so_that_times_never_go_back() {
    let mut watching = everything();
    let early = Change::Opened(socket("127.0.0.1:9").endpoint());
    assert_eq!(after(&mut watching, 0.5, vec![early]).len(), 1);
    let opened = |local| Change::Opened(sought(local));
    after(&mut watching, 1.0, vec![opened("127.0.0.1:1")]);
    after(&mut watching, 1.5, vec![opened("127.0.0.1:2")]);
    let third = Change::Opened(socket("127.0.0.1:3").without_owner().endpoint());
    assert_eq!(after(&mut watching, 1.6, vec![third]), NOTHING);
    let second = socket("127.0.0.1:2").without_owner().endpoint();
    let second = Change::Refreshed(second);
    assert_eq!(after(&mut watching, 1.7, vec![second]), NOTHING);
    let expected = [
        line(10, "opened tcp 127.0.0.1:1 LISTEN …"),
        line(15, "opened tcp 127.0.0.1:2 LISTEN -"),
        line(16, "opened tcp 127.0.0.1:3 LISTEN -"),
    ];
    assert_eq!(due(&mut watching, 2.0), expected);
}

#[test]
fn what_changes_or_closes_while_it_waits_is_told_as_opened_first() {
    let connection = |state| {
        let mut endpoint = socket("127.0.0.1:9").to("10.0.0.1:80").state(state);
        endpoint = endpoint.owner(&node());
        endpoint.endpoint()
    };
    let mut watching = everything();
    let mut opened = connection(State::SynSent);
    opened.socket.owners = Owners::Sought;
    let listener = sought("127.0.0.1:1");
    let closed = Change::Closed(listener.id());
    let list = vec![Change::Opened(opened), Change::Opened(listener)];
    after(&mut watching, 1.0, list);
    let changed = Change::Changed(connection(State::Established));
    let expected = [
        line(
            10,
            "opened tcp 127.0.0.1:9 → 10.0.0.1:80 SYN_SENT node 4242",
        ),
        line(10, "opened tcp 127.0.0.1:1 LISTEN …"),
        line(
            12,
            "changed tcp 127.0.0.1:9 → 10.0.0.1:80 SYN_SENT → ESTABLISHED node 4242",
        ),
        line(12, "closed tcp 127.0.0.1:1 LISTEN …"),
    ];
    assert_eq!(after(&mut watching, 1.2, vec![changed, closed]), expected);
}

#[test]
fn what_is_left_is_told_at_the_end() {
    let mut watching = everything();
    let opened = Change::Opened(sought("127.0.0.1:1"));
    after(&mut watching, 1.0, vec![opened]);
    let expected = [line(10, "opened tcp 127.0.0.1:1 LISTEN …")];
    assert_eq!(told(&watching.rest(&around())), expected);
    assert_eq!(due(&mut watching, 9.0), NOTHING);
}

#[test]
fn what_was_replaced_is_told_with_who_held_it() {
    let mut watching = everything();
    let gone = socket("127.0.0.1:1").owner(&node()).endpoint();
    let id = gone.id();
    after(&mut watching, 1.0, vec![Change::Found(gone)]);
    let replaced = |endpoint| Change::Replaced { gone: id, endpoint };
    let deno = process(4300, "deno").build();
    let endpoint = socket("127.0.0.1:1").mark(1).owner(&deno).endpoint();
    assert_eq!(
        after(&mut watching, 2.0, vec![replaced(endpoint)]),
        [line(
            20,
            "replaced tcp 127.0.0.1:1 LISTEN deno 4300 deno was node 4242"
        )]
    );
    assert_eq!(after(&mut watching, 3.0, vec![Change::Closed(id)]), NOTHING);
}

#[test]
fn what_replaces_waits_for_its_owner_too_and_what_went_no_longer() {
    let mut watching = everything();
    let gone = sought("127.0.0.1:1").id();
    let opened = Change::Opened(sought("127.0.0.1:1"));
    assert_eq!(after(&mut watching, 0.8, vec![opened]), NOTHING);
    let mut endpoint = socket("127.0.0.1:1").mark(1).endpoint();
    endpoint.socket.owners = Owners::Sought;
    let replaced = Change::Replaced { gone, endpoint };
    assert_eq!(
        after(&mut watching, 1.0, vec![replaced]),
        [line(8, "opened tcp 127.0.0.1:1 LISTEN …")]
    );
    let refreshed = socket("127.0.0.1:1").mark(1).without_owner().endpoint();
    assert_eq!(
        after(&mut watching, 1.1, vec![Change::Refreshed(refreshed)]),
        [line(10, "replaced tcp 127.0.0.1:1 LISTEN - was …")]
    );
}

#[test]
fn other_holders_are_told_with_those_before() {
    let mut watching = everything();
    let (master, worker) = (
        process(7, "gunicorn").build(),
        process(8, "gunicorn").build(),
    );
    let before = socket("127.0.0.1:1").owners(&[&master, &worker]).endpoint();
    let after_that = socket("127.0.0.1:1").owner(&master).endpoint();
    after(&mut watching, 1.0, vec![Change::Found(before)]);
    let expected = "changed tcp 127.0.0.1:1 LISTEN gunicorn 7 gunicorn was gunicorn ×2 7";
    assert_eq!(
        after(&mut watching, 2.0, vec![Change::Changed(after_that)]),
        [line(20, expected)]
    );
}

#[test]
fn what_passed_between_two_looks_is_opened_and_closed_at_once() {
    let mut watching = everything();
    let passed = Change::Passed(socket("127.0.0.1:1").without_owner().endpoint());
    let expected = [
        line(10, "opened tcp 127.0.0.1:1 LISTEN -"),
        line(10, "closed tcp 127.0.0.1:1 LISTEN -"),
    ];
    assert_eq!(after(&mut watching, 1.0, vec![passed]), expected);
}

#[test]
fn the_filter_looks_at_a_socket_as_it_is_told() {
    let mut watching = watching("proc:node", Chips::default());
    let opened = ["127.0.0.1:1", "127.0.0.1:2"].map(|local| Change::Opened(sought(local)));
    let [one, other] = opened.clone().map(|opened| opened.id());
    after(&mut watching, 1.0, opened.into());
    let refreshed = Change::Refreshed(socket("127.0.0.1:1").owner(&node()).endpoint());
    let told = after(&mut watching, 1.5, vec![refreshed]);
    assert_eq!(told.len(), 1, "{told:?}");
    let closed = vec![Change::Closed(one), Change::Closed(other)];
    let expected = "closed tcp 127.0.0.1:1 LISTEN node 4242 vite.js · ~/code/shop";
    assert_eq!(after(&mut watching, 3.0, closed), [line(30, expected)]);
}

#[test]
fn the_scope_is_that_of_list() {
    let distant = || {
        let mut endpoint = socket("10.0.0.1:9").to("93.184.216.34:443").endpoint();
        endpoint.relation.is_local = false;
        Change::Opened(endpoint)
    };
    let all = Chips {
        all: true,
        ..Chips::default()
    };
    let cases = [
        ("", Chips::default(), 0),
        ("", all, 1),
        ("443", Chips::default(), 1),
    ];
    for (filter, chips, expected) in cases {
        let told = after(&mut watching(filter, chips), 1.0, vec![distant()]);
        assert_eq!(told.len(), expected, "{filter:?} {told:?}");
    }
}

#[test]
fn its_own_sockets_are_no_events() {
    let own = process(OWN.0, "portmon").build();
    let shared = [&own, &node()].map(Arc::clone);
    let [own, other] = &shared;
    let list = vec![
        Change::Opened(socket("127.0.0.1:1").owner(own).endpoint()),
        Change::Opened(socket("127.0.0.1:2").owners(&[own, other]).endpoint()),
    ];
    let told = after(&mut everything(), 1.0, list);
    let ports: Vec<bool> = told.iter().map(|(_, line)| line.contains(":2")).collect();
    assert_eq!(ports, [true], "{told:?}");
}

#[test]
fn a_table_that_is_first_read_late_tells_of_what_opens_from_then_on() {
    let filter = Filter::default();
    let mut watching = Watching::new(filter, None);
    let unread = Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        reason: "permission denied".to_owned(),
    };
    watching.take_in(Changes {
        problems: vec![unread],
        ..changes(0.0, Vec::new())
    });
    let opened = |local| Change::Opened(socket(local).without_owner().endpoint());
    let first = vec![opened("127.0.0.1:1"), opened("[::1]:2")];
    assert_eq!(
        after(&mut watching, 1.0, first),
        [line(10, "opened tcp [::1]:2 LISTEN -")]
    );
    assert_eq!(
        after(&mut watching, 2.0, vec![opened("127.0.0.1:3")]),
        [line(20, "opened tcp 127.0.0.1:3 LISTEN -")]
    );
}

/// An event of each kind that looks different as text.
fn events() -> Vec<Event> {
    let vite = process(9120, "node").command("node vite.js");
    let vite = vite.directory("/home/dev/code/shop").build();
    let chrome = process(942, "chrome").build();
    let connection = |socket: SocketBuilder, side, peer: &Arc<Process>| {
        let mut endpoint = socket.endpoint();
        endpoint.relation.side = side;
        endpoint.relation.peer = Some(Arc::clone(peer));
        endpoint
    };
    let server = socket("127.0.0.1:5173").to("127.0.0.1:51324").owner(&vite);
    let client = || socket("127.0.0.1:51324").to("127.0.0.1:5173");
    let open = connection(client().owner(&chrome), Side::Client, &vite);
    let mut left = client().state(State::TimeWait).without_owner().endpoint();
    left.relation.side = Side::Client;
    let listener = socket("127.0.0.1:5173").owner(&vite).endpoint();
    let hidden = socket("[::1]:53").udp().user(0, "root").endpoint();
    let kept = |kind, endpoint, before| event(kind, endpoint, before, moment(3.0));
    vec![
        kept(Kind::Opened, listener, None),
        kept(
            Kind::Opened,
            connection(server, Side::Server, &chrome),
            None,
        ),
        kept(Kind::Opened, open.clone(), None),
        kept(Kind::Changed, left, Some(open)),
        kept(Kind::Closed, hidden, None),
    ]
}

#[test]
fn a_line_has_the_same_words_in_the_same_places() {
    let zone = TimeZone::fixed(Offset::constant(2));
    let line = |event| text(&event, Some(&zone), &around());
    let lines: Vec<String> = events().into_iter().map(line).collect();
    let expected = [
        "12:00:03 opened   tcp 127.0.0.1:5173   LISTEN       node 9120         vite.js · ~/code/shop",
        "12:00:03 opened   tcp 127.0.0.1:5173 ← 127.0.0.1:51324   ESTABLISHED  node 9120         ← chrome 942",
        "12:00:03 opened   tcp 127.0.0.1:51324 → 127.0.0.1:5173   ESTABLISHED  chrome 942        → node 9120",
        "12:00:03 changed  tcp 127.0.0.1:51324 → 127.0.0.1:5173   ESTABLISHED → TIME_WAIT  -                 was chrome 942",
        "12:00:03 closed   udp [::1]:53         -            - (root)",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_time_in_no_known_zone_is_in_utc_and_says_so() {
    let events = events();
    let line = events.first().map(|event| text(event, None, &around()));
    let line = line.expect("a line");
    assert!(line.starts_with("10:00:03Z opened   tcp "), "{line}");
}

#[test]
fn text_from_the_system_is_escaped() {
    let evil = process(7, "\x1b[31mEVIL").build();
    let opened = Change::Opened(socket("127.0.0.1:1").owner(&evil).endpoint());
    let told = after(&mut everything(), 1.0, vec![opened]);
    assert!(!format!("{told:?}").contains('\x1b'));
    assert!(format!("{told:?}").contains("EVIL"));
}

#[test]
fn an_event_in_json_has_the_endpoint_of_list() {
    for event in events() {
        let (name, endpoint) = (event.kind.name(), &event.row.endpoint);
        let expected = json!({
            "event": name,
            "at": "2026-01-31T10:00:03.000Z",
            "endpoint": JsonEndpoint::new(endpoint, EphemeralRange::IANA),
        });
        let told = serde_json::to_value(JsonEvent::new(&event, EphemeralRange::IANA));
        assert_eq!(told.expect("JSON"), expected);
    }
}
