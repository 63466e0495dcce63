use super::check::CheckArgs;
use super::free::arguments::{Consent, FreeArgs};
use super::list::ListArgs;
use super::monitor::MonitorArgs;
use super::unused::UnusedArgs;
use super::wait::WaitArgs;
use super::watch::WatchArgs;
use super::{CommandLine, unless_closed};
use crate::check::Until;
use crate::cli::{self, EarlyExit};
use crate::config::Settings;
use crate::free::{TargetChoice, Timeouts};
use crate::model::port::PortSpec;
use crate::model::process::Signal;
use clap::{CommandFactory as _, FromArgMatches};
use std::time::Duration;
use std::{io, iter};

fn command_line(line: &str) -> Result<CommandLine, EarlyExit> {
    let words = std::iter::once("portmon").chain(line.split_whitespace());
    cli::parse(words.map(Into::into))
}

/// The arguments of the command that a line runs.
fn parsed<A: FromArgMatches>(line: &str) -> A {
    assert_eq!(command_line(line).err(), None, "{line}");
    let words = std::iter::once("portmon").chain(line.split_whitespace());
    let matches = CommandLine::command().get_matches_from(words);
    let of_command = matches.subcommand().map(|(_, matches)| matches);
    A::from_arg_matches(of_command.unwrap_or(&matches)).expect(line)
}

fn settings(line: &str) -> Settings {
    parsed::<MonitorArgs>(line).settings().expect(line)
}

fn spec(text: &str) -> PortSpec {
    text.parse().expect(text)
}

#[test]
fn without_a_command_the_monitor_runs() {
    let line = "-n 0.5 --all --ascii --read-only 49152- not:chrome";
    let expected = Settings {
        interval: Duration::from_millis(500),
        filter: "49152- not:chrome".to_owned(),
        all: true,
        is_ascii: true,
        is_read_only: true,
        ..Settings::default()
    };
    assert_eq!(settings(line), expected);
}

#[test]
fn list_takes_a_filter_that_may_begin_with_a_minus() {
    for (line, filter) in [
        ("list 3000 --json", "3000"),
        ("list -1023 tcp --json", "-1023 tcp"),
    ] {
        let list: ListArgs = parsed(line);
        assert_eq!(list.filter.text().expect(line), filter);
        assert!(list.json);
    }
}

#[test]
fn watch_takes_a_filter_an_interval_and_a_run_time() {
    let cases = [
        ("watch", "", 1_000, None),
        (
            "watch -1023 tcp -n 0.2 --for 86400 --all --json",
            "-1023 tcp",
            200,
            Some(Duration::from_hours(24)),
        ),
    ];
    for (line, filter, interval, run_time) in cases {
        let watch: WatchArgs = parsed(line);
        let found = (
            watch.filter.text().expect(line),
            watch.interval,
            watch.run_time,
        );
        let interval = Duration::from_millis(interval);
        assert_eq!(found, (filter.to_owned(), interval, run_time), "{line}");
        let is_chosen = run_time.is_some();
        assert_eq!((watch.filter.all, watch.json), (is_chosen, is_chosen));
    }
}

#[test]
fn free_takes_targets_signal_and_consent() {
    let chosen = Timeouts {
        wait_for_exit: Duration::from_secs(10),
        settle: Duration::from_millis(500),
        settle_beside_target: Duration::from_millis(500),
        force_after: Some(Duration::from_secs(3)),
    };
    // Without a plan nothing could take a port again.
    let quick = Timeouts {
        settle: Duration::from_millis(300),
        ..Timeouts::default()
    };
    let cases = [
        (
            "free 3000",
            (Signal::Terminate, TargetChoice::Topmost, quick),
            (Consent::Ask, false, false),
        ),
        (
            "free 3000 --parent",
            (Signal::Terminate, TargetChoice::WithParent, quick),
            (Consent::Ask, false, false),
        ),
        // The flag takes no word after it for its count.
        (
            "free --group --yes 3000",
            (Signal::Terminate, TargetChoice::Group, quick),
            (Consent::Yes, false, false),
        ),
        (
            "free 3000 --signal int --all-holders --wait 10 --settle 0.5 --force-after 3 --yes=4 --dry-run --json",
            (Signal::Interrupt, TargetChoice::All, chosen),
            (Consent::YesToCount(4), true, true),
        ),
    ];
    for (line, what, how) in cases {
        let free: FreeArgs = parsed(line);
        assert_eq!(
            (
                free.signal,
                free.target_choice(),
                free.timeouts(iter::empty())
            ),
            what,
            "{line}"
        );
        assert_eq!((free.yes, free.dry_run, free.json), how, "{line}");
    }
    let free: FreeArgs = parsed("free 3000-3010,5432/udp [::1]:80");
    let targets: Vec<String> = free.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, [":3000-3010", ":5432/udp", "[::1]:80"]);
}

