//! For how long a port is watched, and what happens if nothing does.

use std::time::Duration;

/// How patient a freeing is; `Default` is what the monitor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// How long the port is watched after a signal before it is said to be still held.
    pub wait_for_exit: Duration,
    /// How long a free port is watched further before being free counts.
    pub settle: Duration,
    /// After how long what has not ended gets SIGKILL without being asked about again.
    pub force_after: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            wait_for_exit: Duration::from_secs(5),
            settle: Duration::from_secs(2),
            force_after: None,
        }
    }
}
