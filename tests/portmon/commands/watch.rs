//! `portmon watch`: sockets that open and close.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::commands::list::assert_usage_error;
use crate::harness::emulator::TIMEOUT;
use crate::harness::helper_process::{OwnerProcess, listen, unique_name};
use crate::harness::launch::{PORTMON, run};

/// Lifetime of an owner that several polls must see.
const SEVERAL_POLLS: Duration = Duration::from_millis(500);

/// A running `portmon watch`, by default for the processes of one name.
pub struct WatchProcess {
    name: String,
    pub portmon: Child,
    /// Its standard error, sent when it exits.
    errors: Receiver<String>,
}

impl WatchProcess {
    fn start(words: &[&str], out: impl Into<Stdio>) -> Self {
        let name = unique_name();
        let filter = format!("proc:{name}");
        let words = [&["watch", "-n", "0.1", &filter], words].concat();
        let mut watch = Self::run(&words, out);
        watch.name = name;
        watch
    }

    pub fn run(words: &[&str], out: impl Into<Stdio>) -> Self {
        let mut portmon = Command::new(PORTMON)
            .args(words)
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .expect("portmon");
        let mut stderr = portmon.stderr.take().expect("a pipe");
        let (sender, errors) = channel();
        thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).expect("text");
            sender.send(said).ok();
        });
        Self {
            name: String::new(),
            portmon,
            errors,
        }
    }

    fn holder(&self) -> OwnerProcess {
        OwnerProcess::named(&self.name, listen("127.0.0.1:0"))
    }

    /// Kills it; returns its exit status and its standard error.
    fn end(&mut self) -> (ExitStatus, String) {
        let said = self.errors.recv_timeout(TIMEOUT).expect("an end");
        (self.portmon.wait().expect("a status"), said)
    }
}

impl Drop for WatchProcess {
    fn drop(&mut self) {
        // It may have exited already.
        self.portmon.kill().ok();
        self.portmon.wait().expect("a status");
    }
}

/// The lines of a watch that has polled at least once.
pub struct OutputLines(pub Receiver<String>);

impl OutputLines {
    /// The lines from now on.
    pub fn from(watch: &mut WatchProcess) -> Self {
        let reader = BufReader::new(watch.portmon.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in reader.lines() {
                if sender.send(line.expect("text")).is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    /// Sockets of the first poll are no events: opens and closes sockets until one is reported.
    fn of(watch: &mut WatchProcess) -> Self {
        let beginning = Instant::now();
        let lines = Self::from(watch);
        while beginning.elapsed() < TIMEOUT {
            let _holder = watch.holder();
            if lines.0.recv_timeout(SEVERAL_POLLS).is_ok() {
                return lines;
            }
        }
        panic!("nothing was told");
    }

    /// A process whose first line is as expected, and the line.
    ///
    /// The test itself is the owner until the child has the socket, and a poll may see that. So several are tried.
    fn owner_shown_as(
        &self,
        is_expected: impl Fn(&str, &OwnerProcess) -> bool,
        watch: &WatchProcess,
    ) -> (OwnerProcess, String) {
        let mut unlucky = Vec::new();
        while unlucky.len() < 10 {
            let holder = watch.holder();
            let line = self.about(holder.port);
            if is_expected(&line, &holder) {
                return (holder, line);
            }
            unlucky.push(line);
        }
        panic!("never as expected: {unlucky:#?}");
    }

    /// The next line about a port.
    fn about(&self, port: u16) -> String {
        let port = format!(":{port}");
        loop {
            let line = self.0.recv_timeout(TIMEOUT).expect("a line");
            if line.contains(&port) {
                return line;
            }
        }
    }
}

#[test]
fn a_listener_is_reported_when_it_opens_and_closes() {
    let mut watch = WatchProcess::start(&[], Stdio::piped());
    let lines = OutputLines::of(&mut watch);
    let line = |event, holder: &OwnerProcess| {
        let (port, pid) = (holder.port, holder.pid());
        format!("{event} tcp 127.0.0.1:{port} LISTEN {} {pid}", holder.name)
    };
    let words = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().skip(1).take(6).collect();
        words.join(" ")
    };
    let is_opened = |told: &str, holder: &OwnerProcess| words(told) == line("opened", holder);
    let (mut holder, _) = lines.owner_shown_as(is_opened, &watch);
    holder.end();
    assert_eq!(words(&lines.about(holder.port)), line("closed", &holder));
}

#[test]
fn json_is_one_object_per_line() {
    let mut watch = WatchProcess::start(&["--json"], Stdio::piped());
    let lines = OutputLines::of(&mut watch);
    let json = |line: &str| -> Value { serde_json::from_str(line).expect("JSON") };
    let is_opened = |told: &str, holder: &OwnerProcess| {
        let listed = json(&run(&["list", "--json", &holder.filter()]).stdout);
        let told = json(told);
        let expected = json!({
            "event": "opened",
            "at": told.get("at"),
            "endpoint": listed.pointer("/endpoints/0"),
        });
        told == expected
    };
    let (mut holder, opened) = lines.owner_shown_as(is_opened, &watch);
    let opened = json(&opened);
    holder.end();
    let closed = json(&lines.about(holder.port));
    let at = |event: &Value| event.get("at").map(ToString::to_string);
    let expected = json!({
        "event": "closed",
        "at": closed.get("at"),
        "endpoint": opened.get("endpoint"),
    });
    assert_eq!(closed, expected);
    assert!(at(&closed) > at(&opened), "{closed}");
}

#[test]
fn it_exits_after_its_time_limit() {
    let watched = run(&["watch", "--for", "0.3", &format!("proc:{}", unique_name())]);
    assert_eq!((watched.code, watched.stdout.as_str()), (Some(0), ""));
}

#[test]
fn it_exits_quietly_when_its_output_is_closed() {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    let mut watch = WatchProcess::start(&[], writer);
    let beginning = Instant::now();
    while beginning.elapsed() < TIMEOUT {
        let _holder = watch.holder();
        if let Ok(said) = watch.errors.recv_timeout(SEVERAL_POLLS) {
            let status = watch.portmon.wait().expect("a status");
            assert_eq!((status.code(), said.as_str()), (Some(0), ""));
            return;
        }
    }
    panic!("it goes on although nobody reads");
}

#[test]
fn a_signal_ends_it_as_it_ends_any_program() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut watch = WatchProcess::start(&[], Stdio::piped());
        let _lines = OutputLines::of(&mut watch);
        let pid = Pid::from_child(&watch.portmon);
        kill_process(pid, signal).expect("it runs");
        let (status, said) = watch.end();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{said}");
    }
}

#[test]
fn an_invalid_interval_is_a_usage_error() {
    let refused = run(&["watch", "-n", "0"]);
    assert_usage_error(&refused, "out of range: 0 (0.1 to 3600 seconds)");
}
