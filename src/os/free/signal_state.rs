//! What a process does on a signal, from `/proc/PID/status` (proc_pid_status(5)); unknown on other systems.

use crate::free::{SignalDisposition, SignalState};
use crate::model::process::{Pid, ProcessState, Signal};

/// Returns `None` if it cannot be read: the process has ended, or the system has no such file.
pub fn signal_state(pid: Pid, signal: Signal) -> Option<SignalState> {
    let status = std::fs::read(format!("/proc/{pid}/status")).ok()?;
    parse(&String::from_utf8_lossy(&status), signal)
}

fn parse(status: &str, signal: Signal) -> Option<SignalState> {
    let field = |name: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    let process_state = ProcessState::of(field("State")?.chars().next()?);
    let bit = signal.bit();
    let has = |name: &str| {
        let mask = field(name).and_then(|mask| u64::from_str_radix(mask, 16).ok());
        mask.is_some_and(|mask| mask & bit != 0)
    };
    // The mask is the first thread's: another thread may take the signal.
    let is_blocked = has("SigBlk") && field("Threads") == Some("1");
    let disposition = if has("SigIgn") {
        SignalDisposition::Ignored
    } else if is_blocked {
        SignalDisposition::Blocked
    } else if has("SigCgt") {
        SignalDisposition::Caught
    } else {
        SignalDisposition::Default
    };
    Some(SignalState {
        disposition,
        process_state,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signal_state_is_read_from_the_status_file() {
        use ProcessState::{Suspended, Traced, Uninterruptible, Zombie};
        use SignalDisposition::{Blocked, Caught, Default, Ignored};
        let status = |state: &str, threads: u32, masks: [u64; 3]| {
            let [blocked, ignored, handled] = masks;
            format!(
                "Name:\tx\nState:\t{state}\nThreads:\t{threads}\nSigBlk:\t{blocked:016x}\nSigIgn:\t{ignored:016x}\n\
                 SigCgt:\t{handled:016x}\n"
            )
        };
        let term = 1 << 14;
        let cases = [
            ("S (sleeping)", 1, [0, 0, 0], Default, None),
            ("S (sleeping)", 1, [0, term, 0], Ignored, None),
            ("S (sleeping)", 1, [0, 0, term], Caught, None),
            ("R (running)", 1, [term, 0, term], Blocked, None),
            ("R (running)", 9, [term, 0, term], Caught, None),
            ("T (stopped)", 1, [0, 0, 0], Default, Some(Suspended)),
            ("t (tracing stop)", 1, [0, 0, 0], Default, Some(Traced)),
            (
                "D (disk sleep)",
                1,
                [!term; 3],
                Default,
                Some(Uninterruptible),
            ),
            ("Z (zombie)", 2, [0, 0, term], Caught, Some(Zombie)),
        ];
        for (state, threads, masks, disposition, process_state) in cases {
            let status = status(state, threads, masks);
            let expected = Some(SignalState {
                disposition,
                process_state,
            });
            assert_eq!(parse(&status, Signal::Terminate), expected, "{status}");
        }
        assert_eq!(parse("", Signal::Terminate), None);
    }
}
