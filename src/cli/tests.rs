use super::arguments::values::{source_named, sources};
use super::*;
use crate::check::Until;
use crate::commands::{COMMANDS, MONITOR};
use crate::config::Settings;
use crate::free::{TargetSet, Timeouts};
use crate::model::platform::Platform;
use crate::model::port::PortSpec;
use crate::model::process::Signal;
use crate::model::socket::SocketSource;
use std::time::Duration;

fn matched(line: &str) -> Result<(&'static str, ArgMatches), String> {
    parse(line.split(' ').map(Into::into), &MONITOR, COMMANDS)
        .map(|(command, matches)| (command.name, matches))
        .map_err(|exit| match exit {
            EarlyExit::UsageError(text) | EarlyExit::Output(text) => text,
        })
}

fn parsed<A: CommandArgs>(line: &str) -> Result<A, String> {
    let (_, matches) = matched(line)?;
    arguments(&matches).map_err(|error| error.to_string())
}

/// The error of a line, whether clap or the command finds it.
fn error_of(line: &str) -> String {
    let checked = matched(line).and_then(|(name, matches)| {
        let checked = match name {
            "free" => arguments::<FreeArgs>(&matches).map(drop),
            "wait" => arguments::<WaitArgs>(&matches).map(drop),
            "list" => arguments::<ListArgs>(&matches).map(drop),
            _ => arguments::<MonitorArgs>(&matches).map(drop),
        };
        checked.map_err(|error| error.to_string())
    });
    checked.expect_err(line)
}

fn spec(text: &str) -> PortSpec {
    text.parse().expect(text)
}

#[test]
fn the_definition_of_every_command_is_sound() {
    parser(&MONITOR, COMMANDS).debug_assert();
}

#[test]
fn without_a_command_the_monitor_runs() {
    let line = "portmon -n 0.5 --all --ascii --read-only 49152- not:chrome";
    let expected = Settings {
        interval: Duration::from_millis(500),
        filter: "49152- not:chrome".to_owned(),
        all: true,
        is_ascii: true,
        is_read_only: true,
        ..Settings::default()
    };
    let arguments = parsed::<MonitorArgs>(line).map(|arguments| arguments.settings());
    assert_eq!(arguments, Ok(expected));
}

#[test]
fn list_takes_a_filter_that_may_begin_with_a_minus() {
    for (line, filter) in [
        ("portmon list 3000 --json", "3000"),
        ("portmon list -1023 tcp --json", "-1023 tcp"),
    ] {
        let list: ListArgs = parsed(line).expect(line);
        assert_eq!((&*list.filter.text(), list.json), (filter, true), "{line}");
    }
}

#[test]
fn watch_takes_a_filter_an_interval_and_a_run_time() {
    let cases = [
        ("portmon watch", "", 1_000, None),
        (
            "portmon watch -1023 tcp -n 0.2 --for 86400 --all --json",
            "-1023 tcp",
            200,
            Some(Duration::from_hours(24)),
        ),
    ];
    for (line, filter, interval, run_time) in cases {
        let watch: WatchArgs = parsed(line).expect(line);
        let found = (watch.filter.text(), watch.interval, watch.run_time);
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
        force_after: Some(Duration::from_secs(3)),
    };
    let cases = [
        (
            "portmon free 3000",
            (Signal::Terminate, TargetSet::Topmost, Timeouts::default()),
            (Consent::Ask, false, false),
        ),
        // The flag takes no word after it for its count.
        (
            "portmon free --group --yes 3000",
            (Signal::Terminate, TargetSet::Group, Timeouts::default()),
            (Consent::Yes, false, false),
        ),
        (
            "portmon free 3000 --signal int --all-holders --wait 10 --settle 0.5 --force-after 3 --yes=4 --dry-run --json",
            (Signal::Interrupt, TargetSet::All, chosen),
            (Consent::YesToCount(4), true, true),
        ),
    ];
    for (line, what, how) in cases {
        let free: FreeArgs = parsed(line).expect(line);
        assert_eq!(
            (free.signal, free.target_set(), free.timeouts()),
            what,
            "{line}"
        );
        assert_eq!((free.yes, free.dry_run, free.json), how, "{line}");
    }
    let free: FreeArgs = parsed("portmon free 3000-3010,5432/udp [::1]:80 5432/udp").expect("list");
    let targets: Vec<String> = free.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, [":3000-3010", ":5432/udp", "[::1]:80"]);
}

