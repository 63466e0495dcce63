//! `portmon free`: which ports are meant, what became of each, and which exit code says so.
//!
//! The words are in [`found`], [`text`] and [`unheld`], the JSON in [`json`]. Nothing here ends anything or looks at anything.

pub mod found;
pub mod json;
pub mod text;
pub mod unheld;

use crate::model::endpoint::{Endpoint, Socket, State};
use crate::model::freeing::{Barrier, Explanation, Freeing, Hindrance, Signal, Verdict};
use crate::model::process::Process;
use crate::model::target::{Spot, Target};
use crate::model::words;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// What became of a port, the best first: of several ports the last one in this order is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    Free,
    StillHeld,
    TakenAgain,
    NotPermitted,
    /// It may never be done, or nobody confirmed it.
    Refused,
}

impl Outcome {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Free => 0,
            Self::StillHeld => 3,
            Self::TakenAgain => 5,
            Self::NotPermitted => 4,
            Self::Refused => 6,
        }
    }

    /// The word of the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::StillHeld => "still_held",
            Self::TakenAgain => "taken_again",
            Self::NotPermitted => "not_permitted",
            Self::Refused => "refused",
        }
    }
}

/// All that is said of one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub spot: Spot,
    /// `None` where a dry run kept it from being known.
    pub outcome: Option<Outcome>,
    /// What was sent, in that order.
    pub signalled: Vec<(Arc<Process>, Signal)>,
    /// What a dry run did not send.
    pub would_signal: Option<Vec<(Arc<Process>, Signal)>>,
    /// Who holds the port now, as far as that may be seen.
    pub holders: Vec<Arc<Process>>,
    /// From the last signal until the processes had let go of the port; to the last look where they have not.
    pub after: Option<Duration>,
    /// One line.
    pub message: String,
}

impl Account {
    /// Of a port to which nothing was sent.
    pub fn without_signal(spot: Spot, outcome: Outcome, message: String) -> Self {
        Self {
            spot,
            outcome: Some(outcome),
            signalled: Vec::new(),
            would_signal: None,
            holders: Vec::new(),
            after: None,
            message,
        }
    }

    /// Of a port whose holders are not ended, and why.
    pub fn barred(spot: Spot, explanation: &Explanation, unused: Option<u16>) -> Self {
        let outcome = match explanation.barrier {
            Barrier::Hidden | Barrier::Sought => Outcome::NotPermitted,
            Barrier::Refused => Outcome::Refused,
            Barrier::Closed | Barrier::Kernel | Barrier::Client | Barrier::LeftOver => {
                Outcome::StillHeld
            }
        };
        Self {
            holders: explanation.holders.clone(),
            ..Self::without_signal(spot, outcome, text::explained(explanation, unused))
        }
    }

    /// Of a port whose holders were to end.
    pub fn freed(spot: Spot, freeing: &Freeing) -> Self {
        let verdict = freeing.verdict();
        let holders = freeing.holders().into_iter().cloned().collect();
        Self {
            outcome: Some(verdict.map_or(Outcome::StillHeld, |verdict| outcome(spot, verdict))),
            signalled: freeing.signalled().to_vec(),
            holders,
            after: (!freeing.signalled().is_empty()).then(|| after(freeing)),
            message: text::verdict(spot, freeing),
            ..Self::without_signal(spot, Outcome::StillHeld, String::new())
        }
    }
}

/// The exit code of them all.
pub fn exit_code(accounts: &[Account]) -> u8 {
    let worst = accounts.iter().filter_map(|account| account.outcome).max();
    worst.map_or(0, Outcome::exit_code)
}

fn outcome(spot: Spot, verdict: &Verdict) -> Outcome {
    match verdict {
        Verdict::Free { .. } | Verdict::OnlyWithReuse { .. } => Outcome::Free,
        Verdict::PartlyFree { free, .. } if is_meant(spot, free) => Outcome::Free,
        Verdict::CannotBind { .. } | Verdict::PartlyFree { .. } | Verdict::HeldByOthers { .. } => {
            Outcome::StillHeld
        }
        Verdict::NotEnded { survivors, .. } | Verdict::Unknown { survivors, .. } => {
            let mut missed = survivors.iter().filter_map(|one| one.missed.as_ref());
            missed.next().map_or(Outcome::StillHeld, prevented)
        }
        Verdict::TakenAgain { .. } => Outcome::TakenAgain,
        Verdict::Nothing(hindrance) => prevented(hindrance),
    }
}

/// The verdict itself comes later: a free port is watched for a while.
fn after(freeing: &Freeing) -> Duration {
    let endings = freeing.endings();
    let times = endings.iter().filter_map(|ending| ending.after);
    times
        .map(|(after, _)| after)
        .max()
        .unwrap_or_else(|| freeing.waited())
}

fn prevented(hindrance: &Hindrance) -> Outcome {
    match hindrance {
        Hindrance::NotPermitted(_) => Outcome::NotPermitted,
        Hindrance::Refused(..) => Outcome::Refused,
        Hindrance::EndedMeanwhile(_)
        | Hindrance::PidReused(_)
        | Hindrance::LetGo(_)
        | Hindrance::Failed(..)
        | Hindrance::Blind(_) => Outcome::StillHeld,
    }
}

/// Whether the address that was named is among those that became free.
fn is_meant(spot: Spot, free: &[String]) -> bool {
    spot.address.is_some_and(|ip| {
        let place = words::place_at(spot.protocol, SocketAddr::new(ip, spot.port));
        free.contains(&place)
    })
}

/// Whether nothing was sent because the processes were no longer what had been shown: then the port is looked at anew.
pub fn is_outdated(freeing: &Freeing) -> bool {
    matches!(
        freeing.verdict(),
        Some(Verdict::Nothing(
            Hindrance::EndedMeanwhile(_) | Hindrance::PidReused(_) | Hindrance::LetGo(_)
        ))
    )
}

/// The ports that are meant, each once: a port that was named, and of a range those that something stands on or that the
/// kernel keeps in TIME_WAIT.
///
/// An error where one port is named with two addresses: it has one verdict.
pub fn spots(targets: &[Target], table: &[Endpoint]) -> Result<Vec<Spot>, String> {
    let mut spots: Vec<Spot> = Vec::new();
    for spot in targets.iter().flat_map(|target| spots_of(target, table)) {
        let is_same_port = |one: &&mut Spot| (one.protocol, one.port) == (spot.protocol, spot.port);
        match spots.iter_mut().find(is_same_port) {
            None => spots.push(spot),
            Some(known) if *known == spot || known.address.is_none() => {}
            Some(known) if spot.address.is_none() => *known = spot,
            Some(known) => {
                return Err(format!(
                    "{known} and {spot} are addresses of one port: free them one after the other, or {} on all of them",
                    Spot {
                        address: None,
                        ..spot
                    }
                    .word()
                ));
            }
        }
    }
    Ok(spots)
}

fn spots_of(target: &Target, table: &[Endpoint]) -> Vec<Spot> {
    let spot = |port| Spot {
        protocol: target.protocol,
        port,
        address: target.address,
    };
    if let Some(port) = target.only_port() {
        return vec![spot(port)];
    }
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    // The kernel keeps a port in TIME_WAIT for nobody, and a bind may fail for it.
    let is_in_the_way =
        |socket: &&Socket| socket.is_standing() || socket.state == Some(State::TimeWait);
    let found = sockets.filter(|socket| is_in_the_way(socket) && target.names(socket));
    let mut ports: Vec<u16> = found.map(Socket::port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports.into_iter().map(spot).collect()
}

#[cfg(test)]
mod tests;
