//! Turns start times into the wall clock's.

use super::epoch;
use crate::model::process::StartTime;
use std::time::SystemTime;

#[cfg(target_os = "linux")]
pub use linux::StartClock;

/// Where the start itself is in units of the wall clock, or sysinfo's seconds will do.
#[cfg(not(target_os = "linux"))]
pub struct StartClock;

#[cfg(not(target_os = "linux"))]
impl StartClock {
    pub fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "on Linux it needs the time of boot")]
    pub fn started_at(&self, _start: StartTime, found: &sysinfo::Process) -> Option<SystemTime> {
        epoch(found.start_time())
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::{StartTime, SystemTime, epoch};
    use std::time::Duration;

    /// The time of boot, taken once: taken anew each time, every process would seem to change with the wall clock.
    pub struct StartClock {
        boot: Option<SystemTime>,
        ticks_per_second: u64,
    }

    impl StartClock {
        pub fn new() -> Self {
            Self {
                boot: boot(),
                ticks_per_second: rustix::param::clock_ticks_per_second().max(1),
            }
        }

        pub fn started_at(&self, start: StartTime, found: &sysinfo::Process) -> Option<SystemTime> {
            let Some(boot) = self.boot else {
                return epoch(found.start_time());
            };
            let seconds = start.0 / self.ticks_per_second;
            let ticks = start.0 % self.ticks_per_second;
            let millis = ticks * 1_000 / self.ticks_per_second;
            Some(boot + Duration::from_secs(seconds) + Duration::from_millis(millis))
        }
    }

    /// `/proc/uptime` counts hundredths of a second, as start times do; `btime` of `/proc/stat` only whole ones.
    fn boot() -> Option<SystemTime> {
        let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
        let seconds: f64 = uptime.split(' ').next()?.parse().ok()?;
        SystemTime::now().checked_sub(Duration::try_from_secs_f64(seconds).ok()?)
    }
}
