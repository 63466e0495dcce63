//! The words of a verdict. Their beginnings are an interface: people and scripts read them.

use super::surviving::surviving;
use super::verdict::{
    Leftovers, NextAction, Proof, ReleaseKind, RemainingOwners, Survivor, TargetOutcome, Verdict,
};
use crate::model::endpoint::{Protocol, Socket};
use crate::model::platform::PLATFORM;
use crate::model::ports::Port;
use crate::model::process::Process;
use crate::model::signal::Signal;
use crate::wording;
use std::fmt::{self, Display};
use std::net::IpAddr;
use std::sync::Arc;

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offer = match self {
            Self::NotEnded {
                next: NextAction::Offer(signal),
                ..
            } => format!(". {}", offer(*signal)),
            _ => String::new(),
        };
        write!(f, "{}{offer}", self.without_offer())
    }
}

impl Verdict {
    /// The sentence for where no key acts on it: `Display` without `K sends SIGKILL`.
    pub fn without_offer(&self) -> String {
        match self {
            Self::Free {
                port,
                outcomes,
                proof,
            } => format!("{port} is free.{}{}", free_words(outcomes), proof.words()),
            Self::OnlyWithReuse {
                port,
                outcomes,
                leftovers,
            } => {
                let (ended, leftovers) = (ended_words(outcomes), leftovers.in_brackets());
                format!("{ended}, but {port} can be bound only with SO_REUSEADDR{leftovers}")
            }
            Self::CannotBind {
                port,
                outcomes,
                leftovers,
                reason,
            } => {
                let (ended, tried) = (
                    ended_words(outcomes),
                    leftovers.tried(*port, reason.as_deref()),
                );
                format!("{ended}, but {port} cannot be bound{tried}")
            }
            Self::PartlyFree {
                free,
                kept,
                localhost,
            } => partly(free, kept, *localhost),
            Self::HeldByOthers {
                port,
                outcomes,
                remaining_owners,
            } => format!(
                "{port} is STILL HELD: {}, {remaining_owners}.",
                ended_words(outcomes)
            ),
            Self::NotEnded {
                port,
                outcomes,
                survivors,
                next: _,
            } => format!("{port} is STILL HELD: {}", not_ended(outcomes, survivors)),
            Self::TakenAgain {
                port,
                free_for,
                by,
                parent,
                service,
            } => {
                let free =
                    free_for.map(|time| format!(" was free for {} and", wording::seconds(time)));
                let starter = match (service, parent) {
                    (Some(service), _) => format!(", brought back by systemd: {service}"),
                    (None, Some(parent)) => format!(", started by {parent}"),
                    (None, None) => String::new(),
                };
                let free = free.unwrap_or_default();
                format!("{port}{free} is TAKEN AGAIN by {}{starter}", taker(by))
            }
            Self::Unknown {
                port,
                outcomes,
                survivors,
                evidence,
                unread,
            } => {
                let said = not_ended(outcomes, survivors);
                let port = evidence.of_port(port);
                format!("{port}: {said}, {evidence}, {unread}")
            }
            Self::NothingSent(error) => format!("Nothing sent: {error}."),
        }
    }
}

/// `K sends SIGKILL`: what a key does where a signal did not help.
fn offer(signal: Signal) -> String {
    match signal {
        Signal::Interrupt => {
            format!("I sends {signal} (a fast shutdown, which sends its clients away)")
        }
        signal => format!("K sends {signal}"),
    }
}

impl Proof {
    fn words(&self) -> String {
        match self {
            Self::Bound => String::new(),
            Self::TableOnly => {
                " A bind was not allowed to this user, so only the table says so.".to_owned()
            }
            Self::BindOnly(unread) => format!(" Only a bind says so: {unread}."),
        }
    }
}

impl Display for RemainingOwners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Children(workers) => {
                let keep = if workers.len() == 1 { "keeps" } else { "keep" };
                let pids: Vec<String> = workers.iter().map(|one| one.pid().to_string()).collect();
                let workers = wording::count(workers.len(), "worker");
                write!(f, "{workers} {keep} the socket ({})", pids.join(" "))
            }
            Self::Others(sockets) => {
                let mut owners: Vec<String> = sockets.iter().map(wording::holder).collect();
                owners.dedup();
                let is_one = owners.len() == 1
                    && sockets.iter().all(|socket| socket.owners.known().len() < 2);
                let keep = if is_one { "keeps" } else { "keep" };
                write!(f, "{} {keep} the socket", wording::list(&owners))
            }
        }
    }
}

impl Leftovers {
    fn in_brackets(&self) -> String {
        match (self.states.as_str(), &self.wait) {
            ("", _) => String::new(),
            (states, Some(wait)) => {
                format!(" ({states}, last ends in {})", wording::time_left(*wait))
            }
            (states, None) => format!(" ({states})"),
        }
    }

