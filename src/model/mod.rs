//! What exists on the machine: sockets, the processes that hold them, and how they change.
//!
//! Everything here is a value or a function over values. The model never reads a clock, a file or a socket, starts no
//! thread and knows neither tables nor screens; `os` fills it and every other module reads it.

pub mod environment;
pub mod platform;
pub mod poll_request;
pub mod port;
pub mod process;
pub mod snapshot;
pub mod socket;
pub mod text;

#[cfg(test)]
pub(crate) mod testing;

use std::time::{Duration, Instant, SystemTime};

/// One point in time on both clocks: the monotonic one for ages and fades, the wall clock for what people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub instant: Instant,
    pub wall: SystemTime,
}

impl Moment {
    /// The same moment, `instant` later or earlier, with the wall clock carried along.
    pub fn at(self, instant: Instant) -> Self {
        let later = instant.saturating_duration_since(self.instant);
        let wall = self.wall + later - self.instant.saturating_duration_since(instant);
        Self { instant, wall }
    }

    /// How long ago `wall` was; zero for a time that lies in the future.
    pub fn since(self, wall: SystemTime) -> Duration {
        self.wall.duration_since(wall).unwrap_or_default()
    }
}
