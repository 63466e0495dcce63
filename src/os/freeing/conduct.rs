//! How a process takes the signal, from `/proc/PID/status` (proc_pid_status(5)); unknown on other systems.

use crate::model::freeing::{Conduct, Reaction, Signal};
use crate::model::process::{Condition, Pid};

/// `None` if it cannot be read: the process has ended, or the system has no such file.
pub fn conduct(pid: Pid, signal: Signal) -> Option<Conduct> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let status = std::fs::read(format!("/proc/{pid}/status")).ok()?;
    parse(&String::from_utf8_lossy(&status), signal)
}

fn parse(status: &str, signal: Signal) -> Option<Conduct> {
    let field = |name: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    let condition = Condition::of(field("State")?.chars().next()?);
    let bit = signal.bit();
    let has = |name: &str| {
        let mask = field(name).and_then(|mask| u64::from_str_radix(mask, 16).ok());
        mask.is_some_and(|mask| mask & bit != 0)
    };
    // The mask is the first thread's: another one may still take the signal.
    let is_blocked = has("SigBlk") && field("Threads") == Some("1");
    let reaction = if has("SigIgn") {
        Reaction::Ignores
    } else if is_blocked {
        Reaction::Blocks
    } else if has("SigCgt") {
        Reaction::Handles
    } else {
        Reaction::Default
    };
    Some(Conduct {
        reaction,
        condition,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_tells_how_a_signal_is_taken() {
        let status = |state: &str, threads: u32, masks: [u64; 3]| {
            let [blocked, ignored, handled] = masks;
            format!(
                "Name:\tx\nState:\t{state}\nThreads:\t{threads}\nSigBlk:\t{blocked:016x}\nSigIgn:\t{ignored:016x}\n\
                 SigCgt:\t{handled:016x}\n"
            )
        };
        let term = 1 << 14;
        let cases = [
            (
                status("S (sleeping)", 1, [0, 0, 0]),
                Reaction::Default,
                None,
            ),
            (
                status("S (sleeping)", 1, [0, term, 0]),
                Reaction::Ignores,
                None,
            ),
            (
                status("S (sleeping)", 1, [0, 0, term]),
                Reaction::Handles,
                None,
            ),
            (
                status("R (running)", 1, [term, 0, term]),
                Reaction::Blocks,
                None,
            ),
            (
                status("R (running)", 9, [term, 0, term]),
                Reaction::Handles,
                None,
            ),
            (
                status("T (stopped)", 1, [0, 0, 0]),
                Reaction::Default,
                Some(Condition::Stopped),
            ),
            (
                status("t (tracing stop)", 1, [0, 0, 0]),
                Reaction::Default,
                Some(Condition::Traced),
            ),
            (
                status("D (disk sleep)", 1, [!term; 3]),
                Reaction::Default,
                Some(Condition::Uninterruptible),
            ),
            (
                status("Z (zombie)", 2, [0, 0, term]),
                Reaction::Handles,
                Some(Condition::Zombie),
            ),
        ];
        for (status, reaction, condition) in cases {
            let expected = Some(Conduct {
                reaction,
                condition,
            });
            assert_eq!(parse(&status, Signal::Terminate), expected, "{status}");
        }
        assert_eq!(parse("", Signal::Terminate), None);
    }
}
