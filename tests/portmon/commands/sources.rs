//! `--source`: every source lists the same sockets, also to another user.

use std::net::UdpSocket;

use serde_json::{Value, json};

use crate::harness::helper_process::{OwnerProcess, listen};
use crate::harness::launch::{PORTMON, run, run_by};
use crate::harness::requirements::{NOBODY, can_be_nobody};

const SOURCES: [&str; 3] = ["sock_diag", "netstat2", "proc"];

/// The endpoints of a port, listed by a portmon that `program` runs if it is not empty.
fn endpoints(program: &[&str], source: &str, port: u16) -> Vec<Value> {
    let filter = format!("port:{port}");
    let words = ["list", "--all", "--json", "--source", source, &filter];
    let listed = run_by(program, &words);
    let facts = (listed.code, listed.stderr.as_str());
    assert_eq!(facts, (Some(0), ""), "{source}");
    let printed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let endpoints = printed.get("endpoints").and_then(Value::as_array);
    endpoints.expect("endpoints").clone()
}

#[test]
fn every_source_lists_the_same_row_of_a_listener() {
    let holder = OwnerProcess::listening();
    let [diag, netstat, proc] = SOURCES.map(|source| endpoints(&[], source, holder.port));
    assert_eq!(diag.len(), 1, "{diag:#?}");
    assert_eq!(netstat, diag);
    assert_eq!(proc, diag);
}

#[test]
fn sources_differ_only_in_the_state_of_a_udp_socket() {
    let holder = OwnerProcess::bound_to_udp();
    let [diag, mut netstat, proc] = SOURCES.map(|source| endpoints(&[], source, holder.port));
    assert_eq!(diag.len(), 1, "{diag:#?}");
    assert_eq!(proc, diag);
    let state = netstat.first_mut().and_then(|row| row.get_mut("state"));
    let state = state.expect("a state");
    assert_eq!(*state, Value::Null);
    *state = json!("unconn");
    assert_eq!(netstat, diag);
}

#[test]
fn a_source_without_close_events_says_so() {
    for source in ["netstat2", "proc"] {
        let words = ["watch", "--for", "0.3", "--source", source, "port:1"];
        let watched = run(&words);
        let expected = "portmon: sockets that open and close between two polls are missed: \
                        this source does not report closed sockets\n";
        let facts = (watched.code, watched.stderr.as_str());
        assert_eq!(facts, (Some(0), expected));
    }
}

#[test]
fn another_user_sees_a_root_socket_with_a_hidden_owner() {
    if !can_be_nobody(PORTMON.as_ref()) {
        return;
    }
    let listener = listen("127.0.0.1:0");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let ports = [listener.local_addr(), udp.local_addr()].map(|at| at.expect("an address").port());
    for source in SOURCES {
        for port in ports {
            let mut found = endpoints(&NOBODY, source, port);
            // Other tests may have connections to or from the same port number.
            found.retain(|row| row.get("remote").is_none_or(Value::is_null));
            let facts = found.iter().map(|row| {
                ["user", "uid", "owner_known", "owners"].map(|key| row.get(key).cloned())
            });
            let expected = [json!("root"), json!(0), json!("hidden"), json!([])].map(Some);
            assert_eq!(facts.collect::<Vec<_>>(), [expected], "{source}");
        }
    }
}
