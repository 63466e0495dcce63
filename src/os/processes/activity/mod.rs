//! Tells which processes have run: one that has used no CPU time since it was read has executed no other program, written no
//! title, and neither opened, received nor closed a descriptor.

use crate::model::process::ProcessId;
use hashbrown::HashMap;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

use system::CpuClocks;
pub use system::READS_PER_POLL;

/// Bound of the processes that one call asks about, so that a tall screen does not make each poll expensive: a clock that was
/// not read for a second costs a microsecond. Two calls ask about the owners of all rows of a usual screen.
const MAX_ASKED: usize = 10;

/// CPU times of processes when they were last asked for.
#[derive(Default)]
pub struct CpuTimes {
    clocks: CpuClocks,
    last: HashMap<ProcessId, u64>,
    /// The process to begin with.
    next: usize,
}

impl CpuTimes {
    /// Returns those of these processes that may have run since the last call that asked about them, and those that no call
    /// has asked about. At most [`MAX_ASKED`] are asked about, the others by the next calls.
    pub fn active(&mut self, of: &[ProcessId]) -> Vec<ProcessId> {
        if self.last.len() > of.len() {
            self.last.retain(|id, _| of.contains(id));
        }
        let first = self.next % of.len().max(1);
        let asked = of.iter().cycle().skip(first).take(of.len().min(MAX_ASKED));
        self.next = first + MAX_ASKED.min(of.len());
        asked.copied().filter(|id| self.has_run(*id)).collect()
    }

    fn has_run(&mut self, process: ProcessId) -> bool {
        match self.clocks.cpu_time(process.pid) {
            Some(time) => self.last.insert(process, time) != Some(time),
            None => true,
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::model::process::{Pid, StartTime};
    use crate::os::testing::{until, waiting};
    use std::io::Write;

    #[test]
    fn only_a_process_that_ran_is_active() {
        let (child, mut input) = waiting("while read line; do :; done");
        let mut cpu_times = CpuTimes::default();
        let of = [child.process_id()];
        assert_eq!(cpu_times.active(&of), of, "it is new");
        until("a child that waits", || {
            cpu_times.active(&of).is_empty().then_some(())
        });
        writeln!(input).expect("it reads");
        until("a child that has read", || {
            (cpu_times.active(&of) == of).then_some(())
        });
    }

    #[test]
    fn an_ended_process_counts_as_active() {
        let (mut child, _input) = waiting("read line");
        let of = [child.process_id()];
        child.end();
        let mut cpu_times = CpuTimes::default();
        assert_eq!([(); 2].map(|()| cpu_times.active(&of)), [of; 2]);
    }

    #[test]
    fn of_many_processes_each_is_asked_about_in_turn() {
        let id = |number| ProcessId {
            pid: Pid(u32::MAX - number),
            start: StartTime(0),
        };
        let of: Vec<ProcessId> = (0..15).map(id).collect();
        let mut cpu_times = CpuTimes::default();
        let mut asked = [(); 2].map(|()| cpu_times.active(&of)).concat();
        assert_eq!(asked.len(), 2 * MAX_ASKED);
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), of.len());
    }
}
