use super::values::{source_named, sources};
use super::*;
use crate::check::{CheckRequest, Until, WaitTarget};
use crate::free::{Signal, TargetSet, Timeouts};
use crate::model::port_spec::PortSpec;
use crate::model::socket_source::SocketSource;
use std::time::Duration;

fn parsed(line: &str) -> Result<Options, String> {
    parse(line.split(' ').map(Into::into)).map_err(|refusal| match refusal {
        EarlyExit::UsageError(line) | EarlyExit::Output(line) => line,
    })
}

fn spec(text: &str) -> PortSpec {
    text.parse().expect(text)
}

#[test]
fn without_a_command_the_monitor_runs() {
    let options = parsed("portmon -n 0.5 --all --ascii --read-only 49152- not:chrome");
    let expected = Options::Monitor(MonitorOptions {
        filter: "49152- not:chrome".to_owned(),
        interval: Duration::from_millis(500),
        all: true,
        ascii: true,
        read_only: true,
        source: None,
    });
    assert_eq!(options, Ok(expected));
}

#[test]
fn list_takes_a_filter() {
    let expected = ListOptions {
        filter: "3000".to_owned(),
        all: false,
        json: true,
        source: None,
    };
    assert_eq!(
        parsed("portmon list 3000 --json"),
        Ok(Options::List(expected))
    );
}

