//! The only module that touches the machine: sockets, processes, signals, the clock.
//!
//! It returns what the system reports as values of `model`, and decides nothing. What may block runs on a thread of its
//! own ([`sampler`], [`inspector`], [`check`], [`free`]) and sends values through channels; the only shared state are
//! the cookies of portmon's own sockets. Never draws, never guesses what the system did not report, and never reports
//! sockets as closed because a read failed.
//!
//! What differs by system is a folder with one file a system and the same functions in each; `cfg` is at the `mod` lines.

pub mod bind_probe;
pub mod candidates;
pub mod check;
pub mod descriptors;
pub mod environment;
pub mod free;
pub mod inspector;
pub mod interfaces;
pub mod owners;
pub mod poller;
pub mod processes;
pub mod sampler;
pub mod signals;
pub mod sockets;
pub mod supervisors;

#[cfg(test)]
mod testing;

use crate::model::Moment;
use sockets::diag::DiagError;
use std::io;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

/// Why the sockets could not be read: the call that failed, and on what.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("netstat2: {0}{cause}", cause = cause(.0))]
    Netstat(netstat2::error::Error),
    #[error("netstat2 returned no sockets, but the kernel counts {counted}")]
    EmptyTable { counted: u64 },
    #[error("cannot read {path}: {cause}")]
    UnreadableFile { path: PathBuf, cause: io::Error },
    #[error("cannot parse {lines} lines of {path}")]
    MalformedLines { path: PathBuf, lines: usize },
    #[error(transparent)]
    Diag(#[from] DiagError),
    #[error("this source does not report closed sockets")]
    DestroyEventsUnsupported,
}

impl Error {
    /// True if the source itself is unavailable on this machine, so that another one is needed.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Netstat(_) | Self::EmptyTable { .. } | Self::DestroyEventsUnsupported => true,
            Self::UnreadableFile { .. } | Self::MalformedLines { .. } => false,
            Self::Diag(error) => error.is_unavailable(),
        }
    }
}

/// Returns the system's reason, which netstat2 leaves to the source of its error.
fn cause(error: &netstat2::error::Error) -> String {
    std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"))
}

/// Returns the current time on both clocks.
pub fn now() -> Moment {
    Moment {
        instant: Instant::now(),
        wall: SystemTime::now(),
    }
}
