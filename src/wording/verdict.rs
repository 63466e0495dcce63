//! Sentences about a port that is being freed, from the first signal to the verdict.
//!
//! The beginnings (`is free`, `STILL HELD`, `TAKEN AGAIN`, `Nothing sent`) are an interface: people and scripts read them.

mod next_step;

use super::process::{ended, release_groups, releases, signal_error, targets};
use super::socket::{count_states, owners_hold};
use super::{
    address_with_protocol, bind_result, count, doubt, joined, list, owners, place, seconds,
    time_left, time_left_at_most, unread, unseen,
};
use crate::free::{
    BindRefusal, Evidence, Leftovers, Progress, Proof, RemainingOwners, Starter, Verdict,
    VerdictKind,
};
use crate::model::platform::PLATFORM;
use crate::model::port::{BindResult, Port};
use crate::model::process::{Process, Signal};
use crate::model::socket::{Protocol, Socket};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use next_step::{next_commands, rest_with_parent, stop_rest};

/// Returns the sentence of a verdict: `:3000 is free. node 4242 ended 0.8 s after SIGTERM.`
pub fn verdict(verdict: &Verdict) -> String {
    let (port, outcomes) = (verdict.port, verdict.outcomes.as_slice());
    match &verdict.kind {
        VerdictKind::Free(proof) => {
            format!("{port} is free.{}{}", releases(outcomes), proven_by(proof))
        }
        VerdictKind::OnlyWithReuseAddr(leftovers) => format!(
            "{}, but {port} can be bound only with SO_REUSEADDR{}",
            ended(outcomes),
            in_brackets(leftovers)
        ),
        VerdictKind::CannotBind { leftovers, why } => {
            cannot_bind(port, &ended(outcomes), leftovers, why)
        }
        VerdictKind::PartlyFree {
            free,
            held,
            localhost,
        } => partly_free(port, free, held, *localhost),
        VerdictKind::HeldByOthers(remaining) => {
            let (ended, keep) = (ended(outcomes), keep_socket(remaining));
            format!("{port} is STILL HELD: {ended}, {keep}.")
        }
        VerdictKind::NotEnded { survivors, .. } => {
            format!("{port} is STILL HELD: {}", targets(outcomes, survivors))
        }
        VerdictKind::TakenAgain {
            free_for,
            by,
            starter,
        } => taken_again(port, *free_for, by, starter.as_ref()),
        VerdictKind::Unknown {
            survivors,
            evidence,
            problems,
        } => {
            let unknown = unknown(port, &targets(outcomes, survivors), evidence);
            format!("{unknown}; {}", unread(problems))
        }
        VerdictKind::NothingSent(error) => format!("Nothing sent: {}.", signal_error(error)),
    }
}

/// What is said where a signal ends the program at its question.
pub const NOTHING_SENT: &str = "Nothing sent.";

/// Returns what a key does after a signal that did not help: `K sends SIGKILL`.
pub fn escalation(key: &str, signal: Signal) -> String {
    match signal {
        Signal::Interrupt => format!("{key} sends {signal} (a fast shutdown that drops clients)"),
        signal => format!("{key} sends {signal}"),
    }
}

/// Returns who holds a port after all: ` :5001 is held by python3 20688 now.`
pub fn held_now(port: Port, owners: &[&Process]) -> String {
    match owners {
        [] => format!(" Nothing holds {port} now."),
        owners => format!(" {port} is held by {} now.", joined(owners, ", ")),
    }
}

/// Returns what is awaited while there is no verdict, or until a free port counts as free.
pub fn progress(progress: &Progress) -> String {
    match progress {
        Progress::Sending { signal, targets } => format!("sending {signal} to {}", list(targets)),
        Progress::Binding { port, problems } if problems.is_empty() => {
            format!("nothing holds {port} anymore; trying to bind it")
        }
        Progress::Binding { port, problems } => {
            format!("{}; trying to bind {port}", unread(problems))
        }
        Progress::SomeEnded {
            port,
            outcomes,
            owners,
            problems,
        } => {
            let held = match owners.as_slice() {
                [] if !problems.is_empty() => unread(problems),
                [] => format!("{port} is still held"),
                [one] => format!("{one} still holds {port}"),
                many => format!("{} others still hold {port}", many.len()),
            };
            format!("{}; {held}", list(&release_groups(outcomes)))
        }
        Progress::Waiting {
            port,
            signal,
            targets,
            waited,
        } => format!(
            "{signal} sent to {} {} ago; watching {port}",
            list(targets),
            seconds(*waited)
        ),
        Progress::Settling { left } => {
            // Rounded up: it counts down to 1 and not to 0.
            let seconds = left.as_millis().div_ceil(1000).max(1);
            format!("Watching for {seconds} s more…")
        }
    }
}

fn proven_by(proof: &Proof) -> String {
    match proof {
        Proof::Bound => String::new(),
        Proof::NotPermitted => {
            " You are not permitted to bind it, so this is known only from the socket tables."
                .to_owned()
        }
        Proof::NoSuchAddress => {
            " This machine has no such address, so this is known only from the socket tables."
                .to_owned()
        }
        Proof::BindOnly(problems) => format!(" Only a bind confirms this: {}.", unread(problems)),
    }
}

