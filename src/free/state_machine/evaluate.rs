//! Derives the verdict from what was seen or bound. Each function returns one only where the facts are complete.

use super::request_log::RequestLog;
use super::target_state::TargetState;
use super::{FUTILE_TIMEOUT, Timeouts};
use crate::free::exec_command::BindProbe;
use crate::free::verdict::{Evidence, NextAction, Proof, RemainingOwners, Starter, Verdict};
use crate::model::platform::PLATFORM;
use crate::model::port::{AddressProbe, BindResult, bind_addresses};
use crate::model::process::{Pid, Process, Signal};
use crate::model::socket::Socket;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What a poll of the port leads to.
pub(super) enum Evaluation {
    /// Too early for a verdict.
    Wait,
    /// Nothing holds the port.
    NoOwner,
    /// The targets' sockets on these addresses are closed, and nobody else holds them; to be bound.
    Part(Vec<SocketAddr>),
    /// Tables could not be read for so long that a bind is to decide.
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
    if !log.are_targets_done() {
        return not_ended(log, timeouts);
    }
    let is_closed = !holding.iter().any(|socket| log.is_targeted(socket.id));
    if is_closed && let Some(by) = log.new_sockets().first() {
        return decided(taken_again(log, by, None));
    }
    let freed = freed_addresses(log, &holding);
    if is_closed && !freed.is_empty() && !has_part_bind_failed {
        return Evaluation::Part(freed);
    }
    let is_kept = log.is_held_by_previous_owners() && log.since_targets_done() >= FUTILE_TIMEOUT;
    if is_kept || log.waited() >= timeouts.wait_for_exit || has_part_bind_failed {
        decided(held_by_others(log))
    } else {
        Evaluation::Wait
    }
}

/// Evaluates a poll that could not read every table: what a table showed before is no evidence.
fn evaluate_unread(log: &RequestLog, timeouts: &Timeouts) -> Evaluation {
    let holding = log.holding_sockets();
    if !log.are_targets_done() {
        if log.are_survivors_seen() {
            return not_ended(log, timeouts);
        }
    } else if !holding.iter().any(|socket| log.is_targeted(socket.id))
        && let Some(by) = log.new_sockets().first()
    {
        return decided(taken_again(log, by, None));
    }
    let is_done = log.are_targets_done() && log.since_targets_done() >= FUTILE_TIMEOUT;
    if !is_done && log.waited() < timeouts.wait_for_exit {
        return Evaluation::Wait;
    }
    if holding.is_empty() {
        return Evaluation::Probe;
    }
    let held = cloned_once(holding, |one, other| {
        has_same_owner(one, other) && one.local == other.local
    });
    decided(unknown(log, Evidence::Held(held)))
}

fn decided(verdict: Verdict) -> Evaluation {
    Evaluation::Decided(Box::new(verdict))
}

fn not_ended(log: &RequestLog, timeouts: &Timeouts) -> Evaluation {
    // SIGKILL is sent only once: if it could not be sent, it is not tried again and again.
    let is_forced = log.request.signal == Signal::Kill;
    if let Some(after) = timeouts.force_after.filter(|_| !is_forced) {
        return if log.waited() >= after {
            Evaluation::Escalate
        } else {
            Evaluation::Wait
        };
    }
    let is_futile =
        log.last_signal() == Signal::Continue || log.survivors().all(TargetState::ignores_signal);
    let wait_for_exit = if is_futile {
        FUTILE_TIMEOUT.min(timeouts.wait_for_exit)
    } else {
        timeouts.wait_for_exit
    };
    if log.waited() < wait_for_exit {
        return Evaluation::Wait;
    }
    decided(Verdict::NotEnded {
        port: log.port(),
        outcomes: log.outcomes(),
        survivors: log.running_targets(),
        next: next_action(log),
    })
}

