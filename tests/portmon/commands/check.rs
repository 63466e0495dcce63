//! `portmon check`, and `w` in the terminal: whether a port can be used.

use std::net::{TcpListener, UdpSocket};

use serde_json::{Value, json};

use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::{PORTMON, run, run_by};
use crate::harness::requirements::{NOBODY, can_be_nobody};
use crate::harness::terminal::Terminal;

/// The exit code and the output.
fn check(arguments: &[&str]) -> (Option<i32>, String) {
    let printed = run(&[&["check"], arguments].concat());
    (printed.code, printed.stdout)
}

/// A port that was unused a moment ago.
pub fn unused_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn a_free_port_is_reported_first_with_exit_code_zero() {
    let (code, printed) = check(&[&unused_port().to_string()]);
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.starts_with("FREE :"), "{printed}");
    assert!(
        printed.ends_with("tested with 8 binds, each closed immediately\n"),
        "{printed}"
    );
}

#[test]
fn a_held_port_is_reported_first_with_its_owner() {
    let mut holder = OwnerProcess::listening();
    let (code, printed) = check(&[&holder.port.to_string()]);
    assert_eq!(code, Some(1), "{printed}");
    let begin = format!("HELD :{} by {} {}", holder.port, holder.name, holder.pid());
    assert!(printed.starts_with(&begin), "{printed}");
    assert!(holder.is_alive());
}

#[test]
fn nothing_holds_or_answers_on_an_address_of_another_machine() {
    let holder = OwnerProcess::listening_on("0.0.0.0:0");
    // Of TEST-NET-3 (RFC 5737), which no machine has.
    let at = format!("203.0.113.9:{}", holder.port);
    let (code, printed) = check(&[&at, "--connect"]);
    assert_eq!(code, Some(1), "{printed}");
    let begin = format!("HELD {at}: this machine has no such address\n");
    assert!(printed.starts_with(&begin), "{printed}");
    for line in [
        format!("{at} not an address of this machine\n"),
        format!("on another address: {holder} of "),
        "not tested: every bind failed before it reached the port\n".to_owned(),
    ] {
        assert!(printed.contains(&line), "{line} in {printed}");
    }
}

#[test]
fn a_port_is_taken_in_every_form_that_the_filter_takes() {
    let holder = OwnerProcess::listening();
    let port = holder.port;
    for text in [
        format!("http://localhost:{port}/x?y"),
        format!("http://dev:pw@127.0.0.1:{port}"),
        format!("{port}/TCP"),
        format!("127.0.0.1:{port}->80/tcp"),
    ] {
        let (code, printed) = check(&[&text]);
        assert_eq!(code, Some(1), "{text}: {printed}");
        assert!(printed.contains(&holder.to_string()), "{printed}");
    }
}

#[test]
fn udp_and_tcp_of_one_port_are_checked_apart() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port();
    drop(socket);
    let holder = OwnerProcess::bound_to_udp();
    let (udp, _) = check(&[&format!("{}/udp", holder.port)]);
    assert_eq!(udp, Some(1));
    let (other, _) = check(&[&format!("{port}/udp")]);
    assert_eq!(other, Some(0));
}

#[test]
fn json_has_the_same_verdict() {
    let holder = OwnerProcess::listening();
    let (code, printed) = check(&[&holder.port.to_string(), "--json"]);
    let value: Value = serde_json::from_str(&printed).expect("JSON");
    let facts = ["/verdict", "/protocol", "/holders/0/pid", "/connects"]
        .map(|pointer| value.pointer(pointer).cloned());
    let expected = [
        json!("held"),
        json!("tcp"),
        json!(holder.pid()),
        Value::Null,
    ];
    assert_eq!((code, facts), (Some(1), expected.map(Some)), "{value:#}");
}

#[test]
fn a_word_that_is_not_a_port_is_exit_code_two() {
    for word in ["http", "0", "3000-3010", ""] {
        let (code, printed) = check(&[word]);
        assert_eq!((code, printed.as_str()), (Some(2), ""), "{word:?}");
    }
}

#[test]
fn another_user_sees_the_owner_and_what_is_not_permitted() {
    if !can_be_nobody(PORTMON.as_ref()) {
        return;
    }
    let holder = OwnerProcess::listening();
    let port = holder.port.to_string();
    let printed = run_by(&NOBODY, &["check", &port]).stdout;
    let begin = format!("HELD :{port} by a hidden process of root on 127.0.0.1:{port}\n");
    assert!(printed.starts_with(&begin), "{printed}");
    assert!(
        printed.contains("(owner hidden; sudo shows it)"),
        "{printed}"
    );
}

#[test]
fn w_opens_the_check_dialog_and_c_connects() {
    let mut holder = OwnerProcess::listening();
    let port = holder.port;
    let terminal = Terminal::portmon(&["--read-only", &format!("port:{port} state:listen")]);
    terminal.wait_for("the listener", |display| display.shows(port));
    terminal.keys("w");
    let words = [
        format!("HELD :{port} by {} {}", holder.name, holder.pid()),
        "tested with 8 binds, each closed immediately".to_owned(),
    ];
    terminal.wait_for("the answer", |display| {
        words.iter().all(|words| display.says(words))
    });
    terminal.keys("c");
    let connected = format!("127.0.0.1:{port} connected in ");
    terminal.wait_for("the connection", |display| {
        display.says(&connected) && display.says("no answer to GET /")
    });
    terminal.keys("q");
    terminal.wait_for("the table", |display| {
        !display.says("tested with") && display.shows(port)
    });
    assert!(holder.is_alive());
}
