//! States of sockets.

use std::fmt::{self, Display};

/// State of a TCP socket (RFC 9293, section 3.3.2), or what UDP and bound sockets have instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Listen,
    Established,
    SynSent,
    SynRecv,
    FinWait1,
    FinWait2,
    TimeWait,
    CloseWait,
    LastAck,
    Closing,
    Closed,
    /// TCP: bound to a port, neither listening nor connected.
    Bound,
    /// UDP without a remote end.
    Unconn,
}

impl State {
    pub const ALL: [Self; 13] = [
        Self::Listen,
        Self::Established,
        Self::SynSent,
        Self::SynRecv,
        Self::FinWait1,
        Self::FinWait2,
        Self::TimeWait,
        Self::CloseWait,
        Self::LastAck,
        Self::Closing,
        Self::Closed,
        Self::Bound,
        Self::Unconn,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Listen => "LISTEN",
            Self::Established => "ESTABLISHED",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::FinWait1 => "FIN_WAIT1",
            Self::FinWait2 => "FIN_WAIT2",
            Self::TimeWait => "TIME_WAIT",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::Closing => "CLOSING",
            Self::Closed => "CLOSED",
            Self::Bound => "BOUND",
            Self::Unconn => "UNCONN",
        }
    }
}

impl Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// True if a socket in this state is listening, bound, or UDP without a remote end.
pub fn holds_port(state: Option<State>, has_remote: bool) -> bool {
    match state {
        Some(State::Listen | State::Bound | State::Unconn) => true,
        Some(_) => false,
        None => !has_remote,
    }
}