/// Returns what may help after this signal. The main process of postgres takes SIGTERM as "wait for the clients" and SIGINT
/// as "disconnect them" (Shutting Down the Server in its manual); SIGKILL would leave it to recover its files.
fn next_action(log: &RequestLog) -> NextAction {
    let mut survivors = log.survivors();
    match log.last_signal() {
        Signal::Terminate | Signal::HangUp
            if PLATFORM.has_signals()
                && survivors.any(|state| is_postgres(&state.target.process)) =>
        {
            NextAction::Offer(Signal::Interrupt)
        }
        signal @ (Signal::Terminate | Signal::HangUp | Signal::Interrupt | Signal::Quit)
            if signal.can_be_ignored() =>
        {
            NextAction::Offer(Signal::Kill)
        }
        Signal::Terminate
        | Signal::HangUp
        | Signal::Interrupt
        | Signal::Quit
        | Signal::Kill
        | Signal::Continue => NextAction::Nothing,
    }
}

/// True for a main process of postgres; its children have titles such as `postgres: checkpointer`.
fn is_postgres(process: &Process) -> bool {
    let name = process.name.raw();
    let first = process.command.first().map(|word| word.raw());
    (name == "postgres" || name == "postmaster")
        && !first.is_some_and(|first| first.starts_with("postgres:"))
}

pub(super) fn held_by_others(log: &RequestLog) -> Verdict {
    let holding = log.holding_sockets();
    let targets = log.target_states.iter().map(|state| &state.target);
    let masters: Vec<Pid> = targets
        .filter(|target| target.is_owner())
        .map(|target| target.process.pid())
        .collect();
    // As it was when the question was asked: once its master is gone, a worker is a child of init.
    let is_worker = |process: &Arc<Process>| {
        let mut asked = log.request.owners.iter();
        let asked = asked.find(|one| one.id == process.id);
        let parent = asked.and_then(|asked| asked.parent);
        parent.is_some_and(|parent| masters.contains(&parent))
    };
    let owners: Vec<Arc<Process>> = log.owner_processes().into_iter().cloned().collect();
    let are_visible = holding
        .iter()
        .all(|socket| !socket.owners.known().is_empty());
    let remaining_owners = if are_visible && owners.iter().all(is_worker) {
        RemainingOwners::Children(owners)
    } else {
        RemainingOwners::Others(cloned_once(holding, has_same_owner))
    };
    Verdict::HeldByOthers {
        port: log.port(),
        outcomes: log.outcomes(),
        remaining_owners,
    }
}

fn has_same_owner(one: &Socket, other: &Socket) -> bool {
    (&one.owners, one.uid, &one.user) == (&other.owners, other.uid, &other.user)
}

/// Returns the sockets without neighbors that are alike.
fn cloned_once(sockets: Vec<&Socket>, are_alike: fn(&Socket, &Socket) -> bool) -> Vec<Socket> {
    let mut once: Vec<Socket> = sockets.into_iter().cloned().collect();
    once.dedup_by(|one, other| are_alike(one, other));
    once
}

/// Returns the verdict that a newcomer holds the port, after it was free for this long.
pub(super) fn taken_again(log: &RequestLog, by: &Socket, free_for: Option<Duration>) -> Verdict {
    let owner = by.owners.first();
    // A child adopted by init or systemd was started by someone else, and a parent younger than its child has a reused pid.
    let parent = owner.and_then(|owner| {
        let mut parents = log.parents.iter();
        parents.find(|parent| {
            Some(parent.pid()) == owner.parent
                && parent.pid().0 > 1
                && parent.name.raw() != "systemd"
                && parent.id.start <= owner.id.start
        })
    });
    Verdict::TakenAgain {
        port: log.port(),
        free_for,
        by: by.clone(),
        starter: owner
            .and_then(|owner| log.started_by_systemd(owner))
            .or_else(|| Some(Starter::Parent(Arc::clone(parent?)))),
    }
}

