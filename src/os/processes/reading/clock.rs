//! Turns start times of Linux into the wall clock's.

use crate::model::process::StartTime;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

/// The time of boot, taken once: taken anew each time, every process would seem to change with the wall clock.
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

/// `/proc/uptime` counts hundredths of a second, as start times do; `btime` of `/proc/stat` only whole ones.
fn boot() -> Option<SystemTime> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = uptime.split(' ').next()?.parse().ok()?;
    SystemTime::now().checked_sub(Duration::try_from_secs_f64(seconds).ok()?)
}
