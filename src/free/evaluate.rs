//! From the facts to the verdict. Each function returns one only where the facts are all there.

use super::observations::BindProbe;
use super::request_log::RequestLog;
use super::target_state::TargetState;
use super::unread::{judge_unread, probed};
use super::verdict::{NextAction, Proof, RemainingOwners, Verdict};
use super::{FUTILE_TIMEOUT, Timeouts};
use crate::model::bind::{BindResult, bind_addresses};
use crate::model::endpoint::Socket;
use crate::model::platform::PLATFORM;
use crate::model::process::Process;
use crate::model::signal::Signal;
use crate::wording;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// Whether a bind is to be tried before anything is said.
pub(super) enum Evaluation {
    /// Too early to say anything.
    Wait,
    /// Nothing holds the port.
    NoOwner,
    /// Everything that was to close has, on addresses that nobody else holds; these are to be tried.
    Part(Vec<SocketAddr>),
    /// Tables could not be read for so long that a bind is to decide.
    Probe,
    Decided(Box<Verdict>),
    /// What is left is to be sent SIGKILL, as was asked for beforehand.
    Escalate,
}

/// What the facts say while the port is watched.
pub(super) fn evaluate(log: &RequestLog, timeouts: &Timeouts, is_part_refuted: bool) -> Evaluation {
    if log.is_unread() {
        return judge_unread(log, timeouts);
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
        return decided(taken(log, by, None));
    }
    let freed = freed_addresses(log, &holding);
    if is_closed && !freed.is_empty() && !is_part_refuted {
        return Evaluation::Part(freed);
    }
    let is_kept = log.is_held_by_previous_owners() && log.since_targets_done() >= FUTILE_TIMEOUT;
    if is_kept || log.waited() >= timeouts.wait_for_exit || is_part_refuted {
        decided(held_by_others(log))
    } else {
        Evaluation::Wait
    }
}

fn decided(verdict: Verdict) -> Evaluation {
    Evaluation::Decided(Box::new(verdict))
}

pub(super) fn not_ended(log: &RequestLog, timeouts: &Timeouts) -> Evaluation {
    let signal = log.last_signal();
    // What could not be sent once is not tried again and again.
    let is_forced = log.request.signal == Signal::Kill;
    if let Some(after) = timeouts.force_after.filter(|_| !is_forced) {
        return if log.waited() >= after {
            Evaluation::Escalate
        } else {
            Evaluation::Wait
        };
    }
    let is_futile = signal == Signal::Continue || log.survivors().all(TargetState::ignores_signal);
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
        survivors: log
            .survivors()
            .map(|one| one.survivor(signal, log.waited()))
            .collect(),
        next: next(log),
    })
}

/// What helps where this signal did not. The main process of postgres takes SIGTERM as "wait for the clients" and SIGINT
/// as "send them away" (section Shutting Down the Server of its manual): SIGKILL would leave it to repair its files.
fn next(log: &RequestLog) -> NextAction {
    let mut survivors = log.survivors();
    match log.last_signal() {
        Signal::Terminate | Signal::HangUp
            if PLATFORM.has_signals()
                && survivors.any(|target_state| is_postgres(&target_state.target.process)) =>
        {
            NextAction::Offer(Signal::Interrupt)
        }
        Signal::Continue => NextAction::Nothing,
        signal if signal.can_be_ignored() => NextAction::Offer(Signal::Kill),
        _ => NextAction::Nothing,
    }
}

/// Whether it is a main process of postgres: its children call themselves `postgres: checkpointer` and the like.
fn is_postgres(process: &Process) -> bool {
    let name = process.name.raw();
    let first = process.command.first().map(|word| word.raw());
    (name == "postgres" || name == "postmaster")
        && !first.is_some_and(|first| first.starts_with("postgres:"))
}

pub(super) fn held_by_others(log: &RequestLog) -> Verdict {
    let holding = log.holding_sockets();
    let masters = log
        .target_states
        .iter()
        .filter(|target_state| target_state.target.is_owner());
    let masters: Vec<_> = masters
        .map(|target_state| target_state.target.process.pid())
        .collect();
    // As they were asked about: with its master gone, a worker is the child of init.
    let is_worker = |process: &Arc<Process>| {
        let asked = log.request.owners.iter().find(|one| one.id == process.id);
        asked
            .and_then(|asked| asked.parent)
            .is_some_and(|parent| masters.contains(&parent))
    };
    let remaining_owners: Vec<Arc<Process>> = log.owner_processes().into_iter().cloned().collect();
    let are_seen = holding
        .iter()
        .all(|socket| !socket.owners.known().is_empty());
    let remaining_owners = if are_seen && remaining_owners.iter().all(is_worker) {
        RemainingOwners::Children(remaining_owners)
    } else {
        RemainingOwners::Others(holding.into_iter().cloned().collect())
    };
    Verdict::HeldByOthers {
        port: log.port(),
        outcomes: log.outcomes(),
        remaining_owners,
    }
}

