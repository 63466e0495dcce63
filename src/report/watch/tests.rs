use super::*;
use crate::model::port::EphemeralRange;
use crate::model::process::Process;
use crate::model::socket::{SocketRole, State};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use crate::report::json::{JsonEndpoint, JsonEvent};
use crate::table::listing::{Chip, Chips};
use crate::table::query;
use Change::{Changed, Closed, Initial, Opened, Refreshed, Replaced, ShortLived};
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

/// A watch that has polled once and seen nothing.
struct Watch(WatchReporter);

impl Watch {
    fn everything() -> Self {
        Self::new("", Chips::default())
    }

    fn new(filter: &str, chips: Chips) -> Self {
        let filter = Filter {
            query: query::parse_finished(filter).query.exact(),
            chips,
            ..Filter::default()
        };
        let mut watch = Self(WatchReporter::new(filter, Some(SELF_PID)));
        watch.poll(0.0, Vec::new(), "");
        watch
    }

    /// Polls at this second, and compares the events that are due then.
    #[track_caller]
    fn poll(&mut self, seconds: f64, list: Vec<Change>, expected: &str) {
        self.0.apply(Changes::at(seconds, list));
        self.assert_due(seconds, expected);
    }

    #[track_caller]
    fn assert_due(&mut self, seconds: f64, expected: &str) {
        let due = self.0.due(Some(instant(seconds)), &context());
        assert_eq!(lines(&due), expected, "at {seconds}");
    }
}