#[test]
fn wait_takes_a_port_an_address_and_a_timeout() {
    let cases = [
        ("wait :3000", "3000", Until::Listening, None),
        (
            "wait [::1]:5353/udp --free --timeout 2.5",
            "[::1]:5353/udp",
            Until::Free,
            Some(Duration::from_millis(2_500)),
        ),
        (
            "wait 127.0.0.1:3000 --address ::ffff:127.0.0.1 --timeout 0",
            "127.0.0.1:3000",
            Until::Listening,
            Some(Duration::ZERO),
        ),
        (
            "wait 3000 --address ::1",
            "[::1]:3000",
            Until::Listening,
            None,
        ),
    ];
    for (line, port, until, timeout) in cases {
        let wait: WaitArgs = parsed(line);
        let target = wait.target().expect(line);
        assert_eq!((target.spec, target.until), (spec(port), until), "{line}");
        assert_eq!(wait.timeout, timeout, "{line}");
    }
}

#[test]
fn unused_takes_one_range_and_a_count() {
    let cases = [
        ("unused", (None, false, false), 1),
        ("next -c 3", (None, false, false), 3),
        ("unused --from 8000", (Some(8000), false, false), 1),
        ("unused --dynamic --random", (None, true, false), 1),
        ("unused --ephemeral --udp", (None, false, true), 1),
    ];
    for (line, range, count) in cases {
        let unused: UnusedArgs = parsed(line);
        let found = (unused.from, unused.dynamic, unused.ephemeral);
        assert_eq!((found, unused.count), (range, count), "{line}");
    }
}

#[test]
fn check_takes_one_port_of_one_protocol_on_one_address_or_all() {
    let cases = [
        ("check 5432", "5432", false),
        ("check 5432/udp", "5432/udp", false),
        ("check --connect 127.0.0.1:5432", "127.0.0.1:5432", true),
        ("check [::1]:5432", "[::1]:5432", false),
    ];
    for (line, port, connects) in cases {
        let check: CheckArgs = parsed(line);
        assert_eq!(
            (check.port, check.connect),
            (spec(port), connects),
            "{line}"
        );
    }
}

/// Errors that depend on several arguments, which clap does not check.
#[test]
fn arguments_that_contradict_each_other_are_an_error() {
    let contradictions = [
        parsed::<FreeArgs>("free 3000 --force-after 1 --signal KILL").verify(),
        parsed::<WaitArgs>("wait [::1]:3000 --address 127.0.0.1")
            .target()
            .map(drop),
        parsed::<ListArgs>("list 99999 tcp").filter.text().map(drop),
        parsed::<MonitorArgs>("-- port:99999").settings().map(drop),
    ];
    assert_eq!(
        contradictions.map(|result| result.expect_err("an error").to_string()),
        [
            "--force-after and --signal KILL both send SIGKILL: use only one of them",
            "[::1]:3000 and --address 127.0.0.1 give different addresses: use only one of them",
            "filter: not a port: 99999 (the highest is 65535)",
            "filter: not a port: 99999 (the highest is 65535)",
        ]
    );
}

#[test]
fn after_two_dashes_any_word_is_a_filter() {
    let cases = [
        ("-- kill", "kill", 1),
        ("-- watch", "watch", 1),
        ("-n 2 -- kill", "kill", 2),
        ("-n2 --all -- kill -1023", "kill -1023", 2),
        ("--source netstat2 -n 2 -- kill", "kill", 2),
        ("node -- kill", "node kill", 1),
    ];
    for (line, filter, seconds) in cases {
        let settings = settings(line);
        let found = (&*settings.filter, settings.interval);
        assert_eq!(found, (filter, Duration::from_secs(seconds)), "{line}");
    }
    assert!(command_line("kill -- 3000").is_err());
}

#[test]
fn a_range_without_a_first_port_is_not_a_flag() {
    for (line, seconds) in [("-1023", 1), ("-1023 -n 2", 2), ("-n 2 -1023", 2)] {
        let settings = settings(line);
        let found = (&*settings.filter, settings.interval);
        assert_eq!(found, ("-1023", Duration::from_secs(seconds)), "{line}");
    }
}

#[test]
fn an_output_that_fails_is_named_and_a_closed_pipe_is_no_error() {
    let full = unless_closed::<()>(Err(io::Error::other("no space left")));
    let text = format!("{:#}", full.expect_err("an error"));
    assert_eq!(text, "cannot write output: no space left");
    let closed = unless_closed::<()>(Err(io::ErrorKind::BrokenPipe.into()));
    assert_eq!(closed.expect("no error"), None);
}