fn keep_socket(remaining: &RemainingOwners) -> String {
    match remaining {
        RemainingOwners::Children(workers) => {
            let keep = if workers.len() == 1 { "keeps" } else { "keep" };
            let pids: Vec<_> = workers.iter().map(|worker| worker.pid()).collect();
            let (workers, pids) = (count(workers.len(), "worker"), joined(&pids, " "));
            format!("{workers} {keep} the socket ({pids})")
        }
        RemainingOwners::Others(sockets) => {
            let owners: Vec<String> = sockets.iter().map(owners).collect();
            let keep = match sockets.as_slice() {
                [one] if one.owners.known().len() < 2 => "keeps",
                _ => "keep",
            };
            format!("{} {keep} the socket", list(&owners))
        }
    }
}

/// ` (12 TIME_WAIT, last ends in 58 s)`
fn in_brackets(leftovers: &Leftovers) -> String {
    if leftovers.states.is_empty() {
        return String::new();
    }
    let wait = leftovers.wait;
    let wait = wait.map(|wait| format!(", last ends in {}", time_left(wait)));
    format!(
        " ({}{})",
        count_states(&leftovers.states),
        wait.unwrap_or_default()
    )
}

fn cannot_bind(port: Port, ended: &str, leftovers: &Leftovers, why: &BindRefusal) -> String {
    match why {
        BindRefusal::InUse => {
            let until = until_bound(port, leftovers);
            format!("{ended}, but {port} cannot be bound{until}")
        }
        BindRefusal::Unseen(why) => {
            format!("{port} is STILL HELD: {ended}, {} holds it", unseen(*why))
        }
        BindRefusal::Unknown(why) => {
            let doubt = doubt(why);
            format!("It is unknown whether {port} is free: {ended}; {doubt}")
        }
    }
}

/// ` for at most 58 s (tried with and without SO_REUSEADDR)`
fn until_bound(port: Port, leftovers: &Leftovers) -> String {
    let wait = leftovers
        .wait
        .map(|wait| format!(" for {}", time_left_at_most(wait)));
    let tried = match port.protocol {
        Protocol::Tcp if PLATFORM.has_safe_reuseaddr() => "tried with and without SO_REUSEADDR",
        Protocol::Tcp | Protocol::Udp => "tried without SO_REUSEADDR",
    };
    let reason = match leftovers.states.as_slice() {
        [_, ..] if wait.is_none() => format!(": {}", count_states(&leftovers.states)),
        _ => String::new(),
    };
    format!("{} ({tried}{reason})", wait.unwrap_or_default())
}

/// `127.0.0.1:5173 is free, [::1]:5173 is not: vite 9120 holds it. localhost reaches ::1 first`
fn partly_free(
    port: Port,
    free: &[SocketAddr],
    held: &[Socket],
    localhost: Option<IpAddr>,
) -> String {
    let addresses = free
        .iter()
        .map(|address| address_with_protocol(port.protocol, *address));
    let addresses = list(&addresses.collect::<Vec<_>>());
    let are = if free.len() == 1 { "is" } else { "are" };
    // It was bound with IPV6_V6ONLY, and what is held belongs to IPv4.
    let is_ipv6 = |at: &SocketAddr| at.is_ipv6() && at.ip().is_unspecified();
    let alone = if free.iter().all(is_ipv6) {
        " for IPv6 alone"
    } else {
        ""
    };
    let held = held.iter();
    let held = held.map(|one| format!("{} is not: {} it", place(one), owners_hold(one)));
    let held = held.collect::<Vec<_>>().join(", ");
    let localhost = localhost.map(|ip| format!(". localhost reaches {ip} first"));
    format!(
        "{addresses} {are} free{alone}, {held}{}",
        localhost.unwrap_or_default()
    )
}

/// `:62901 was free for 0.4 s and is TAKEN AGAIN by python3 4250, started by supervisor 4100`
fn taken_again(
    port: Port,
    free_for: Option<Duration>,
    by: &Socket,
    starter: Option<&Starter>,
) -> String {
    let free_for = free_for.map(|time| format!(" was free for {} and", seconds(time)));
    // The topmost process stands for all that share the socket.
    let first = by.owners.first();
    let owner = first.map_or_else(|| owners(by), ToString::to_string);
    let starter = match starter {
        Some(Starter::Systemd { unit, is_restart }) => {
            let verb = if *is_restart { "restarted" } else { "started" };
            format!(", {verb} by systemd: {unit}")
        }
        Some(Starter::Parent(parent)) => format!(", started by {parent}"),
        None => String::new(),
    };
    let free_for = free_for.unwrap_or_default();
    format!("{port}{free_for} is TAKEN AGAIN by {owner}{starter}")
}

/// What is known of a port whose tables could not all be read.
fn unknown(port: Port, targets: &str, evidence: &Evidence) -> String {
    match evidence {
        Evidence::Held(sockets) => {
            let holds = |socket: &Socket| format!("{} {}", owners_hold(socket), place(socket));
            let held = list(&sockets.iter().map(holds).collect::<Vec<_>>());
            format!("{port} is STILL HELD: {targets}; {held}")
        }
        Evidence::Bind(BindResult::InUse) => {
            let bind = bind_result(&BindResult::InUse);
            format!("{port} is not free, and its owner is unknown: {targets}; a bind fails: {bind}")
        }
        Evidence::Bind(result) => {
            let fails = match result {
                BindResult::OnlyWithReuseAddr | BindResult::NotPermitted => "",
                _ => "a bind fails: ",
            };
            let bind = bind_result(result);
            format!("It is unknown whether {port} is free: {targets}; {fails}{bind}")
        }
    }
}
