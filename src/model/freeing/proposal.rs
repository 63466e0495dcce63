//! A proposal: what would be ended to free a port, frozen as it is shown and not yet confirmed.

use super::holders::{Holder, OtherPort, holders, other_ports};
use super::login::is_login;
use super::order::{Order, OrderId, Target};
use super::question::Circumstances;
use super::refusal::{Refusal, refusal};
use super::signal::Signal;
use super::words;
use crate::model::endpoint::{Endpoint, Owners, Protocol, Socket};
use crate::model::process::{Pid, Process, ProcessId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

/// More other ports than these are not closed by one key.
const FEW_PORTS: usize = 3;

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
    /// Freezes what holds these sockets, of which the row's own is the first.
    pub(super) fn new(
        protocol: Protocol,
        port: u16,
        sockets: Vec<Socket>,
        table: &[&Endpoint],
        circumstances: &Circumstances,
    ) -> Self {
        let holders = holders(&sockets);
        let refused = holders
            .iter()
            .filter_map(|holder| {
                refusal(&holder.process, &circumstances.lineage).map(|why| Refused {
                    process: Arc::clone(&holder.process),
                    why,
                })
            })
            .collect();
        Self {
            host: circumstances.host.clone(),
            protocol,
            port,
            others: other_ports(&holders, (protocol, port), table),
            sockets,
            holders,
            refused,
            me: circumstances.me,
            lineage: circumstances.lineage.clone(),
        }
    }

    /// The processes that would be ended, in the order of `holders`, without the refused ones. Never empty for
    /// [`Targets::Topmost`]: where all of these are refused there is no proposal.
    pub fn targets(&self, targets: Targets) -> Vec<&Holder> {
        let is_meant = |holder: &&Holder| match targets {
            Targets::Topmost => holder.is_topmost,
            Targets::All => true,
        };
        self.holders
            .iter()
            .filter(is_meant)
            .filter(|holder| !self.is_refused(holder.process.id))
            .collect()
    }

    /// Whether `a` would end more processes than are ended by default.
    pub fn has_more_than_topmost(&self) -> bool {
        self.targets(Targets::All).len() > self.targets(Targets::Topmost).len()
    }

    /// The holders' identities: what the executor must hold on to while the question is open.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        self.holders
            .iter()
            .map(|holder| holder.process.id)
            .collect()
    }

    /// Other ports that would close too, each protocol and address once.
    pub fn also_closes(&self, targets: Targets) -> Vec<&OtherPort> {
        let ended: Vec<ProcessId> = self.ended(targets).map(|process| process.id).collect();
        let mut seen = BTreeSet::new();
        self.others
            .iter()
            .filter(|other| ended.contains(&other.process))
            .filter(|other| seen.insert((other.protocol, other.local)))
            .collect()
    }

    /// Sentences about what ending these processes will not free: sockets of hidden owners, refused processes.
    pub fn warnings(&self) -> Vec<String> {
        let unowned = self
            .sockets
            .iter()
            .filter(|socket| !matches!(socket.owners, Owners::Known(_)))
            .map(|socket| {
                let (place, holder) = (words::place(socket), words::holder(socket));
                format!("{place} is held by {holder}; it stays held.")
            });
        let refused = self
            .refused
            .iter()
            .map(|refused| format!("{} is not ended: it {}.", refused.process, refused.why));
        unowned.chain(refused).collect()
    }

    /// What a person must do before [`confirm`](Self::confirm) may be called.
    pub fn demand(&self, targets: Targets) -> Demand {
        let mut why = Vec::new();
        let ports: BTreeSet<(Protocol, u16)> = self
            .also_closes(targets)
            .iter()
            .map(|other| (other.protocol, other.local.port()))
            .collect();
        if ports.len() > FEW_PORTS {
            why.push(format!("it also closes {} other ports", ports.len()));
        }
        why.extend(self.foreign_words(targets));
        let logins = self.ended(targets).filter(|process| is_login(process));
        why.extend(logins.map(|process| format!("{process} is a login on a terminal")));
        if why.is_empty() {
            Demand::Key
        } else {
            Demand::TypePort { why }
        }
    }

    /// Which of those that would end belong to another user: `gunicorn 7001 of root and 4 more belong to others`.
    fn foreign_words(&self, targets: Targets) -> Option<String> {
        let me = self.me?;
        let is_foreign = |process: &&Arc<Process>| process.uid.is_some_and(|uid| uid != me);
        let ended = self.ended(targets);
        let mut foreign = ended.filter(is_foreign);
        let first = foreign.next()?;
        let uid = first.uid.unwrap_or_default();
        let user = first
            .user
            .as_ref()
            .map_or_else(|| format!("uid {uid}"), ToString::to_string);
        Some(match foreign.count() {
            0 => format!("{first} belongs to {user}"),
            more => format!("{first} of {user} and {more} more belong to others"),
        })
    }

    /// The only way to an [`Order`]: to be called when a person has done what [`demand`](Self::demand) asks for.
    pub fn confirm(&self, targets: Targets, signal: Signal, now: Instant) -> Order {
        let target = |holder: &Holder| Target {
            process: Arc::clone(&holder.process),
            sockets: holder.sockets.iter().map(|socket| socket.id).collect(),
        };
        Order {
            id: OrderId {
                at: now,
                protocol: self.protocol,
                port: self.port,
            },
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

    fn ended(&self, targets: Targets) -> impl Iterator<Item = &Arc<Process>> {
        self.targets(targets)
            .into_iter()
            .map(|holder| &holder.process)
    }

    fn is_refused(&self, process: ProcessId) -> bool {
        self.refused
            .iter()
            .any(|refused| refused.process.id == process)
    }
}
