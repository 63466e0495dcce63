//! A plan to free one port: its sockets and owners, frozen as they are shown and not yet confirmed.

use super::confirmation::OtherSockets;
use super::plan::{KillRequest, RequestId, Target};
use super::protected::{ProtectedOwner, protected};
use crate::model::environment::Environment;
use crate::model::port::Port;
use crate::model::process::{
    Pid, Process, ProcessId, ProcessTree, Signal, is_topmost, topmost_first,
};
use crate::model::socket::{Endpoint, Protocol, Socket};
use std::sync::Arc;
use std::time::Instant;

/// What would free a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillPlan {
    pub host: String,
    pub protocol: Protocol,
    pub port: u16,
    /// The port's sockets on all local addresses, the row's own first.
    pub sockets: Vec<Socket>,
    /// The known owners of these sockets: those of the row's own socket first, among each the topmost first.
    pub owners: Vec<PortOwner>,
    /// Owners that are never signalled; they are among `owners` too.
    pub protected: Vec<ProtectedOwner>,
    /// All other sockets of the machine.
    pub(super) others: OtherSockets,
    /// The owners' ancestors, descendants and groups; `None` until they have been inspected.
    pub(super) trees: Option<Vec<ProcessTree>>,
    pub(super) uid: Option<u32>,
    pub(super) self_pids: Vec<Pid>,
}

/// A process that owns a socket of the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortOwner {
    pub process: Arc<Process>,
    /// True if no other owner is its parent: a master, not its worker.
    pub is_topmost: bool,
    /// The plan's sockets that it owns.
    pub sockets: Vec<Socket>,
}

/// Which processes get the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetSet {
    /// The owners that no other owner started. A master stops its workers; a worker alone would only be started again.
    Topmost,
    /// Every owner.
    All,
    /// The process groups of the topmost owners.
    Group,
    /// Only this process, an ancestor of an owner.
    Parent(ProcessId),
}

impl KillPlan {
    /// Freezes the owners of these sockets; `own` is the row's own.
    pub(super) fn new(
        sockets: Vec<Socket>,
        own: &Socket,
        table: &[&Endpoint],
        environment: &Environment,
    ) -> Self {
        let owners = owners(&sockets);
        Self {
            host: environment.host.clone(),
            protocol: own.protocol,
            port: own.port(),
            protected: owners
                .iter()
                .filter_map(|owner| {
                    let why = protected(&owner.process, &environment.self_pids)?;
                    let process = Arc::clone(&owner.process);
                    Some(ProtectedOwner { process, why })
                })
                .collect(),
            others: other_sockets(&sockets, table),
            sockets,
            owners,
            trees: None,
            uid: environment.uid,
            self_pids: environment.self_pids.clone(),
        }
    }

    /// Updates what else closes, since an owner may have been found after the plan was made.
    pub fn update_others(&mut self, table: &[&Endpoint]) {
        self.others = other_sockets(&self.sockets, table);
    }

    /// Adds the owners' process trees, which are only known a moment after the plan.
    pub fn add_trees(&mut self, trees: &[ProcessTree]) {
        self.trees = Some(trees.to_vec());
    }

    pub fn trees(&self) -> &[ProcessTree] {
        self.trees.as_deref().unwrap_or_default()
    }

    pub fn tree_of(&self, process: ProcessId) -> Option<&ProcessTree> {
        self.trees().iter().find(|tree| tree.process == process)
    }

    pub fn to_port(&self) -> Port {
        Port {
            protocol: self.protocol,
            number: self.port,
        }
    }

    pub fn owner_processes(&self) -> Vec<Arc<Process>> {
        let owners = self.owners.iter();
        owners.map(|owner| Arc::clone(&owner.process)).collect()
    }

    /// Returns the owners' identities: the processes to open handles for while the plan is shown.
    pub fn process_ids(&self) -> Vec<ProcessId> {
        self.owners.iter().map(|owner| owner.process.id).collect()
    }

    /// Returns the processes that get the signal, owners first, without protected ones.
    ///
    /// Never empty for [`TargetSet::Topmost`]: if all of these are protected, there is no plan.
    pub fn targets(&self, targets: TargetSet) -> Vec<Target> {
        match targets {
            TargetSet::Topmost => self.owners_where(|owner| owner.is_topmost),
            TargetSet::All => self.owners_where(|_| true),
            TargetSet::Group => self.group(),
            TargetSet::Parent(id) => self
                .parents()
                .into_iter()
                .filter(|parent| parent.id == id)
                .map(|parent| self.target(parent))
                .collect(),
        }
    }

