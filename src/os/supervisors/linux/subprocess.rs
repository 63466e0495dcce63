//! What another program prints, within a time and a size that it does not exceed.
//!
//! portmon may be root, and was started from a directory and with variables that may be anyone's: neither must decide which
//! program is run, or reach it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// More than `systemctl` says of every socket of a machine.
const LIMIT: usize = 1 << 20;

/// How often a program is asked whether it has ended, once it has closed its output.
const PAUSE: Duration = Duration::from_millis(1);

/// The output of a program that succeeds in time; it is killed where it does not.
///
/// It runs in `/`, with these variables and the locale that programs read. Without its whole path it would be looked for,
/// and is not run.
pub fn output(
    program: &Path,
    arguments: &[&str],
    variables: &[(&str, PathBuf)],
    within: Duration,
) -> Option<String> {
    if !program.is_absolute() {
        return None;
    }
    let end = Instant::now() + within;
    let mut child = Command::new(program)
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
        // It has this pid for as long as nobody has asked how it ended.
        let _ = child.kill();
        let _ = child.wait();
    }
    status.filter(ExitStatus::success).and(output)
}

fn read(child: &mut Child, end: Instant) -> Option<String> {
    let pipe: OwnedFd = child.stdout.take()?.into();
    let mut output = Vec::new();
    let mut buffer = [0; 4096];
    while output.len() < LIMIT {
        let left = Timespec::try_from(end.checked_duration_since(Instant::now())?).ok()?;
        // A signal that portmon handles is no answer; the time that is left is reckoned anew.
        match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&left)) {
            Err(Errno::INTR) => continue,
            Ok(1..) => {}
            Ok(0) | Err(_) => return None,
        }
        match rustix::io::read(&pipe, &mut buffer) {
            Err(Errno::INTR) => {}
            Ok(0) => return String::from_utf8(output).ok(),
            Ok(length) => output.extend(buffer.get(..length)?),
            Err(_) => return None,
        }
    }
    None
}

fn status(child: &mut Child, end: Instant) -> Option<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests;
