//! CPU time, user and system, of this process and of programs that it runs.

use anyhow::Context;
use rustix::process::{Pid, WaitId, WaitIdOptions};
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What this takes, without the drop of what it gives: that is for whoever gets it.
///
/// The whole process, not only this thread: nobody who is measured gains by a second thread.
pub fn of<T>(act: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<Duration> {
    let before = now()?;
    let given = black_box(act()?);
    let after = now()?;
    drop(given);
    Ok(after.saturating_sub(before))
}

fn now() -> anyhow::Result<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Ok(Duration::new(
        time.tv_sec.try_into()?,
        time.tv_nsec.try_into()?,
    ))
}

/// What a program takes from its start to its end, its output thrown away.
///
/// Between its end and the wait for it the kernel still says what it ran: to the nanosecond, where the times of
/// proc_pid_stat(5) are in hundredths of a second. Children of its own are left out; those measured here have none.
pub fn of_program(command: &mut Command) -> anyhow::Result<Duration> {
    let name = command.get_program().display().to_string();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context(name)?;
    let pid = Pid::from_child(&child);
    let ended = rustix::process::waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    );
    let ran = std::fs::read_to_string(format!("/proc/{pid}/schedstat"));
    child.wait()?;
    ended.context("waitid")?;
    let ran = ran.context("/proc/PID/schedstat")?;
    let nanoseconds = ran
        .split_whitespace()
        .next()
        .context("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}
