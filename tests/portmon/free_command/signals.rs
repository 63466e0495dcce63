//! Why a process has not ended: what the kernel tells of its signal.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{FreeOutput, free};
use crate::harness::helper_process::{OwnerProcess, scratch, unique_name};
use crate::harness::launch::{PORTMON, Printed};
use crate::harness::requirements::{can_unshare, skipped};
use crate::harness::signal_helper::{SignalHelper, Takes};

#[track_caller]
fn assert_holds(freed: &FreeOutput, helper: &SignalHelper, words: &str) {
    freed.assert(3, "still_held", &[(helper.pid, "SIGTERM")], &[helper.pid]);
    freed.assert_says(&format!(" {} {words}", helper.pid));
}

#[test]
fn a_blocked_signal_that_a_thread_waits_for_was_delivered() {
    for takes in [Takes::Once, Takes::Always, Takes::ByDescriptor] {
        let helper = SignalHelper::blocking(takes);
        let freed = free(&[&helper.port.to_string(), "--wait", "1"]);
        assert_holds(
            &freed,
            &helper,
            "handles SIGTERM and is still shutting down",
        );
    }
}

#[test]
fn a_blocked_signal_that_nobody_takes_is_blocked() {
    let helper = SignalHelper::blocking(Takes::Never);
    let freed = free(&[&helper.port.to_string(), "--wait", "1"]);
    assert_holds(&freed, &helper, "blocks SIGTERM");
}

#[test]
fn a_handler_that_ignores_further_signals_has_taken_one() {
    let script = "trap 'trap \"\" TERM; read -r line <&1' TERM; echo; read -r line <&1";
    let holder = OwnerProcess::running(script);
    let freed = free(&[&holder.port.to_string(), "--wait", "1"]);
    freed.assert_says(&format!(
        "{holder} handles SIGTERM and is still shutting down"
    ));
}

#[test]
fn an_ignored_signal_is_told_at_once() {
    let holder = OwnerProcess::ignoring_sigterm();
    let began = Instant::now();
    let freed = free(&[&holder.port.to_string(), "--wait", "60"]);
    freed.assert_says(&format!("{holder} ignores SIGTERM"));
    assert_eq!(freed.code, Some(3));
    assert!(began.elapsed() < Duration::from_secs(30), "{freed:?}");
}

#[test]
fn a_suspended_process_has_not_taken_a_signal() {
    let holder = OwnerProcess::running("trap : QUIT; echo; read -r line <&1");
    holder.stop();
    let freed = free(&[&holder.port.to_string(), "--signal", "QUIT", "--wait", "1"]);
    freed.assert_says(&format!(
        "{holder} is suspended, and takes SIGQUIT only after SIGCONT"
    ));
}

/// As root: unshare(1) makes the first process of a namespace, which portmon here may see and signal.
fn has_pid_namespaces() -> bool {
    if !rustix::process::geteuid().is_root() {
        skipped("only root can make a PID namespace in which it is root here too");
        return false;
    }
    can_unshare(&["--pid", "--fork"])
}

#[test]
fn the_init_of_a_namespace_is_sent_no_unhandled_signal() {
    if !has_pid_namespaces() {
        return;
    }
    let helper = SignalHelper::first_of_namespace(Takes::Never);
    let port = helper.port.to_string();
    let began = Instant::now();
    let freed = free(&[&port, "--wait", "60"]);
    let words = "is the first process of its PID namespace and has no handler for SIGTERM";
    assert_holds(&freed, &helper, words);
    assert!(began.elapsed() < Duration::from_secs(30), "{freed:?}");
    let killed = free(&[&port, "--signal", "KILL"]);
    killed.assert(0, "free", &[(helper.pid, "SIGKILL")], &[]);
}

#[test]
fn a_dry_run_says_that_an_init_drops_the_signal() {
    if !has_pid_namespaces() {
        return;
    }
    let words = "is the first process of its PID namespace and has no handler for SIGTERM";
    for (takes, is_dropped) in [(Takes::Never, true), (Takes::ByDescriptor, false)] {
        let helper = SignalHelper::first_of_namespace(takes);
        let dry = free(&[&helper.port.to_string(), "--dry-run"]);
        assert_eq!(dry.message.contains(words), is_dropped, "{dry:#?}");
    }
}

/// Traces a child of this process, which goes on until the calling thread ends.
#[expect(unsafe_code, reason = "no safe call traces a process")]
fn trace(pid: u32) {
    let pid = i32::try_from(pid).expect("a pid");
    // SAFETY: PTRACE_SEIZE of ptrace(2) takes no address and no data.
    let traced = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, 0) };
    assert_eq!(traced, 0, "{:?}", std::io::Error::last_os_error());
}

