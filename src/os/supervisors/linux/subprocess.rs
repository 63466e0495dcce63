//! Runs another program and returns its output, limited in time and size.
//!
//! portmon may be root in a directory and with variables that another user controls: neither may choose the program or
//! reach it.

use super::deadline_reader::DeadlineReader;
use crate::os::descriptors;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// More than `systemctl` prints about every socket of a machine.
const MAX_BYTES: u64 = 1 << 20;

/// Interval of asking for the exit status, once the program has closed its output.
const WAIT_INTERVAL: Duration = Duration::from_millis(1);

/// Returns the output of a program that succeeds in time; one that does not end is killed.
///
/// It runs in `/` with these variables and LC_ALL=C only. A path that is not absolute is not run.
pub fn output(
    program: &Path,
    arguments: &[&str],
    variables: &[(&str, PathBuf)],
    timeout: Duration,
) -> Option<String> {
    if !program.is_absolute() {
        return None;
    }
    let end = Instant::now() + timeout;
    let mut child = with_usual_limit(&mut Command::new(program))
        .args(arguments)
        .env_clear()
        .env("LC_ALL", "C")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let output = read(&mut child, end);
    let status = output.as_ref().and_then(|_| status(&mut child, end));
    if status.is_none() {
        // Its pid cannot be reused before it is waited for.
        let _ = child.kill();
        let _ = child.wait();
    }
    status.filter(ExitStatus::success).and(output)
}

/// Gives a program the limit of descriptors again that portmon raised for itself.
#[expect(unsafe_code, reason = "a hook between fork and exec is unsafe")]
fn with_usual_limit(command: &mut Command) -> &mut Command {
    let lower = || {
        descriptors::lower_limit();
        Ok(())
    };
    // SAFETY: after the fork only two system calls are made, and no memory is allocated.
    unsafe { command.pre_exec(lower) }
}

fn read(child: &mut Child, end: Instant) -> Option<String> {
    let source = child.stdout.take()?;
    let mut reader = DeadlineReader { source, end }.take(MAX_BYTES);
    let mut output = String::new();
    reader.read_to_string(&mut output).ok()?;
    (reader.limit() > 0).then_some(output)
}

fn status(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    while Instant::now() < end {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status);
        }
        thread::sleep(WAIT_INTERVAL);
    }
    None
}

#[cfg(test)]
mod tests;
