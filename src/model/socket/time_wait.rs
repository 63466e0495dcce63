//! Remaining time of sockets in TIME_WAIT, exact if the source reports it, else an upper bound.
//!
//! The port need not be free afterwards: only a bind tells.

use super::Socket;
use crate::model::platform::PLATFORM;
use std::time::{Duration, Instant};

/// Remaining time of a TIME_WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeWaitLeft {
    /// As the kernel reports it, up to the grain of its timers.
    Exact(Duration),
    AtMost(Duration),
}

impl TimeWaitLeft {
    /// Returns the time until the last one ends; `since` is when one was first seen. `None` without sockets, and if the
    /// kernel does not report it and keeps one for a time that is not fixed.
    pub fn of_last<'s>(
        sockets: impl Iterator<Item = &'s Socket> + Clone,
        now: Instant,
        since: impl Fn(&Socket) -> Option<Instant>,
    ) -> Option<Self> {
        let ends: Option<Vec<Instant>> = sockets.clone().map(Socket::time_wait_until).collect();
        if let Some(last) = ends.as_ref().and_then(|ends| ends.iter().max()) {
            return Some(Self::Exact(last.saturating_duration_since(now)));
        }
        // One that was not seen to begin may have done so just now.
        let latest = sockets.map(|socket| since(socket).unwrap_or(now)).max()?;
        let age = now.saturating_duration_since(latest);
        let lasts = PLATFORM.time_wait()?;
        Some(Self::AtMost(lasts.saturating_sub(age)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::socket::State;
    use crate::model::testing::{SocketBuilder, instant, socket};

    fn waits() -> SocketBuilder {
        socket("127.0.0.1:80").to("127.0.0.1:1").without_owner()
    }

    /// One that ends this many seconds after second 100.
    fn until(left: f64) -> Socket {
        waits().waits_until(instant(100.0 + left)).build()
    }

    fn unknown() -> Socket {
        waits().state(State::TimeWait).build()
    }

    #[test]
    fn the_kernels_timer_is_preferred_to_the_upper_bound() {
        let exact = |seconds| Some(TimeWaitLeft::Exact(Duration::from_secs(seconds)));
        let at_most = |age| {
            let lasts = PLATFORM.time_wait()?;
            Some(TimeWaitLeft::AtMost(
                lasts.saturating_sub(Duration::from_secs(age)),
            ))
        };
        let first_seen =
            |socket: &Socket| socket.time_wait_until().is_none().then(|| instant(88.0));
        let cases = [
            (vec![until(7.0), until(48.0)], exact(48)),
            (vec![until(-2.0)], exact(0)),
            (vec![unknown()], at_most(12)),
            (vec![until(7.0), unknown()], at_most(0)),
            (vec![], None),
        ];
        for (sockets, left) in cases {
            let last = TimeWaitLeft::of_last(sockets.iter(), instant(100.0), first_seen);
            assert_eq!(last, left, "{sockets:?}");
        }
    }
}
