//! Children that hold sockets for a test, and end with it.
#![cfg(target_os = "linux")]

use crate::model::process::Pid;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A child with a socket as its standard input.
pub struct Held {
    child: Child,
    /// Processes that it told of, which its own end would leave behind.
    others: Vec<Pid>,
}

impl Held {
    pub fn pid(&self) -> Pid {
        Pid(self.child.id())
    }

    pub fn others(&self) -> &[Pid] {
        &self.others
    }

    /// Its own pid and those it told of.
    pub fn all(&self) -> Vec<Pid> {
        [self.pid()]
            .into_iter()
            .chain(self.others.clone())
            .collect()
    }

    /// Waits for the child itself to end; what it told of lives on.
    pub fn wait(&mut self) {
        self.child.wait().expect("the child ends");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        for pid in &self.others {
            let pid = i32::try_from(pid.0)
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            let kill = rustix::process::Signal::KILL;
            // It may have ended already, which is just as well.
            let _ = pid.map(|pid| rustix::process::kill_process(pid, kill));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A `sleep` that holds the socket.
pub fn sleeper(socket: impl Into<OwnedFd>) -> Held {
    let child = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::from(socket.into()))
        .spawn()
        .expect("sleep runs");
    Held {
        child,
        others: Vec::new(),
    }
}

/// A shell that runs `script` with the socket as descriptor 3 and prints the pids of `count` children it started.
///
/// Descriptor 3, because what a shell runs in the background has /dev/null as its standard input.
pub fn shell(socket: impl Into<OwnedFd>, script: &str, count: usize) -> Held {
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec 3<&0; {script}")])
        .stdin(Stdio::from(socket.into()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let output = child.stdout.take().expect("a pipe");
    let others = BufReader::new(output)
        .lines()
        .take(count)
        .map(|line| Pid(line.expect("a line").parse().expect("a pid")))
        .collect();
    Held { child, others }
}

/// A shell that runs `script` and may be told to go on by closing the pipe to it.
pub fn waiting(script: &str) -> (Held, impl Write + use<>) {
    let mut child = Command::new("sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .spawn()
        .expect("sh runs");
    let input = child.stdin.take().expect("a pipe");
    let others = Vec::new();
    (Held { child, others }, input)
}

/// Asks until there is an answer, for ten seconds at most: some questions are answered faster than a child starts.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "never seen: {what}");
        std::thread::yield_now();
    }
}
