//! Sentences of the monitor's screen. Here those of the status line: why the table is stale, what it does not show, and the
//! keys that help.

mod details;
mod empty_table;
pub mod notice;
mod past_owner;

pub use details::{
    UNKNOWN_V6ONLY, candidates, clients, container_details, path, pending_owner, port_range,
    process_with_user, queue, reachable, reachable_at, run_state, seen, shared_port, started,
    traffic, unit_details, usage,
};
pub use empty_table::{
    READING, hidden_by_filter, how_to_clear, no_match, no_sockets, nothing_on, nothing_since,
    numbers_are_pids,
};
pub use past_owner::{closed, past_owner, past_owners};

use crate::model::snapshot::Problem;
use crate::wording::{duration, interval, joined};
use std::time::Duration;

/// The last line of a dialog that does not fit.
pub const MORE_LINES: &str = "… more (use a taller terminal)";

pub const FOREIGN_PIDS: &str = "pids are from another namespace";

pub fn stale_since(last_poll: Duration) -> String {
    format!("stale: the last poll was {} ago", duration(last_poll))
}

/// `stale for 9 s: tcp6 sockets: out of memory`
pub fn stale_tables(since: Duration, problems: &[Problem]) -> String {
    format!("stale for {}: {}", duration(since), joined(problems, "; "))
}

pub fn stale_forever(source: &str) -> String {
    format!("stale: {source} stopped; restart portmon")
}

/// `slow: a poll takes 420 ms`
pub fn slow_polls(took: Duration) -> String {
    format!("slow: a poll takes {}", interval(took))
}

/// `2 marked · x free · U unmark`, `2 of 5 marked in view · …`
pub fn marked(in_view: usize, all: usize, free_key: &str, unmark_key: &str) -> String {
    let count = if in_view == all {
        format!("{all} marked")
    } else {
        format!("{in_view} of {all} marked in view")
    };
    format!("{count} · {free_key} free · {unmark_key} unmark")
}

/// `213 remote: a`: connections to other machines, and the key that shows them.
pub fn remote(connections: usize, key: &str) -> String {
    format!("{connections} remote: {key}")
}
