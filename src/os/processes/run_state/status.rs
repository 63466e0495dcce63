//! `/proc/PID/status` and `/proc/PID/task/TID/status` (proc_pid_status(5)).

use crate::model::process::{Pid, Signal};
use rustix::io::Errno;
use std::{fs, io};

/// The lines of one thread.
pub struct Status(String);

impl Status {
    /// Reads that of the first thread, which stands for the process.
    pub fn of(pid: Pid) -> Option<Self> {
        Self::read(&format!("/proc/{pid}/status"))
    }

    fn read(path: &str) -> Option<Self> {
        let text = fs::read(path).ok()?;
        Some(Self(String::from_utf8_lossy(&text).into_owned()))
    }

    #[cfg(test)]
    pub fn of_text(lines: &str) -> Self {
        Self(lines.to_owned())
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    }

    /// Returns the letter of the state.
    pub fn state(&self) -> Option<char> {
        self.field("State")?.chars().next()
    }

    /// True if this mask contains the signal.
    pub fn has_signal(&self, mask: &str, signal: Signal) -> bool {
        let mask = self.field(mask);
        let mask = mask.and_then(|mask| u64::from_str_radix(mask, 16).ok());
        mask.is_some_and(|mask| mask & signal.bit() != 0)
    }

    /// Returns the process that traces it, if that is visible. The kernel tells the thread that does.
    pub fn tracer(&self) -> Option<Pid> {
        let thread = self.pid_field("TracerPid").filter(|pid| *pid != Pid(0))?;
        let process = Self::of(thread).and_then(|thread| thread.pid_field("Tgid"));
        process.or(Some(thread))
    }

    fn pid_field(&self, name: &str) -> Option<Pid> {
        self.field(name)?.parse().ok().map(Pid)
    }

    /// True for the first process of another PID namespace than that of `/proc`: it is 1 in there.
    pub fn is_namespace_init(&self) -> bool {
        let numbers = self.field("NSpid").unwrap_or_default();
        let numbers: Vec<&str> = numbers.split_ascii_whitespace().collect();
        numbers.len() > 1 && numbers.last() == Some(&"1")
    }
}

/// Returns the threads of a process that have not exited; `None` if one of them cannot be read.
pub fn live_threads(pid: Pid) -> Option<Vec<Status>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        match fs::read(entry.ok()?.path().join("status")) {
            Ok(text) => threads.push(Status(String::from_utf8_lossy(&text).into_owned())),
            Err(error) if has_exited(&error) => {}
            Err(_) => return None,
        }
    }
    threads.retain(|thread| !matches!(thread.state(), Some('Z' | 'X') | None));
    Some(threads)
}

/// True if there is no such thread any more (ENOENT, or ESRCH once its file is open).
fn has_exited(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || Errno::from_io_error(error) == Some(Errno::SRCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(lines: &str) -> Status {
        Status::of_text(lines)
    }

    #[test]
    fn the_first_process_of_an_inner_namespace_is_1_in_there() {
        let cases = [
            ("NSpid:\t1\n", false),
            ("NSpid:\t4242\n", false),
            ("NSpid:\t4242\t1\n", true),
            ("NSpid:\t4242\t17\t1\n", true),
            ("NSpid:\t4242\t1\t17\n", false),
            ("Name:\tx\n", false),
        ];
        for (lines, is_init) in cases {
            assert_eq!(status(lines).is_namespace_init(), is_init, "{lines}");
        }
    }

    #[test]
    fn masks_and_the_tracer_are_read_by_their_names() {
        let status = status("State:\tt (tracing stop)\nTracerPid:\t7\nSigBlk:\t0000000000004000\n");
        let signals = [Signal::Terminate, Signal::Interrupt, Signal::Kill];
        let blocked = signals.map(|signal| status.has_signal("SigBlk", signal));
        assert_eq!(blocked, [true, false, false]);
        assert_eq!(status.state(), Some('t'));
        assert_eq!(status.pid_field("TracerPid"), Some(Pid(7)));
        assert!(!status.has_signal("SigCgt", Signal::Terminate));
        assert_eq!(super::Status("TracerPid:\t0\n".to_owned()).tracer(), None);
    }
}
