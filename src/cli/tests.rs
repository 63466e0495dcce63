use super::*;
use crate::commands::CommandLine;
use clap::CommandFactory as _;

fn parsed(line: &str) -> Result<CommandLine, EarlyExit> {
    let words = std::iter::once("portmon").chain(line.split_whitespace());
    parse(words.map(Into::into))
}

/// Checks the usage error of each line, written as `LINE => ERROR`.
fn assert_usage_errors(cases: &str) {
    for case in cases.lines() {
        let (line, expected) = case.split_once(" => ").expect(case);
        let expected = EarlyExit::UsageError(expected.to_owned());
        assert_eq!(parsed(line).err(), Some(expected), "portmon {line}");
    }
}

/// The monitor, which needs no name, and every command.
fn all() -> Vec<(String, clap::Command)> {
    let monitor = CommandLine::command();
    let commands = monitor.get_subcommands();
    let commands = commands.map(|command| (command.get_name().to_owned(), command.clone()));
    let commands: Vec<_> = commands.collect();
    [commands, vec![(String::new(), monitor)]].concat()
}

#[test]
fn the_definition_of_every_command_is_sound() {
    CommandLine::command().debug_assert();
}

#[test]
fn a_usage_error_is_one_line_with_the_way_out() {
    assert_usage_errors(
        "\
check 3000-3010 => expected one port, not the range :3000-3010 (try 3000)
check http => not a port: \"http\" (try 3000, 3000/udp or 127.0.0.1:3000)
--frobnicate => unexpected argument: --frobnicate (see portmon --help)
-1023 --frobnicate => unexpected argument: --frobnicate (see portmon --help)
next --frob => unexpected argument: --frob (see portmon unused --help)
-n => -n needs a value (see portmon --help)
-n 1 -n 2 => -n can be used only once (see portmon --help)
list --json=yes => --json takes no value (see portmon list --help)
-n 0 => -n: out of range: 0 (0.1 to 3600 seconds)
-n soon => -n: not a number of seconds: \"soon\" (0.1 to 3600)
watch --for 0 => --for: out of range: 0 (0.1 to 86400 seconds)
free => missing <TARGET>... (see portmon free --help)
free 3000 --group --all-holders => --group cannot be used with --all-holders (see portmon free --help)
free 3000 --yes=all => --yes: not a port count: \"all\" (try --yes=3)
free 3000, => not a port: \"\" (try 3000, 3000/udp or 127.0.0.1:3000)
free 3000 --signal STOP => --signal: not a signal: \"STOP\" (try TERM, INT, HUP, QUIT, KILL or CONT)
wait 3000 --address here => --address: not an address: \"here\" (try 127.0.0.1, ::1 or localhost)
wait 3000 --timeout -1 => --timeout: out of range: -1 (0 to 86400 seconds)
unused --from 300000 => --from: not a port: \"300000\" (ports are 1 to 65535)
unused -c 0 => -c: not a port count: \"0\" (1 to 65535)
unused --from 3000 --dynamic => --from cannot be used with --dynamic (see portmon unused --help)
unused --dynamic --ephemeral => --dynamic cannot be used with --ephemeral (see portmon unused --help)",
    );
}

#[test]
fn a_command_of_another_tool_is_an_error_with_the_right_one() {
    assert_usage_errors(
        "\
kill 3000 => unknown command \"kill\". Did you mean `portmon free 3000`? To filter by that text: `portmon -- kill 3000`
stop 3000-3010 => unknown command \"stop\". Did you mean `portmon free 3000-3010`? To filter by that text: `portmon -- stop 3000-3010`
kill node => unknown command \"kill\". Did you mean `portmon free 3000`? To filter by that text: `portmon -- kill node`
kill --yes 3000 => unknown command \"kill\". Did you mean `portmon free 3000`? To filter by that text: `portmon -- kill`
kill -- 3000 => unknown command \"kill\". Did you mean `portmon free 3000`? To filter by that text: `portmon -- kill`
why 3000 => unknown command \"why\". Did you mean `portmon check 3000`? To filter by that text: `portmon -- why 3000`
ls => unknown command \"ls\". Did you mean `portmon list`? To filter by that text: `portmon -- ls`
top 3000 => unknown command \"top\". Did you mean `portmon 3000`? To filter by that text: `portmon -- top 3000`
help => unknown command \"help\". Did you mean `portmon --help`? To filter by that text: `portmon -- help`
help free => unknown command \"help\". Did you mean `portmon free --help`? To filter by that text: `portmon -- help free`",
    );
}

#[test]
fn a_misspelled_command_before_a_port_or_flag_is_an_error() {
    assert_usage_errors(
        "\
lsit 3000 => unknown command \"lsit\". Did you mean `portmon list 3000`? To filter by that text: `portmon -- lsit 3000`
frees 46101 => unknown command \"frees\". Did you mean `portmon free 46101`? To filter by that text: `portmon -- frees 46101`
fre 3000-3010 --yes=2 => unknown command \"fre\". Did you mean `portmon free 3000-3010 --yes=2`? To filter by that text: `portmon -- fre 3000-3010`
wacth --json => unknown command \"wacth\". Did you mean `portmon watch --json`? To filter by that text: `portmon -- wacth`
chekc --help => unknown command \"chekc\". Did you mean `portmon check --help`? To filter by that text: `portmon -- chekc`
nxet --all => unknown command \"nxet\". Did you mean `portmon unused --all`? To filter by that text: `portmon -- nxet`
-n 2 wayt 3000 => unknown command \"wayt\". Did you mean `portmon wait 3000`? To filter by that text: `portmon -- wayt 3000`",
    );
    for filter in [
        "wacth",
        "lsit postgres",
        "lits state:listen",
        "lstt 3000",
        "-- lsit 3000",
    ] {
        assert!(parsed(filter).is_ok(), "portmon {filter}");
    }
}

#[test]
fn a_command_behind_something_else_is_an_error() {
    assert_usage_errors(
        "\
3000 free => put the command first: `portmon free 3000`. To filter by that text: `portmon -- 3000 free`
5353/udp next => put the command first: `portmon unused 5353/udp`. To filter by that text: `portmon -- 5353/udp next`
-n 2 watch => put the command first: `portmon watch` (its options follow it). To filter by that text: `portmon -- watch`",
    );
}

#[test]
fn every_command_takes_a_source_that_no_help_mentions() {
    for (name, command) in all() {
        let needs_port = command.get_positionals().any(clap::Arg::is_required_set);
        let port = if needs_port { "3000" } else { "" };
        let parsed = parsed(&format!("{name} {port} --source=netstat2"));
        assert_eq!(parsed.err(), None, "{name}");
    }
}

#[test]
fn every_help_has_examples_and_an_exit_status() {
    for (name, _) in all() {
        let Err(EarlyExit::Output(help)) = parsed(&format!("{name} --help")) else {
            panic!("{name} has no help");
        };
        let has = ["Examples:", "Exit status", "source", "literal"].map(|word| help.contains(word));
        assert_eq!(has, [true, true, false, false], "{help}");
    }
}
