//! From the facts to the verdict. Each function returns one only where the facts are all there.

use super::look::{Attempt, BindOutcome, BindTrial};
use super::recipient::Recipient;
use super::record::Record;
use super::signal::Signal;
use super::unread::{judge_unread, probed};
use super::verdict::{Keepers, Next, Proof, Verdict};
use super::{PATIENCE_WHEN_FUTILE, Terms, words};
use crate::model::address::any_address;
use crate::model::endpoint::Socket;
use crate::model::process::Process;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// Whether a bind is to be tried before anything is said.
pub(super) enum Judgement {
    /// Too early to say anything.
    Wait,
    /// Nothing holds the port.
    Unheld,
    /// Everything that was to close has, on addresses that nobody else holds; these are to be tried.
    Part(Vec<SocketAddr>),
    /// Tables could not be read for so long that a bind is to decide.
    Probe,
    Said(Box<Verdict>),
    /// What is left is to be sent SIGKILL, as was asked for beforehand.
    Force,
}

/// What the facts say while the port is watched.
pub(super) fn judge(record: &Record, terms: &Terms, is_part_refuted: bool) -> Judgement {
    if record.is_unread() {
        return judge_unread(record, terms);
    }
    let holding = record.holding();
    if holding.is_empty() {
        return Judgement::Unheld;
    }
    if !record.are_targets_done() {
        return not_ended(record, terms);
    }
    let is_closed = !holding.iter().any(|socket| record.is_targeted(socket.id));
    if is_closed && let Some(by) = record.newcomers().first() {
        return said(taken(record, by, None));
    }
    let freed = freed_addresses(record, &holding);
    if is_closed && !freed.is_empty() && !is_part_refuted {
        return Judgement::Part(freed);
    }
    let is_kept =
        record.is_kept_by_old_holders() && record.since_targets_done() >= PATIENCE_WHEN_FUTILE;
    if is_kept || record.waited() >= terms.patience || is_part_refuted {
        said(held_by_others(record))
    } else {
        Judgement::Wait
    }
}

fn said(verdict: Verdict) -> Judgement {
    Judgement::Said(Box::new(verdict))
}

pub(super) fn not_ended(record: &Record, terms: &Terms) -> Judgement {
    let signal = record.last_signal();
    // What could not be sent once is not tried again and again.
    let is_forced = record.order.signal == Signal::Kill;
    if let Some(after) = terms.force_after.filter(|_| !is_forced) {
        return if record.waited() >= after {
            Judgement::Force
        } else {
            Judgement::Wait
        };
    }
    let is_futile = signal == Signal::Continue || record.survivors().all(Recipient::ignores);
    let patience = if is_futile {
        PATIENCE_WHEN_FUTILE.min(terms.patience)
    } else {
        terms.patience
    };
    if record.waited() < patience {
        return Judgement::Wait;
    }
    said(Verdict::NotEnded {
        port: record.port(),
        endings: record.endings(),
        survivors: record
            .survivors()
            .map(|one| one.survivor(signal, record.waited()))
            .collect(),
        next: next(record),
    })
}

/// What helps where this signal did not. The main process of postgres takes SIGTERM as "wait for the clients" and SIGINT
/// as "send them away" (section Shutting Down the Server of its manual): SIGKILL would leave it to repair its files.
fn next(record: &Record) -> Next {
    let mut survivors = record.survivors();
    match record.last_signal() {
        Signal::Terminate | Signal::HangUp
            if !cfg!(windows)
                && survivors.any(|recipient| is_postgres(&recipient.target.process)) =>
        {
            Next::Offer(Signal::Interrupt)
        }
        Signal::Continue => Next::Nothing,
        signal if signal.is_resistible() => Next::Offer(Signal::Kill),
        _ => Next::Nothing,
    }
}

/// Whether it is a main process of postgres: its children call themselves `postgres: checkpointer` and the like.
fn is_postgres(process: &Process) -> bool {
    let name = process.name.raw();
    let first = process.command.first().map(|word| word.raw());
    (name == "postgres" || name == "postmaster")
        && !first.is_some_and(|first| first.starts_with("postgres:"))
}

pub(super) fn held_by_others(record: &Record) -> Verdict {
    let holding = record.holding();
    let masters = record
        .recipients
        .iter()
        .filter(|recipient| recipient.target.is_holder());
    let masters: Vec<_> = masters
        .map(|recipient| recipient.target.process.pid())
        .collect();
    // As they were asked about: with its master gone, a worker is the child of init.
    let is_worker = |process: &Arc<Process>| {
        let asked = record.order.holders.iter().find(|one| one.id == process.id);
        asked
            .and_then(|asked| asked.parent)
            .is_some_and(|parent| masters.contains(&parent))
    };
    let keepers: Vec<Arc<Process>> = record.holding_processes().into_iter().cloned().collect();
    let are_seen = holding
        .iter()
        .all(|socket| !socket.owners.known().is_empty());
    let keepers = if are_seen && keepers.iter().all(is_worker) {
        Keepers::Workers(keepers)
    } else {
        Keepers::Others(holding.into_iter().cloned().collect())
    };
    Verdict::HeldByOthers {
        port: record.port(),
        endings: record.endings(),
        keepers,
    }
}

