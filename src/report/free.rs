//! `portmon free`: which ports are meant, what became of each, and which exit code says so.
//!
//! The words are in [`found`], [`text`] and [`unheld`], the JSON in [`json`]. Nothing here ends anything or looks at anything.

pub mod json;
pub mod no_owner;
pub mod preview;
pub mod text;

use crate::free::{Explanation, FreeMachine, Obstacle, SignalError, Verdict};
use crate::model::port::{PortRange, PortSpec};
use crate::model::process::{Process, Signal};
use crate::model::socket::{Endpoint, Socket, State};
use std::sync::Arc;
use std::time::Duration;

/// What became of a port, the best first: of several ports the last one in this order is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FreeOutcome {
    Free,
    StillHeld,
    TakenAgain,
    NotPermitted,
    /// It may never be done, or nobody confirmed it.
    Refused,
}

impl FreeOutcome {
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
pub struct FreeReport {
    pub spec: PortSpec,
    /// `None` where a dry run kept it from being known.
    pub outcome: Option<FreeOutcome>,
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

impl FreeReport {
    /// Of a port to which nothing was sent.
    pub fn without_signal(spec: PortSpec, outcome: FreeOutcome, message: String) -> Self {
        Self {
            spec,
            outcome: Some(outcome),
            signalled: Vec::new(),
            would_signal: None,
            holders: Vec::new(),
            after: None,
            message,
        }
    }

    /// Of a port whose holders are not ended, and why.
    pub fn blocked_by_supervisor(
        spec: PortSpec,
        explanation: &Explanation,
        unused: Option<u16>,
    ) -> Self {
        let outcome = match explanation.obstacle {
            Obstacle::Hidden { .. } | Obstacle::Pending(_) => FreeOutcome::NotPermitted,
            Obstacle::Protected { .. } | Obstacle::Supervised { .. } => FreeOutcome::Refused,
            Obstacle::Closed { .. }
            | Obstacle::TimeWait { .. }
            | Obstacle::Kernel(_)
            | Obstacle::Client { .. }
            | Obstacle::LeftOver { .. } => FreeOutcome::StillHeld,
        };
        Self {
            holders: explanation.owners().to_vec(),
            ..Self::without_signal(spec, outcome, text::explained(explanation, unused))
        }
    }

    /// Of a port whose holders were to end.
    pub fn freed(spec: PortSpec, freeing: &FreeMachine) -> Self {
        let verdict = freeing.verdict();
        let holders = freeing.owners().into_iter().cloned().collect();
        Self {
            outcome: Some(verdict.map_or(FreeOutcome::StillHeld, |verdict| outcome(spec, verdict))),
            signalled: freeing.signalled().to_vec(),
            holders,
            after: (!freeing.signalled().is_empty()).then(|| after(freeing)),
            message: text::verdict(spec, freeing),
            ..Self::without_signal(spec, FreeOutcome::StillHeld, String::new())
        }
    }
}

/// The exit code of them all.
pub fn exit_code(reports: &[FreeReport]) -> u8 {
    let worst = reports.iter().filter_map(|report| report.outcome).max();
    worst.map_or(0, FreeOutcome::exit_code)
}

fn outcome(spec: PortSpec, verdict: &Verdict) -> FreeOutcome {
    match verdict {
        Verdict::Free { .. } | Verdict::OnlyWithReuseAddr { .. } => FreeOutcome::Free,
        Verdict::PartlyFree { free, .. } if free.iter().any(|at| spec.address == Some(at.ip())) => {
            FreeOutcome::Free
        }
        Verdict::CannotBind { .. } | Verdict::PartlyFree { .. } | Verdict::HeldByOthers { .. } => {
            FreeOutcome::StillHeld
        }
        Verdict::NotEnded { survivors, .. } | Verdict::Unknown { survivors, .. } => {
            let mut missed = survivors.iter().filter_map(|one| one.error.as_ref());
            missed
                .next()
                .map_or(FreeOutcome::StillHeld, outcome_of_error)
        }
        Verdict::TakenAgain { .. } => FreeOutcome::TakenAgain,
        Verdict::NothingSent(error) => outcome_of_error(error),
    }
}

/// The verdict itself comes later: a free port is watched for a while.
fn after(freeing: &FreeMachine) -> Duration {
    let endings = freeing.outcomes();
    let times = endings.iter().filter_map(|ending| ending.after);
    times
        .map(|(after, _)| after)
        .max()
        .unwrap_or_else(|| freeing.waited())
}

fn outcome_of_error(error: &SignalError) -> FreeOutcome {
    match error {
        SignalError::NotPermitted(_) => FreeOutcome::NotPermitted,
        SignalError::Protected(..) => FreeOutcome::Refused,
        SignalError::AlreadyExited(_)
        | SignalError::PidReused(_)
        | SignalError::NotAnOwner(_)
        | SignalError::OwnerHidden(_)
        | SignalError::Failed(..)
        | SignalError::TablesUnread(_) => FreeOutcome::StillHeld,
    }
}

/// Whether nothing was sent because the processes were no longer what had been shown: then the port is looked at anew.
pub fn is_outdated(freeing: &FreeMachine) -> bool {
    matches!(
        freeing.verdict(),
        Some(Verdict::NothingSent(
            SignalError::AlreadyExited(_) | SignalError::PidReused(_) | SignalError::NotAnOwner(_)
        ))
    )
}

/// The ports that are meant, each once: a port that was named, and of a range those that something stands on or that the
/// kernel keeps in TIME_WAIT.
///
/// An error where one port is named with two addresses: it has one verdict.
pub fn port_specs(targets: &[PortRange], table: &[Endpoint]) -> Result<Vec<PortSpec>, String> {
    let mut port_specs: Vec<PortSpec> = Vec::new();
    for spec in targets
        .iter()
        .flat_map(|target| port_specs_of(target, table))
    {
        let is_same_port = |one: &&mut PortSpec| one.on_all_addresses() == spec.on_all_addresses();
        match port_specs.iter_mut().find(is_same_port) {
            None => port_specs.push(spec),
            Some(known) if *known == spec || known.address.is_none() => {}
            Some(known) if spec.address.is_none() => *known = spec,
            Some(known) => {
                return Err(format!(
                    "{known} and {spec} are addresses of one port: free them one after the other, or {} on all of them",
                    spec.on_all_addresses().to_argument()
                ));
            }
        }
    }
    Ok(port_specs)
}

fn port_specs_of(target: &PortRange, table: &[Endpoint]) -> Vec<PortSpec> {
    if let Some(port) = target.only_port() {
        return vec![port];
    }
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    // The kernel keeps a port in TIME_WAIT for nobody, and a bind may fail for it.
    let is_in_the_way =
        |socket: &&Socket| socket.holds_port() || socket.state == Some(State::TimeWait);
    let found = sockets.filter(|socket| is_in_the_way(socket) && target.matches(socket));
    let mut ports: Vec<u16> = found.map(Socket::port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports.into_iter().map(|port| target.at(port)).collect()
}

#[cfg(test)]
mod tests;
