//! Verdicts that follow from what a poll shows.

use super::request_log::RequestLog;
use crate::free::verdict::{Evidence, RemainingOwners, Starter, Verdict, VerdictKind};
use crate::model::process::{Pid, Process};
use crate::model::socket::Socket;
use std::sync::Arc;
use std::time::Duration;

/// Every target has ended, and others hold its sockets.
pub(super) fn held_by_others(log: &RequestLog) -> Verdict {
    let targets = log.target_states.iter().map(|state| &state.target);
    let masters: Vec<Pid> = targets
        .filter(|target| target.is_owner())
        .map(|target| target.process.pid())
        .collect();
    // Use the parent from the time of the question: after the master exits, init adopts the worker.
    let is_worker = |process: &Arc<Process>| {
        let mut asked = log.request.owners.iter();
        let asked = asked.find(|one| one.id == process.id);
        let parent = asked.and_then(|asked| asked.parent);
        parent.is_some_and(|parent| masters.contains(&parent))
    };
    let holding = log.holding_sockets();
    let mut sockets = holding.iter();
    let are_visible = sockets.all(|socket| !socket.owners.known().is_empty());
    let owners: Vec<Arc<Process>> = log.owner_processes().into_iter().cloned().collect();
    let remaining_owners = if are_visible && owners.iter().all(is_worker) {
        RemainingOwners::Children(owners)
    } else {
        RemainingOwners::Others(without_repeats(holding, has_same_owner))
    };
    log.verdict(VerdictKind::HeldByOthers(remaining_owners))
}

/// Tables could not be read, so that not every owner is known.
pub(super) fn unknown(log: &RequestLog, evidence: Evidence) -> Verdict {
    log.verdict(VerdictKind::Unknown {
        survivors: log.survivor_facts(),
        evidence,
        problems: log.last_poll.problems.clone(),
    })
}

/// Returns the evidence that these sockets hold the port, those of one owner on one address once.
pub(super) fn held(holding: Vec<Socket>) -> Evidence {
    Evidence::Held(without_repeats(holding, |one, other| {
        has_same_owner(one, other) && one.place() == other.place()
    }))
}

fn has_same_owner(one: &Socket, other: &Socket) -> bool {
    (&one.owners, one.uid, &one.user) == (&other.owners, other.uid, &other.user)
}

/// Drops each socket that is like the one before it.
fn without_repeats(
    mut sockets: Vec<Socket>,
    are_alike: fn(&Socket, &Socket) -> bool,
) -> Vec<Socket> {
    sockets.dedup_by(|one, other| are_alike(one, other));
    sockets
}

/// A newcomer holds the port, after it was free for this long.
pub(super) fn taken_again(log: &RequestLog, by: &Socket, free_for: Option<Duration>) -> Verdict {
    let owner = by.owners.first();
    log.verdict(VerdictKind::TakenAgain {
        free_for,
        by: by.clone(),
        starter: owner
            .and_then(|owner| systemd_unit(log, owner).or_else(|| starting_parent(log, owner))),
    })
}

/// Returns the unit in which systemd started this process: systemd is its parent, and it is the main process of the unit or
/// follows an owner of the same unit. Systemd is the parent of every orphan too.
fn systemd_unit(log: &RequestLog, process: &Process) -> Option<Starter> {
    let parent = process.parent?;
    let is_manager = |one: &Arc<Process>| one.pid() == parent && is_systemd(one);
    if parent.0 != 1 && !log.last_poll.parents.iter().any(is_manager) {
        return None;
    }
    let mut units = log.last_poll.units.iter();
    let (_, unit) = units.find(|(of, unit)| *of == process.id && unit.may_restart())?;
    let is_restart = log.last_poll.units.iter().any(|(of, before)| {
        (&before.name, before.manager) == (&unit.name, unit.manager) && log.request.has_owner(*of)
    });
    (is_restart || unit.main == Some(process.pid())).then(|| Starter::Systemd {
        unit: Box::new(unit.clone()),
        is_restart,
    })
}

/// Returns the parent that started this process. A child adopted by init or systemd was started by someone else, and a
/// parent younger than its child has a reused pid.
fn starting_parent(log: &RequestLog, process: &Process) -> Option<Starter> {
    let mut parents = log.last_poll.parents.iter();
    let parent = parents.find(|parent| {
        Some(parent.pid()) == process.parent
            && parent.pid().0 > 1
            && !is_systemd(parent)
            && parent.id.start <= process.id.start
    })?;
    Some(Starter::Parent(Arc::clone(parent)))
}

fn is_systemd(process: &Process) -> bool {
    process.name.raw() == "systemd"
}
