use super::*;
use crate::model::port::EphemeralRange;
use crate::model::process::Process;
use crate::model::socket::{SocketRole, State};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use crate::report::json::{JsonEndpoint, JsonEvent};
use crate::table::listing::{Chip, Chips};
use crate::table::query;
use jiff::tz::{Offset, TimeZone};
use serde_json::json;
use std::sync::Arc;

const SELF_PID: Pid = Pid(9000);

fn context() -> DisplayContext<'static> {
    DisplayContext {
        now: moment(0.0),
        home: Some("/home/dev"),
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    }
}

/// Follows what `filter` asks for and has looked once, at nothing.
fn reporter(filter: &str, chips: Chips) -> WatchReporter {
    let filter = Filter {
        query: query::parse_finished(filter).query.exact(),
        chips,
        ..Filter::default()
    };
    let mut reporter = WatchReporter::new(filter, Some(SELF_PID));
    reporter.apply(changes(0.0, Vec::new()));
    reporter
}

fn everything() -> WatchReporter {
    reporter("", Chips::default())
}

fn changes(seconds: f64, list: Vec<Change>) -> Changes {
    Changes {
        taken: moment(seconds),
        took: Duration::ZERO,
        interval: Duration::from_secs(1),
        problems: Vec::new(),
        list,
        missed: false,
        stats: None,
    }
}

/// Listener whose owner is pending.
fn pending(local: &str) -> Endpoint {
    let mut endpoint = socket(local).endpoint();
    endpoint.socket.owners = Owners::Pending;
    endpoint
}

fn node() -> Arc<Process> {
    let node = process(4242, "node").command("node vite.js");
    node.directory("/home/dev/code/shop").build()
}

