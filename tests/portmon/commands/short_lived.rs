//! `portmon watch`: connections that open and close between two polls.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::commands::watch::{OutputLines, WatchProcess};
use crate::harness::emulator::TIMEOUT;
use crate::harness::helper_process::listen;
use crate::harness::launch::run;

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

/// The lines of a watch that has subscribed to closed sockets: before that it reports nothing.
fn subscribed(watch: &mut WatchProcess, listener: &TcpListener) -> OutputLines {
    let lines = OutputLines::from(watch);
    let beginning = Instant::now();
    while lines.0.recv_timeout(Duration::from_millis(100)).is_err() {
        assert!(beginning.elapsed() < TIMEOUT, "nothing is told");
        brief_connection(listener);
    }
    lines
}

#[test]
fn short_lived_connections_are_shown_with_the_listeners_owner() {
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let filter = format!("port:{port}");
    let words = ["watch", "-n", "2", "--json", "--all", &filter];
    let mut watch = WatchProcess::run(&words, Stdio::piped());
    let lines = subscribed(&mut watch, &listener);
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

fn event_of(line: &str) -> (String, u64) {
    let event: Value = serde_json::from_str(line).expect("JSON");
    let word = event.get("event").and_then(Value::as_str).expect("a word");
    let port = event
        .pointer("/endpoint/local/port")
        .and_then(Value::as_u64);
    (word.to_owned(), port.unwrap_or(0))
}

#[test]
fn bind_probes_of_another_portmon_are_no_events() {
    // On an address of its own, where nothing else takes a port.
    let ip = "127.83.19.7";
    let sentinel = listen(&format!("{ip}:0"));
    let own = sentinel.local_addr().expect("an address").port();
    let free = listen(&format!("{ip}:0")).local_addr().expect("an address");
    let filter = format!("addr:{ip}");
    let words = ["watch", "-n", "0.5", "--json", "--all", &filter];
    let mut watch = WatchProcess::run(&words, Stdio::piped());
    let lines = subscribed(&mut watch, &sentinel);
    for _ in 0..5 {
        run(&["check", &free.to_string()]);
        run(&["check", &format!("{free}/udp")]);
    }
    // What comes after them is told, and they are not.
    brief_connection(&sentinel);
    let listening = listen(&free.to_string());
    let first = loop {
        let event = event_of(&lines.0.recv_timeout(TIMEOUT).expect("a line"));
        if event.1 != u64::from(own) {
            break event;
        }
    };
    assert_eq!(first, ("opened".to_owned(), u64::from(free.port())));
    drop(listening);
}

/// True if the kernel has dropped messages of a netlink socket of this process: the ninth column of `/proc/net/netlink`.
fn has_dropped(pid: u32) -> bool {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors");
    let links = fds.flatten().filter_map(|fd| fs::read_link(fd.path()).ok());
    let own: Vec<String> = links.map(|link| link.display().to_string()).collect();
    let table = fs::read_to_string("/proc/net/netlink").expect("a table");
    table.lines().skip(1).any(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let is_own = |inode: &&str| own.contains(&format!("socket:[{inode}]"));
        columns.get(9).is_some_and(is_own) && columns.get(8).is_some_and(|drops| *drops != "0")
    })
}

#[test]
fn a_watch_that_may_have_missed_some_says_so() {
    let sentinel = listen("127.0.0.1:0");
    let own = sentinel.local_addr().expect("an address").port();
    let words = [
        "watch",
        "-n",
        "0.2",
        "--json",
        "--all",
        &format!("port:{own}"),
    ];
    let mut watch = WatchProcess::run(&words, Stdio::piped());
    let lines = subscribed(&mut watch, &sentinel);
    let pid = Pid::from_child(&watch.portmon);
    kill_process(pid, Signal::STOP).expect("it runs");
    let beginning = Instant::now();
    while !has_dropped(watch.portmon.id()) {
        assert!(beginning.elapsed() < TIMEOUT, "the queue is never full");
        for _ in 0..1000 {
            UdpSocket::bind("127.0.0.1:0").expect("a port");
        }
    }
    kill_process(pid, Signal::CONT).expect("it is there");
    loop {
        let line = lines.0.recv_timeout(TIMEOUT).expect("a line");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        if event.get("event").and_then(Value::as_str) == Some("missed") {
            assert!(event.get("at").is_some_and(Value::is_string), "{line}");
            return;
        }
    }
}

/// The next event of a listener.
fn listener_event(lines: &OutputLines) -> String {
    loop {
        let line = lines.0.recv_timeout(TIMEOUT).expect("a line");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        if event
            .pointer("/endpoint/remote")
            .is_some_and(Value::is_null)
        {
            return event_of(&line).0;
        }
    }
}

#[test]
fn a_restart_is_told_once() {
    let before = listen("127.0.0.1:0");
    let at = before.local_addr().expect("an address");
    let filter = format!("port:{}", at.port());
    let words = ["watch", "-n", "0.1", "--json", "--all", &filter];
    let mut watch = WatchProcess::run(&words, Stdio::piped());
    // Its polls have seen the listener before they told of a connection.
    let lines = subscribed(&mut watch, &before);
    drop(before);
    assert_eq!(listener_event(&lines), "closed");
    let _after = listen(&at.to_string());
    assert_eq!(listener_event(&lines), "opened");
}
