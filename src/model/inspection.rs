//! What is asked about processes only when someone looks: where they come from and what hangs on them.
//!
//! It costs a walk over every process, so details and the dialog ask once for it and the sampler never does.

use crate::model::endpoint::EndpointId;
use crate::model::freeing::Port;
use crate::model::memory::Fate;
use crate::model::process::{Process, ProcessId};
use crate::model::provenance::Provenance;
use std::net::IpAddr;
use std::sync::Arc;

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub asker: Asker,
    pub endpoint: EndpointId,
    /// The holders whose kin is wanted.
    pub processes: Vec<ProcessId>,
    /// The port that the row holds for itself: what relays ports into containers does not tell which one by itself.
    pub port: Option<Port>,
    /// Whether an unused port near this one is wanted, proved by a bind.
    pub unused_near: Option<u16>,
}

/// Who asks. A later question of the same asker takes the place of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    Details,
    Dialog,
    /// Wants to know what became of the processes, and nothing of their kin.
    Memory,
    Aftermath,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The question as it was asked.
    pub subject: Subject,
    pub kin: Vec<Kin>,
    /// Whether they still run, as far as that may be known.
    pub fates: Vec<(ProcessId, Fate)>,
    /// What stands behind the port where its holders may not be seen; else each kin tells its own.
    pub provenance: Provenance,
    /// The addresses of this machine that are not loopback.
    pub addresses: Vec<IpAddr>,
    pub unused: Option<u16>,
}

impl Inspection {
    pub fn kin_of(&self, process: ProcessId) -> Option<&Kin> {
        self.kin.iter().find(|kin| kin.process == process)
    }

    /// All that stands behind the port, be it behind its holders or behind those who may not be seen.
    pub fn behind(&self) -> Vec<Provenance> {
        let kin = self.kin.iter().map(|kin| kin.provenance.clone());
        kin.chain([self.provenance.clone()]).collect()
    }
}

/// The family of one process at the time of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kin {
    pub process: ProcessId,
    /// The parent first, then its parent, up to but without the first process of the system.
    pub ancestors: Vec<Arc<Process>>,
    /// Children and their children.
    pub descendants: Vec<Arc<Process>>,
    /// Every process of its process group, with itself, by pid; empty where the system does not tell.
    pub group: Vec<Arc<Process>>,
    pub provenance: Provenance,
}

impl Kin {
    /// Who started it: `npm 3970 ← zsh 3801 (pts/4)`.
    pub fn chain(&self) -> String {
        if self.ancestors.is_empty() {
            return "the system's first process".to_owned();
        }
        let link = |process: &Arc<Process>| match &process.terminal {
            Some(terminal) => format!("{process} ({terminal})"),
            None => process.to_string(),
        };
        let links: Vec<String> = self.ancestors.iter().map(link).collect();
        links.join(" ← ")
    }
}
