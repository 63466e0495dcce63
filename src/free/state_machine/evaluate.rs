//! Evaluates what a poll of the port shows: it leads to a verdict only where the facts are complete.

use super::bind::freed_addresses;
use super::phase::{FUTILE_TIMEOUT, Timeouts};
use super::poll_verdict::{held, held_by_others, taken_again, unknown};
use super::request_log::RequestLog;
use super::target_state::TargetState;
use crate::free::verdict::{Verdict, VerdictKind};
use crate::model::platform::PLATFORM;
use crate::model::process::{Process, Signal};
use std::net::SocketAddr;

/// What a poll of the port leads to.
pub(super) enum Evaluation {
    /// Too early for a verdict.
    Wait,
    /// Nothing holds the port.
    NoOwner,
    /// The targets' sockets on these addresses are closed, and nothing else holds them; to be bound.
    Part(Vec<SocketAddr>),
    /// Tables have been unreadable for so long that a bind must decide.
    Probe,
    Decided(Box<Verdict>),
    /// SIGKILL is to be sent to the survivors, as was requested in advance.
    Escalate,
}

/// Evaluates the last poll while the port is watched.
pub(super) fn evaluate(
    log: &RequestLog,
    timeouts: &Timeouts,
    has_part_bind_failed: bool,
) -> Evaluation {
    if log.is_unread() {
        return evaluate_unread(log, timeouts);
    }
    let holding = log.holding_sockets();
    if holding.is_empty() {
        return Evaluation::NoOwner;
    }
    let Some(since_done) = log.since_targets_done() else {
        return not_ended(log, timeouts);
    };
    let is_closed = !holding.iter().any(|socket| log.is_targeted(socket));
    if is_closed && let Some(by) = log.newcomer() {
        return decided(taken_again(log, &by, None));
    }
    let freed = freed_addresses(log, &holding);
    if is_closed && !freed.is_empty() && !has_part_bind_failed {
        return Evaluation::Part(freed);
    }
    let is_kept = log.is_held_by_previous_owners() && since_done >= FUTILE_TIMEOUT;
    if is_kept || log.waited() >= timeouts.wait_for_exit || has_part_bind_failed {
        decided(held_by_others(log))
    } else {
        Evaluation::Wait
    }
}

/// Evaluates a poll that could not read every table: what a table showed before is no evidence.
fn evaluate_unread(log: &RequestLog, timeouts: &Timeouts) -> Evaluation {
    let holding = log.holding_sockets();
    let since_done = log.since_targets_done();
    if since_done.is_none() {
        if log.are_survivors_seen() {
            return not_ended(log, timeouts);
        }
    } else if !holding.iter().any(|socket| log.is_targeted(socket))
        && let Some(by) = log.newcomer()
    {
        return decided(taken_again(log, &by, None));
    }
    let is_done = since_done.is_some_and(|since| since >= FUTILE_TIMEOUT);
    if !is_done && log.waited() < timeouts.wait_for_exit {
        Evaluation::Wait
    } else if holding.is_empty() {
        Evaluation::Probe
    } else {
        decided(unknown(log, held(holding)))
    }
}

fn decided(verdict: Verdict) -> Evaluation {
    Evaluation::Decided(Box::new(verdict))
}

fn not_ended(log: &RequestLog, timeouts: &Timeouts) -> Evaluation {
    let waited = log.waited();
    // SIGKILL is sent only once: if it could not be sent, it is not tried again and again.
    if let Some(force_after) = timeouts.force_after
        && log.request.signal != Signal::Kill
        && log.has_signaled_survivor()
    {
        return if waited >= force_after {
            Evaluation::Escalate
        } else {
            Evaluation::Wait
        };
    }
    let is_futile = log.last_signal() == Signal::Continue && waited >= FUTILE_TIMEOUT;
    let are_dropped = log.survivors().all(TargetState::is_signal_dropped);
    if waited < timeouts.wait_for_exit && !is_futile && !are_dropped {
        return Evaluation::Wait;
    }
    decided(log.verdict(VerdictKind::NotEnded {
        survivors: log.survivor_facts(),
        offer: next_signal(log),
    }))
}

/// Returns the signal that may help after the last one. The main process of postgres takes SIGTERM as "wait for the clients"
/// and SIGINT as "disconnect them" (Shutting Down the Server in its manual); SIGKILL would leave it to recover its files.
fn next_signal(log: &RequestLog) -> Option<Signal> {
    let last = log.last_signal();
    let is_slow = matches!(last, Signal::Terminate | Signal::HangUp);
    let mut survivors = log.survivors();
    if is_slow
        && PLATFORM.has_signals()
        && survivors.any(|state| is_postgres(&state.target.process))
    {
        return Some(Signal::Interrupt);
    }
    match last {
        Signal::Terminate | Signal::HangUp | Signal::Interrupt | Signal::Quit => {
            last.can_be_ignored().then_some(Signal::Kill)
        }
        Signal::Kill | Signal::Continue => None,
    }
}

/// True for a main process of postgres; its children have titles such as `postgres: checkpointer`.
fn is_postgres(process: &Process) -> bool {
    let name = process.name.raw();
    let first = process.command.first().map(|word| word.raw());
    (name == "postgres" || name == "postmaster")
        && !first.is_some_and(|first| first.starts_with("postgres:"))
}
