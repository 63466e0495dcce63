use crate::app::testing::{AppHarness, environment};
use crate::config::Settings;
use crate::model::process::Process;
use crate::model::socket::{ProcessUsage, SocketCounters, SocketQueue, SocketStats, TcpCounters};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crossterm::event::KeyCode;
use std::sync::Arc;
use std::time::Duration;

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

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn connection() -> SocketBuilder {
    socket("127.0.0.1:3000")
        .to("127.0.0.1:51324")
        .owner(&node())
}

/// A poll with stats of the row under the cursor.
fn poll_with_stats(
    harness: &mut AppHarness,
    socket: SocketBuilder,
    seconds: f64,
    flow: Option<TcpCounters>,
) {
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
    poll_with_stats(&mut harness, connection(), 1.0, Some(flow()));
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
    poll_with_stats(&mut harness, connection(), 2.0, Some(more));
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
    poll_with_stats(&mut harness, connection(), 1.0, Some(flow()));
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
    poll_with_stats(&mut harness, udp(), 1.0, None);
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
    poll_with_stats(&mut harness, connection(), 1.0, Some(quick(0)));
    poll_with_stats(&mut harness, connection(), 2.0, Some(quick(1_200_000)));
    let screen = crate::ui::tests::screen(&harness).join("\n");
    for words in [
        "traffic     ^ 1.2 MB/s  v 0 B/s - sent 1.2 MB, received 3.4 MB",
        "round trip 45 us - 2",
    ] {
        assert!(screen.contains(words), "{screen}");
    }
}
