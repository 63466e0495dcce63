//! The answer: free or held, in one line, and why.

use super::findings::Findings;
use super::formatting::who_holds;
use super::reason::{LeftoverBind, Reason};
use super::reasons::{needs_reuse, reasons};
use crate::model::endpoint::Protocol;
use crate::model::process::Process;
use crate::wording::place;
use std::sync::Arc;

/// Whether a port can be used, why, and what that is derived from.
#[derive(Clone, Debug)]
pub struct CheckReport {
    pub findings: Findings,
    /// Whether a bind works as a server asks for it on each address that was asked about and that this machine has, and
    /// nothing listens or is bound there.
    pub is_free: bool,
    /// One line that begins with FREE or HELD.
    pub headline: String,
    pub reasons: Vec<Reason>,
}

impl CheckReport {
    pub fn of(findings: Findings) -> Self {
        let reasons = reasons(&findings);
        let is_free = is_free(&findings);
        let subject = findings.request.spec;
        let headline = if is_free {
            let how = if needs_reuse(&findings) {
                " with SO_REUSEADDR"
            } else {
                ""
            };
            format!("FREE {subject}{how}")
        } else {
            format!("HELD {subject}{}", held(&reasons))
        };
        Self {
            findings,
            is_free,
            headline,
            reasons,
        }
    }

    /// The processes that stand in the way, as far as they may be seen, each once.
    pub fn holders(&self) -> Vec<Arc<Process>> {
        let mut holders: Vec<Arc<Process>> = Vec::new();
        for process in self
            .findings
            .conflicting()
            .flat_map(|socket| socket.owners.known())
        {
            if holders.iter().all(|known| known.id != process.id) {
                holders.push(Arc::clone(process));
            }
        }
        holders
    }

    /// `8 binds tried, each closed at once`
    pub fn binds_line(&self) -> String {
        match self.findings.binds {
            0 => "no bind tried".to_owned(),
            1 => "1 bind tried and closed at once".to_owned(),
            binds => format!("{binds} binds tried, each closed at once"),
        }
    }

    /// What came of connecting; nothing where that was not asked for.
    pub fn connect_lines(&self) -> Vec<String> {
        match (&self.findings.connects, self.findings.request.spec.protocol) {
            (None, _) => Vec::new(),
            (Some(connects), Protocol::Tcp) => connects.iter().map(ToString::to_string).collect(),
            (Some(_), Protocol::Udp) => {
                let words = "UDP knows no connections: nothing tells whether anybody answers";
                vec![words.to_owned()]
            }
        }
    }

    /// Whether what the binds said is explained; if not, something may have come or gone between them and the look.
    pub fn is_explained(&self) -> bool {
        let is_riddle =
            |reason: &Reason| matches!(reason, Reason::Unexplained { .. } | Reason::NeedsReuse);
        !self.reasons.iter().any(is_riddle)
    }
}

fn is_free(findings: &Findings) -> bool {
    let mut tried = findings.usable_probes().peekable();
    tried.peek().is_some()
        && tried.all(|probe| findings.is_bound(probe))
        && findings.conflicting().next().is_none()
}

/// By whom or by what, from the first reason that decides.
fn held(reasons: &[Reason]) -> String {
    let is_owner = |reason: &&Reason| matches!(reason, Reason::Holder { .. });
    let others = match reasons.iter().filter(is_owner).count() {
        0 | 1 => String::new(),
        2 => " and by 1 more".to_owned(),
        count => format!(" and by {} more", count - 1),
    };
    let decides = |reason: &Reason| match reason {
        Reason::Holder { socket, .. } => Some(format!(
            " by {} on {}{others}",
            who_holds(socket),
            place(socket)
        )),
        Reason::Client { socket, .. } => {
            let by = who_holds(socket);
            Some(format!(" by {by} as the local port of a connection"))
        }
        Reason::TimeWait {
            binding: LeftoverBind::Refused,
            ..
        } => Some(" by connections in TIME_WAIT".to_owned()),
        Reason::Leftover {
            binding: LeftoverBind::Refused,
            states,
            ..
        } => Some(format!(" by {states} without a listener")),
        Reason::Privileged { .. } => Some(" as you may not bind it".to_owned()),
        Reason::NoSuchAddress(_) => Some(" as this machine has no such address".to_owned()),
        Reason::Failed { why, .. } => Some(format!(" as it cannot be bound: {why}")),
        Reason::Unexplained {
            is_unread: true, ..
        } => Some(" by something unknown, as not every table could be read".to_owned()),
        Reason::Unexplained { .. } => Some(" by something that is in no table".to_owned()),
        _ => None,
    };
    reasons.iter().find_map(decides).unwrap_or_default()
}
