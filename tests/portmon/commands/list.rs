//! `portmon list`, and usage errors.

use std::fs;
use std::io;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::helper_process::{OwnerProcess, listen, unique_name};
use crate::harness::launch::{PORTMON, Printed, run};

/// Filter for the socket of `holder`.
///
/// The port alone is not enough: the system may give it to a socket of the other protocol too, or leave connections of it
/// in TIME_WAIT.
fn filter_of(holder: &OwnerProcess) -> String {
    format!("port:{} pid:{}", holder.port, holder.pid())
}

/// The one endpoint that `portmon list --json` prints for `holder`.
fn endpoint(holder: &OwnerProcess) -> Value {
    let output = run(&["list", "--json", &filter_of(holder)]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let printed: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(printed.get("version"), Some(&json!(1)));
    let endpoints = printed.get("endpoints").and_then(Value::as_array);
    match endpoints.map(Vec::as_slice) {
        Some([endpoint]) => endpoint.clone(),
        _ => panic!("not one endpoint: {printed:#}"),
    }
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().collect();
    keys.sort();
    keys.into_iter().map(String::as_str).collect()
}

#[test]
fn rows_are_printed_with_exit_code_zero() {
    let holder = OwnerProcess::listening();
    let printed = run(&["list", &filter_of(&holder)]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let (port, pid) = (holder.port.to_string(), holder.pid().to_string());
    let lines = printed.stdout.lines();
    let rows: Vec<&str> = lines.filter(|line| line.contains(&port)).collect();
    let words = ["127.0.0.1", "LISTEN", &pid];
    let has_all = |row: &&str| words.iter().all(|word| row.contains(word));
    assert!(rows.len() == 1 && rows.iter().all(has_all), "{printed:?}");
}

#[test]
fn several_ports_are_alternatives() {
    let holders = [OwnerProcess::listening(), OwnerProcess::listening()];
    let [one, other] = holders.each_ref().map(|holder| holder.port.to_string());
    let rows = |words: &[&str]| {
        let printed = run(&[&["list"], words].concat());
        holders
            .each_ref()
            .map(|holder| printed.stdout.contains(&holder.pid().to_string()))
    };
    assert_eq!(rows(&[&one, &other, "state:listen"]), [true, true]);
    let name = holders[0].name.as_str();
    assert_eq!(
        rows(&[&one, &other, &format!("proc:{name}")]),
        [true, false]
    );
    assert_eq!(
        rows(&[&one, &other, &format!("not:{other}")]),
        [true, false]
    );
    assert_eq!(rows(&[&one, &format!("port:{other}")]), [false, false]);
}

#[test]
fn no_rows_are_exit_code_one() {
    let printed = run(&["list", &format!("proc:{}", unique_name())]);
    assert_eq!(printed.code, Some(1), "{printed:?}");
}

#[test]
fn json_is_one_object_with_the_fields_that_scripts_rely_on() {
    let printed = run(&["list", "--json"]);
    let printed: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let fields = [
        "endpoints",
        "hidden_owners",
        "out_of_scope",
        "problems",
        "taken_at",
        "version",
    ];
    assert_eq!(keys(&printed), fields);
}

#[test]
fn json_has_every_fact_about_a_listener() {
    let holder = OwnerProcess::listening();
    let found = endpoint(&holder);
    let same = |pointer: &str| {
        found
            .pointer(pointer)
            .unwrap_or_else(|| panic!("{pointer} in {found:#}"))
    };
    let directory = std::env::current_dir().expect("a directory");
    let shell = fs::canonicalize("/bin/sh").expect("a shell");
    let range = if holder.port < 49152 {
        "registered"
    } else {
        "dynamic"
    };
    let expected = json!({
        "protocol": "tcp",
        "family": "ipv4",
        "local": { "address": "127.0.0.1", "port": holder.port },
        "remote": null,
        "state": "listen",
        "range": range,
        "ephemeral": same("/ephemeral"),
        "reach": "loopback",
        "interface": null,
        "uid": rustix::process::getuid().as_raw(),
        "user": same("/user"),
        "owner_known": "yes",
        "owners": [{
            "pid": holder.pid(),
            "name": holder.name,
            "comm": holder.name,
            "command": holder.command(),
            "executable": shell,
            "directory": directory,
            "started_at": same("/owners/0/started_at"),
        }],
        "peer": null,
        "service": same("/service"),
        "label": null,
    });
    assert_eq!(found, expected, "found {found:#}");
    assert!(same("/ephemeral").is_boolean());
    assert!(is_timestamp(same("/owners/0/started_at")));
}

/// RFC 3339 in UTC.
fn is_timestamp(value: &Value) -> bool {
    let timestamp = value.as_str().expect("text");
    timestamp.len() >= "2026-01-31T10:00:00Z".len()
        && timestamp.contains('T')
        && timestamp.ends_with('Z')
}

#[test]
fn json_has_the_state_of_a_udp_socket_if_known() {
    let holder = OwnerProcess::bound_to_udp();
    let found = endpoint(&holder);
    let facts = ["/protocol", "/owners/0/pid", "/state"].map(|fact| found.pointer(fact));
    let state = cfg!(target_os = "linux").then_some("unconn");
    let expected = [json!("udp"), json!(holder.pid()), json!(state)];
    assert_eq!(facts, expected.each_ref().map(Some), "{found:#}");
}

/// Asserts that nothing but one line with these words was printed.
pub fn assert_usage_error(printed: &Printed, words: &str) {
    let is_one_line = printed.stderr.lines().count() == 1 && printed.stderr.contains(words);
    let facts = (printed.code, is_one_line, printed.stdout.as_str());
    assert_eq!(facts, (Some(2), true, ""), "{printed:?}");
}

#[test]
fn an_invalid_port_is_a_usage_error() {
    let printed = run(&["list", "port:99999"]);
    assert_usage_error(&printed, "99999");
}

#[test]
fn an_unknown_command_suggests_the_right_one() {
    let printed = run(&["kill", "3000"]);
    let expected = "unknown command \"kill\". Did you mean `portmon free 3000`?";
    assert_usage_error(&printed, expected);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let _holder = OwnerProcess::listening();
    for arguments in [&["list"][..], &["list", "--json"], &["--help"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(PORTMON)
            .args(arguments)
            .stdout(writer)
            .output()
            .expect("an output");
        let printed = Printed::from(output);
        assert_eq!(printed.code, Some(0), "{arguments:?}: {printed:?}");
        let is_quiet = ["panic", "roken pipe"].map(|word| !printed.stderr.contains(word));
        assert_eq!(is_quiet, [true, true], "{printed:?}");
    }
}

#[test]
fn a_hostile_process_name_is_escaped() {
    let name = "\x1b[31mEVIL";
    let holder = OwnerProcess::named(name, listen("127.0.0.1:0"));
    let filter = holder.filter();
    for format in [&["list", &filter][..], &["list", "--json", &filter]] {
        let printed = run(format).stdout;
        let is_escaped = printed.contains("EVIL") && !printed.contains('\x1b');
        assert!(is_escaped, "{format:?}: {printed:?}");
    }
    assert_eq!(
        endpoint(&holder).pointer("/owners/0/name"),
        Some(&json!(name))
    );
}
