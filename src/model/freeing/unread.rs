//! The verdict while socket tables cannot be read: from what was read after the signal and from a bind, never from what a
//! table showed before.

use super::PATIENCE_WHEN_FUTILE;
use super::judging::{Judgement, not_ended, taken};
use super::look::{BindOutcome, BindTrial};
use super::record::Record;
use super::terms::Terms;
use super::verdict::{Evidence, Proof, Verdict};
use super::words;
use crate::model::endpoint::Socket;
use std::fmt::{self, Display};

/// What the facts say while a table of the port's protocol cannot be read.
pub(super) fn judge_unread(record: &Record, terms: &Terms) -> Judgement {
    let holding = record.holding();
    if !record.are_targets_done() {
        if record.are_survivors_seen() {
            return not_ended(record, terms);
        }
    } else if !holding.iter().any(|socket| record.is_targeted(socket.id))
        && let Some(by) = record.newcomers().first()
    {
        return Judgement::Said(Box::new(taken(record, by, None)));
    }
    let is_done = record.are_targets_done() && record.since_targets_done() >= PATIENCE_WHEN_FUTILE;
    if !is_done && record.waited() < terms.patience {
        Judgement::Wait
    } else if holding.is_empty() {
        Judgement::Probe
    } else {
        let seen: Vec<Socket> = holding.into_iter().cloned().collect();
        Judgement::Said(Box::new(unknown(record, Evidence::Seen(seen))))
    }
}

/// What a bind says of a port of which not every table could be read. Only one without SO_REUSEADDR proves anything: with
/// it, a port can be bound beside a socket that is bound and does not listen.
pub(super) fn probed(record: &Record, trial: &BindTrial) -> Verdict {
    let outcomes = || trial.attempts.iter().map(|attempt| &attempt.without_reuse);
    let bound_with_reuse = |outcome: &Option<BindOutcome>| *outcome == Some(BindOutcome::Bound);
    let mut in_use = trial
        .attempts
        .iter()
        .filter(|attempt| attempt.without_reuse == BindOutcome::InUse)
        .peekable();
    let failure = outcomes().find_map(|outcome| match outcome {
        BindOutcome::Failed(reason) => Some(Some(reason.clone())),
        BindOutcome::Denied => Some(None),
        BindOutcome::Bound | BindOutcome::InUse | BindOutcome::NoSuchAddress => None,
    });
    let evidence = if in_use.peek().is_some() {
        if in_use.all(|attempt| bound_with_reuse(&attempt.with_reuse)) {
            Evidence::OnlyWithReuse
        } else {
            Evidence::InUse
        }
    } else if let Some(reason) = failure {
        Evidence::NotBound(reason)
    } else if outcomes().any(|outcome| *outcome == BindOutcome::Bound) {
        return Verdict::Free {
            port: record.port(),
            endings: record.endings(),
            proof: Proof::BindOnly(record.unread().unwrap_or_default()),
        };
    } else {
        Evidence::NotBound(Some("no address to bind".to_owned()))
    };
    unknown(record, evidence)
}

fn unknown(record: &Record, evidence: Evidence) -> Verdict {
    let signal = record.last_signal();
    Verdict::Unknown {
        port: record.port(),
        endings: record.endings(),
        survivors: record
            .survivors()
            .map(|one| one.survivor(signal, record.waited()))
            .collect(),
        evidence,
        unread: record.unread().unwrap_or_default(),
    }
}

impl Evidence {
    /// What it says of the port: `:3000 is not free, and who holds it is unknown`.
    pub(super) fn of_port(&self, port: impl Display) -> String {
        match self {
            Self::Seen(_) => format!("{port} is STILL HELD"),
            Self::InUse => format!("{port} is not free, and who holds it is unknown"),
            Self::OnlyWithReuse | Self::NotBound(_) => {
                format!("Whether {port} is free is unknown")
            }
        }
    }
}

impl Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen(sockets) => {
                let holds = |socket: &Socket| {
                    let verb = if socket.owners.known().len() > 1 {
                        "hold"
                    } else {
                        "holds"
                    };
                    format!("{} {verb} {}", words::holder(socket), words::place(socket))
                };
                let mut holders: Vec<String> = sockets.iter().map(holds).collect();
                holders.dedup();
                f.write_str(&words::list(&holders))
            }
            Self::InUse => f.write_str("a bind fails because the address is in use"),
            Self::OnlyWithReuse => f.write_str("a bind succeeds only with SO_REUSEADDR"),
            Self::NotBound(None) => f.write_str("a bind is not permitted to this user"),
            Self::NotBound(Some(reason)) => write!(f, "a bind fails: {reason}"),
        }
    }
}