    /// Returns true if not every owner is topmost.
    pub fn has_more_than_topmost(&self) -> bool {
        self.targets(TargetSet::All).len() > self.targets(TargetSet::Topmost).len()
    }

    /// Returns true if the group has more members than owners.
    pub fn has_group(&self) -> bool {
        self.group().iter().any(|member| !member.is_owner())
    }

    /// Returns the topmost owners' process groups; empty if unknown or if a member may not be signalled, since a group
    /// gets a signal as a whole.
    fn group(&self) -> Vec<Target> {
        let topmost = self.owners_where(|owner| owner.is_topmost);
        let mut members: Vec<&Arc<Process>> = topmost
            .iter()
            .filter_map(|target| self.tree_of(target.id()))
            .flat_map(|tree| &tree.group)
            .collect();
        members.sort_by_key(|process| (self.owner_rank(process.id), process.pid()));
        members.dedup_by_key(|process| process.id);
        if members.iter().all(|process| self.may_signal(process)) {
            members
                .into_iter()
                .map(|member| self.target(member))
                .collect()
        } else {
            Vec::new()
        }
    }

    /// Returns the ancestors of the first topmost owner that may be signalled instead of it, the nearest first, up to the
    /// first that may not or that leads a terminal's session.
    pub fn parents(&self) -> Vec<&Arc<Process>> {
        let topmost = self.owners_where(|owner| owner.is_topmost);
        let tree = topmost.first().and_then(|target| self.tree_of(target.id()));
        tree.map_or(&[][..], |tree| &tree.ancestors)
            .iter()
            .take_while(|process| self.may_signal(process) && !is_terminal_leader(process))
            .collect()
    }

    /// Returns true unless the process is protected or the main process of an owner's service, which systemd manages.
    fn may_signal(&self, process: &Process) -> bool {
        let mut units = self
            .trees()
            .iter()
            .filter_map(|tree| tree.supervisor.unit.as_ref());
        !units.any(|unit| unit.main == Some(process.pid()))
            && protected(process, &self.self_pids).is_none()
    }

    /// Returns the request to send the signal. This is the only way to a [`KillRequest`]: call it once the person has done
    /// what the preview's [`Confirmation`](super::Confirmation) requires.
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
        let is_protected = |owner: &PortOwner| {
            self.protected
                .iter()
                .any(|one| one.process.id == owner.process.id)
        };
        self.owners
            .iter()
            .filter(|owner| is_meant(owner) && !is_protected(owner))
            .map(|owner| self.target(&owner.process))
            .collect()
    }

    pub(super) fn owner(&self, process: ProcessId) -> Option<&PortOwner> {
        self.owners.iter().find(|owner| owner.process.id == process)
    }

    fn target(&self, process: &Arc<Process>) -> Target {
        let sockets = self
            .owner(process.id)
            .map_or(&[][..], |owner| &owner.sockets);
        Target {
            process: Arc::clone(process),
            sockets: sockets.iter().map(|socket| socket.id).collect(),
        }
    }

    /// Returns the process's position among the owners, or their number if it is none.
    fn owner_rank(&self, process: ProcessId) -> usize {
        let position = self.owners.iter().position(|one| one.process.id == process);
        position.unwrap_or(self.owners.len())
    }
}

fn other_sockets(own: &[Socket], table: &[&Endpoint]) -> OtherSockets {
    let all = table.iter().map(|endpoint| &endpoint.socket);
    OtherSockets::new(all.filter(|socket| !own.iter().any(|one| one.id == socket.id)))
}

/// Returns true if the process leads a terminal's session, usually a shell: without it the terminal closes.
fn is_terminal_leader(process: &Process) -> bool {
    process.terminal.is_some() && process.session == Some(process.pid())
}

/// Returns the owners of the first socket, then those of the others, among each the topmost first.
fn owners(sockets: &[Socket]) -> Vec<PortOwner> {
    let mut processes: Vec<Arc<Process>> = Vec::new();
    let (own, others) = sockets.split_at(sockets.len().min(1));
    for group in [own, others] {
        let owners: Vec<Arc<Process>> = group
            .iter()
            .flat_map(|socket| socket.owners.known())
            .cloned()
            .collect();
        for process in topmost_first(owners) {
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
            sockets: sockets
                .iter()
                .filter(|socket| holds(process.id, socket))
                .cloned()
                .collect(),
            process,
        })
        .collect()
}

pub(super) fn holds(process: ProcessId, socket: &Socket) -> bool {
    let owners = socket.owners.known();
    owners.iter().any(|owner| owner.id == process)
}
