//! `portmon free` that a signal ends, and how long it watches a port that is free.

use std::fs;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{FreeOutput, command};
use crate::harness::emulator::TIMEOUT;
use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::{Printed, run};

/// Writes a line once it has got SIGTERM, and does not end.
const TELLS: &str = "trap 'echo got' TERM; echo; while :; do read -r line <&1 && exit; done";

/// portmon, once the holder has got its signal.
fn watching(holder: &mut OwnerProcess, words: &[&str]) -> Child {
    let portmon = command(words)
        .args(["--wait", "60", "--yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portmon runs");
    holder.wait_for_line();
    portmon
}

fn ended_by(signal: Signal, portmon: Child) -> Printed {
    kill_process(Pid::from_child(&portmon), signal).expect("portmon runs");
    portmon.wait_with_output().expect("an output").into()
}

#[test]
fn an_interrupted_freeing_says_what_was_sent() {
    let signals = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)];
    for (signal, code) in signals {
        let mut holder = OwnerProcess::running(TELLS);
        let port = holder.port.to_string();
        let portmon = watching(&mut holder, &[&port]);
        let freed = FreeOutput::from(ended_by(signal, portmon));
        let pid = holder.pid();
        freed.assert(code, "interrupted", &[(pid, "SIGTERM")], &[pid]);
        let words = format!(
            "Interrupted: SIGTERM was sent to {holder}; whether :{port} is free is not known. Try: portmon check {port}"
        );
        assert_eq!(freed.message, words);
    }
}

/// Waits until portmon has waited this often: once for each poll.
fn wait_for_polls(portmon: &Child, count: u64) {
    let waits = || {
        let status = fs::read_to_string(format!("/proc/{}/status", portmon.id()));
        let status = status.expect("portmon runs");
        let mut lines = status.lines();
        let line = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|line| line.trim().parse::<u64>().ok())
            .expect("a number")
    };
    let (before, end) = (waits(), Instant::now() + TIMEOUT);
    while waits() < before + count && Instant::now() < end {
        thread::yield_now();
    }
}

#[test]
fn of_several_ports_the_finished_ones_are_reported() {
    let (mut holder, mut ended) = (OwnerProcess::running(TELLS), OwnerProcess::listening());
    let ports = [&ended, &holder].map(|one| one.port.to_string());
    let words = ["--settle", "0", &ports[0], &ports[1]];
    let portmon = watching(&mut holder, &words);
    ended.wait_until_ended();
    wait_for_polls(&portmon, 10);
    let printed = ended_by(Signal::INT, portmon);
    let verdicts = printed.stdout.lines().map(|line| {
        let json: Value = serde_json::from_str(line).expect("JSON");
        json["verdict"].clone()
    });
    let verdicts: Vec<Value> = verdicts.collect();
    assert_eq!(verdicts, ["free", "interrupted"], "{printed:?}");
    assert_eq!(printed.code, Some(130));
}

/// How long it takes to free a port whose owner ends at once.
fn time_to_free(holder: &OwnerProcess) -> Duration {
    let began = Instant::now();
    let printed = run(&["free", &holder.port.to_string(), "--yes"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    began.elapsed()
}

#[test]
fn a_port_that_nothing_takes_again_is_watched_briefly() {
    // The test has started the owner, and is an ancestor of portmon.
    let is_brief = |_| time_to_free(&OwnerProcess::listening()) < Duration::from_secs(2);
    assert!((0..5).any(is_brief), "not even on an idle machine");
}

#[test]
fn what_a_script_has_started_may_come_back() {
    let script = "exec 3<&0 </dev/null
        sh -c 'echo; read -r line <&1' <&3 3<&- & exec 3<&-; wait";
    let took = time_to_free(&OwnerProcess::running(script));
    assert!(took >= Duration::from_secs(2), "{took:?}");
}
