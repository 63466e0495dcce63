//! The result of connecting to a port as a client does.

use crate::model::text::SystemText;
use std::net::SocketAddr;
use std::time::Duration;

/// Longest time that a connect may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

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
    /// Error text of the system, safe to show.
    Failed(String),
}

/// What a server sent after `GET / HTTP/1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Banner {
    Http {
        /// `HTTP/1.1 200 OK`
        status: SystemText,
        server: Option<SystemText>,
    },
    /// First bytes of an answer that is not HTTP.
    Other(SystemText),
    /// It closed the connection without an answer.
    Closed,
    Nothing,
}

impl ConnectOutcome {
    /// Name in the JSON, which stays the same.
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
