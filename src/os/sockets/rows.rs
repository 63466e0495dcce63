//! Makes the model's sockets of table rows: their identity, their owners, their user.

use crate::model::address::Family;
use crate::model::endpoint::{EndpointId, Owners, Protocol, Socket, State};
use crate::model::process::{Pid, Process, topmost_first};
use crate::model::sighting::Sighting;
use crate::model::text::SystemText;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// A row of a socket table, before anything is known about the processes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub protocol: Protocol,
    pub table: Family,
    pub local: SocketAddr,
    pub remote: Option<SocketAddr>,
    pub state: Option<State>,
    /// Linux only; 0 once or while no process has the socket.
    pub inode: Option<u64>,
    pub uid: Option<u32>,
    pub pids: Vec<Pid>,
}

impl From<&Sighting> for Row {
    fn from(seen: &Sighting) -> Self {
        let is_linux = cfg!(target_os = "linux");
        let pid = (!is_linux && seen.mark != 0).then_some(Pid(seen.mark));
        Self {
            protocol: seen.protocol,
            table: seen.table,
            local: seen.local(),
            remote: seen.remote(),
            state: seen.state,
            inode: is_linux.then_some(seen.mark.into()),
            uid: Some(seen.uid).filter(|uid| *uid != Sighting::NO_USER),
            pids: pid.into_iter().collect(),
        }
    }
}

type Described = HashMap<Pid, Arc<Process>>;

impl Row {
    pub fn is_only_of(&self, own: Option<Pid>) -> bool {
        !self.pids.is_empty() && self.pids.iter().all(|pid| Some(*pid) == own)
    }

    /// Whether it had holders of which none can be described any more.
    pub fn has_lost_all(&self, described: &Described) -> bool {
        !self.pids.is_empty() && !self.pids.iter().any(|pid| described.contains_key(pid))
    }

    fn owners(&self, described: &Described) -> Owners {
        let known: Vec<Arc<Process>> = self
            .pids
            .iter()
            .filter_map(|pid| described.get(pid).cloned())
            .collect();
        if !known.is_empty() {
            Owners::Known(topmost_first(known).into())
        } else if self.is_the_kernels() {
            Owners::None
        } else {
            Owners::Hidden
        }
    }

    /// Whether no process has it: the kernel keeps it after its process is done, or has not handed it out yet.
    fn is_the_kernels(&self) -> bool {
        let is_apart = matches!(self.state, Some(State::TimeWait | State::SynRecv));
        self.inode == Some(0) || is_apart && self.pids.is_empty()
    }

    /// What the row alone says; for a socket without a remote end the ordinal is yet to be counted.
    fn id(&self) -> EndpointId {
        let Self {
            protocol, local, ..
        } = *self;
        match self.remote {
            Some(remote) => EndpointId::Pair {
                protocol,
                local,
                remote,
            },
            None => EndpointId::Standing {
                protocol,
                local,
                mark: self.mark(),
                ordinal: 0,
            },
        }
    }

    fn mark(&self) -> u64 {
        let first = || self.pids.first().map_or(0, |pid| u64::from(pid.0));
        self.inode.unwrap_or_else(first)
    }

    fn socket(self, described: &Described, user: impl FnOnce(u32) -> Option<SystemText>) -> Socket {
        let owners = self.owners(described);
        // The kernel gives uid 0 where there is no owner, which does not mean root.
        let uid = match &owners {
            Owners::None => None,
            Owners::Sought | Owners::Hidden => self.uid,
            Owners::Known(known) => self.uid.or_else(|| known.first()?.uid),
        };
        Socket {
            id: self.id(),
            protocol: self.protocol,
            table: self.table,
            local: self.local,
            remote: self.remote,
            state: self.state,
            only_v6: None,
            uid,
            user: uid.and_then(user),
            owners,
            queue: None,
        }
    }
}

/// One socket for each row, but for rows of one connection: macOS gives one for each process that shares it.
///
/// Sockets without a remote end that nothing tells apart are counted in the order in which the system gives them.
pub fn sockets(
    rows: Vec<Row>,
    described: &Described,
    mut user: impl FnMut(u32) -> Option<SystemText>,
) -> Vec<Socket> {
    let mut sockets: Vec<Socket> = Vec::with_capacity(rows.len());
    let mut places: HashMap<EndpointId, usize> = HashMap::with_capacity(rows.len());
    let mut equals: HashMap<EndpointId, u32> = HashMap::new();
    for row in rows {
        let mut socket = row.socket(described, &mut user);
        match places
            .get(&socket.id)
            .and_then(|place| sockets.get_mut(*place))
        {
            None => {}
            Some(known) if known.remote.is_some() => {
                join(known, socket);
                continue;
            }
            Some(_) => socket.id = numbered(socket.id, &mut equals),
        }
        places.insert(socket.id, sockets.len());
        sockets.push(socket);
    }
    sockets
}

/// The identity with the next number among its equals.
fn numbered(id: EndpointId, equals: &mut HashMap<EndpointId, u32>) -> EndpointId {
    let count = equals.entry(id).or_default();
    *count += 1;
    match id {
        EndpointId::Standing {
            protocol,
            local,
            mark,
            ..
        } => EndpointId::Standing {
            protocol,
            local,
            mark,
            ordinal: *count,
        },
        EndpointId::Cookie(_) | EndpointId::Pair { .. } => id,
    }
}

/// Adds the owners of another row of the same connection.
fn join(known: &mut Socket, other: Socket) {
    let mut all = known.owners.known().to_vec();
    for process in other.owners.known() {
        if all.iter().all(|one| one.id != process.id) {
            all.push(Arc::clone(process));
        }
    }
    if all.is_empty() {
        return;
    }
    known.owners = Owners::Known(topmost_first(all).into());
    if known.uid.is_none() {
        (known.uid, known.user) = (other.uid, other.user);
    }
}

#[cfg(test)]
mod tests;