    fn tried(&self, port: Port, reason: Option<&str>) -> String {
        let wait = self
            .wait
            .map(|wait| format!(" for {}", wording::time_left_at_most(wait)));
        let tried = match port.protocol {
            Protocol::Tcp if PLATFORM.has_safe_reuseaddr() => "tried with and without SO_REUSEADDR",
            Protocol::Tcp | Protocol::Udp => "tried without SO_REUSEADDR",
        };
        let why = match (reason, self.states.as_str()) {
            (Some(reason), _) => format!(": {reason}"),
            (None, states) if !states.is_empty() && self.wait.is_none() => format!(": {states}"),
            (None, _) => String::new(),
        };
        format!("{} ({tried}{why})", wait.unwrap_or_default())
    }
}

/// `gunicorn 7001 ended 0.3 s after SIGTERM; 3 others still hold :8000`: what is known before there is a verdict.
pub(super) fn half_done(
    port: Port,
    outcomes: &[TargetOutcome],
    owners: &[&Arc<Process>],
    unread: Option<&str>,
) -> String {
    let groups = grouped(outcomes);
    let ended: Vec<String> = groups
        .iter()
        .filter_map(|group| group_words(group))
        .collect();
    let ended = wording::list(&ended);
    match owners {
        [] => match unread {
            Some(unread) => format!("{ended}; {unread}"),
            None => format!("{ended}; {port} is still held"),
        },
        [one] => format!("{ended}; {one} still holds {port}"),
        many => format!("{ended}; {} others still hold {port}", many.len()),
    }
}

/// ` node 4242 ended 0.8 s after SIGTERM.`: a sentence for each way and signal, each with a blank before it.
fn free_words(outcomes: &[TargetOutcome]) -> String {
    let groups = grouped(outcomes);
    let sentences = groups
        .iter()
        .filter_map(|group| Some(format!(" {}.", group_words(group)?)));
    let stopped = outcomes.iter().filter(|ending| ending.was_suspended);
    let resumed = stopped.map(|one| format!(" {} was stopped, so SIGCONT followed.", one.process));
    sentences.chain(resumed).collect()
}

/// `node 4242 and node 4300 ended 0.8 s after SIGTERM`: endings alike.
fn group_words(group: &[&TargetOutcome]) -> Option<String> {
    let processes: Vec<&Arc<Process>> = group.iter().map(|ending| &ending.process).collect();
    let after = group.iter().filter_map(|ending| ending.after).max();
    let after = after.map_or_else(String::new, |(time, signal)| {
        format!(" {} after {signal}", wording::seconds(time))
    });
    let (verb, rest) = match group.first()?.how {
        ReleaseKind::Ended => ("ended", ""),
        ReleaseKind::ClosedSocket => ("let go of it", ""),
        ReleaseKind::StillRunning => ("let go of it", " and runs on"),
    };
    Some(format!("{} {verb}{after}{rest}", wording::list(&processes)))
}

/// Endings alike stand in one sentence.
fn grouped(outcomes: &[TargetOutcome]) -> Vec<Vec<&TargetOutcome>> {
    let kind = |ending: &TargetOutcome| (ending.how, ending.after.map(|(_, signal)| signal));
    let mut groups: Vec<Vec<&TargetOutcome>> = Vec::new();
    for ending in outcomes {
        let like = groups.iter_mut().find(|group| {
            let first = group.first();
            first.is_some_and(|first| kind(first) == kind(ending))
        });
        match like {
            Some(group) => group.push(ending),
            None => groups.push(vec![ending]),
        }
    }
    groups
}

/// `gunicorn 7001 ended`, without times.
fn ended_words(outcomes: &[TargetOutcome]) -> String {
    let said: Vec<String> = outcomes
        .iter()
        .map(|ending| match ending.how {
            ReleaseKind::Ended => format!("{} ended", ending.process),
            ReleaseKind::ClosedSocket | ReleaseKind::StillRunning => {
                format!("{} let go of it", ending.process)
            }
        })
        .collect();
    wording::list(&said)
}

fn not_ended(outcomes: &[TargetOutcome], survivors: &[Survivor]) -> String {
    let outcomes = outcomes
        .iter()
        .map(|ending| ended_words(std::slice::from_ref(ending)));
    let said: Vec<String> = outcomes.chain(survivors.iter().map(surviving)).collect();
    said.join(", ")
}

fn partly(free: &[String], kept: &[Socket], localhost: Option<IpAddr>) -> String {
    let are = if free.len() == 1 { "is" } else { "are" };
    let kept: Vec<String> = kept
        .iter()
        .map(|socket| {
            let hold = if socket.owners.known().len() > 1 {
                "hold"
            } else {
                "holds"
            };
            let (place, holder) = (wording::place(socket), wording::holder(socket));
            format!("{place} is not: {holder} {hold} it")
        })
        .collect();
    let localhost = localhost.map(|ip| format!(". localhost reaches {ip} first"));
    format!(
        "{} {are} free, {}{}",
        wording::list(free),
        kept.join(", "),
        localhost.unwrap_or_default()
    )
}

/// Who took the port: the topmost process stands for all that share the socket.
fn taker(by: &Socket) -> String {
    match by.owners.first() {
        Some(process) => process.to_string(),
        None => wording::holder(by),
    }
}