#[test]
fn wait_takes_a_port_an_address_and_a_timeout() {
    let cases = [
        ("portmon wait :3000", "3000", Until::Listening, None),
        (
            "portmon wait [::1]:5353/udp --free --timeout 2.5",
            "[::1]:5353/udp",
            Until::Free,
            Some(Duration::from_millis(2_500)),
        ),
        (
            "portmon wait 127.0.0.1:3000 --address ::ffff:127.0.0.1 --timeout 0",
            "127.0.0.1:3000",
            Until::Listening,
            Some(Duration::ZERO),
        ),
        (
            "portmon wait 3000 --address ::1",
            "[::1]:3000",
            Until::Listening,
            None,
        ),
    ];
    for (line, port, until, timeout) in cases {
        let wait: WaitArgs = parsed(line).expect(line);
        let target = wait.target();
        assert_eq!((target.spec, target.until), (spec(port), until), "{line}");
        assert_eq!(wait.timeout, timeout, "{line}");
    }
}

#[test]
fn unused_takes_one_range() {
    let cases = [
        ("portmon unused", SearchRange::From(3000), 1),
        ("portmon next -c 3", SearchRange::From(3000), 3),
        ("portmon unused --from 8000", SearchRange::From(8000), 1),
        ("portmon unused --dynamic", SearchRange::Dynamic, 1),
        ("portmon unused --ephemeral", SearchRange::Ephemeral, 1),
    ];
    for (line, range, count) in cases {
        let unused: UnusedArgs = parsed(line).expect(line);
        assert_eq!((unused.range(), unused.count), (range, count), "{line}");
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
        let request = parsed::<CheckArgs>(line).expect(line).request();
        assert_eq!(
            (request.spec, request.connects),
            (spec(port), connects),
            "{line}"
        );
    }
}

#[test]
fn a_mistaken_command_is_an_error_with_the_right_one() {
    let cases = [
        ("kill 3000", "Did you mean `portmon free 3000`?"),
        ("stop 3000-3010", "Did you mean `portmon free 3000-3010`?"),
        ("kill node", "Did you mean `portmon free 3000`?"),
        ("why 3000", "Did you mean `portmon check 3000`?"),
        ("ls", "Did you mean `portmon list`?"),
        ("top 3000", "Did you mean `portmon 3000`?"),
        ("help", "Did you mean `portmon --help`?"),
        ("3000 free", "put the command first: `portmon free 3000`."),
        (
            "5353/udp next",
            "put the command first: `portmon unused 5353/udp`.",
        ),
        ("-n 2 watch", "put the command first: `portmon watch`."),
    ];
    for (words, expected) in cases {
        let error = error_of(&format!("portmon {words}"));
        let filter = words.trim_start_matches("-n 2 ");
        let literal = format!(" To filter by that text: `portmon -- {filter}`");
        assert!(
            error.contains(expected) && error.ends_with(&literal),
            "{error}"
        );
    }
    assert_eq!(
        error_of("portmon kill 3000"),
        "unknown command \"kill\". Did you mean `portmon free 3000`? To filter by that text: `portmon -- kill 3000`"
    );
}

#[test]
fn a_usage_error_is_one_line_with_the_way_out() {
    let cases = [
        (
            "portmon check 3000-3010",
            "expected one port, not the range :3000-3010 (try 3000)",
        ),
        (
            "portmon check http",
            "not a port: \"http\" (try 3000, 3000/udp or 127.0.0.1:3000)",
        ),
        (
            "portmon --frobnicate",
            "unexpected argument: --frobnicate (see portmon --help)",
        ),
        (
            "portmon -1023 --frobnicate",
            "unexpected argument: --frobnicate (see portmon --help)",
        ),
        (
            "portmon next --frob",
            "unexpected argument: --frob (see portmon unused --help)",
        ),
        ("portmon -n", "-n <SECS> needs a value (see portmon --help)"),
        ("portmon -n 0", "-n: out of range: 0 (0.1 to 3600 seconds)"),
        (
            "portmon -n soon",
            "-n: not a number of seconds: \"soon\" (0.1 to 3600)",
        ),
        (
            "portmon watch --for 0",
            "--for: out of range: 0 (0.1 to 86400 seconds)",
        ),
        ("portmon list 99999", "filter: \"99999\": "),
        (
            "portmon free",
            "missing <TARGET>... (see portmon free --help)",
        ),
        (
            "portmon free 3000 --group --all-holders",
            "--group cannot be used with --all-holders (see portmon free --help)",
        ),
        (
            "portmon free 3000 --yes=all",
            "--yes: not a number of ports (try --yes=3)",
        ),
        ("portmon free 3000,", "not a port: \"\" (try "),
        (
            "portmon free 3000 --signal STOP",
            "--signal: not a signal: STOP (try TERM INT HUP QUIT KILL CONT)",
        ),
        (
            "portmon free 3000 --force-after 1 --signal KILL",
            "--force-after and --signal KILL both send SIGKILL: use only one of them",
        ),
        (
            "portmon wait [::1]:3000 --address 127.0.0.1",
            "[::1]:3000 and --address 127.0.0.1 give different addresses: use only one of them",
        ),
        (
            "portmon wait 3000 --address here",
            "--address: not an address: \"here\" (try 127.0.0.1 or ::1)",
        ),
        ("portmon wait 3000 --timeout -1", "-1"),
        ("portmon unused --from 0", "--from: 0 is not in 1..=65535"),
        ("portmon unused -c 0", "-c: 0 is not in 1..=65535"),
        (
            "portmon unused --from 3000 --dynamic",
            "cannot be used with",
        ),
        (
            "portmon unused --dynamic --ephemeral",
            "cannot be used with",
        ),
    ];
    for (line, expected) in cases {
        let error = error_of(line);
        assert!(
            error.contains(expected) && !error.contains('\n'),
            "{line}: {error}"
        );
    }
}