/// Times of the events in tenths of a second, and their lines without the time.
fn lines(events: &[SocketEvent]) -> Vec<(u128, String)> {
    let tenths = |event: &SocketEvent| {
        let since = event.at.duration_since(moment(0.0).wall);
        since.expect("after the beginning").as_millis() / 100
    };
    let line = |event: &SocketEvent| text(event, None, &context());
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

/// Events that are due at once after a poll with these changes.
fn after(reporter: &mut WatchReporter, seconds: f64, list: Vec<Change>) -> Vec<(u128, String)> {
    reporter.apply(changes(seconds, list));
    due(reporter, seconds)
}

fn due(reporter: &mut WatchReporter, seconds: f64) -> Vec<(u128, String)> {
    lines(&reporter.due(instant(seconds), &context()))
}

fn line(tenths: u128, words: &str) -> (u128, String) {
    (tenths, words.to_owned())
}

const NOTHING: [(u128, String); 0] = [];

#[test]
fn sockets_open_at_the_start_report_only_their_close() {
    let mut reporter = everything();
    let found = socket("127.0.0.1:1").owner(&process(7, "a").build());
    let found = found.endpoint();
    let id = found.id();
    assert_eq!(
        after(&mut reporter, 1.0, vec![Change::Initial(found)]),
        NOTHING
    );
    assert_eq!(
        after(&mut reporter, 2.0, vec![Change::Closed(id)]),
        [line(20, "closed tcp 127.0.0.1:1 LISTEN a 7 a")]
    );
    assert_eq!(after(&mut reporter, 3.0, vec![Change::Closed(id)]), NOTHING);
}

#[test]
fn an_opened_event_waits_for_its_owner() {
    let mut reporter = everything();
    let opened = Change::Opened(pending("127.0.0.1:1"));
    assert_eq!(after(&mut reporter, 1.0, vec![opened]), NOTHING);
    assert_eq!(reporter.next_due(), Some(instant(2.0)));
    let still = Change::Refreshed(pending("127.0.0.1:1"));
    assert_eq!(after(&mut reporter, 1.2, vec![still]), NOTHING);
    let refreshed = socket("127.0.0.1:1").owner(&node()).endpoint();
    let expected = line(
        10,
        "opened tcp 127.0.0.1:1 LISTEN node 4242 vite.js · ~/code/shop",
    );
    assert_eq!(
        after(&mut reporter, 1.5, vec![Change::Refreshed(refreshed)]),
        [expected]
    );
    assert_eq!(reporter.next_due(), None);
}

#[test]
fn an_event_waits_one_second_for_an_unknown_owner() {
    let mut reporter = everything();
    let opened = Change::Opened(pending("127.0.0.1:1"));
    after(&mut reporter, 1.0, vec![opened]);
    assert_eq!(due(&mut reporter, 1.9), NOTHING);
    let expected = line(10, "opened tcp 127.0.0.1:1 LISTEN …");
    assert_eq!(due(&mut reporter, 2.0), [expected]);
    let refreshed = socket("127.0.0.1:1").owner(&node()).endpoint();
    let refreshed = Change::Refreshed(refreshed);
    assert_eq!(after(&mut reporter, 2.5, vec![refreshed]), NOTHING);
}

#[test]
fn a_waiting_event_delays_later_ones_so_times_never_go_back() {
    let mut reporter = everything();
    let early = Change::Opened(socket("127.0.0.1:9").endpoint());
    assert_eq!(after(&mut reporter, 0.5, vec![early]).len(), 1);
    let opened = |local| Change::Opened(pending(local));
    after(&mut reporter, 1.0, vec![opened("127.0.0.1:1")]);
    after(&mut reporter, 1.5, vec![opened("127.0.0.1:2")]);
    let third = Change::Opened(socket("127.0.0.1:3").without_owner().endpoint());
    assert_eq!(after(&mut reporter, 1.6, vec![third]), NOTHING);
    let second = socket("127.0.0.1:2").without_owner().endpoint();
    let second = Change::Refreshed(second);
    assert_eq!(after(&mut reporter, 1.7, vec![second]), NOTHING);
    let expected = [
        line(10, "opened tcp 127.0.0.1:1 LISTEN …"),
        line(15, "opened tcp 127.0.0.1:2 LISTEN -"),
        line(16, "opened tcp 127.0.0.1:3 LISTEN -"),
    ];
    assert_eq!(due(&mut reporter, 2.0), expected);
}

#[test]
fn a_socket_that_changes_while_waiting_is_opened_first() {
    let connection = |state| {
        let mut endpoint = socket("127.0.0.1:9").to("10.0.0.1:80").state(state);
        endpoint = endpoint.owner(&node());
        endpoint.endpoint()
    };
    let mut reporter = everything();
    let mut opened = connection(State::SynSent);
    opened.socket.owners = Owners::Pending;
    let listener = pending("127.0.0.1:1");
    let closed = Change::Closed(listener.id());
    let list = vec![Change::Opened(opened), Change::Opened(listener)];
    after(&mut reporter, 1.0, list);
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
    assert_eq!(after(&mut reporter, 1.2, vec![changed, closed]), expected);
}

#[test]
fn the_last_events_are_printed_at_the_end() {
    let mut reporter = everything();
    let opened = Change::Opened(pending("127.0.0.1:1"));
    after(&mut reporter, 1.0, vec![opened]);
    let expected = [line(10, "opened tcp 127.0.0.1:1 LISTEN …")];
    assert_eq!(lines(&reporter.flush(&context())), expected);
    assert_eq!(due(&mut reporter, 9.0), NOTHING);
}

#[test]
fn a_replaced_event_names_the_previous_owner() {
    let mut reporter = everything();
    let gone = socket("127.0.0.1:1").owner(&node()).endpoint();
    let id = gone.id();
    after(&mut reporter, 1.0, vec![Change::Initial(gone)]);
    let replaced = |endpoint| Change::Replaced { gone: id, endpoint };
    let deno = process(4300, "deno").build();
    let endpoint = socket("127.0.0.1:1").owner_hint(1).owner(&deno).endpoint();
    assert_eq!(
        after(&mut reporter, 2.0, vec![replaced(endpoint)]),
        [line(
            20,
            "replaced tcp 127.0.0.1:1 LISTEN deno 4300 deno was node 4242"
        )]
    );
    assert_eq!(after(&mut reporter, 3.0, vec![Change::Closed(id)]), NOTHING);
}

#[test]
fn a_replacement_waits_for_its_owner_too() {
    let mut reporter = everything();
    let gone = pending("127.0.0.1:1").id();
    let opened = Change::Opened(pending("127.0.0.1:1"));
    assert_eq!(after(&mut reporter, 0.8, vec![opened]), NOTHING);
    let mut endpoint = socket("127.0.0.1:1").owner_hint(1).endpoint();
    endpoint.socket.owners = Owners::Pending;
    let replaced = Change::Replaced { gone, endpoint };
    assert_eq!(
        after(&mut reporter, 1.0, vec![replaced]),
        [line(8, "opened tcp 127.0.0.1:1 LISTEN …")]
    );
    let refreshed = socket("127.0.0.1:1")
        .owner_hint(1)
        .without_owner()
        .endpoint();
    assert_eq!(
        after(&mut reporter, 1.1, vec![Change::Refreshed(refreshed)]),
        [line(10, "replaced tcp 127.0.0.1:1 LISTEN - was …")]
    );
}

#[test]
fn changed_owners_are_shown_with_the_previous_ones() {
    let mut reporter = everything();
    let (master, worker) = (
        process(7, "gunicorn").build(),
        process(8, "gunicorn").build(),
    );
    let before = socket("127.0.0.1:1").owners(&[&master, &worker]).endpoint();
    let after_that = socket("127.0.0.1:1").owner(&master).endpoint();
    after(&mut reporter, 1.0, vec![Change::Initial(before)]);
    let expected = "changed tcp 127.0.0.1:1 LISTEN gunicorn 7 gunicorn was gunicorn ×2 7";
    assert_eq!(
        after(&mut reporter, 2.0, vec![Change::Changed(after_that)]),
        [line(20, expected)]
    );
}

#[test]
fn a_short_lived_socket_is_opened_and_closed_at_once() {
    let mut reporter = everything();
    let passed = Change::ShortLived(socket("127.0.0.1:1").without_owner().endpoint());
    let expected = [
        line(10, "opened tcp 127.0.0.1:1 LISTEN -"),
        line(10, "closed tcp 127.0.0.1:1 LISTEN -"),
    ];
    assert_eq!(after(&mut reporter, 1.0, vec![passed]), expected);
}

#[test]
fn the_filter_applies_when_an_event_is_due() {
    let mut reporter = reporter("proc:node", Chips::default());
    let opened = ["127.0.0.1:1", "127.0.0.1:2"].map(|local| Change::Opened(pending(local)));
    let [one, other] = opened.clone().map(|opened| opened.id());
    after(&mut reporter, 1.0, opened.into());
    let refreshed = Change::Refreshed(socket("127.0.0.1:1").owner(&node()).endpoint());
    let events = after(&mut reporter, 1.5, vec![refreshed]);
    assert_eq!(events.len(), 1, "{events:?}");
    let closed = vec![Change::Closed(one), Change::Closed(other)];
    let expected = "closed tcp 127.0.0.1:1 LISTEN node 4242 vite.js · ~/code/shop";
    assert_eq!(after(&mut reporter, 3.0, closed), [line(30, expected)]);
}

#[test]
fn the_scope_is_that_of_list() {
    let distant = || {
        let mut endpoint = socket("10.0.0.1:9").to("93.184.216.34:443").endpoint();
        endpoint.relation.is_local = false;
        Change::Opened(endpoint)
    };
    let all = Chips::from_iter([Chip::All]);
    let cases = [
        ("", Chips::default(), 0),
        ("", all, 1),
        ("443", Chips::default(), 1),
    ];
    for (filter, chips, expected) in cases {
        let events = after(&mut reporter(filter, chips), 1.0, vec![distant()]);
        assert_eq!(events.len(), expected, "{filter:?} {events:?}");
    }
}

#[test]
fn portmons_own_sockets_cause_no_events() {
    let own = process(SELF_PID.0, "portmon").build();
    let shared = [&own, &node()].map(Arc::clone);
    let [own, other] = &shared;
    let list = vec![
        Change::Opened(socket("127.0.0.1:1").owner(own).endpoint()),
        Change::Opened(socket("127.0.0.1:2").owners(&[own, other]).endpoint()),
    ];
    let events = after(&mut everything(), 1.0, list);
    let ports: Vec<bool> = events.iter().map(|(_, line)| line.contains(":2")).collect();
    assert_eq!(ports, [true], "{events:?}");
}

#[test]
fn a_table_first_read_late_reports_only_later_opens() {
    let filter = Filter::default();
    let mut reporter = WatchReporter::new(filter, None);
    let unread = Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        reason: "permission denied".to_owned(),
    };
    reporter.apply(Changes {
        problems: vec![unread],
        ..changes(0.0, Vec::new())
    });
    let opened = |local| Change::Opened(socket(local).without_owner().endpoint());
    let first = vec![opened("127.0.0.1:1"), opened("[::1]:2")];
    assert_eq!(
        after(&mut reporter, 1.0, first),
        [line(10, "opened tcp [::1]:2 LISTEN -")]
    );
    assert_eq!(
        after(&mut reporter, 2.0, vec![opened("127.0.0.1:3")]),
        [line(20, "opened tcp 127.0.0.1:3 LISTEN -")]
    );
}

