//! `portmon watch`: connections that open and close between two polls.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::commands::watch::{OutputLines, WatchProcess};
use crate::harness::emulator::TIMEOUT;
use crate::harness::helper_process::listen;

/// A connection that is closed at once and leaves no TIME_WAIT: closing with unread data resets it.
fn brief_connection(listener: &TcpListener) -> u16 {
    let to = listener.local_addr().expect("an address");
    let mut client = TcpStream::connect(to).expect("a connection");
    let (server, from) = listener.accept().expect("a connection");
    client.write_all(b"unread").expect("it is sent");
    server.peek(&mut [0]).expect("it has come");
    from.port()
}

/// The remote port, the event and the first owner.
fn parsed_line(line: &str) -> (u64, String, u64) {
    let event: Value = serde_json::from_str(line).expect("JSON");
    let number = |at| event.pointer(at).and_then(Value::as_u64).unwrap_or(0);
    let word = event.get("event").and_then(Value::as_str).expect("a word");
    let holder = number("/endpoint/owners/0/pid");
    (number("/endpoint/remote/port"), word.to_owned(), holder)
}

#[test]
fn short_lived_connections_are_shown_with_the_listeners_owner() {
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let filter = format!("port:{port}");
    let words = ["watch", "-n", "2", "--json", "--all", &filter];
    let mut watch = WatchProcess::run(&words, Stdio::piped());
    let lines = OutputLines::from(&mut watch);
    // It reports nothing before it has subscribed to closed sockets.
    let beginning = Instant::now();
    while lines.0.recv_timeout(Duration::from_millis(100)).is_err() {
        assert!(beginning.elapsed() < TIMEOUT, "nothing is told");
        brief_connection(&listener);
    }
    // Far fewer than the kernel queues.
    let ports: Vec<u16> = (0..20).map(|_| brief_connection(&listener)).collect();
    let own = u64::from(std::process::id());
    let expected = ports
        .iter()
        .flat_map(|port| ["opened", "closed"].map(|word| (u64::from(*port), word.to_owned(), own)));
    let mut expected: Vec<_> = expected.collect();
    let mut seen = Vec::new();
    while seen.len() < expected.len() {
        let line = parsed_line(&lines.0.recv_timeout(TIMEOUT).expect("a line"));
        seen.extend(expected.contains(&line).then_some(line));
    }
    // The kernel reports from several processors, so not always in the order in which they closed.
    let one_by_one = |some: &[(u64, String, u64)]| some.iter().map(|one| one.0).collect::<Vec<_>>();
    let pairs = one_by_one(&seen);
    assert!(pairs.chunks(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    let words: Vec<&str> = seen.iter().map(|one| one.1.as_str()).collect();
    assert_eq!(words, ["opened", "closed"].repeat(ports.len()));
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}