#[test]
fn every_command_takes_a_source_that_no_help_mentions() {
    for (line, has_port) in [("", false)]
        .into_iter()
        .chain(COMMANDS.iter().map(|command| {
            (
                command.name,
                matches!(command.name, "free" | "check" | "wait"),
            )
        }))
    {
        let port = if has_port { "3000" } else { "" };
        let words = ["portmon", line, port, "--source=netstat2"];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let (_, matches) = matched(&words.join(" ")).expect(line);
        assert_eq!(
            matches.get_one("source"),
            Some(&SocketSource::Netstat),
            "{line}"
        );
    }
}

#[test]
fn every_help_has_examples_and_an_exit_status() {
    for line in [""]
        .into_iter()
        .chain(COMMANDS.iter().map(|command| command.name))
    {
        let line = format!("portmon {line} --help").replace("  ", " ");
        let help = matched(&line).expect_err(&line);
        assert!(
            help.contains("Examples:") && help.contains("Exit status"),
            "{help}"
        );
        assert!(
            !help.contains("source") && !help.contains("literal"),
            "{help}"
        );
    }
}

#[test]
fn an_unknown_source_lists_the_known_ones() {
    let named = |text, platform| source_named(text, sources(platform));
    let expected = [
        ("sock_diag", Platform::Linux, Ok(SocketSource::Diag)),
        ("netstat2", Platform::Linux, Ok(SocketSource::Netstat)),
        ("proc", Platform::Linux, Ok(SocketSource::Procnet)),
        ("netstat2", Platform::MacOs, Ok(SocketSource::Netstat)),
        (
            "lsof",
            Platform::Linux,
            Err("unknown source: \"lsof\" (try sock_diag, netstat2, proc)".to_owned()),
        ),
        (
            "proc",
            Platform::MacOs,
            Err("unknown source: \"proc\" (try netstat2)".to_owned()),
        ),
    ];
    for (text, platform, expected) in expected {
        assert_eq!(named(text, platform), expected, "{text}");
    }
}

#[test]
fn after_two_dashes_any_word_is_a_filter() {
    let cases = [
        ("portmon -- kill", "kill", 1),
        ("portmon -- watch", "watch", 1),
        ("portmon -n 2 -- kill", "kill", 2),
        ("portmon -n2 --all -- kill -1023", "kill -1023", 2),
        ("portmon --source netstat2 -n 2 -- kill", "kill", 2),
        ("portmon node -- kill", "node kill", 1),
    ];
    for (line, filter, seconds) in cases {
        let settings = parsed::<MonitorArgs>(line).expect(line).settings();
        let found = (&*settings.filter, settings.interval);
        assert_eq!(found, (filter, Duration::from_secs(seconds)), "{line}");
    }
    assert!(matched("portmon kill -- 3000").is_err());
}

#[test]
fn a_range_without_a_first_port_is_not_a_flag() {
    for (line, seconds) in [
        ("portmon -1023", 1),
        ("portmon -1023 -n 2", 2),
        ("portmon -n 2 -1023", 2),
    ] {
        let settings = parsed::<MonitorArgs>(line).expect(line).settings();
        let found = (&*settings.filter, settings.interval);
        assert_eq!(found, ("-1023", Duration::from_secs(seconds)), "{line}");
    }
}
