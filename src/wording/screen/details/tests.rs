use super::*;
use crate::model::process::{Manager, Pid, Signal};
use crate::model::socket::State;
use crate::model::testing::{SocketBuilder, process, socket};

const FLOW: TcpCounters = TcpCounters {
    sent: 12_000_000,
    received: 3_400_000,
    rtt: Duration::from_micros(1_300),
    retransmits: 2,
    idle_sent: Duration::from_millis(40),
    idle_received: Duration::from_secs(9),
};

#[test]
fn traffic_is_rates_and_totals_or_since_when_it_rests() {
    let idle = TcpCounters {
        idle_sent: Duration::from_secs(90),
        idle_received: Duration::from_secs(12),
        ..FLOW
    };
    let rates = |sent, received| Some(ByteRates { sent, received });
    let totals = "sent 12 MB, received 3.4 MB";
    let cases = [
        (FLOW, None, ""),
        (FLOW, rates(1_200_000, 340), "↑ 1.2 MB/s  ↓ 340 B/s · "),
        (FLOW, rates(0, 0), "↑ 0 B/s  ↓ 0 B/s · "),
        (idle, rates(0, 0), "idle for 12 s · "),
        (idle, None, "idle for 12 s · "),
        (idle, rates(7, 0), "↑ 7 B/s  ↓ 0 B/s · "),
    ];
    for (flow, rates, expected) in cases {
        assert_eq!(traffic(flow, rates), format!("{expected}{totals}"));
    }
}

#[test]
fn the_path_shows_retransmits_and_a_measured_round_trip() {
    let cases = [
        (2, 1_300, "round trip 1.3 ms · 2 retransmits"),
        (1, 45, "round trip 45 µs · 1 retransmit"),
        (0, 0, "no retransmits"),
    ];
    for (retransmits, micros, expected) in cases {
        let rtt = Duration::from_micros(micros);
        assert_eq!(
            path(TcpCounters {
                rtt,
                retransmits,
                ..FLOW
            }),
            expected
        );
    }
}

#[test]
fn a_queue_is_connections_at_a_listener_and_bytes_elsewhere() {
    let listener = || socket("127.0.0.1:80");
    let connection = || socket("127.0.0.1:80").to("127.0.0.1:5000");
    let cases: [(SocketBuilder, _, _, _); 8] = [
        (listener(), 3, 5, "backlog 3 / 5"),
        (listener(), 5, 5, "backlog 5 / 5"),
        (
            listener(),
            6,
            5,
            "backlog 6 / 5 · full: new clients time out",
        ),
        (connection(), 1_200, 0, "unread 1.2 kB · unacknowledged 0 B"),
        (connection().udp(), 0, 1_200, "unread 0 B · unsent 1.2 kB"),
        (
            socket("127.0.0.1:53").udp(),
            0,
            0,
            "unread 0 B · unsent 0 B",
        ),
        (connection().state(State::TimeWait), 0, 0, ""),
        (listener().state(State::Bound), 0, 0, ""),
    ];
    for (socket, incoming, outgoing, expected) in cases {
        let text = queue(&socket.build(), SocketQueue { incoming, outgoing });
        assert_eq!(text.unwrap_or_default(), expected);
    }
}

#[test]
fn a_run_state_tells_all_that_keeps_a_process_from_acting() {
    let plain = RunState::plain(process(4242, "node").build().id);
    let frozen_init = RunState {
        state: Some(ProcessState::Frozen),
        is_namespace_init: true,
        ..plain.clone()
    };
    let suspended = RunState {
        state: Some(ProcessState::Suspended),
        tracer: Some(Pid(99)),
        ..plain.clone()
    };
    let init = RunState {
        is_namespace_init: true,
        drops: vec![Signal::Terminate, Signal::Quit],
        ..plain
    };
    let first = "first process of its PID namespace, as a container's init is";
    let cases = [
        (
            frozen_init,
            format!("frozen with its control group · {first}"),
        ),
        (
            suspended,
            "suspended (to resume it: kill -CONT 4242) · traced by process 99".to_owned(),
        ),
        (
            init,
            format!("{first}, has no handler for SIGTERM or SIGQUIT"),
        ),
    ];
    for (state, expected) in cases {
        assert_eq!(run_state(&state), expected);
    }
}

#[test]
fn a_socket_of_systemd_tells_what_it_starts() {
    let mut unit = Unit::new("cups.socket".into(), Manager::System);
    unit.triggers = vec!["cups.service".into()];
    assert_eq!(unit_details(&unit), "cups.socket · starts cups.service");
}
