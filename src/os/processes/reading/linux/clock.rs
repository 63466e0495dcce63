//! Converts start times of Linux to the wall clock.

use crate::model::process::StartTime;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

static BOOT: LazyLock<Option<SystemTime>> = LazyLock::new(boot_time);

/// Returns when a process started.
pub fn started_at(start: StartTime) -> Option<SystemTime> {
    Some((*BOOT)? + ticks_to_duration(start.0))
}

/// Converts clock ticks to a duration.
pub fn ticks_to_duration(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let millis = ticks % per_second * 1_000 / per_second;
    Duration::from_secs(ticks / per_second) + Duration::from_millis(millis)
}

/// Returns `btime` of `/proc/stat`, in whole seconds. The clock minus `/proc/uptime` would be finer but differ at each
/// start of portmon, so that a process would seem to have started at another second now and then.
fn boot_time() -> Option<SystemTime> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(line.trim().parse().ok()?))
}
