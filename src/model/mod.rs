//! What exists on the machine: sockets, the processes that hold them, and how they change.
//!
//! Everything here is a value or a function over values. The model never reads a clock, a file or a socket, starts no
//! thread and knows neither tables nor screens; `os` fills it and every other module reads it.

pub mod address;
pub mod age;
pub mod bind;
pub mod endpoint;
pub mod environment;
pub mod history;
pub mod inspection;
pub mod platform;
pub mod poll_request;
pub mod port_spec;
pub mod ports;
pub mod process;
pub mod raw_socket;
pub mod shell;
pub mod signal;
pub mod snapshot;
pub mod socket;
pub mod socket_source;
pub mod stats;
pub mod supervisor;
pub mod text;
pub mod time_wait;

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
        let wall = match instant.checked_duration_since(self.instant) {
            Some(later) => self.wall + later,
            None => self.wall - self.instant.duration_since(instant),
        };
        Self { instant, wall }
    }

    /// How long ago `wall` was; zero for a time that lies in the future.
    pub fn since(self, wall: SystemTime) -> Duration {
        self.wall.duration_since(wall).unwrap_or_default()
    }
}
