//! How long the kernel keeps what it still has of a port in TIME_WAIT.
//!
//! Where the source tells the end of each it is said as it is, else only what is the most that it can be. Nothing here
//! says that a port is free then: only a bind tells.

use crate::model::endpoint::Socket;
use crate::model::platform::PLATFORM;
use std::fmt::{self, Display};
use std::time::{Duration, Instant};

/// Duration of TIME_WAIT on this system, where it is fixed.
pub const TIME_WAIT: Option<Duration> = PLATFORM.time_wait();

/// What is left of a TIME_WAIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeWaitLeft {
    /// The kernel said so, up to the grain of its timers.
    Exact(Duration),
    /// It began at this time before its end, or earlier.
    AtMost(Duration),
}

impl TimeWaitLeft {
    /// Of the one that ends last; `since` is when one was first seen, `lasts` how long the system keeps one. `None` of no
    /// socket, and where nothing tells.
    pub fn of_last<'s>(
        sockets: impl Iterator<Item = &'s Socket> + Clone,
        now: Instant,
        lasts: Option<Duration>,
        since: impl Fn(&Socket) -> Option<Instant>,
    ) -> Option<Self> {
        let ends: Option<Vec<Instant>> = sockets.clone().map(Socket::ends_at).collect();
        if let Some(last) = ends.as_ref().and_then(|ends| ends.iter().max()) {
            return Some(Self::Exact(last.saturating_duration_since(now)));
        }
        // One that was not seen to begin may have done so just now.
        let latest = sockets.map(|socket| since(socket).unwrap_or(now)).max()?;
        let age = now.saturating_duration_since(latest);
        lasts.map(|lasts| Self::AtMost(lasts.saturating_sub(age)))
    }

    /// `at most 48 s`, for what may come earlier by another way.
    pub fn at_most(self) -> String {
        match self {
            Self::Exact(_) => format!("at most {self}"),
            Self::AtMost(_) => self.to_string(),
        }
    }

    /// `about 48 s`, `at most 60 s`
    pub fn roughly(self) -> String {
        match self {
            Self::Exact(_) => format!("about {self}"),
            Self::AtMost(_) => self.to_string(),
        }
    }
}

/// `48 s`, `at most 60 s`
impl Display for TimeWaitLeft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |of: &Duration| of.as_secs_f64().ceil();
        match self {
            // The kernel's timers may run out a moment late, and what is still there has not ended.
            Self::Exact(left) => write!(f, "{} s", seconds(left).max(1.0)),
            Self::AtMost(left) => write!(f, "at most {} s", seconds(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::State;
    use crate::model::testing::{SocketBuilder, instant, socket};

    fn waits() -> SocketBuilder {
        socket("127.0.0.1:80").to("127.0.0.1:1").without_owner()
    }

    /// One that ends so many seconds after second 100.
    fn until(left: f64) -> Socket {
        waits().waits_until(instant(100.0 + left)).build()
    }

    fn untold() -> Socket {
        waits().state(State::TimeWait).build()
    }

    fn last_of(sockets: &[Socket], lasts: Option<Duration>) -> Option<TimeWaitLeft> {
        let first_seen = |socket: &Socket| socket.ends_at().is_none().then(|| instant(88.0));
        TimeWaitLeft::of_last(sockets.iter(), instant(100.0), lasts, first_seen)
    }

    #[test]
    fn the_kernels_timer_is_preferred_to_the_upper_bound() {
        let minute = Some(Duration::from_mins(1));
        let cases = [
            (vec![until(7.0), until(47.9)], minute, Some("48 s")),
            (vec![until(7.0)], None, Some("7 s")),
            (vec![until(-2.0)], minute, Some("1 s")),
            (vec![untold()], minute, Some("at most 48 s")),
            (vec![until(7.0), untold()], minute, Some("at most 60 s")),
            (vec![untold()], None, None),
            (vec![], minute, None),
        ];
        for (sockets, lasts, said) in cases {
            let left = last_of(&sockets, lasts).map(|left| left.to_string());
            assert_eq!(left.as_deref(), said, "{sockets:?}");
        }
    }

    #[test]
    fn an_exact_time_alone_is_shown_as_approximate() {
        let said = [vec![until(7.0)], vec![untold()]].map(|sockets| {
            let left = last_of(&sockets, Some(Duration::from_mins(1)));
            left.map(TimeWaitLeft::roughly)
        });
        let expected = ["about 7 s", "at most 48 s"].map(|words| Some(words.to_owned()));
        assert_eq!(said, expected);
    }
}