#[test]
fn a_dry_run_says_that_an_owner_is_traced() {
    let holder = OwnerProcess::listening();
    let port = holder.port.to_string();
    trace(holder.pid());
    let tracer = std::process::id();
    for (signal, is_said) in [("TERM", true), ("KILL", false)] {
        let dry = free(&[&port, "--dry-run", "--signal", signal]);
        let words =
            format!("{holder} is traced by process {tracer}, which may withhold SIG{signal}");
        assert_eq!(dry.message.contains(&words), is_said, "{dry:#?}");
    }
}

#[test]
fn the_init_of_a_namespace_may_wait_for_the_signal() {
    if !has_pid_namespaces() {
        return;
    }
    let helper = SignalHelper::first_of_namespace(Takes::ByDescriptor);
    let freed = free(&[&helper.port.to_string(), "--wait", "1"]);
    assert_holds(
        &freed,
        &helper,
        "handles SIGTERM and is still shutting down",
    );
    // The mask of a thread in sigwait(3) does not tell for which signals it waits.
    let helper = SignalHelper::first_of_namespace(Takes::Always);
    let freed = free(&[&helper.port.to_string(), "--wait", "1"]);
    assert_holds(&freed, &helper, "has not ended 1 s after SIGTERM");
}

/// A hierarchy of control groups: how it is mounted, and how a group in it is frozen and thawed.
struct Freezer {
    mount: &'static str,
    file: &'static str,
    states: [&'static str; 2],
    has_frozen: &'static str,
}

const FREEZERS: [Freezer; 2] = [
    Freezer {
        mount: "-t cgroup2 none",
        file: "cgroup.freeze",
        states: ["1", "0"],
        has_frozen: "grep -qx 'frozen 1' $group/cgroup.events",
    },
    Freezer {
        mount: "-t cgroup -o freezer none",
        file: "freezer.state",
        states: ["FROZEN", "THAWED"],
        has_frozen: "grep -qx FROZEN $group/freezer.state",
    },
];

impl Freezer {
    /// Runs portmon while the process is in a group below a frozen one; `None` where that cannot be.
    fn run(&self, pid: u32, words: &[&str]) -> Option<Printed> {
        if !rustix::process::geteuid().is_root() {
            skipped("only root can freeze a control group");
            return None;
        }
        if !can_unshare(&["--mount"]) {
            return None;
        }
        let [frozen, thawed] = self.states;
        let (mount, file, has_frozen) = (self.mount, self.file, self.has_frozen);
        let script = format!(
            "mount {mount} $place 2>/dev/null || exit 77
            group=$place/$name; mkdir -p $group/inner || exit 77
            echo $pid > $group/inner/cgroup.procs && echo {frozen} > $group/{file} || exit 77
            until {has_frozen}; do :; done
            \"$@\"; code=$?
            echo {thawed} > $group/{file}; echo $pid > $place/cgroup.procs
            until rmdir $group/inner $group 2>/dev/null; do :; done
            exit $code"
        );
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script, "sh", PORTMON])
            .args(words)
            .env("place", scratch(&format!("freezer/{}", unique_name())))
            .env("name", unique_name())
            .env("pid", pid.to_string())
            .output();
        let printed = Printed::from(output.expect("unshare runs"));
        if printed.code == Some(77) {
            skipped(format_args!(
                "no control group can be frozen by mount {mount}"
            ));
            return None;
        }
        Some(printed)
    }
}

#[test]
fn a_frozen_process_has_not_taken_the_signal() {
    for freezer in FREEZERS {
        let script = "trap exit TERM; echo; read -r line <&1";
        let holder = OwnerProcess::running(script);
        let port = holder.port.to_string();
        let words = ["free", &port, "--yes", "--json", "--wait", "1"];
        let Some(printed) = freezer.run(holder.pid(), &words) else {
            continue;
        };
        let freed = FreeOutput::from(printed);
        let words = format!("{holder} is frozen, and takes SIGTERM only once it is thawed");
        freed.assert_says(&words);
    }
}

#[test]
fn a_dry_run_says_that_an_owner_is_frozen() {
    for freezer in FREEZERS {
        let holder = OwnerProcess::listening();
        let port = holder.port.to_string();
        let words = ["free", &port, "--dry-run", "--json"];
        let Some(printed) = freezer.run(holder.pid(), &words) else {
            continue;
        };
        let words = format!("{holder} is frozen, and takes SIGTERM only once it is thawed");
        FreeOutput::from(printed).assert_says(&words);
    }
}

#[test]
fn check_says_that_an_owner_is_frozen() {
    for freezer in FREEZERS {
        let holder = OwnerProcess::listening();
        let port = holder.port.to_string();
        let Some(printed) = freezer.run(holder.pid(), &["check", &port]) else {
            continue;
        };
        let words = format!("{holder} is frozen");
        assert!(printed.stdout.contains(&words), "{printed:?}");
    }
}