/// An event of each kind that looks different as text.
fn events() -> Vec<SocketEvent> {
    let vite = process(9120, "node").command("node vite.js");
    let vite = vite.directory("/home/dev/code/shop").build();
    let chrome = process(942, "chrome").build();
    let connection = |socket: SocketBuilder, side, peer: &Arc<Process>| {
        let mut endpoint = socket.endpoint();
        endpoint.relation.role = side;
        endpoint.relation.peer = Some(Arc::clone(peer));
        endpoint
    };
    let server = socket("127.0.0.1:5173").to("127.0.0.1:51324").owner(&vite);
    let client = || socket("127.0.0.1:51324").to("127.0.0.1:5173");
    let open = connection(client().owner(&chrome), SocketRole::Client, &vite);
    let mut left = client().state(State::TimeWait).without_owner().endpoint();
    left.relation.role = SocketRole::Client;
    let listener = socket("127.0.0.1:5173").owner(&vite).endpoint();
    let hidden = socket("[::1]:53").udp().user(0, "root").endpoint();
    let kept = |kind, endpoint, before| event(kind, endpoint, before, moment(3.0));
    vec![
        kept(EventKind::Opened, listener, None),
        kept(
            EventKind::Opened,
            connection(server, SocketRole::Server, &chrome),
            None,
        ),
        kept(EventKind::Opened, open.clone(), None),
        kept(EventKind::Changed, left, Some(open)),
        kept(EventKind::Closed, hidden, None),
    ]
}

