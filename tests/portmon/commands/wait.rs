//! `portmon wait`: until a port listens, until it is free, and the timeout.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Output, Stdio};

use socket2::{Domain, Socket, Type};

use crate::free_command::connections::{leave_time_wait, server};
use crate::harness::helper_process::{OwnerProcess, listen};
use crate::harness::launch::PORTMON;

fn wait(words: &[&str]) -> Child {
    Command::new(PORTMON)
        .arg("wait")
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portmon")
}

/// The exit code, and both outputs without the time it took.
fn outcome(output: &Output) -> (Option<i32>, String, String) {
    let said = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let (before, time) = text.split_once(" after ").unwrap_or((&text, ""));
        let rest = time.split_once(": ").map_or("", |(_, rest)| rest);
        format!("{before}|{rest}").trim_end().to_owned()
    };
    (
        output.status.code(),
        said(&output.stdout),
        said(&output.stderr),
    )
}

fn done(words: &[&str]) -> (Option<i32>, String, String) {
    outcome(&wait(words).wait_with_output().expect("an end"))
}

/// A bound TCP socket that does not listen.
fn bound() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("a port");
    let at = socket.local_addr().expect("an address").as_socket();
    (socket, at.expect("an IP address").port())
}

#[test]
fn it_waits_until_a_socket_listens_and_names_the_owner() {
    let (socket, port) = bound();
    let words = port.to_string();
    let own = std::process::id().to_string();
    let (code, out, said) = done(&[&words, "--timeout", "0"]);
    assert_eq!((code, out.as_str()), (Some(124), "|"));
    assert!(
        said.starts_with(&format!("portmon: :{port} is not listening|")),
        "{said}"
    );

    let waiting = wait(&[&words, "--timeout", "60"]);
    socket.listen(1).expect("it listens");
    let (code, out, said) = outcome(&waiting.wait_with_output().expect("an end"));
    assert_eq!((code, said.as_str()), (Some(0), "|"));
    assert!(
        out.starts_with(&format!(":{port} is listening|"))
            && out.contains(&format!(" {own} on 127.0.0.1")),
        "{out}"
    );
    // A listener on another address does not count.
    let (code, _, said) = done(&[&words, "--address", "::1", "--timeout", "0"]);
    assert_eq!(code, Some(124), "{said}");
    assert!(
        said.contains(&format!("[::1]:{port} is not listening|"))
            && said.ends_with("listens on 127.0.0.1"),
        "{said}"
    );
}

#[test]
fn it_waits_until_a_port_is_free_and_can_be_bound() {
    let mut holder = OwnerProcess::listening();
    let port = holder.port.to_string();
    let (code, _, said) = done(&[&port, "--free", "--timeout", "0"]);
    let expected = format!(
        "portmon: :{port} is not free|{} {} listens on 127.0.0.1",
        holder.name,
        holder.pid()
    );
    assert_eq!((code, said), (Some(124), expected));
    assert!(holder.is_alive());

    let waiting = wait(&[&port, "--free", "--timeout", "60"]);
    holder.end();
    let output = waiting.wait_with_output().expect("an end");
    let expected = (Some(0), format!(":{port} is free|"), "|".to_owned());
    assert_eq!(outcome(&output), expected);
}

#[test]
fn a_bound_socket_that_never_listens_holds_the_port() {
    let (socket, port) = bound();
    let (code, _, said) = done(&[&port.to_string(), "--free", "--timeout", "0.2"]);
    assert_eq!(code, Some(124), "{said}");
    drop(socket);
}

#[test]
fn an_unowned_port_is_free_only_if_a_bind_succeeds() {
    let outcomes = [true, false].map(|has_reuse| {
        let server = server(has_reuse);
        leave_time_wait(&server);
        let port = server.local_addr().expect("an address").port();
        drop(server);
        let (code, out, said) = done(&[&port.to_string(), "--free", "--timeout", "0.2"]);
        (
            code,
            out,
            said.contains("only connections remain (")
                && said.contains(" TIME_WAIT), so a bind fails: "),
        )
    });
    let [(with, out, _), (without, _, is_answered)] = outcomes;
    assert_eq!((with, without, is_answered), (Some(0), Some(124), true));
    assert!(out.contains(" is free|"), "{out}");
}

/// Of TEST-NET-3 (RFC 5737), which no machine has.
const FOREIGN: &str = "203.0.113.9";

#[test]
fn no_listener_is_on_an_address_that_this_machine_lacks() {
    let holder = OwnerProcess::listening_on("0.0.0.0:0");
    let at = format!("{FOREIGN}:{}", holder.port);
    let missing = |what: &str| {
        let said = format!("portmon: {at} is not {what}|this machine has no such address");
        (Some(124), "|".to_owned(), said)
    };
    assert_eq!(done(&[&at, "--timeout", "0"]), missing("listening"));
    assert_eq!(done(&[&at, "--free", "--timeout", "0"]), missing("free"));
    assert_eq!(
        done(&[&at, "--http", "--timeout", "0"]),
        missing("listening")
    );
}

#[test]
fn a_client_is_named_by_the_connection_that_it_has() {
    let listener = listen("127.0.0.1:0");
    let at = listener.local_addr().expect("an address");
    let client = TcpStream::connect(at).expect("a connection");
    let own = client.local_addr().expect("an address").port().to_string();
    let (code, _, said) = done(&[&own, "--free", "--timeout", "0"]);
    let uses = format!(
        " {} uses it for a connection to :{}, so",
        std::process::id(),
        at.port()
    );
    assert_eq!(code, Some(124), "{said}");
    assert!(said.contains(&uses), "{said}");
}

#[test]
fn a_udp_socket_is_waited_for_by_its_protocol() {
    let mut holder = OwnerProcess::bound_to_udp();
    let words = format!("{}/udp", holder.port);
    let expected = format!(
        ":{words} is listening|{} {} on 127.0.0.1",
        holder.name,
        holder.pid()
    );
    assert_eq!(
        done(&[&words, "--timeout", "60"]),
        (Some(0), expected, "|".to_owned())
    );
    let waiting = wait(&[&words, "--free", "--timeout", "60"]);
    holder.end();
    let (code, out, _) = outcome(&waiting.wait_with_output().expect("an end"));
    assert_eq!((code, out), (Some(0), format!(":{words} is free|")));
}
