//! The report: free or held, and why.

use super::findings::Findings;
use super::reason::{LeftoverBind, Reason};
use super::reasons::reasons;
use crate::model::process::Process;
use std::sync::Arc;

/// Whether a port can be used, why, and what that follows from.
#[derive(Clone, Debug)]
pub struct CheckReport {
    pub findings: Findings,
    /// True if a bind as servers try it works on each requested address of this machine, and no socket listens or is
    /// bound there.
    pub is_free: bool,
    /// The ones that decide first.
    pub reasons: Vec<Reason>,
}

impl CheckReport {
    pub fn of(findings: Findings) -> Self {
        Self {
            is_free: is_free(&findings),
            reasons: reasons(&findings),
            findings,
        }
    }

    /// The reason why the port is held; the first one where there are several.
    pub fn decisive_reason(&self) -> Option<&Reason> {
        self.reasons.iter().find(|reason| match reason {
            Reason::Holder(_)
            | Reason::Client { .. }
            | Reason::Privileged { .. }
            | Reason::NoSuchAddress(_)
            | Reason::Failed { .. }
            | Reason::Unexplained { .. } => true,
            Reason::TimeWait { bind, .. } | Reason::Leftover { bind, .. } => {
                matches!(bind, LeftoverBind::Refused(_))
            }
            Reason::Wildcard { .. }
            | Reason::OneFamily { .. }
            | Reason::Partly(_)
            | Reason::TwoLocalhosts { .. }
            | Reason::BacklogFull { .. }
            | Reason::NotRunning { .. }
            | Reason::NeedsReuse
            | Reason::Reserved(_)
            | Reason::NoFamily(_)
            | Reason::Published(_)
            | Reason::Elsewhere(_)
            | Reason::Unread(_) => false,
        })
    }

    /// The visible owners of the conflicting sockets, each once.
    pub fn holders(&self) -> Vec<Arc<Process>> {
        let mut holders: Vec<Arc<Process>> = Vec::new();
        let conflicting = self.findings.conflicting();
        for process in conflicting.flat_map(|socket| socket.owners.known()) {
            if holders.iter().all(|known| known.id != process.id) {
                holders.push(Arc::clone(process));
            }
        }
        holders
    }

    /// Whether every bind is explained; if not, a socket may have opened or closed between the poll and the binds.
    pub fn is_explained(&self) -> bool {
        !self
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Unexplained { .. } | Reason::NeedsReuse))
    }
}

fn is_free(findings: &Findings) -> bool {
    let mut probes = findings.local_probes().peekable();
    probes.peek().is_some()
        && probes.all(|probe| findings.is_bindable(probe))
        && findings.conflicting().next().is_none()
}
