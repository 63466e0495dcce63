//! PID namespaces, with their own `/proc` and with that of another one, where the same pid is another process.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{self, Child, ChildStdout, Command, Output, Stdio};
use std::thread;

use serde_json::Value;

use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::PORTMON;
use crate::harness::requirements::can_unshare;

/// Runs a test where PID namespaces can be made: here as root, else once more as root of a user namespace.
#[track_caller]
fn with_namespaces(test: fn()) {
    if rustix::process::geteuid().is_root() {
        if can_unshare(&["--pid", "--fork", "--mount"]) {
            test();
        }
        return;
    }
    let user = ["--user", "--map-root-user"];
    if !can_unshare(&[&user[..], &["--pid", "--fork", "--mount"]].concat()) {
        return;
    }
    // libtest names the thread after the test, so a rename is followed.
    let thread = thread::current();
    let name = thread.name().expect("the name of the test");
    let output = Command::new("unshare")
        .args(user)
        .arg(env::current_exe().expect("this binary"))
        .args(["--exact", "--nocapture", name])
        .output()
        .expect("unshare runs");
    let said = said(&output);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

fn said(output: &Output) -> String {
    let (out, errors) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(out).into_owned() + &String::from_utf8_lossy(errors)
}

/// Runs a script in a new PID namespace, with `$PORTMON`, `$PORT` and `$PID` set.
fn unshared(options: &[&str], script: &str, port: u16, pid: u32) -> Output {
    Command::new("unshare")
        .args(["--pid", "--fork"])
        .args(options)
        .args(["sh", "-c", script])
        .env("PORTMON", PORTMON)
        .env("PORT", port.to_string())
        .env("PID", pid.to_string())
        .output()
        .expect("unshare runs")
}

/// The number after a word at the start of a line.
fn number_after(word: &str, said: &str) -> Option<u32> {
    let line = said.lines().find_map(|line| line.strip_prefix(word))?;
    line.trim().parse().ok()
}

#[test]
fn with_the_outer_proc_no_other_process_is_signaled() {
    with_namespaces(|| {
        let mut holder = OwnerProcess::listening();
        let script = "echo $((PID - 1)) > /proc/sys/kernel/ns_last_pid
            sleep 60 & echo \"stranger $!\"
            \"$PORTMON\" free \"$PORT\" --yes --wait 1; echo \"code $?\"
            kill -KILL $!; wait $!; echo \"ended $?\"";
        let output = unshared(&[], script, holder.port, holder.pid());
        let said = said(&output);
        assert_eq!(
            number_after("stranger ", &said),
            Some(holder.pid()),
            "{said}"
        );
        for words in [
            "Nothing sent: ",
            &format!("its pid {} is another process here, or none", holder.pid()),
            "portmon: /proc belongs to another PID namespace",
            "code 3",
            // 128 + SIGKILL, which this script sends, and not SIGTERM.
            "ended 137",
        ] {
            assert!(said.contains(words), "{words:?} in {said}");
        }
        assert!(holder.is_alive(), "{said}");
    });
}

#[test]
fn with_the_outer_proc_no_vanished_pid_is_ended() {
    with_namespaces(|| {
        let mut holder = OwnerProcess::listening();
        let script = "\"$PORTMON\" free \"$PORT\" --yes --wait 1; echo \"code $?\"";
        let said = said(&unshared(&[], script, holder.port, holder.pid()));
        assert!(said.contains("another PID namespace: its pid"), "{said}");
        assert!(!said.contains("ended"), "{said}");
        assert!(holder.is_alive(), "{said}");
    });
}

#[test]
fn portmons_own_pid_hides_no_socket_of_another() {
    with_namespaces(|| {
        let holder = OwnerProcess::listening();
        let script = "echo $((PID - 1)) > /proc/sys/kernel/ns_last_pid
            \"$PORTMON\" list :\"$PORT\" --json & echo \"portmon $!\" >&2; wait $!";
        let output = unshared(&[], script, holder.port, holder.pid());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            number_after("portmon ", &errors),
            Some(holder.pid()),
            "{errors}"
        );
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let at = |path: &str| json.pointer(path).cloned().unwrap_or_default();
        assert_eq!(at("/endpoints/0/owners/0/pid"), holder.pid(), "{json:#}");
        let problem = at("/problems/0");
        let problem = problem.as_str().unwrap_or_default();
        assert!(
            problem.starts_with("/proc belongs to another PID namespace"),
            "{json:#}"
        );
    });
}

