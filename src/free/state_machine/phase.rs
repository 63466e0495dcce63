//! Phases of a freeing, and how long it waits in them.

use std::time::{Duration, Instant};

/// Shorter wait for cases where waiting rarely helps: SIGCONT was sent, or all targets have exited and other processes
/// hold the sockets.
pub(super) const FUTILE_TIMEOUT: Duration = Duration::from_secs(1);

/// Time between binds that fail for no visible reason.
pub const BIND_RETRY: Duration = Duration::from_secs(5);

/// How long to wait for what; `Default` is what the monitor uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From a signal to the verdict that the port is still held.
    pub wait_for_exit: Duration,
    /// How long a free port is watched before that counts.
    pub settle: Duration,
    /// The same while a target still runs, which may open the port again.
    pub settle_beside_target: Duration,
    /// From the signal to a SIGKILL that was confirmed in advance.
    pub force_after: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            wait_for_exit: Duration::from_secs(5),
            settle: Duration::from_secs(2),
            settle_beside_target: Duration::from_secs(2),
            force_after: None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FreePhase {
    Sending,
    /// Something holds the port; there may be a verdict already.
    Watching,
    /// Nothing holds it, and a bind is being tried.
    Probing {
        free_since: Instant,
    },
    /// Its verdict is free, which is watched before it counts.
    Settling(LastBind),
    /// Nothing holds it, yet it cannot be bound.
    Unbindable(LastBind),
    /// Part of it may be free, and a bind is being tried there.
    ProbingPart,
    /// Tables cannot be read, and a bind is being tried.
    ProbingUnread {
        /// The earlier bind that showed the port free, if any; it applies again if the result of this bind is
        /// discarded.
        previous: Option<LastBind>,
    },
    PartlyFree,
    /// Free for good; the executor no longer watches it, and ordinary polls show whether it is taken again.
    WatchingReuse(ReuseState),
    /// Settled: the verdict no longer changes.
    Done,
}

/// The last bind of a port that nothing has held since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LastBind {
    pub free_since: Instant,
    pub at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReuseState {
    pub free_since: Instant,
    pub until: Instant,
    /// When the first socket of a newcomer was seen.
    pub taken: Option<Instant>,
    /// True if a table could not be read before that, so that the newcomer may have come earlier.
    pub was_unread: bool,
}

impl FreePhase {
    /// Since when nothing holds the port, as far as a poll or a bind has shown.
    pub fn free_since(&self) -> Option<Instant> {
        match self {
            Self::Probing { free_since } => Some(*free_since),
            Self::Settling(bind) | Self::Unbindable(bind) => Some(bind.free_since),
            Self::ProbingUnread { previous } => previous.map(|bind| bind.free_since),
            Self::WatchingReuse(reuse) => Some(reuse.free_since),
            Self::Sending | Self::Watching | Self::ProbingPart | Self::PartlyFree | Self::Done => {
                None
            }
        }
    }
}
