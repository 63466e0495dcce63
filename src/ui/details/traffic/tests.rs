use super::*;
use crate::app::testing::{AppHarness, environment};
use crate::config::Settings;
use crate::model::process::Process;
use crate::model::socket::{SocketCounters, SocketStats};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crossterm::event::KeyCode;
use std::sync::Arc;

fn flow() -> TcpCounters {
    TcpCounters {
        sent: 12_000_000,
        received: 3_400_000,
        rtt: Duration::from_micros(1_300),
        retransmits: 2,
        idle_sent: Duration::from_millis(40),
        idle_received: Duration::from_secs(9),
    }
}

fn at_rest(flow: TcpCounters) -> TcpCounters {
    TcpCounters {
        idle_sent: Duration::from_secs(90),
        idle_received: Duration::from_secs(12),
        ..flow
    }
}

#[test]
fn traffic_is_rates_and_totals_or_since_when_it_rests() {
    let rates = |sent, received| Some(ByteRates { sent, received });
    let totals = "sent 12 MB, received 3.4 MB";
    let cases = [
        (flow(), None, totals.to_owned()),
        (
            flow(),
            rates(1_200_000, 340),
            format!("↑ 1.2 MB/s  ↓ 340 B/s · {totals}"),
        ),
        (flow(), rates(0, 0), format!("↑ 0 B/s  ↓ 0 B/s · {totals}")),
        (
            at_rest(flow()),
            rates(0, 0),
            format!("idle for 12 s · {totals}"),
        ),
        (at_rest(flow()), None, format!("idle for 12 s · {totals}")),
        (
            at_rest(flow()),
            rates(7, 0),
            format!("↑ 7 B/s  ↓ 0 B/s · {totals}"),
        ),
    ];
    for (flow, rates, words) in cases {
        assert_eq!(traffic_text(flow, rates), words);
    }
}

#[test]
fn the_path_shows_retransmits_and_a_measured_round_trip() {
    let path = |retransmits, micros| {
        path_text(TcpCounters {
            retransmits,
            rtt: Duration::from_micros(micros),
            ..flow()
        })
    };
    assert_eq!(
        [path(2, 1_300), path(1, 45), path(0, 0)],
        [
            "round trip 1.3 ms · 2 retransmits",
            "round trip 45 µs · 1 retransmit",
            "no retransmits",
        ]
    );
}

#[test]
fn a_queue_is_connections_at_a_listener_and_bytes_elsewhere() {
    let words = |socket: SocketBuilder, incoming, outgoing| {
        queue_text(&socket.build(), SocketQueue { incoming, outgoing }).unwrap_or_default()
    };
    let listener = || socket("127.0.0.1:80");
    let connection = || socket("127.0.0.1:80").to("127.0.0.1:5000");
    assert_eq!(
        [
            words(listener(), 3, 5),
            words(listener(), 5, 5),
            words(listener(), 6, 5),
            words(connection(), 1_200, 0),
            words(connection().udp(), 0, 1_200),
            words(socket("127.0.0.1:53").udp(), 0, 0),
            words(connection().state(State::TimeWait), 0, 0),
            words(listener().state(State::Bound), 0, 0),
        ],
        [
            "backlog 3 / 5",
            "backlog 5 / 5",
            "backlog 6 / 5 · full: new clients time out",
            "unread 1.2 kB · unacknowledged 0 B",
            "unread 0 B · unsent 1.2 kB",
            "unread 0 B · unsent 0 B",
            "",
            "",
        ]
    );
}

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn connection() -> SocketBuilder {
    socket("127.0.0.1:3000")
        .to("127.0.0.1:51324")
        .owner(&node())
}