/// Someone holds the port who did not before.
pub(super) fn taken(record: &Record, by: &Socket, free_since: Option<Instant>) -> Verdict {
    let owner = by.owners.first();
    // A child adopted by init or systemd was started by someone else, and a parent younger than its child has a pid that was reused.
    let parent = owner.and_then(|owner| {
        let mut parents = record.parents.iter();
        parents.find(|parent| {
            Some(parent.pid()) == owner.parent
                && parent.pid().0 > 1
                && parent.name.raw() != "systemd"
                && parent.id.start <= owner.id.start
        })
    });
    Verdict::TakenAgain {
        port: record.port(),
        free_for: free_since.map(|since| record.at.saturating_duration_since(since)),
        by: by.clone(),
        parent: parent.cloned(),
        service: owner
            .and_then(|owner| record.service_of(owner))
            .map(ToString::to_string),
    }
}

/// Addresses that targets held and nobody holds any more.
fn freed_addresses(record: &Record, kept: &[&Socket]) -> Vec<SocketAddr> {
    let mut freed: Vec<SocketAddr> = record
        .order
        .sockets
        .iter()
        .filter(|socket| record.is_targeted(socket.id))
        .map(|socket| socket.local)
        .filter(|local| is_bindable(*local))
        .filter(|local| !kept.iter().any(|socket| socket.local == *local))
        .collect();
    freed.sort_unstable();
    freed.dedup();
    freed
}

/// Where a bind shows whether the whole port is free: where it was held, and where servers usually bind.
pub(super) fn all_addresses(record: &Record) -> Vec<SocketAddr> {
    use crate::model::address::Family::{Ipv4, Ipv6};
    let usual = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
        any_address(Ipv4),
        any_address(Ipv6),
    ];
    let held = record.order.sockets.iter().map(|socket| socket.local);
    let usual = usual.map(|ip| SocketAddr::new(ip, record.order.port));
    let mut addresses: Vec<SocketAddr> = held
        .filter(|local| is_bindable(*local))
        .chain(usual)
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
pub(super) fn bound(record: &Record, trial: &BindTrial) -> Verdict {
    if record.is_unread() {
        return probed(record, trial);
    }
    let (port, endings) = (record.port(), record.endings());
    let outcomes: Vec<&BindOutcome> = trial.attempts.iter().map(easiest).collect();
    let reason = outcomes.iter().find_map(|outcome| match outcome {
        BindOutcome::Failed(reason) => Some(reason.clone()),
        _ => None,
    });
    let is_refused = outcomes.contains(&&BindOutcome::InUse) || reason.is_some();
    let needs_reuse = trial
        .attempts
        .iter()
        .any(|attempt| attempt.without_reuse == BindOutcome::InUse);
    if is_refused {
        let left = record.left();
        Verdict::CannotBind {
            port,
            endings,
            left,
            reason,
        }
    } else if needs_reuse {
        let left = record.left();
        Verdict::OnlyWithReuse {
            port,
            endings,
            left,
        }
    } else {
        let is_proved =
            outcomes.contains(&&BindOutcome::Bound) && !outcomes.contains(&&BindOutcome::Denied);
        let proof = if is_proved {
            Proof::Bound
        } else {
            Proof::TableOnly
        };
        Verdict::Free {
            port,
            endings,
            proof,
        }
    }
}

/// What a bind says where only a part of the port was to be freed; `None` where it is not free.
pub(super) fn partly_bound(record: &Record, trial: &BindTrial) -> Option<Verdict> {
    let free: Vec<String> = trial
        .attempts
        .iter()
        .filter(|attempt| *easiest(attempt) == BindOutcome::Bound)
        .map(|attempt| words::place_at(record.order.protocol, attempt.address))
        .collect();
    let is_refused = trial.attempts.len() != free.len() || free.is_empty();
    let kept: Vec<Socket> = record.holding().into_iter().cloned().collect();
    let reaches = |ip: &IpAddr| {
        kept.iter().any(|socket| {
            let own = socket.local.ip();
            own == *ip || own.is_unspecified() && own.is_ipv4() == ip.is_ipv4()
        })
    };
    let localhost = trial.localhost.first().copied().filter(reaches);
    (!is_refused).then_some(Verdict::PartlyFree {
        free,
        kept,
        localhost,
    })
}

/// With SO_REUSEADDR where that is tried: what "can be bound" means.
fn easiest(attempt: &Attempt) -> &BindOutcome {
    attempt
        .with_reuse
        .as_ref()
        .unwrap_or(&attempt.without_reuse)
}
