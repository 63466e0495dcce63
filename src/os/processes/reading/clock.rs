//! Turns start times of Linux into the wall clock's.

use crate::model::process::StartTime;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

static BOOT: LazyLock<Option<SystemTime>> = LazyLock::new(boot);

pub fn started_at(start: StartTime) -> Option<SystemTime> {
    Some((*BOOT)? + since_ticks(start.0))
}

/// A duration that the kernel counts in clock ticks.
pub fn since_ticks(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let millis = ticks % per_second * 1_000 / per_second;
    Duration::from_secs(ticks / per_second) + Duration::from_millis(millis)
}

/// `btime` of `/proc/stat`, in whole seconds. The clock less `/proc/uptime` would be finer and another one at each start
/// of the program, so that a process seemed to have started at another second now and then.
fn boot() -> Option<SystemTime> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(line.trim().parse().ok()?))
}