/// A namespace with its own `/proc`, in which `sleep 60` is the only owner of a port.
struct Inner {
    unshare: Child,
    port: u16,
    gate: PathBuf,
    lines: BufReader<ChildStdout>,
    /// Pid of the sleep in the namespace.
    holder: u32,
}

impl Inner {
    /// Starts the sleep with the pid `pid` in the namespace. `then` is what its shell runs after [`go_on`](Self::go_on),
    /// with the sleep as `$!`.
    fn with_holder(pid: u32, then: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let gate = env::temp_dir().join(format!("portmon-gate-{}-{port}", process::id()));
        let made = Command::new("mkfifo").arg(&gate).status().expect("mkfifo");
        assert!(made.success());
        let script = format!(
            "exec 3<&0 </dev/null 2>&1
            echo $((PID - 1)) > /proc/sys/kernel/ns_last_pid
            sleep 60 <&3 3<&- & echo $!
            exec 3<&-; read -r line < \"$GATE\"
            {then}"
        );
        let mut unshare = Command::new("unshare")
            .args(["--pid", "--fork", "--mount-proc", "sh", "-c", &script])
            .env("PORTMON", PORTMON)
            .env("PORT", port.to_string())
            .env("PID", pid.to_string())
            .env("GATE", &gate)
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare runs");
        let mut lines = BufReader::new(unshare.stdout.take().expect("a pipe"));
        let mut line = String::new();
        lines.read_line(&mut line).expect("a line");
        Self {
            unshare,
            port,
            gate,
            lines,
            holder: line.trim().parse().expect("a pid"),
        }
    }

    /// Lets the shell go on and returns its output from then on. Kills unshare(1) first, which has the port open as well.
    fn go_on(mut self) -> String {
        self.unshare.kill().expect("it may be killed");
        self.unshare.wait().expect("it ends");
        fs::write(&self.gate, "\n").expect("the gate");
        let mut said = String::new();
        self.lines.read_to_string(&mut said).expect("text");
        fs::remove_file(&self.gate).expect("the gate");
        said
    }
}

/// The `/proc` of an inner namespace, used from the outer one: portmon itself is not in it.
#[test]
fn with_an_inner_proc_no_other_process_is_signaled() {
    with_namespaces(|| {
        let mut stranger = Command::new("sleep").arg("60").spawn().expect("sleep runs");
        let inner = Inner::with_holder(stranger.id(), "kill -KILL $!; wait $!");
        let output = Command::new("nsenter")
            .args(["--mount", "--target", &inner.unshare.id().to_string()])
            .args([PORTMON, "free", &inner.port.to_string()])
            .args(["--yes", "--wait", "1"])
            .output()
            .expect("nsenter runs");
        let holder = inner.holder;
        inner.go_on();
        let is_alive = stranger.try_wait().expect("a status").is_none();
        stranger.kill().expect("it may be killed");
        stranger.wait().expect("it ends");
        let said = said(&output);
        assert_eq!(holder, stranger.id(), "{said}");
        for words in ["Nothing sent: ", "portmon: /proc/self is not portmon"] {
            assert!(said.contains(words), "{words:?} in {said}");
        }
        assert!(is_alive, "{said}");
    });
}

#[test]
fn with_a_proc_of_its_own_a_port_is_freed() {
    with_namespaces(|| {
        let then = "\"$PORTMON\" free \"$PORT\" --yes; echo \"code $?\"
            wait $!; echo \"ended $?\"";
        let said = Inner::with_holder(4242, then).go_on();
        for words in [" is free. ", "sleep 4242", "code 0", "ended 143"] {
            assert!(said.contains(words), "{words:?} in {said}");
        }
        assert!(!said.contains("another PID namespace"), "{said}");
    });
}
