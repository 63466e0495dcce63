//! Numbers of the kernel for the states of sockets (include/net/tcp_states.h).

use crate::model::socket::{Protocol, State};

/// The state with this number; UDP has two of them.
#[inline]
pub fn state_of(number: u8, protocol: Protocol, is_connected: bool) -> Option<State> {
    let state = match number {
        1 => State::Established,
        7 if protocol == Protocol::Udp => State::Unconn,
        _ if protocol == Protocol::Udp => return None,
        2 => State::SynSent,
        // 12 is NEW_SYN_RECV.
        3 | 12 => State::SynRecv,
        4 => State::FinWait1,
        5 => State::FinWait2,
        6 => State::TimeWait,
        7 if is_connected => State::Closed,
        7 => State::Bound,
        8 => State::CloseWait,
        9 => State::LastAck,
        10 => State::Listen,
        11 => State::Closing,
        _ => return None,
    };
    Some(state)
}
