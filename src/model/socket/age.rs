//! The age of a socket, as far as it is known.

use super::endpoint::Since;
use crate::model::Moment;
use crate::model::process::Process;
use std::sync::Arc;
use std::time::Duration;

/// A duration that is exact or a bound. Ages sort by their duration first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    pub span: Duration,
    pub bound: AgeBound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AgeBound {
    Exact,
    AtMost,
    MoreThan,
}

impl Age {
    pub fn exact(span: Duration) -> Self {
        let bound = AgeBound::Exact;
        Self { span, bound }
    }

    /// Exact for a socket that portmon saw open; else at most the age of its oldest owner, or more than the time that
    /// portmon has seen it.
    pub fn of_socket(since: Since, owners: &[Arc<Process>], now: Moment) -> Self {
        let (at, seen_to_open) = match since {
            Since::Opened(at) => (at, true),
            Since::Before(at) => (at, false),
        };
        let watched = now.instant.saturating_duration_since(at);
        let oldest = owners.iter().filter_map(|owner| owner.started_at).min();
        let (span, bound) = match oldest {
            _ if seen_to_open => (watched, AgeBound::Exact),
            Some(started) => (now.since(started), AgeBound::AtMost),
            None => (watched, AgeBound::MoreThan),
        };
        Self { span, bound }
    }
}
