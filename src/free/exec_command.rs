//! What a freeing asks of the executor, and what comes back.

use super::kill_request::{KillRequest, RequestId};
use super::observations::{BindProbe, PortSnapshot, SendReport};
use std::net::SocketAddr;

/// What must be done next; `os::free::Executor` performs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecCommand {
    /// For each order, check that every target is what it was and holds what it held, then signal all of them; a process
    /// that is the target of several gets its signal once. Answered by a [`ExecEvent::SignalsSent`] for each.
    Send(Vec<KillRequest>),
    /// Look at the port of this order, as often as is cheap; answered by [`ExecEvent::Polled`] until `StopWatching`.
    Watch(RequestId),
    /// Try once to bind the order's port on these addresses (v6 ones with IPV6_V6ONLY); answered by
    /// [`ExecEvent::BindProbed`].
    TryBind(RequestId, Vec<SocketAddr>),
    StopWatching(RequestId),
}

/// What the executor found, each for one order: an answer may still be under way when another order is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecEvent {
    SignalsSent(SendReport),
    Polled(PortSnapshot),
    BindProbed(BindProbe),
}

impl ExecEvent {
    pub fn request(&self) -> RequestId {
        match self {
            Self::SignalsSent(dispatch) => dispatch.request,
            Self::Polled(look) => look.request,
            Self::BindProbed(probe) => probe.request,
        }
    }
}