/// Someone holds the port who did not before.
pub(super) fn taken(log: &RequestLog, by: &Socket, free_since: Option<Instant>) -> Verdict {
    let owner = by.owners.first();
    // A child adopted by init or systemd was started by someone else, and a parent younger than its child has a pid that was reused.
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
        free_for: free_since.map(|since| log.at.saturating_duration_since(since)),
        by: by.clone(),
        parent: parent.cloned(),
        service: owner
            .and_then(|owner| log.service_of(owner))
            .map(ToString::to_string),
    }
}

/// Addresses that targets held and nobody holds any more.
fn freed_addresses(log: &RequestLog, kept: &[&Socket]) -> Vec<SocketAddr> {
    let mut freed: Vec<SocketAddr> = log
        .request
        .sockets
        .iter()
        .filter(|socket| log.is_targeted(socket.id))
        .map(|socket| socket.local)
        .filter(|local| is_bindable(*local))
        .filter(|local| !kept.iter().any(|socket| socket.local == *local))
        .collect();
    freed.sort_unstable();
    freed.dedup();
    freed
}

/// Where a bind shows whether the whole port is free: where it was held, and where servers usually bind.
pub(super) fn all_addresses(log: &RequestLog) -> Vec<SocketAddr> {
    let held = log.request.sockets.iter().map(|socket| socket.local);
    let mut addresses: Vec<SocketAddr> = held
        .filter(|local| is_bindable(*local))
        .chain(bind_addresses(None, log.request.port))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// A link-local address without its scope fails to bind (EINVAL) whatever the port does, and not every source of sockets
/// tells the scope.
fn is_bindable(address: SocketAddr) -> bool {
    match address {
        SocketAddr::V4(_) => true,
        SocketAddr::V6(v6) => !v6.ip().is_unicast_link_local() || v6.scope_id() != 0,
    }
}

/// What a bind says once nothing holds the port.
pub(super) fn bound(log: &RequestLog, probe: &BindProbe) -> Verdict {
    if log.is_unread() {
        return probed(log, probe);
    }
    let (port, outcomes) = (log.port(), log.outcomes());
    let reason = match BindResult::of(&probe.probes) {
        BindResult::InUse => None,
        BindResult::Failed(reason) => Some(reason),
        BindResult::OnlyWithReuse => {
            return Verdict::OnlyWithReuse {
                port,
                outcomes,
                leftovers: log.leftovers(),
            };
        }
        result @ (BindResult::Usable | BindResult::NotPermitted | BindResult::NoSuchAddress) => {
            return Verdict::Free {
                port,
                outcomes,
                proof: match result {
                    BindResult::Usable => Proof::Bound,
                    _ => Proof::TableOnly,
                },
            };
        }
    };
    Verdict::CannotBind {
        port,
        outcomes,
        leftovers: log.leftovers(),
        reason,
    }
}

/// What a bind says where only a part of the port was to be freed; `None` where it is not free.
pub(super) fn partly_bound(log: &RequestLog, probe: &BindProbe) -> Option<Verdict> {
    let free: Vec<String> = probe
        .probes
        .iter()
        .filter(|probe| probe.result().is_usable())
        .map(|probe| wording::place_at(log.request.protocol, probe.address))
        .collect();
    let is_refused = probe.probes.len() != free.len() || free.is_empty();
    let kept: Vec<Socket> = log.holding_sockets().into_iter().cloned().collect();
    let reaches = |ip: &IpAddr| {
        kept.iter().any(|socket| {
            let own = socket.local.ip();
            own == *ip || own.is_unspecified() && own.is_ipv4() == ip.is_ipv4()
        })
    };
    let localhost = probe.localhost.first().copied().filter(reaches);
    (!is_refused).then_some(Verdict::PartlyFree {
        free,
        kept,
        localhost,
    })
}
