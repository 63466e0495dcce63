//! Reads the clock of CPU time that the kernel keeps for every process (clock_getcpuclockid(3)).
#![expect(
    unsafe_code,
    reason = "rustix has no clock ids of other processes, and libc offers the call only as unsafe"
)]

use crate::model::process::Pid;
use crate::os::processes::pid_namespace;
use std::mem::MaybeUninit;

/// `CPUCLOCK_SCHED` of the kernel's `include/linux/posix-timers_types.h`: the run time that the scheduler counts in
/// nanoseconds, of all threads.
const SCHEDULED: libc::clockid_t = 2;

/// Processes that are read again in one poll, at eleven system calls each.
pub const READS_PER_POLL: usize = 3;

/// The clocks of other processes.
pub struct CpuClocks {
    /// True if `/proc` shows the pids of portmon's own namespace, by which the clocks are found.
    has_own_pids: bool,
}

impl Default for CpuClocks {
    fn default() -> Self {
        Self {
            has_own_pids: pid_namespace::problem().is_none(),
        }
    }
}

impl CpuClocks {
    /// Returns the nanoseconds of CPU time that the process has used; `None` once it has ended, and where its clock cannot be
    /// found. Needs no permission, and a single system call.
    pub fn cpu_time(&self, pid: Pid) -> Option<u64> {
        let pid = libc::clockid_t::try_from(pid.0).ok()?;
        if !self.has_own_pids {
            return None;
        }
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: the kernel writes a timespec there if it returns 0, and nothing otherwise.
        let time = unsafe {
            let failed = libc::clock_gettime((!pid << 3) | SCHEDULED, time.as_mut_ptr());
            (failed == 0).then(|| time.assume_init())
        }?;
        let seconds = u64::try_from(time.tv_sec).ok()?;
        let nanoseconds = u64::try_from(time.tv_nsec).ok()?;
        seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
    }
}
