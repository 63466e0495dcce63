//! A proposal: what would be ended to free a port, frozen as it is shown and not yet confirmed.

use super::context::FreeContext;
use super::kill_request::{KillRequest, RequestId, Target};
use super::protected::{Protected, protected};
use crate::model::endpoint::{Endpoint, Owners, Protocol, Socket};
use crate::model::inspection::ProcessTree;
use crate::model::ports::Port;
use crate::model::process::{Pid, Process, ProcessId, ProcessState, is_topmost, topmost_first};
use crate::model::signal::Signal;
use crate::wording;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// What the dialog asks: whether these processes may be ended so that this port becomes free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillPlan {
    pub host: String,
    pub protocol: Protocol,
    pub port: u16,
    /// Every socket of that port, on all local addresses, the row's own first.
    pub sockets: Vec<Socket>,
    /// Every process seen to hold one of them: those of the row's own socket first, the topmost first.
    pub owners: Vec<PortOwner>,
    /// Other ports that are listened on, by whomever.
    pub others: Vec<OtherPort>,
    /// Holders that are never ended; they are among `owners` too.
    pub protected: Vec<ProtectedOwner>,
    /// Where the holders come from, once that is known.
    pub(super) trees: Vec<ProcessTree>,
    pub(super) me: Option<u32>,
    pub(super) self_pids: Vec<Pid>,
}

/// A process that holds the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortOwner {
    pub process: Arc<Process>,
    /// Whether no other holder is its parent: a master, not its worker.
    pub is_topmost: bool,
    /// Those of the proposal's sockets that it holds.
    pub sockets: Vec<Socket>,
}

/// A port that is listened on and closes with the process that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherPort {
    pub process: ProcessId,
    pub protocol: Protocol,
    pub local: SocketAddr,
}

/// A holder that is never ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedOwner {
    pub process: Arc<Process>,
    pub why: Protected,
}

/// Which processes are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetSet {
    /// A master ends its workers; a worker alone would only be started again.
    Topmost,
    /// Every holder.
    All,
    /// The process groups of the topmost holders, whoever of them holds the port.
    Group,
    /// Nobody but this process, which started a holder.
    Parent(ProcessId),
}

impl KillPlan {
    /// Freezes what holds these sockets, of which the row's own is the first.
    pub(super) fn new(
        sockets: Vec<Socket>,
        own: &Socket,
        table: &[&Endpoint],
        context: &FreeContext,
    ) -> Self {
        let (protocol, port) = (own.protocol, own.port());
        let owners = owners(&sockets);
        let protected = owners
            .iter()
            .filter_map(|holder| {
                protected(&holder.process, &context.self_pids).map(|why| ProtectedOwner {
                    process: Arc::clone(&holder.process),
                    why,
                })
            })
            .collect();
        Self {
            host: context.host.clone(),
            protocol,
            port,
            others: other_ports((protocol, port), table),
            sockets,
            owners,
            protected,
            trees: Vec::new(),
            me: context.me,
            self_pids: context.self_pids.clone(),
        }
    }

