//! A proposal: what would be ended to free a port, frozen as it is shown and not yet confirmed.

use super::holders::{Holder, OtherPort, holders, other_ports};
use super::order::{Order, OrderId, Target};
use super::question::Circumstances;
use super::refusal::{Refusal, refusal};
use super::signal::Signal;
use super::verdict::Port;
use super::words;
use crate::model::endpoint::{Endpoint, Owners, Protocol, Socket};
use crate::model::inspection::Kin;
use crate::model::process::{Condition, Pid, Process, ProcessId};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

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
    /// Other ports that are listened on, by whomever.
    pub others: Vec<OtherPort>,
    /// Holders that are never ended; they are among `holders` too.
    pub refused: Vec<Refused>,
    /// Where the holders come from, once that is known.
    pub(super) kin: Vec<Kin>,
    pub(super) me: Option<u32>,
    pub(super) lineage: Vec<Pid>,
}

/// A holder that is never ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub process: Arc<Process>,
    pub why: Refusal,
}

/// Which processes are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Targets {
    /// A master ends its workers; a worker alone would only be started again.
    Topmost,
    /// Every holder.
    All,
    /// The process groups of the topmost holders, whoever of them holds the port.
    Group,
    /// Nobody but this process, which started a holder.
    Parent(ProcessId),
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
            others: other_ports((protocol, port), table),
            sockets,
            holders,
            refused,
            kin: Vec::new(),
            me: circumstances.me,
            lineage: circumstances.lineage.clone(),
        }
    }

    /// The processes that would be signalled, holders first and in their order, without the refused ones. Never empty for
    /// [`Targets::Topmost`]: where all of these are refused there is no proposal.
    pub fn targets(&self, targets: Targets) -> Vec<Target> {
        match targets {
            Targets::Topmost => self.holders_that(|holder| holder.is_topmost),
            Targets::All => self.holders_that(|_| true),
            Targets::Group => self.group().unwrap_or_default(),
            Targets::Parent(id) => {
                let parents = self.parents().into_iter();
                parents
                    .filter(|parent| parent.id == id)
                    .map(|parent| self.target(parent))
                    .collect()
            }
        }
    }

    /// Whether `a` would end more processes than are ended by default.
    pub fn has_more_than_topmost(&self) -> bool {
        self.targets(Targets::All).len() > self.targets(Targets::Topmost).len()
    }

    /// Takes in where the holders come from, which is only known a moment after the question was asked.
    pub fn learn(&mut self, kin: &[Kin]) {
        self.kin = kin.to_vec();
    }

    /// Everything in the process groups of the topmost holders. Nothing where that is unknown, nor where somebody of the
    /// group is left alone: a group that holds portmon, its ancestors or the main process of a service is so as a whole.
    fn group(&self) -> Option<Vec<Target>> {
        let topmost = self.holders_that(|holder| holder.is_topmost);
        let kin = topmost.iter().filter_map(|target| self.kin_of(target.id()));
        let mut members: Vec<Arc<Process>> = kin.flat_map(|kin| kin.group.clone()).collect();
        members.sort_by_key(|process| (self.place_of(process.id), process.pid()));
        members.dedup_by_key(|process| process.id);
        let may_end = members.iter().all(|process| self.may_end(process));
        (!members.is_empty() && may_end).then(|| {
            members
                .into_iter()
                .map(|member| self.target(&member))
                .collect()
        })
    }

    /// Whether there is a group to end, and more in it than holders.
    pub fn has_group(&self) -> bool {
        let is_more = |members: Vec<Target>| members.iter().any(|member| !member.is_holder());
        self.group().is_some_and(is_more)
    }

    /// What started the first topmost holder, the nearest first, as far as it may be ended instead: not portmon and what
    /// it runs in, not the main process of a service, not the shell of a terminal, and nothing beyond these.
    pub fn parents(&self) -> Vec<&Arc<Process>> {
        let topmost = self.holders_that(|holder| holder.is_topmost);
        let kin = topmost.first().and_then(|target| self.kin_of(target.id()));
        let ancestors = kin.map_or(&[][..], |kin| &kin.ancestors);
        let may_end = |process: &&Arc<Process>| self.may_end(process) && !leads_a_terminal(process);
        ancestors.iter().take_while(may_end).collect()
    }

    /// Whether someone who need not hold the port may be ended for it: nobody who is refused, and no main process of a
    /// service that a holder belongs to, which systemd ends and starts.
    fn may_end(&self, process: &Process) -> bool {
        let mut units = self
            .kin
            .iter()
            .filter_map(|kin| kin.provenance.unit.as_ref());
        let is_main = units.any(|unit| unit.main == Some(process.pid()));
        !is_main && refusal(process, &self.lineage).is_none()
    }

    /// What is known of where a holder comes from.
    pub fn kin_of(&self, process: ProcessId) -> Option<&Kin> {
        self.kin.iter().find(|kin| kin.process == process)
    }

    pub fn place(&self) -> Port {
        Port {
            protocol: self.protocol,
            number: self.port,
        }
    }

    /// Everybody who holds the port.
    pub fn holding(&self) -> Vec<Arc<Process>> {
        let holders = self.holders.iter();
        holders.map(|holder| Arc::clone(&holder.process)).collect()
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
        let ended = self.targets(targets);
        let ended: Vec<ProcessId> = ended.iter().map(Target::id).collect();
        let mut seen = BTreeSet::new();
        self.others
            .iter()
            .filter(|other| ended.contains(&other.process))
            .filter(|other| seen.insert((other.protocol, other.local)))
            .collect()
    }

    /// Sentences about what ending these processes will not free, and why: targets that may not be signalled, sockets of
    /// hidden owners, refused processes.
    pub fn warnings(&self, targets: Targets) -> Vec<String> {
        let not_permitted = self.not_permitted_words(targets).into_iter();
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
        let unfreed = not_permitted.chain(unowned).chain(refused);
        unfreed.chain(self.stopped()).collect()
    }

    /// Who is stopped, which is why the port may look stuck: a signal is acted on only after SIGCONT, which follows it.
    fn stopped(&self) -> Vec<String> {
        let is_stopped = |kin: &&Kin| kin.condition == Some(Condition::Stopped);
        let stopped = self.kin.iter().filter(is_stopped);
        let named = stopped.filter_map(|kin| {
            let mut holders = self.holders.iter();
            holders.find(|holder| holder.process.id == kin.process)
        });
        named
            .map(|holder| {
                let process = &holder.process;
                format!("{process} is stopped and answers nobody; SIGCONT follows SIGTERM, SIGINT or SIGHUP.")
            })
            .collect()
    }

    /// The only way to an [`Order`]: to be called when a person has done what [`demand`](Self::demand) asks for.
    pub fn confirm(&self, targets: Targets, signal: Signal, now: Instant) -> Order {
        Order {
            id: OrderId {
                at: now,
                protocol: self.protocol,
                port: self.port,
            },
            protocol: self.protocol,
            port: self.port,
            sockets: self.sockets.clone(),
            holders: self.holding(),
            targets: self.targets(targets),
            signal,
            lineage: self.lineage.clone(),
            is_repeated: false,
        }
    }

    fn holders_that(&self, is_meant: impl Fn(&Holder) -> bool) -> Vec<Target> {
        self.holders
            .iter()
            .filter(|holder| is_meant(holder) && !self.is_refused(holder.process.id))
            .map(|holder| self.target(&holder.process))
            .collect()
    }

    fn target(&self, process: &Arc<Process>) -> Target {
        let holder = self.holders.iter().find(|one| one.process.id == process.id);
        let sockets = holder.map_or(&[][..], |holder| &holder.sockets);
        Target {
            process: Arc::clone(process),
            sockets: sockets.iter().map(|socket| socket.id).collect(),
        }
    }

    /// Its place among the holders, behind all of them if it is none.
    fn place_of(&self, process: ProcessId) -> usize {
        let place = self
            .holders
            .iter()
            .position(|one| one.process.id == process);
        place.unwrap_or(self.holders.len())
    }

    fn is_refused(&self, process: ProcessId) -> bool {
        self.refused
            .iter()
            .any(|refused| refused.process.id == process)
    }
}

/// Whether it is what a terminal runs, a shell as a rule: to end it is to close that terminal.
fn leads_a_terminal(process: &Process) -> bool {
    process.terminal.is_some() && process.session == Some(process.pid())
}
