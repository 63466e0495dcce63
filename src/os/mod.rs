//! The only module that touches the machine: sockets, processes, signals, the clock.
//!
//! It turns what the system says into values of `model` and decides nothing about them. Whatever may block runs on a
//! thread of its own ([`sampler`], [`inspector`], [`check`], [`free`]) and hands values over through channels, never through shared
//! state, but for the cookies of the program's own sockets. It must never draw, never guess what the system did not say, and never let one failed read look like everything closed.

pub mod bind_probe;
pub mod check;
pub mod environment;
pub mod free;
pub mod inspector;
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
use std::io;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

/// What can go wrong when the machine is asked, naming the call that failed and what it was about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("netstat2: {0}{cause}", cause = cause(.0))]
    Netstat(netstat2::error::Error),
    #[error("the kernel counts {counted} sockets but gave none")]
    EmptyTable { counted: u64 },
    #[error("{path} could not be read: {cause}")]
    UnreadableFile { path: PathBuf, cause: io::Error },
    #[error("{path}: {lines} lines were not understood")]
    MalformedLines { path: PathBuf, lines: usize },
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Diag(#[from] sockets::diag::diag_error::DiagError),
    #[error("this source does not tell of sockets that close")]
    CloseEventsUnsupported,
}

impl Error {
    /// Whether the source itself is not to be had on this machine, so that another one is needed.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Netstat(_) | Self::EmptyTable { .. } | Self::CloseEventsUnsupported => true,
            Self::UnreadableFile { .. } | Self::MalformedLines { .. } => false,
            #[cfg(target_os = "linux")]
            Self::Diag(error) => error.is_unavailable(),
        }
    }
}

/// netstat2 keeps the words of the system to the source of its error.
fn cause(error: &netstat2::error::Error) -> String {
    std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"))
}

/// This moment, on both clocks.
pub fn now() -> Moment {
    Moment {
        instant: Instant::now(),
        wall: SystemTime::now(),
    }
}