    /// The processes that would be signalled, holders first and in their order, without the refused ones. Never empty for
    /// [`TargetSet::Topmost`]: where all of these are refused there is no proposal.
    pub fn targets(&self, targets: TargetSet) -> Vec<Target> {
        match targets {
            TargetSet::Topmost => self.owners_where(|holder| holder.is_topmost),
            TargetSet::All => self.owners_where(|_| true),
            TargetSet::Group => self.group().unwrap_or_default(),
            TargetSet::Parent(id) => {
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
        self.targets(TargetSet::All).len() > self.targets(TargetSet::Topmost).len()
    }

    /// Takes in where the holders come from, which is only known a moment after the question was asked.
    pub fn add_trees(&mut self, trees: &[ProcessTree]) {
        self.trees = trees.to_vec();
    }

    /// Everything in the process groups of the topmost holders. Nothing where that is unknown, nor where somebody of the
    /// group is left alone: a group that holds portmon, its ancestors or the main process of a service is so as a whole.
    fn group(&self) -> Option<Vec<Target>> {
        let topmost = self.owners_where(|holder| holder.is_topmost);
        let trees = topmost
            .iter()
            .filter_map(|target| self.tree_of(target.id()));
        let mut members: Vec<Arc<Process>> = trees.flat_map(|trees| trees.group.clone()).collect();
        members.sort_by_key(|process| (self.owner_rank(process.id), process.pid()));
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
        let is_more = |members: Vec<Target>| members.iter().any(|member| !member.is_owner());
        self.group().is_some_and(is_more)
    }

    /// What started the first topmost holder, the nearest first, as far as it may be ended instead: not portmon and what
    /// it runs in, not the main process of a service, not the shell of a terminal, and nothing beyond these.
    pub fn parents(&self) -> Vec<&Arc<Process>> {
        let topmost = self.owners_where(|holder| holder.is_topmost);
        let trees = topmost.first().and_then(|target| self.tree_of(target.id()));
        let ancestors = trees.map_or(&[][..], |trees| &trees.ancestors);
        let may_end =
            |process: &&Arc<Process>| self.may_end(process) && !is_terminal_leader(process);
        ancestors.iter().take_while(may_end).collect()
    }

    /// Whether someone who need not hold the port may be ended for it: nobody who is refused, and no main process of a
    /// service that a holder belongs to, which systemd ends and starts.
    fn may_end(&self, process: &Process) -> bool {
        let mut units = self
            .trees
            .iter()
            .filter_map(|trees| trees.supervisor.unit.as_ref());
        let is_main = units.any(|unit| unit.main == Some(process.pid()));
        !is_main && protected(process, &self.self_pids).is_none()
    }

    /// What is known of where a holder comes from.
    pub fn tree_of(&self, process: ProcessId) -> Option<&ProcessTree> {
        self.trees.iter().find(|trees| trees.process == process)
    }

    pub fn to_port(&self) -> Port {
        Port {
            protocol: self.protocol,
            number: self.port,
        }
    }

    /// Everybody who holds the port.
    pub fn owner_processes(&self) -> Vec<Arc<Process>> {
        let owners = self.owners.iter();
        owners.map(|holder| Arc::clone(&holder.process)).collect()
    }

    /// The holders' identities: what the executor must hold on to while the question is open.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        self.owners.iter().map(|holder| holder.process.id).collect()
    }

    /// Other ports that would close too, each protocol and address once.
    pub fn also_closes(&self, targets: TargetSet) -> Vec<&OtherPort> {
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
    pub fn warnings(&self, targets: TargetSet) -> Vec<String> {
        let not_permitted = self.not_permitted_words(targets).into_iter();
        let unowned = self
            .sockets
            .iter()
            .filter(|socket| !matches!(socket.owners, Owners::Known(_)))
            .map(|socket| {
                let (place, holder) = (wording::place(socket), wording::holder(socket));
                format!("{place} is held by {holder}; it stays held.")
            });
        let protected = self
            .protected
            .iter()
            .map(|protected| format!("{} is not ended: it {}.", protected.process, protected.why));
        let unfreed = not_permitted.chain(unowned).chain(protected);
        unfreed.chain(self.suspended_warnings()).collect()
    }

    /// Who is stopped, which is why the port may look stuck: a signal is acted on only after SIGCONT, which follows it.
    fn suspended_warnings(&self) -> Vec<String> {
        let is_stopped =
            |trees: &&ProcessTree| trees.process_state == Some(ProcessState::Suspended);
        let stopped = self.trees.iter().filter(is_stopped);
        let named = stopped.filter_map(|trees| {
            let mut owners = self.owners.iter();
            owners.find(|holder| holder.process.id == trees.process)
        });
        named
            .map(|holder| {
                let process = &holder.process;
                format!("{process} is stopped and answers nobody; SIGCONT follows SIGTERM, SIGINT or SIGHUP.")
            })
            .collect()
    }

    /// The only way to an [`KillRequest`]: to be called when a person has done what [`required_confirmation`](Self::required_confirmation) asks for.
    pub fn confirm(&self, targets: TargetSet, signal: Signal, now: Instant) -> KillRequest {
        KillRequest {
            id: RequestId {
                at: now,
                protocol: self.protocol,
                port: self.port,
            },
            protocol: self.protocol,
            port: self.port,
            sockets: self.sockets.clone(),
            owners: self.owner_processes(),
            targets: self.targets(targets),
            signal,
            self_pids: self.self_pids.clone(),
            is_repeated: false,
        }
    }

    fn owners_where(&self, is_meant: impl Fn(&PortOwner) -> bool) -> Vec<Target> {
        self.owners
            .iter()
            .filter(|holder| is_meant(holder) && !self.is_refused(holder.process.id))
            .map(|holder| self.target(&holder.process))
            .collect()
    }

    fn target(&self, process: &Arc<Process>) -> Target {
        let holder = self.owners.iter().find(|one| one.process.id == process.id);
        let sockets = holder.map_or(&[][..], |holder| &holder.sockets);
        Target {
            process: Arc::clone(process),
            sockets: sockets.iter().map(|socket| socket.id).collect(),
        }
    }

    /// Its place among the holders, behind all of them if it is none.
    fn owner_rank(&self, process: ProcessId) -> usize {
        let place = self.owners.iter().position(|one| one.process.id == process);
        place.unwrap_or(self.owners.len())
    }

    fn is_refused(&self, process: ProcessId) -> bool {
        self.protected
            .iter()
            .any(|protected| protected.process.id == process)
    }
}

/// Whether it is what a terminal runs, a shell as a rule: to end it is to close that terminal.
fn is_terminal_leader(process: &Process) -> bool {
    process.terminal.is_some() && process.session == Some(process.pid())
}

/// The holders of the first socket and then those of the others, the topmost first among each.
fn owners(sockets: &[Socket]) -> Vec<PortOwner> {
    let own = sockets.iter().take(1);
    let others = sockets.iter().skip(1);
    let mut processes: Vec<Arc<Process>> = Vec::new();
    for group in [processes_of(own), processes_of(others)] {
        for process in topmost_first(group) {
            if !processes.iter().any(|known| known.id == process.id) {
                processes.push(process);
            }
        }
    }
    let pids: Vec<Pid> = processes.iter().map(|process| process.pid()).collect();
    processes
        .into_iter()
        .map(|process| PortOwner {
            is_topmost: is_topmost(&process, &pids),
            sockets: held_by(&process, sockets),
            process,
        })
        .collect()
}

fn processes_of<'a>(sockets: impl Iterator<Item = &'a Socket>) -> Vec<Arc<Process>> {
    sockets
        .flat_map(|socket| socket.owners.known())
        .cloned()
        .collect()
}

fn held_by(process: &Process, sockets: &[Socket]) -> Vec<Socket> {
    sockets
        .iter()
        .filter(|socket| holds(process.id, socket))
        .cloned()
        .collect()
}

pub(super) fn holds(process: ProcessId, socket: &Socket) -> bool {
    socket
        .owners
        .known()
        .iter()
        .any(|owner| owner.id == process)
}

/// What is listened on beside the port in question; a UDP socket without a remote end listens too.
fn other_ports(but: (Protocol, u16), table: &[&Endpoint]) -> Vec<OtherPort> {
    let listens = |socket: &&Socket| match socket.protocol {
        Protocol::Tcp => socket.is_listening(),
        Protocol::Udp => socket.holds_port(),
    };
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let others = sockets
        .filter(|socket| (socket.protocol, socket.port()) != but)
        .filter(listens);
    let mut others: Vec<OtherPort> = others.flat_map(of_each_owner).collect();
    others.sort_by_key(|other| {
        (
            other.local.port(),
            other.protocol,
            other.local,
            other.process,
        )
    });
    others.dedup();
    others
}

fn of_each_owner(socket: &Socket) -> impl Iterator<Item = OtherPort> {
    let owners = socket.owners.known().iter();
    owners.map(|owner| OtherPort {
        process: owner.id,
        protocol: socket.protocol,
        local: socket.local,
    })
}
