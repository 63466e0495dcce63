//! What came of connecting to a port, as a client does.

use super::words::measured;
use crate::model::endpoint::Protocol;
use crate::model::text::SystemText;
use crate::model::words;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a connect may take.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// What may be behind no answer. Windows asks a port that refuses for longer than that.
const SILENCE: &str = if cfg!(windows) {
    "nothing listens there, the backlog is full, or a firewall drops it"
} else {
    "the backlog is full, or a firewall drops it"
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connect {
    pub address: SocketAddr,
    pub outcome: Connected,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connected {
    Accepted {
        took: Duration,
        said: Said,
    },
    Refused,
    TimedOut,
    NoSuchAddress,
    /// In the words of the system; safe to show.
    Failed(String),
}

/// What a server said after `GET / HTTP/1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Http {
        /// `HTTP/1.1 200 OK`
        status: SystemText,
        server: Option<SystemText>,
    },
    /// The beginning of what is no HTTP.
    Other(SystemText),
    /// It closed the connection without a word.
    Closed,
    Nothing,
}

impl Connected {
    /// A word for scripts.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "connected",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::NoSuchAddress => "no_such_address",
            Self::Failed(_) => "failed",
        }
    }
}

/// `127.0.0.1:3000 connected in 0.2 ms: HTTP/1.1 200 OK · server: nginx`
impl Display for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = words::place_at(Protocol::Tcp, self.address);
        match &self.outcome {
            Connected::Accepted { took, said } => {
                write!(f, "{place} connected in {}: {said}", measured(*took))
            }
            Connected::Refused => write!(f, "{place} refused: nothing listens there"),
            Connected::TimedOut => write!(
                f,
                "{place} gave no answer in {} s: {SILENCE}",
                PATIENCE.as_secs()
            ),
            Connected::NoSuchAddress => write!(f, "{place} is no address of this machine"),
            Connected::Failed(why) => write!(f, "{place} could not be connected to: {why}"),
        }
    }
}

impl Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http {
                status,
                server: Some(server),
            } => write!(f, "{status} · server: {server}"),
            Self::Http {
                status,
                server: None,
            } => write!(f, "{status}"),
            Self::Other(bytes) => write!(f, "no HTTP, it says {bytes}"),
            Self::Closed => f.write_str("closed without a word to GET /"),
            Self::Nothing => f.write_str("says nothing to GET /"),
        }
    }
}
