//! Remaining time of sockets in TIME_WAIT, exact if the source reports it, else an upper bound.
//!
//! The port need not be free afterwards: only a bind tells.

use super::Socket;
use crate::model::platform::PLATFORM;
use std::time::{Duration, Instant};

/// Duration of TIME_WAIT on this system, where it is fixed.
pub const TIME_WAIT: Option<Duration> = PLATFORM.time_wait();

/// Remaining time of a TIME_WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeWaitLeft {
    /// As the kernel reports it, up to the grain of its timers.
    Exact(Duration),
    AtMost(Duration),
}

impl TimeWaitLeft {
    /// Returns the time until the last one ends; `since` is when one was first seen, `lasts` how long the system keeps one.
    /// `None` without sockets, and if neither is known.
    pub fn of_last<'s>(
        sockets: impl Iterator<Item = &'s Socket> + Clone,
        now: Instant,
        lasts: Option<Duration>,
        since: impl Fn(&Socket) -> Option<Instant>,
    ) -> Option<Self> {
        let ends: Option<Vec<Instant>> = sockets.clone().map(Socket::time_wait_until).collect();
        if let Some(last) = ends.as_ref().and_then(|ends| ends.iter().max()) {
            return Some(Self::Exact(last.saturating_duration_since(now)));
        }
        // One that was not seen to begin may have done so just now.
        let latest = sockets.map(|socket| since(socket).unwrap_or(now)).max()?;
        let age = now.saturating_duration_since(latest);
        lasts.map(|lasts| Self::AtMost(lasts.saturating_sub(age)))
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

    fn last_of(sockets: &[Socket], lasts: Option<Duration>) -> Option<TimeWaitLeft> {
        let first_seen =
            |socket: &Socket| socket.time_wait_until().is_none().then(|| instant(88.0));
        TimeWaitLeft::of_last(sockets.iter(), instant(100.0), lasts, first_seen)
    }

    #[test]
    fn the_kernels_timer_is_preferred_to_the_upper_bound() {
        let minute = Some(Duration::from_mins(1));
        let exact = |seconds| Some(TimeWaitLeft::Exact(Duration::from_secs(seconds)));
        let at_most = |seconds| Some(TimeWaitLeft::AtMost(Duration::from_secs(seconds)));
        let cases = [
            (vec![until(7.0), until(48.0)], minute, exact(48)),
            (vec![until(7.0)], None, exact(7)),
            (vec![until(-2.0)], minute, exact(0)),
            (vec![unknown()], minute, at_most(48)),
            (vec![until(7.0), unknown()], minute, at_most(60)),
            (vec![unknown()], None, None),
            (vec![], minute, None),
        ];
        for (sockets, lasts, left) in cases {
            assert_eq!(last_of(&sockets, lasts), left, "{sockets:?}");
        }
    }
}
