//! The verdict while socket tables cannot be read: from what was read after the signal and from a bind, never from what a
//! table showed before.

use super::FUTILE_TIMEOUT;
use super::evaluate::{Evaluation, not_ended, taken};
use super::observations::BindProbe;
use super::request_log::RequestLog;
use super::timeouts::Timeouts;
use super::verdict::{Findings, Proof, Verdict};
use crate::model::bind::BindResult;
use crate::model::endpoint::Socket;
use crate::wording;
use std::fmt::{self, Display};

/// What the facts say while a table of the port's protocol cannot be read.
pub(super) fn judge_unread(log: &RequestLog, timeouts: &Timeouts) -> Evaluation {
    let holding = log.holding_sockets();
    if !log.are_targets_done() {
        if log.are_survivors_seen() {
            return not_ended(log, timeouts);
        }
    } else if !holding.iter().any(|socket| log.is_targeted(socket.id))
        && let Some(by) = log.new_sockets().first()
    {
        return Evaluation::Decided(Box::new(taken(log, by, None)));
    }
    let is_done = log.are_targets_done() && log.since_targets_done() >= FUTILE_TIMEOUT;
    if !is_done && log.waited() < timeouts.wait_for_exit {
        Evaluation::Wait
    } else if holding.is_empty() {
        Evaluation::Probe
    } else {
        let seen: Vec<Socket> = holding.into_iter().cloned().collect();
        Evaluation::Decided(Box::new(unknown(log, Findings::Seen(seen))))
    }
}

/// What a bind says of a port of which not every table could be read. Only one without SO_REUSEADDR proves anything: with
/// it, a port can be bound beside a socket that is bound and does not listen.
pub(super) fn probed(log: &RequestLog, probe: &BindProbe) -> Verdict {
    let evidence = match BindResult::of(&probe.probes) {
        BindResult::InUse => Findings::InUse,
        BindResult::OnlyWithReuse => Findings::OnlyWithReuse,
        BindResult::Failed(reason) => Findings::NotBound(Some(reason)),
        BindResult::NotPermitted => Findings::NotBound(None),
        BindResult::NoSuchAddress => Findings::NotBound(Some("no address to bind".to_owned())),
        BindResult::Usable => {
            return Verdict::Free {
                port: log.port(),
                outcomes: log.outcomes(),
                proof: Proof::BindOnly(log.unread().unwrap_or_default()),
            };
        }
    };
    unknown(log, evidence)
}

fn unknown(log: &RequestLog, evidence: Findings) -> Verdict {
    let signal = log.last_signal();
    Verdict::Unknown {
        port: log.port(),
        outcomes: log.outcomes(),
        survivors: log
            .survivors()
            .map(|one| one.survivor(signal, log.waited()))
            .collect(),
        evidence,
        unread: log.unread().unwrap_or_default(),
    }
}

impl Findings {
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

impl Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen(sockets) => {
                let holds = |socket: &Socket| {
                    let verb = if socket.owners.known().len() > 1 {
                        "hold"
                    } else {
                        "holds"
                    };
                    format!(
                        "{} {verb} {}",
                        wording::holder(socket),
                        wording::place(socket)
                    )
                };
                let mut owners: Vec<String> = sockets.iter().map(holds).collect();
                owners.dedup();
                f.write_str(&wording::list(&owners))
            }
            Self::InUse => f.write_str("a bind fails because the address is in use"),
            Self::OnlyWithReuse => f.write_str("a bind succeeds only with SO_REUSEADDR"),
            Self::NotBound(None) => f.write_str("a bind is not permitted to this user"),
            Self::NotBound(Some(reason)) => write!(f, "a bind fails: {reason}"),
        }
    }
}