/// A look that brings a closeup of the row under the cursor.
fn look(harness: &mut AppHarness, socket: SocketBuilder, seconds: f64, flow: Option<TcpCounters>) {
    harness.seconds = seconds;
    let endpoint = harness.app.current_row().expect("a row").endpoint.id();
    let at = instant(seconds);
    let traffic = SocketCounters {
        at,
        queue: SocketQueue {
            incoming: 0,
            outgoing: 70,
        },
        flow,
    };
    let usage = ProcessUsage {
        process: node().id,
        at,
        processor: Duration::from_secs_f64(seconds) * 23 / 1_000,
        memory: 45_000_000,
    };
    harness.poll_with(vec![socket], |changes| {
        changes.stats = Some(SocketStats {
            endpoint,
            traffic: Some(traffic),
            usage: vec![usage],
        });
    });
}

/// The lines of numbers in the details of the row under the cursor.
fn shown(harness: &AppHarness) -> String {
    crate::ui::tests::details(harness, &["traffic", "path", "queue", "uses"])
}

#[test]
fn details_show_pending_then_totals_then_rates() {
    let mut harness = AppHarness::with(vec![connection()]);
    harness.key(KeyCode::Enter);
    insta::assert_snapshot!(shown(&harness), @"
    traffic: …
    path: …
    uses: …
    ");
    look(&mut harness, connection(), 1.0, Some(flow()));
    insta::assert_snapshot!(shown(&harness), @"
    traffic: sent 12 MB, received 3.4 MB
    path: round trip 1.3 ms · 2 retransmits
    queue: unread 0 B · unacknowledged 70 B
    uses: 45 MB memory
    ");
    let more = TcpCounters {
        sent: 13_200_000,
        ..flow()
    };
    look(&mut harness, connection(), 2.0, Some(more));
    insta::assert_snapshot!(shown(&harness), @"
    traffic: ↑ 1.2 MB/s  ↓ 0 B/s · sent 13 MB, received 3.4 MB
    path: round trip 1.3 ms · 2 retransmits
    queue: unread 0 B · unacknowledged 70 B
    uses: 2.3 % CPU · 45 MB memory
    ");
}

#[test]
fn what_a_source_cannot_tell_and_what_is_gone_has_no_line() {
    let mut harness = AppHarness::with(vec![connection()]);
    harness.key(KeyCode::Enter);
    harness.poll(vec![connection()]);
    harness.poll(vec![connection()]);
    assert_eq!(shown(&harness), "");
    look(&mut harness, connection(), 1.0, Some(flow()));
    assert_eq!(shown(&harness).lines().count(), 4);
    harness.seconds = 2.0;
    harness.poll(vec![]);
    assert!(harness.app.current_row().expect("a row").is_closed());
    assert_eq!(shown(&harness), "");
}

#[test]
fn a_socket_without_tcp_stats_shows_only_its_queue() {
    let udp = || socket("127.0.0.1:53").udp().queue(9, 0);
    let mut harness = AppHarness::with(vec![udp()]);
    harness.key(KeyCode::Enter);
    insta::assert_snapshot!(shown(&harness), @"queue: unread 9 B · unsent 0 B");
    look(&mut harness, udp(), 1.0, None);
    insta::assert_snapshot!(shown(&harness), @"queue: unread 0 B · unsent 70 B");
}

#[test]
fn in_ascii_the_numbers_lose_nothing() {
    let ascii = Settings {
        is_ascii: true,
        ..Settings::default()
    };
    let mut harness = AppHarness::start(environment(), ascii, (120, 40));
    harness.poll(vec![connection()]);
    harness.key(KeyCode::Enter);
    let quick = |sent| TcpCounters {
        sent,
        rtt: Duration::from_micros(45),
        ..flow()
    };
    look(&mut harness, connection(), 1.0, Some(quick(0)));
    look(&mut harness, connection(), 2.0, Some(quick(1_200_000)));
    let screen = crate::ui::tests::screen(&harness).join("\n");
    for words in [
        "traffic     ^ 1.2 MB/s  v 0 B/s - sent 1.2 MB, received 3.4 MB",
        "round trip 45 us - 2",
    ] {
        assert!(screen.contains(words), "{screen}");
    }
}
