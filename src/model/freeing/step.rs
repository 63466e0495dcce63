//! What a freeing asks of the executor, and what comes back.

use super::look::{BindTrial, Dispatch, Look};
use super::order::{Order, OrderId};
use std::net::SocketAddr;

/// What must be done next; `os::freeing::Executor` performs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// For each order, check that every target is what it was and holds what it held, then signal all of them; a process
    /// that is the target of several gets its signal once. Answered by a [`Happening::Sent`] for each.
    Send(Vec<Order>),
    /// Look at the port of this order, as often as is cheap; answered by [`Happening::Looked`] until `StopWatching`.
    Watch(OrderId),
    /// Try once to bind the order's port on these addresses (v6 ones with IPV6_V6ONLY); answered by
    /// [`Happening::Bound`].
    TryBind(OrderId, Vec<SocketAddr>),
    StopWatching(OrderId),
}

/// What the executor found, each for one order: an answer may still be under way when another order is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Sent(Dispatch),
    Looked(Look),
    Bound(BindTrial),
}

impl Happening {
    pub fn order(&self) -> OrderId {
        match self {
            Self::Sent(dispatch) => dispatch.order,
            Self::Looked(look) => look.order,
            Self::Bound(trial) => trial.order,
        }
    }
}