#[test]
fn a_line_has_fixed_columns() {
    let zone = TimeZone::fixed(Offset::constant(2));
    let line = |event| text(&event, Some(&zone), &context());
    let lines: Vec<String> = events().into_iter().map(line).collect();
    let expected = [
        "12:00:03 opened   tcp 127.0.0.1:5173   LISTEN       node 9120         vite.js · ~/code/shop",
        "12:00:03 opened   tcp 127.0.0.1:5173 ← 127.0.0.1:51324   ESTABLISHED  node 9120         ← chrome 942",
        "12:00:03 opened   tcp 127.0.0.1:51324 → 127.0.0.1:5173   ESTABLISHED  chrome 942        → node 9120",
        "12:00:03 changed  tcp 127.0.0.1:51324 → 127.0.0.1:5173   ESTABLISHED → TIME_WAIT  -                 was chrome 942",
        "12:00:03 closed   udp [::1]:53         UNCONN       - (root)",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn without_a_time_zone_the_time_is_marked_as_utc() {
    let events = events();
    let line = events.first().map(|event| text(event, None, &context()));
    let line = line.expect("a line");
    assert!(line.starts_with("10:00:03Z opened   tcp "), "{line}");
}

#[test]
fn text_from_the_system_is_escaped() {
    let evil = process(7, "\x1b[31mEVIL").build();
    let opened = Change::Opened(socket("127.0.0.1:1").owner(&evil).endpoint());
    let events = after(&mut everything(), 1.0, vec![opened]);
    assert!(!format!("{events:?}").contains('\x1b'));
    assert!(format!("{events:?}").contains("EVIL"));
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
        let events = serde_json::to_value(JsonEvent::new(&event, EphemeralRange::IANA));
        assert_eq!(events.expect("JSON"), expected);
    }
}
