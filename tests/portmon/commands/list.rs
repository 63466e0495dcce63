//! `portmon list`, and usage errors.

use std::fs;
use std::io;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::helper_process::{COMMAND, OwnerProcess, listen, unique_name};
use crate::harness::launch::PORTMON;

fn portmon(arguments: &[&str]) -> Output {
    Command::new(PORTMON)
        .args(arguments)
        .output()
        .expect("an output")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Filter for the socket of `holder`.
///
/// The port alone is not enough: the system may give it to a socket of the other protocol too, or leave connections of it
/// in TIME_WAIT.
fn filter_of(holder: &OwnerProcess) -> String {
    format!("port:{} pid:{}", holder.port, holder.pid())
}

/// The one endpoint that `portmon list --json` prints for `holder`.
fn endpoint(holder: &OwnerProcess) -> Value {
    let output = portmon(&["list", "--json", &filter_of(holder)]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
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
    let output = portmon(&["list", &filter_of(&holder)]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    let port = holder.port.to_string();
    let rows: Vec<&str> = printed
        .lines()
        .filter(|line| line.contains(&port))
        .collect();
    let has = |word: &str| rows.iter().all(|row| row.contains(word));
    assert_eq!(rows.len(), 1, "{printed}");
    assert!(
        has("127.0.0.1") && has("LISTEN") && has(&holder.pid().to_string()),
        "{printed}"
    );
}

#[test]
fn no_rows_are_exit_code_one() {
    let output = portmon(&["list", &format!("proc:{}", unique_name())]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
}

#[test]
fn json_is_one_object_with_the_fields_that_scripts_rely_on() {
    let output = portmon(&["list", "--json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
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
        "uid": rustix::process::getuid().as_raw(),
        "user": same("/user"),
        "owner_known": "yes",
        "owners": [{
            "pid": holder.pid(),
            "name": holder.name,
            "command": COMMAND,
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

#[test]
fn an_invalid_port_is_a_usage_error() {
    let output = portmon(&["list", "port:99999"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert_eq!(
        (message.lines().count(), message.contains("99999")),
        (1, true),
        "{message}"
    );
    assert_eq!(output.stdout, b"");
}

#[test]
fn an_unknown_command_suggests_the_right_one() {
    let output = portmon(&["kill", "3000"]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.contains("unknown command \"kill\". Did you mean `portmon free 3000`?"),
        "{message}"
    );
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
        let facts = (output.status.code(), text(&output.stderr));
        assert_eq!(facts.0, Some(0), "{arguments:?}: {facts:?}");
        assert!(
            !facts.1.contains("panic") && !facts.1.contains("roken pipe"),
            "{facts:?}"
        );
    }
}

#[test]
fn a_hostile_process_name_is_escaped() {
    let name = "\x1b[31mEVIL";
    let holder = OwnerProcess::named(name, listen("127.0.0.1:0"));
    let filter = format!("port:{}", holder.port);
    for format in [&["list", &filter][..], &["list", "--json", &filter]] {
        let output = portmon(format);
        assert!(text(&output.stdout).contains("EVIL"), "{format:?}");
        assert!(!output.stdout.contains(&0x1b), "{format:?}");
    }
    assert_eq!(
        endpoint(&holder).pointer("/owners/0/name"),
        Some(&json!(name))
    );
}
