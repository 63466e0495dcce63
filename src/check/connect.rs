//! What came of connecting to a port, as a client does.

use super::formatting::milliseconds;
use crate::model::endpoint::Protocol;
use crate::model::platform::PLATFORM;
use crate::model::text::SystemText;
use crate::wording;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::time::Duration;

/// How long a connect may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What may be behind no answer. Windows asks a port that refuses for longer than that.
const SILENCE: &str = if PLATFORM.refuses_connects_at_once() {
    "the backlog is full, or a firewall drops it"
} else {
    "nothing listens there, the backlog is full, or a firewall drops it"
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectProbe {
    pub address: SocketAddr,
    pub outcome: ConnectOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectOutcome {
    Accepted {
        took: Duration,
        banner: Banner,
    },
    Refused,
    TimedOut,
    NoSuchAddress,
    /// In the words of the system; safe to show.
    Failed(String),
}

/// What a server said after `GET / HTTP/1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Banner {
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

impl ConnectOutcome {
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
impl Display for ConnectProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = wording::place_at(Protocol::Tcp, self.address);
        match &self.outcome {
            ConnectOutcome::Accepted { took, banner } => {
                write!(f, "{place} connected in {}: {banner}", milliseconds(*took))
            }
            ConnectOutcome::Refused => write!(f, "{place} refused: nothing listens there"),
            ConnectOutcome::TimedOut => write!(
                f,
                "{place} gave no answer in {} s: {SILENCE}",
                CONNECT_TIMEOUT.as_secs()
            ),
            ConnectOutcome::NoSuchAddress => write!(f, "{place} is no address of this machine"),
            ConnectOutcome::Failed(why) => write!(f, "{place} could not be connected to: {why}"),
        }
    }
}

impl Display for Banner {
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
