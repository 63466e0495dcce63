//! What tests need from the machine. A test that cannot run here is listed as skipped, and fails where it has to run.
//!
//! The tests of the program include this file as well.

use std::env;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Names the file that collects the skipped tests, which `.ci/run` prints at its end.
const LIST: &str = "PORTMON_SKIPPED";

/// Leaves out the tests that need namespaces, also in CI.
const WITHOUT_NAMESPACES: &str = "PORTMON_TEST_WITHOUT_NAMESPACES";

/// Runs a program as another user, which only root may do.
pub const NOBODY: [&str; 6] = [
    "setpriv",
    "--reuid",
    "65534",
    "--regid",
    "65534",
    "--clear-groups",
];

/// Records that the test, or the rest of it, cannot run on this machine.
#[track_caller]
pub fn skipped(why: impl Display) {
    let current = thread::current();
    let test = current.name().unwrap_or("a test");
    let line = format!("{test} ({}): {why}\n", Location::caller());
    eprint!("skipped: {line}");
    if let Some(path) = env::var_os(LIST) {
        // A single write that appends, so that lines of several test processes stay whole.
        let file = OpenOptions::new().append(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect(LIST);
    }
}

/// Records the same where somebody tries a change, and fails in CI: every machine there has what the test needs.
#[track_caller]
pub fn skipped_outside_ci(why: impl Display) {
    let is_ci = env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!is_ci, "this test has to run in CI: {why}");
    skipped(why);
}

/// Returns whether `program` can be run as another user.
#[track_caller]
pub fn can_be_nobody(program: &Path) -> bool {
    if !rustix::process::geteuid().is_root() {
        skipped("only root can become another user");
        return false;
    }
    if !succeeds(Command::new(NOBODY[0]).args(&NOBODY[1..]).arg("true")) {
        skipped_outside_ci("setpriv does not work");
        return false;
    }
    let can_run = succeeds(
        Command::new(NOBODY[0])
            .args(&NOBODY[1..])
            .args(["test", "-x"])
            .arg(program),
    );
    if !can_run {
        skipped(format_args!(
            "another user cannot reach {}",
            program.display()
        ));
    }
    can_run
}

/// Returns whether unshare(1) works with these options.
#[track_caller]
pub fn can_unshare(options: &[&str]) -> bool {
    if env::var_os(WITHOUT_NAMESPACES).is_some() {
        skipped(format_args!("{WITHOUT_NAMESPACES} is set"));
        return false;
    }
    let works = succeeds(Command::new("unshare").args(options).arg("true"));
    if !works {
        skipped_outside_ci(format_args!(
            "unshare {} does not work ({WITHOUT_NAMESPACES}=1 leaves the test out)",
            options.join(" ")
        ));
    }
    works
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
