//! Children of processes, read from `/proc` (proc_pid_stat(5)).

use std::fs;
use std::thread;
use std::time::Instant;

use crate::harness::emulator::TIMEOUT;

/// Waits for the forks of other tests: until a fork executes another program it has all sockets of this process open, and
/// would be an owner like any other.
pub fn wait_for_forks() {
    let own = std::process::id();
    // A helper of the same program has arguments of its own.
    let arguments = |pid: u32| fs::read(format!("/proc/{pid}/cmdline")).ok();
    let tests = arguments(own);
    let is_fork = |pid: u32| parent_of(pid) == Some(own) && arguments(pid) == tests;
    let forks: Vec<u32> = children_of(own)
        .into_iter()
        .filter(|pid| is_fork(*pid))
        .collect();
    let end = Instant::now() + TIMEOUT;
    for fork in forks {
        while is_fork(fork) && Instant::now() < end {
            thread::yield_now();
        }
    }
}

pub fn children_of(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second word after the name, which may contain blanks.
    let rest = stat.rsplit(')').next()?;
    rest.split(' ').nth(2)?.parse().ok()
}
