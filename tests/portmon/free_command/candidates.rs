//! Who probably holds a port: processes whose descriptors are closed even to their own user.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::FreeOutput;
use super::permissions::may_be_nobody;
use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::{Launch, PORTMON, Printed, run_by};
use crate::harness::requirements::skipped;
use crate::harness::terminal::Terminal;

/// A user whom nothing else on this machine has.
pub struct OwnUser {
    uid: u32,
    words: [String; 6],
}

impl OwnUser {
    /// Returns `None` where the test cannot become another user.
    #[track_caller]
    pub fn new() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let uid = 100_000 + process::id() * 64 + COUNT.fetch_add(1, Ordering::Relaxed);
        let name = uid.to_string();
        let words = [
            "setpriv",
            "--reuid",
            &name,
            "--regid",
            &name,
            "--clear-groups",
        ];
        may_be_nobody().then(|| Self {
            uid,
            words: words.map(str::to_owned),
        })
    }

    /// The words that run a program as this user.
    pub fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    fn run(&self, words: &[&str]) -> Printed {
        run_by(&self.words(), words)
    }

    /// `free` at a terminal, with this answer to its question.
    fn answer(&self, words: &[&str], question: &str, answer: &str) -> (u32, String) {
        let user = self.words();
        let (program, rest) = user.split_first().expect("a program");
        let words = [
            rest,
            &[PORTMON, "free", "--settle", "0.2", "--wait", "1"],
            words,
        ]
        .concat();
        let terminal = Terminal::start(Launch::program(program, &words).size(160, 30));
        terminal.wait_for("the question", |display| display.says(question));
        terminal.keys(&format!("{answer}\n"));
        let code = terminal.wait_for_exit();
        (code, terminal.display().to_string())
    }
}

/// A user and a listener of a program with capabilities, which this user runs.
#[track_caller]
pub fn closed_listener() -> Option<(OwnUser, OwnerProcess)> {
    let user = OwnUser::new()?;
    let holder = OwnerProcess::with_capabilities(&user.words(), user.uid)?;
    Some((user, holder))
}

#[test]
fn yes_does_not_cover_who_probably_holds_a_port() {
    let Some((user, mut holder)) = closed_listener() else {
        return;
    };
    let port = holder.port.to_string();
    let tries: [&[&str]; 3] = [&["--yes"], &["--yes", "--all-holders"], &["--dry-run"]];
    for words in tries.into_iter().chain([&[][..]]) {
        let words = [&["free", "--json", &port], words].concat();
        let freed = FreeOutput::from(user.run(&words));
        freed.assert(4, "not_permitted", &[], &[]);
        freed.assert_says(&format!("It is probably {holder}; its descriptors"));
        freed.assert_says(&format!("type {} to confirm", holder.pid()));
        freed.assert_says(&format!("Try: portmon free {port}"));
        let candidate = freed.json.pointer("/candidates/0/pid");
        assert_eq!(candidate, Some(&Value::from(holder.pid())));
    }
    assert!(holder.is_alive());
}

#[test]
fn check_names_who_probably_holds_a_port_as_no_owner() {
    let Some((user, holder)) = closed_listener() else {
        return;
    };
    let port = holder.port.to_string();
    let said = user.run(&["check", &port]).stdout;
    assert!(
        said.contains(&format!(", probably {holder}, on ")),
        "{said}"
    );
    let json = user.run(&["check", "--json", &port]).stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json.get("holders"), Some(&Value::Array(Vec::new())));
    let listed = user.run(&["list", "--json", &port]).stdout;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    let owners = listed.pointer("/endpoints/0/owners");
    assert_eq!(owners, Some(&Value::Array(Vec::new())), "{listed}");
    // Root without CAP_SYS_PTRACE may end it too, and may not read its descriptors.
    let without = [
        "setpriv",
        "--bounding-set",
        "-sys_ptrace",
        "--inh-caps",
        "-sys_ptrace",
    ];
    let said = run_by(&without, &["check", &port]).stdout;
    assert!(
        said.contains(&format!(", probably {holder}, on ")),
        "{said}"
    );
    // Full root sees it.
    let said = run_by(&["env"], &["check", &port]).stdout;
    assert!(
        said.contains(&format!(" by {holder} ")) && !said.contains("probably"),
        "{said}"
    );
}

