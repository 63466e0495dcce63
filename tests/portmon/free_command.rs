//! `portmon free` with real processes: which exit, which run on, and the verdict.

pub mod addresses;
pub mod candidates;
mod confirmation;
pub mod connections;
mod interrupts;
mod left_over;
mod next_steps;
pub mod permissions;
pub mod shared_sockets;
mod signals;
mod survivors;
mod unread;

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::launch::{PORTMON, Printed};
use crate::harness::process_tree::wait_for_forks;

/// Output of one `portmon free --json` for one port.
#[derive(Debug)]
struct FreeOutput {
    code: Option<i32>,
    verdict: Option<String>,
    /// Pids and signals, in the order of sending.
    signalled: Vec<(u64, String)>,
    /// Pids that still hold the port.
    holders: Vec<u64>,
    after_seconds: Option<f64>,
    message: String,
    /// Text on standard error.
    found: String,
    json: Value,
}

impl FreeOutput {
    fn from(output: impl Into<Printed>) -> Self {
        let printed = output.into();
        let json: Value = serde_json::from_str(&printed.stdout)
            .unwrap_or_else(|error| panic!("{error}: {printed:?}"));
        let list = |key: &str| {
            let list = json.get(key).and_then(Value::as_array);
            list.expect("a list").clone()
        };
        let pid = |of: &Value| of.get("pid").and_then(Value::as_u64).expect("a pid");
        let word = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            code: printed.code,
            verdict: word(&json, "verdict"),
            signalled: list("signalled")
                .iter()
                .map(|one| (pid(one), word(one, "signal").expect("a signal")))
                .collect(),
            holders: list("holders").iter().map(pid).collect(),
            after_seconds: json.get("after_seconds").and_then(Value::as_f64),
            message: word(&json, "message").expect("a message"),
            found: printed.stderr,
            json,
        }
    }

    /// Asserts the exit code, the verdict, the signals sent and the pids that still hold the port.
    fn assert(&self, code: i32, verdict: &str, signalled: &[(u32, &str)], holders: &[u32]) {
        let sent: Vec<(u64, String)> = signalled
            .iter()
            .map(|(pid, signal)| (u64::from(*pid), (*signal).to_owned()))
            .collect();
        let holders: Vec<u64> = holders.iter().copied().map(u64::from).collect();
        assert_eq!(
            (
                self.code,
                self.verdict.as_deref(),
                &self.signalled,
                &self.holders
            ),
            (Some(code), Some(verdict), &sent, &holders),
            "{self:#?}"
        );
    }

    /// Number of processes that a dry run names.
    fn would_signal(&self) -> usize {
        let would = self.json.get("would_signal").and_then(Value::as_array);
        would.expect("a list").len()
    }

    /// The signals that a dry run names.
    fn would_signals(&self) -> Vec<&str> {
        let would = self.json.get("would_signal").and_then(Value::as_array);
        let would = would.expect("a list").iter();
        would
            .filter_map(|one| one.get("signal").and_then(Value::as_str))
            .collect()
    }

    fn assert_says(&self, words: &str) {
        assert!(self.message.contains(words), "{words:?} in {self:#?}");
    }
}

/// portmon without a terminal, with a short `--settle` unless one is given.
fn command(words: &[&str]) -> Command {
    wait_for_forks();
    let mut command = Command::new(PORTMON);
    command.args(["free", "--json"]).args(words);
    if !words.contains(&"--settle") {
        command.args(["--settle", "0.2"]);
    }
    command.stdin(Stdio::null());
    command
}

/// `portmon free` with these words, confirmed.
fn free(words: &[&str]) -> FreeOutput {
    FreeOutput::from(command(words).arg("--yes").output().expect("an output"))
}