/// Returns a line for each event: its second and its text without the time of day.
fn lines(events: &[SocketEvent]) -> String {
    let line = |event: &SocketEvent| {
        let since = event.at.duration_since(moment(0.0).wall);
        let seconds = since.expect("after the beginning").as_secs_f64();
        let text = text(event, None, &context());
        let words: Vec<&str> = text.split_whitespace().skip(1).collect();
        format!("{seconds:.1} {}", words.join(" "))
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A listener whose owner is pending.
fn pending(local: &str) -> Endpoint {
    socket(local).pending().endpoint()
}

fn unowned(local: &str) -> Endpoint {
    socket(local).without_owner().endpoint()
}

/// A listener that belongs to node.
fn owned(local: &str) -> Endpoint {
    socket(local).owner(&node()).endpoint()
}

fn node() -> Arc<Process> {
    let node = process(4242, "node").command("node vite.js");
    node.directory("/home/dev/code/shop").build()
}

#[test]
fn sockets_open_at_the_start_report_only_their_close() {
    let mut watch = Watch::everything();
    let found = socket("127.0.0.1:1").owner(&process(7, "a").build());
    let found = found.endpoint();
    let id = found.id();
    watch.poll(1.0, vec![Initial(found)], "");
    let closed = "2.0 closed tcp 127.0.0.1:1 LISTEN a 7 a";
    watch.poll(2.0, vec![Closed(id)], closed);
    watch.poll(3.0, vec![Closed(id)], "");
}

#[test]
fn an_opened_event_waits_for_its_owner() {
    let mut watch = Watch::everything();
    watch.poll(1.0, vec![Opened(pending("127.0.0.1:1"))], "");
    assert_eq!(watch.0.next_due(), Some(instant(2.0)));
    watch.poll(1.2, vec![Refreshed(pending("127.0.0.1:1"))], "");
    let opened = "1.0 opened tcp 127.0.0.1:1 LISTEN node 4242 vite.js · ~/code/shop";
    watch.poll(1.5, vec![Refreshed(owned("127.0.0.1:1"))], opened);
    assert_eq!(watch.0.next_due(), None);
}

#[test]
fn an_event_waits_one_second_for_an_unknown_owner() {
    let mut watch = Watch::everything();
    watch.poll(1.0, vec![Opened(pending("127.0.0.1:1"))], "");
    watch.assert_due(1.9, "");
    watch.assert_due(2.0, "1.0 opened tcp 127.0.0.1:1 LISTEN …");
    watch.poll(2.5, vec![Refreshed(owned("127.0.0.1:1"))], "");
}

#[test]
fn a_waiting_event_delays_later_ones_so_times_never_go_back() {
    let mut watch = Watch::everything();
    let early = "0.5 opened tcp 127.0.0.1:9 LISTEN -";
    watch.poll(0.5, vec![Opened(unowned("127.0.0.1:9"))], early);
    watch.poll(1.0, vec![Opened(pending("127.0.0.1:1"))], "");
    watch.poll(1.5, vec![Opened(pending("127.0.0.1:2"))], "");
    watch.poll(1.6, vec![Opened(unowned("127.0.0.1:3"))], "");
    watch.poll(1.7, vec![Refreshed(unowned("127.0.0.1:2"))], "");
    watch.assert_due(
        2.0,
        "1.0 opened tcp 127.0.0.1:1 LISTEN …\n\
         1.5 opened tcp 127.0.0.1:2 LISTEN -\n\
         1.6 opened tcp 127.0.0.1:3 LISTEN -",
    );
}

#[test]
fn a_socket_that_changes_while_waiting_is_opened_first() {
    let connection = |state| {
        let connection = socket("127.0.0.1:9").to("10.0.0.1:80").state(state);
        connection.owner(&node()).endpoint()
    };
    let mut watch = Watch::everything();
    let mut opened = connection(State::SynSent);
    opened.socket.owners = Owners::Pending;
    let listener = pending("127.0.0.1:1");
    let closed = Closed(listener.id());
    watch.poll(1.0, vec![Opened(opened), Opened(listener)], "");
    watch.poll(
        1.2,
        vec![Changed(connection(State::Established)), closed],
        "1.0 opened tcp 127.0.0.1:9 → 10.0.0.1:80 SYN_SENT node 4242\n\
         1.0 opened tcp 127.0.0.1:1 LISTEN …\n\
         1.2 changed tcp 127.0.0.1:9 → 10.0.0.1:80 SYN_SENT → ESTABLISHED node 4242\n\
         1.2 closed tcp 127.0.0.1:1 LISTEN …",
    );
}

#[test]
fn the_last_events_are_printed_at_the_end() {
    let mut watch = Watch::everything();
    watch.poll(1.0, vec![Opened(pending("127.0.0.1:1"))], "");
    let last = lines(&watch.0.due(None, &context()));
    assert_eq!(last, "1.0 opened tcp 127.0.0.1:1 LISTEN …");
    watch.assert_due(9.0, "");
}

#[test]
fn a_replaced_event_names_the_previous_owner() {
    let mut watch = Watch::everything();
    let gone = owned("127.0.0.1:1").id();
    watch.poll(1.0, vec![Initial(owned("127.0.0.1:1"))], "");
    let deno = process(4300, "deno").build();
    let endpoint = socket("127.0.0.1:1").owner_hint(1).owner(&deno).endpoint();
    let replaced = "2.0 replaced tcp 127.0.0.1:1 LISTEN deno 4300 deno was node 4242";
    watch.poll(2.0, vec![Replaced { gone, endpoint }], replaced);
    watch.poll(3.0, vec![Closed(gone)], "");
}

#[test]
fn a_replacement_waits_for_its_owner_too() {
    let mut watch = Watch::everything();
    let gone = pending("127.0.0.1:1").id();
    watch.poll(0.8, vec![Opened(pending("127.0.0.1:1"))], "");
    let socket = || socket("127.0.0.1:1").owner_hint(1);
    let endpoint = socket().pending().endpoint();
    let opened = "0.8 opened tcp 127.0.0.1:1 LISTEN …";
    watch.poll(1.0, vec![Replaced { gone, endpoint }], opened);
    let refreshed = socket().without_owner().endpoint();
    let replaced = "1.0 replaced tcp 127.0.0.1:1 LISTEN - was …";
    watch.poll(1.1, vec![Refreshed(refreshed)], replaced);
}

#[test]
fn changed_owners_are_shown_with_the_previous_ones() {
    let mut watch = Watch::everything();
    let [master, worker] = [7, 8].map(|pid| process(pid, "gunicorn").build());
    let before = socket("127.0.0.1:1").owners(&[&master, &worker]);
    let after = socket("127.0.0.1:1").owner(&master);
    watch.poll(1.0, vec![Initial(before.endpoint())], "");
    let changed = "2.0 changed tcp 127.0.0.1:1 LISTEN gunicorn 7 gunicorn was gunicorn ×2 7";
    watch.poll(2.0, vec![Changed(after.endpoint())], changed);
}

#[test]
fn a_short_lived_socket_is_opened_and_closed_at_once() {
    Watch::everything().poll(
        1.0,
        vec![ShortLived(unowned("127.0.0.1:1"))],
        "1.0 opened tcp 127.0.0.1:1 LISTEN -\n1.0 closed tcp 127.0.0.1:1 LISTEN -",
    );
}

#[test]
fn the_filter_applies_when_an_event_is_due() {
    let mut watch = Watch::new("proc:node", Chips::default());
    let [one, other] = ["127.0.0.1:1", "127.0.0.1:2"].map(pending);
    let closed = vec![Closed(one.id()), Closed(other.id())];
    watch.poll(1.0, vec![Opened(one), Opened(other)], "");
    let opened = "1.0 opened tcp 127.0.0.1:1 LISTEN node 4242 vite.js · ~/code/shop";
    watch.poll(1.5, vec![Refreshed(owned("127.0.0.1:1"))], opened);
    let expected = "3.0 closed tcp 127.0.0.1:1 LISTEN node 4242 vite.js · ~/code/shop";
    watch.poll(3.0, closed, expected);
}

#[test]
fn the_scope_is_that_of_list() {
    let distant = socket("10.0.0.1:9").to("93.184.216.34:443");
    let mut distant = distant.without_owner().endpoint();
    distant.relation.is_local = false;
    let opened = "1.0 opened tcp 10.0.0.1:9 → 93.184.216.34:443 ESTABLISHED -";
    let all: Chips = [Chip::All].into_iter().collect();
    let cases = [
        ("", Chips::default(), ""),
        ("", all, opened),
        ("443", Chips::default(), opened),
    ];
    for (filter, chips, expected) in cases {
        Watch::new(filter, chips).poll(1.0, vec![Opened(distant.clone())], expected);
    }
}

#[test]
fn portmons_own_sockets_cause_no_events() {
    let own = process(SELF_PID.0, "portmon").build();
    let inherited = socket("127.0.0.1:2").owners(&[&own, &node()]).endpoint();
    let own = socket("127.0.0.1:1").owner(&own).endpoint();
    let opened = "1.0 opened tcp 127.0.0.1:2 LISTEN portmon ×2 9000 portmon";
    Watch::everything().poll(1.0, vec![Opened(own), Opened(inherited)], opened);
}

#[test]
fn a_table_first_read_late_reports_only_later_opens() {
    let mut watch = Watch(WatchReporter::new(Filter::default(), None));
    let unread = Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        reason: "permission denied".to_owned(),
    };
    watch.0.apply(Changes {
        problems: vec![unread],
        ..Changes::at(0.0, Vec::new())
    });
    let opened = |local| Opened(unowned(local));
    let first = vec![opened("127.0.0.1:1"), opened("[::1]:2")];
    watch.poll(1.0, first, "1.0 opened tcp [::1]:2 LISTEN -");
    let later = "2.0 opened tcp 127.0.0.1:3 LISTEN -";
    watch.poll(2.0, vec![opened("127.0.0.1:3")], later);
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
    let opened = Opened(socket("127.0.0.1:1").owner(&evil).endpoint());
    let expected = "1.0 opened tcp 127.0.0.1:1 LISTEN \\x1b[31mEVIL 7 \\x1b[31mEVIL";
    Watch::everything().poll(1.0, vec![opened], expected);
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