#[test]
fn a_setuid_program_of_the_user_is_a_candidate() {
    let Some(user) = OwnUser::new() else {
        return;
    };
    // Nobody else on this machine has the user that the program changes to.
    let other = user.uid + 32;
    let Some(mut holder) = OwnerProcess::setuid(&user.words(), other) else {
        return;
    };
    let port = holder.port.to_string();
    let said = user.run(&["check", &port]).stdout;
    let expected = format!("by a hidden process of uid {other}, probably {holder}, on ");
    assert!(said.contains(&expected), "{said}");
    let question = format!("type its pid, {}:", holder.pid());
    let (code, said) = user.answer(&[&port], &question, &holder.pid().to_string());
    assert_eq!(code, 0, "{said}");
    holder.wait_until_ended();
}

#[test]
fn the_pid_of_who_probably_holds_a_port_must_be_typed() {
    let Some((user, mut holder)) = closed_listener() else {
        return;
    };
    let (port, pid) = (holder.port.to_string(), holder.pid().to_string());
    let question = format!("type its pid, {pid}:");
    let unproved = format!("portmon cannot prove that {holder} holds :{port}: ");
    for answer in ["y", &port, "1", ""] {
        let (code, said) = user.answer(&[&port], &question, answer);
        assert_eq!(code, 6, "{answer}: {said}");
        assert!(said.contains(&unproved), "{said}");
        assert!(holder.is_alive());
    }
    let (code, said) = user.answer(&[&port], &question, &pid);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!(":{port} is free. {holder} ended ")),
        "{said}"
    );
    holder.wait_until_ended();
}

#[test]
fn the_verdict_tells_that_a_wrong_candidate_ended_in_vain() {
    let Some((user, mut holder)) = closed_listener() else {
        return;
    };
    let Some(mut other) = OwnerProcess::with_capabilities(&user.words(), user.uid) else {
        return;
    };
    let port = holder.port.to_string();
    let said = user.run(&["check", &port]).stdout;
    let mut both = [&holder, &other];
    both.sort_by_key(|one| one.pid());
    let [first, second] = both;
    let names = format!("probably one of {first} and {second}, on ");
    assert!(said.contains(&names), "{said}");
    let question = format!("type its pid, {} or {}:", first.pid(), second.pid());
    let (code, said) = user.answer(&[&port], &question, &other.pid().to_string());
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains(&format!(":{port} is STILL HELD: {other} ended")),
        "{said}"
    );
    other.wait_until_ended();
    assert!(holder.is_alive());
}

/// A control group of the unified hierarchy, removed when this is dropped.
struct ControlGroup(PathBuf);

impl ControlGroup {
    #[track_caller]
    fn new() -> Option<Self> {
        let mounts = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
        let mut mounts = mounts.into_iter().map(PathBuf::from);
        let mount = mounts.find(|mount| mount.join("cgroup.procs").exists());
        let group = mount.map(|mount| mount.join(format!("portmon-{}", process::id())));
        let made = group.filter(|group| fs::create_dir(group).is_ok());
        if made.is_none() {
            skipped("no control group can be made");
        }
        made.map(Self)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // It may still have the process of a failed test.
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_process_of_another_control_group_is_no_candidate() {
    let Some((user, holder)) = closed_listener() else {
        return;
    };
    let Some(group) = ControlGroup::new() else {
        return;
    };
    let Some(mut other) = OwnerProcess::with_capabilities(&user.words(), user.uid) else {
        return;
    };
    fs::write(group.0.join("cgroup.procs"), other.pid().to_string()).expect("a move");
    let said = user.run(&["check", &holder.port.to_string()]).stdout;
    assert!(
        said.contains(&format!(", probably {holder}, on ")),
        "{said}"
    );
    // Its own socket was opened before it was moved, so nobody is known to hold that.
    let said = user.run(&["check", &other.port.to_string()]).stdout;
    assert!(
        said.contains(&format!(", probably {holder}, on ")),
        "{said}"
    );
    other.end();
}
