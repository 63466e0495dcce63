//! The machine that frees a port: happenings in, steps out.

use super::order::Order;
use super::verdict::Verdict;
use super::{BindTrial, Dispatch, Look};
use std::net::SocketAddr;
use std::time::Instant;

/// What must be done next; `os::freeing::Freer` performs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Check that every target is what it was and holds what it held, then signal all of them; answered by
    /// [`Happening::Sent`].
    Send(Order),
    /// Look at the port of the order that was sent last, as often as is cheap; answered by [`Happening::Looked`] until
    /// `StopWatching`.
    Watch,
    /// Try once to bind the order's port on these addresses (v6 ones with IPV6_V6ONLY); answered by
    /// [`Happening::Bound`].
    TryBind(Vec<SocketAddr>),
    StopWatching,
}

/// What the executor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    Sent(Dispatch),
    Looked(Look),
    Bound(BindTrial),
}

/// One order on its way to a verdict.
#[derive(Clone, Debug)]
pub struct Freeing {
    order: Order,
    verdict: Option<Verdict>,
}

impl Freeing {
    /// Starts what was confirmed. The executor must have been told to hold on to the processes when the question opened.
    pub fn begin(order: Order, now: Instant) -> (Self, Vec<Step>) {
        let _ = now;
        let steps = vec![Step::Send(order.clone())];
        let verdict = None;
        (Self { order, verdict }, steps)
    }

    pub fn on(&mut self, happening: Happening) -> Vec<Step> {
        let _ = happening;
        Vec::new()
    }

    pub fn order(&self) -> &Order {
        &self.order
    }

    /// The truth about the port as far as it is known. It may still change until [`is_settled`](Self::is_settled): what
    /// was still held becomes free when the process ends after all, and what was free may be taken again.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// Whether the verdict stands for good and nothing is watched any more.
    pub fn is_settled(&self) -> bool {
        false
    }

    /// One line about what is going on, for as long as there is no verdict.
    pub fn progress(&self, now: Instant) -> String {
        let _ = now;
        String::new()
    }

    /// Whether SIGKILL may be offered: another signal went out and a process that got it still holds the port.
    pub fn can_kill(&self) -> bool {
        false
    }

    /// Sends SIGKILL to the targets that still hold the port, with all checks made again. Nothing unless
    /// [`can_kill`](Self::can_kill).
    pub fn kill(&mut self, now: Instant) -> Vec<Step> {
        let _ = now;
        Vec::new()
    }
}