#[test]
fn watch_takes_a_filter_an_interval_and_a_duration() {
    let plain = WatchOptions {
        filter: String::new(),
        all: false,
        json: false,
        interval: Duration::from_secs(1),
        duration: None,
        source: None,
    };
    let chosen = WatchOptions {
        filter: "-1023 tcp".to_owned(),
        all: true,
        json: true,
        interval: Duration::from_millis(200),
        duration: Some(Duration::from_hours(24)),
        source: None,
    };
    let cases = [
        ("portmon watch", plain),
        (
            "portmon watch -1023 tcp -n 0.2 --for 86400 --all --json",
            chosen,
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(parsed(line), Ok(Options::Watch(expected)), "{line}");
    }
}

#[test]
fn free_takes_targets_signal_and_consent() {
    let target = |text: &str| text.parse().expect(text);
    let plain = FreeOptions {
        targets: vec![target("3000")],
        signal: Signal::Terminate,
        who: TargetSet::Topmost,
        timeouts: Timeouts::default(),
        consent: Consent::Ask,
        dry_run: false,
        json: false,
        source: None,
    };
    let chosen = FreeOptions {
        targets: vec![target("3000-3010"), target("5432/udp"), target("[::1]:80")],
        signal: Signal::Interrupt,
        who: TargetSet::All,
        timeouts: Timeouts {
            wait_for_exit: Duration::from_secs(10),
            settle: Duration::from_millis(500),
            force_after: Some(Duration::from_secs(3)),
        },
        consent: Consent::YesToCount(4),
        dry_run: true,
        json: true,
        source: None,
    };
    let yes = FreeOptions {
        who: TargetSet::Group,
        consent: Consent::Yes,
        ..plain.clone()
    };
    let cases = [
        ("portmon free 3000", plain),
        // The flag takes no word after it for its count.
        ("portmon free --group --yes 3000", yes),
        (
            "portmon free 3000-3010,5432/udp [::1]:80 --signal int --all-holders --wait 10 --settle 0.5 --force-after 3 \
             --yes=4 --dry-run --json",
            chosen,
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(parsed(line), Ok(Options::Free(expected)), "{line}");
    }
}

#[test]
fn wait_takes_a_port_an_address_and_a_timeout() {
    let any = WaitOptions {
        target: WaitTarget {
            spec: PortSpec::tcp(3000),
            until: Until::Listening,
        },
        timeout: None,
        source: None,
    };
    let free = WaitOptions {
        target: WaitTarget {
            spec: spec("[::1]:5353/udp"),
            until: Until::Free,
        },
        timeout: Some(Duration::from_millis(2_500)),
        source: None,
    };
    let mapped = WaitOptions {
        target: WaitTarget {
            spec: spec("127.0.0.1:3000"),
            until: Until::Listening,
        },
        timeout: Some(Duration::ZERO),
        source: None,
    };
    let cases = [
        ("portmon wait :3000", any.clone()),
        ("portmon wait [::1]:5353/udp --free --timeout 2.5", free),
        (
            "portmon wait 127.0.0.1:3000 --address ::ffff:127.0.0.1 --timeout 0",
            mapped,
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(parsed(line), Ok(Options::Wait(expected)), "{line}");
    }
}

#[test]
fn unused_takes_one_range() {
    let options = |range, count| UnusedOptions {
        range,
        count,
        source: None,
    };
    let cases = [
        ("portmon unused", options(SearchRange::From(3000), 1)),
        ("portmon next -c 3", options(SearchRange::From(3000), 3)),
        (
            "portmon unused --from 8000",
            options(SearchRange::From(8000), 1),
        ),
        ("portmon unused --dynamic", options(SearchRange::Dynamic, 1)),
        (
            "portmon unused --ephemeral",
            options(SearchRange::Ephemeral, 1),
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(parsed(line), Ok(Options::Unused(expected)), "{line}");
    }
    for line in [
        "portmon unused --from 3000 --dynamic",
        "portmon unused --from 3000 --ephemeral",
        "portmon unused --dynamic --ephemeral",
        "portmon unused --from 0",
        "portmon unused -c 0",
    ] {
        let error = parsed(line).expect_err(line);
        assert!(!error.contains('\n'), "{line}: {error}");
    }
}

#[test]
fn check_takes_one_port_of_one_protocol_on_one_address_or_all() {
    let cases = [
        ("portmon check 5432", "5432", false),
        ("portmon check 5432/udp", "5432/udp", false),
        (
            "portmon check --connect 127.0.0.1:5432",
            "127.0.0.1:5432",
            true,
        ),
        ("portmon check [::1]:5432", "[::1]:5432", false),
    ];
    for (line, port, connects) in cases {
        let expected = CheckOptions {
            request: CheckRequest {
                spec: spec(port),
                connects,
            },
            json: false,
            source: None,
        };
        assert_eq!(parsed(line), Ok(Options::Check(expected)), "{line}");
    }
}

#[test]
fn a_usage_error_is_one_line_with_the_way_out() {
    let cases = [
        (
            "portmon kill 3000",
            "\"kill\" is no command; did you mean: portmon free 3000 (-- kill filters)",
        ),
        (
            "portmon stop 3000-3010",
            "\"stop\" is no command; did you mean: portmon free 3000-3010 (-- stop filters)",
        ),
        (
            "portmon kill node",
            "\"kill\" is no command; did you mean: portmon free 3000 (-- kill filters)",
        ),
        (
            "portmon 3000 free",
            "free comes first: portmon free 3000 (-- 3000 free filters)",
        ),
        (
            "portmon ls",
            "\"ls\" is no command; did you mean: portmon list",
        ),
        (
            "portmon -n 2 watch",
            "watch comes first: portmon watch, then its flags (-- watch filters)",
        ),
        (
            "portmon 3000 wait",
            "wait comes first: portmon wait 3000 (-- 3000 wait filters)",
        ),
        (
            "portmon 5353/udp unused",
            "unused comes first: portmon unused 5353/udp (-- 5353/udp unused filters)",
        ),
        (
            "portmon 3000 check",
            "check comes first: portmon check 3000 (-- 3000 check filters)",
        ),
        (
            "portmon check 3000-3010",
            "one port is needed, not the range :3000-3010 (try 3000)",
        ),
        ("portmon check http", "not a port: \"http\" (try 3000,"),
        (
            "portmon why 3000",
            "\"why\" is no command; did you mean: portmon check 3000",
        ),
        ("portmon --frobnicate", "--frobnicate"),
        ("portmon -n 0", "0 is out of range: 0.1 to 3600 seconds"),
        (
            "portmon -n soon",
            "soon is no number of seconds: 0.1 to 3600",
        ),
        (
            "portmon watch -n 4000",
            "4000 is out of range: 0.1 to 3600 seconds",
        ),
        (
            "portmon watch --for 0",
            "0 is out of range: 0.1 to 86400 seconds",
        ),
        (
            "portmon watch --for ever",
            "ever is no number of seconds: 0.1 to 86400",
        ),
    ];
    assert_usage_error(&cases);
}

#[test]
fn a_wrong_target_or_timeout_is_a_usage_error() {
    let cases = [
        ("portmon free", "<TARGET>..."),
        ("portmon free 3000 --group --all-holders", "--all-holders"),
        (
            "portmon free 3000 --yes=all",
            "the number of ports that are freed: --yes=3",
        ),
        ("portmon free 0", "not a port: 0 (ports are 1 to 65535)"),
        (
            "portmon free 3000 --signal STOP",
            "not a signal: STOP (try TERM INT HUP QUIT KILL CONT)",
        ),
        (
            "portmon free 3000 --force-after 1 --signal KILL",
            "--force-after sends SIGKILL, which --signal KILL sends at once: leave one of them out",
        ),
        (
            "portmon wait",
            "the following required arguments were not provided: <PORT>; portmon --help tells the way",
        ),
        (
            "portmon wait 70000",
            "not a port: 70000 (ports are 1 to 65535)",
        ),
        (
            "portmon wait 3000-3010",
            "one port is needed, not the range :3000-3010 (try 3000)",
        ),
        (
            "portmon wait [::1]:3000 --address 127.0.0.1",
            "[::1]:3000 and --address 127.0.0.1 are two addresses: leave one of them out",
        ),
        ("portmon wait 3000 --timeout -1", "-1"),
    ];
    assert_usage_error(&cases);
}

fn assert_usage_error(cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let error = parsed(line).expect_err(line);
        assert!(
            error.contains(expected) && !error.contains('\n'),
            "{line}: {error}"
        );
    }
}

#[test]
fn every_command_takes_a_source_that_no_help_mentions() {
    let sources = [
        "portmon --source netstat2",
        "portmon list --source=netstat2",
        "portmon watch --source netstat2",
        "portmon free 3000 --source netstat2",
        "portmon wait 3000 --source netstat2",
        "portmon unused --source netstat2",
        "portmon check 3000 --source netstat2",
    ]
    .map(|line| match parsed(line).expect(line) {
        Options::Monitor(options) => options.source,
        Options::List(options) => options.source,
        Options::Watch(options) => options.source,
        Options::Free(options) => options.source,
        Options::Wait(options) => options.source,
        Options::Unused(options) => options.source,
        Options::Check(options) => options.source,
    });
    assert_eq!(sources, [Some(SocketSource::Netstat); 7]);
    for line in ["portmon --help", "portmon list --help"] {
        let help = parsed(line).expect_err(line);
        assert!(help.contains("--all") && !help.contains("source"), "{help}");
    }
}

#[test]
fn an_unknown_source_lists_the_known_ones() {
    let named = |text, is_linux| source_named(text, sources(is_linux));
    let outcomes = [
        named("sock_diag", true),
        named("netstat2", true),
        named("proc", true),
        named("netstat2", false),
        named("lsof", true),
        named("proc", false),
    ];
    let expected = [
        Ok(SocketSource::Diag),
        Ok(SocketSource::Netstat),
        Ok(SocketSource::Procnet),
        Ok(SocketSource::Netstat),
        Err("lsof is no source here: sock_diag, netstat2, proc".to_owned()),
        Err("proc is no source here: netstat2".to_owned()),
    ];
    assert_eq!(outcomes, expected);
    let error = parsed("portmon --source lsof").expect_err("no source");
    assert!(
        error.contains("lsof is no source here: ") && !error.contains('\n'),
        "{error}"
    );
}

/// The filter and the interval in milliseconds that a line for the monitor asks for.
fn monitored(line: &str) -> Result<(String, u128), String> {
    match parsed(line)? {
        Options::Monitor(options) => Ok((options.filter, options.interval.as_millis())),
        other => panic!("{line} is for the monitor: {other:?}"),
    }
}

#[test]
fn after_two_dashes_any_word_is_a_filter() {
    let cases = [
        ("portmon -- kill", 1_000),
        ("portmon -n 2 -- kill", 2_000),
        ("portmon -n2 --all -- kill", 2_000),
        ("portmon --source netstat2 -n 2 -- kill", 2_000),
    ];
    for (line, interval) in cases {
        assert_eq!(monitored(line), Ok(("kill".to_owned(), interval)), "{line}");
    }
    assert_eq!(
        monitored("portmon -- watch"),
        Ok(("watch".to_owned(), 1_000))
    );
    assert!(parsed("portmon kill -- 3000").is_err());
}

#[test]
fn a_range_without_a_beginning_is_no_flag() {
    let cases = [
        ("portmon -1023", 1_000),
        ("portmon -1023 -n 2", 2_000),
        ("portmon -n 2 -1023", 2_000),
    ];
    for (line, interval) in cases {
        assert_eq!(
            monitored(line),
            Ok(("-1023".to_owned(), interval)),
            "{line}"
        );
    }
    let expected = ListOptions {
        filter: "-1023 tcp".to_owned(),
        all: false,
        json: true,
        source: None,
    };
    assert_eq!(
        parsed("portmon list -1023 tcp --json"),
        Ok(Options::List(expected))
    );
    assert!(parsed("portmon -1023 --frobnicate").is_err());
}
