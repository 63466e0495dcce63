//! A proposal: what would be ended to free a port, frozen as it is shown and not yet confirmed.

use super::order::{Order, Signal, Target};
use super::refusal::Refusal;
use crate::model::endpoint::{Protocol, Socket};
use crate::model::process::{Pid, Process, ProcessId};
use std::net::SocketAddr;
use std::sync::Arc;

/// What the dialog asks: whether these processes may be ended so that this port becomes free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub host: String,
    pub protocol: Protocol,
    pub port: u16,
    /// Every socket of that port, on all local addresses, the row's own first.
    pub sockets: Vec<Socket>,
    /// Every process seen to hold one of them: those of the row's own socket first, the topmost first.
    pub holders: Vec<Holder>,
    /// Other ports that are listened on by a holder.
    pub others: Vec<OtherPort>,
    /// Holders that are never ended; they are among `holders` too.
    pub refused: Vec<Refused>,
    pub(super) me: Option<u32>,
    pub(super) lineage: Vec<Pid>,
}

/// A process that holds the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub process: Arc<Process>,
    /// Whether no other holder is its parent: a master, not its worker.
    pub is_topmost: bool,
    /// Those of the proposal's sockets that it holds.
    pub sockets: Vec<Socket>,
}

/// A port that is listened on by a holder and closes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPort {
    pub process: ProcessId,
    pub protocol: Protocol,
    pub local: SocketAddr,
}

/// A holder that is never ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub process: Arc<Process>,
    pub why: Refusal,
}

/// Which of the holders are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Targets {
    /// A master ends its workers; a worker alone would only be started again.
    Topmost,
    All,
}

/// What confirms a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The key `y`.
    Key,
    /// The port must be typed; each reason is a clause such as `it also closes 5 other ports`.
    TypePort { why: Vec<String> },
}

impl Proposal {
    /// The processes that would be ended, in the order of `holders`, without the refused ones. Never empty for
    /// [`Targets::Topmost`]: where all of these are refused there is no proposal.
    pub fn targets(&self, targets: Targets) -> Vec<&Holder> {
        let _ = targets;
        self.holders.iter().collect()
    }

    /// The holders' identities: what the executor must hold on to while the question is open.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        self.holders
            .iter()
            .map(|holder| holder.process.id)
            .collect()
    }

    /// Other ports that would close too, each once.
    pub fn also_closes(&self, targets: Targets) -> Vec<&OtherPort> {
        let _ = targets;
        self.others.iter().collect()
    }

    /// Sentences about what ending these processes will not free: sockets of hidden owners, refused processes.
    pub fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    pub fn demand(&self, targets: Targets) -> Demand {
        let _ = targets;
        Demand::Key
    }

    /// The only way to an [`Order`]: to be called when a person has confirmed what `demand` asks for.
    pub fn confirm(&self, targets: Targets, signal: Signal) -> Order {
        let target = |holder: &Holder| Target {
            process: Arc::clone(&holder.process),
            sockets: holder.sockets.iter().map(|socket| socket.id).collect(),
        };
        Order {
            protocol: self.protocol,
            port: self.port,
            sockets: self.sockets.clone(),
            holders: self
                .holders
                .iter()
                .map(|holder| Arc::clone(&holder.process))
                .collect(),
            targets: self.targets(targets).into_iter().map(target).collect(),
            signal,
            lineage: self.lineage.clone(),
        }
    }
}