pub(super) fn unknown(log: &RequestLog, evidence: Evidence) -> Verdict {
    Verdict::Unknown {
        port: log.port(),
        outcomes: log.outcomes(),
        survivors: log.running_targets(),
        evidence,
        problems: log.problems.clone(),
    }
}

/// Returns the verdict of a bind on the whole port, which nothing is seen to hold.
pub(super) fn bind_verdict(log: &RequestLog, probe: &BindProbe) -> Verdict {
    let result = BindResult::of(&probe.probes);
    let is_unread = log.is_unread();
    let (port, outcomes) = (log.port(), log.outcomes());
    let free = |proof| Verdict::Free {
        port,
        outcomes: log.outcomes(),
        proof,
    };
    let error = match result {
        BindResult::Usable if is_unread => return free(Proof::BindOnly(log.problems.clone())),
        // Without the tables only a bind without SO_REUSEADDR proves anything: with it a port can be bound beside a socket
        // that does not listen.
        result if is_unread => return unknown(log, Evidence::Bind(result)),
        BindResult::Usable => return free(Proof::Bound),
        BindResult::NotPermitted => return free(Proof::NotPermitted),
        BindResult::NoSuchAddress => return free(Proof::NoSuchAddress),
        BindResult::OnlyWithReuseAddr => {
            return Verdict::OnlyWithReuseAddr {
                port,
                outcomes,
                leftovers: log.leftovers(),
            };
        }
        BindResult::InUse => None,
        BindResult::Failed(error) => Some(error),
    };
    Verdict::CannotBind {
        port,
        outcomes,
        leftovers: log.leftovers(),
        error,
    }
}

/// Returns the verdict of a bind on the addresses that targets held; `None` unless all of them can be bound.
pub(super) fn part_verdict(log: &RequestLog, probe: &BindProbe) -> Option<Verdict> {
    let is_usable = |probe: &AddressProbe| probe.result().is_usable();
    if probe.probes.is_empty() || !probe.probes.iter().all(is_usable) {
        return None;
    }
    let held: Vec<Socket> = log.holding_sockets().into_iter().cloned().collect();
    let reaches = |ip: &IpAddr| {
        held.iter().any(|socket| {
            let local = socket.local.ip();
            local == *ip || local.is_unspecified() && local.is_ipv4() == ip.is_ipv4()
        })
    };
    Some(Verdict::PartlyFree {
        port: log.port(),
        free: probe.probes.iter().map(|probe| probe.address).collect(),
        localhost: probe.localhost.first().copied().filter(reaches),
        held,
    })
}

/// Returns the addresses that show whether the whole port is free: those that were held, and those that servers use.
pub(super) fn all_addresses(log: &RequestLog) -> Vec<SocketAddr> {
    let held = log.request.sockets.iter().map(|socket| socket.local);
    let mut addresses: Vec<SocketAddr> = held
        .filter(|local| is_bindable(*local))
        .chain(bind_addresses(None, log.port().number))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// Returns the addresses that targets held and nobody holds now.
pub(super) fn freed_addresses(log: &RequestLog, kept: &[&Socket]) -> Vec<SocketAddr> {
    let targeted = log
        .request
        .sockets
        .iter()
        .map(|socket| (socket.id, socket.local));
    let mut freed: Vec<SocketAddr> = targeted
        .filter(|(id, _)| log.is_targeted(*id))
        .map(|(_, local)| local)
        .filter(|local| is_bindable(*local))
        .filter(|local| !kept.iter().any(|socket| socket.local == *local))
        .collect();
    freed.sort_unstable();
    freed.dedup();
    freed
}

/// False for a link-local address without its scope, which not every source of sockets tells: its bind always fails (EINVAL).
fn is_bindable(address: SocketAddr) -> bool {
    match address {
        SocketAddr::V4(_) => true,
        SocketAddr::V6(v6) => !v6.ip().is_unicast_link_local() || v6.scope_id() != 0,
    }
}
