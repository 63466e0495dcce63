//! Sets of owners, stored once for all sockets with the same owners.

use crate::model::process::{Process, ProcessId};
use crate::model::socket::{KernelServices, NotFoundCause, Owners};
use slab::Slab;
use std::collections::HashMap;
use std::sync::Arc;

/// Names a set of owners in its [`OwnerPool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnersKey(u32);

impl OwnersKey {
    pub const PENDING: Self = Self(0);
    pub const NO_PROCESS: Self = Self(1);
}

/// What two sets of owners have in common that are stored as one. The order of processes matters: the topmost comes first.
#[derive(Debug, PartialEq, Eq, Hash)]
enum PoolIdentity {
    Known(Vec<ProcessId>),
    NotFound(NotFoundCause, KernelServices, Vec<ProcessId>),
}

pub struct OwnerPool {
    sets: Slab<PooledOwners>,
    keys: HashMap<PoolIdentity, OwnersKey>,
}

struct PooledOwners {
    owners: Owners,
    /// Number of sockets with these owners.
    uses: u32,
}

impl Default for OwnerPool {
    fn default() -> Self {
        Self {
            sets: [Owners::Pending, Owners::NoProcess]
                .map(|owners| PooledOwners { owners, uses: 1 })
                .into_iter()
                .enumerate()
                .collect(),
            keys: HashMap::new(),
        }
    }
}

impl OwnerPool {
    pub fn get(&self, key: OwnersKey) -> &Owners {
        self.sets
            .get(key.0 as usize)
            .map_or(&Owners::Pending, |set| &set.owners)
    }

    /// Returns the key of these owners, for one more socket.
    pub fn intern(&mut self, owners: &Owners) -> OwnersKey {
        let identity = match identity(owners) {
            Ok(identity) => identity,
            Err(key) => return key,
        };
        if let Some(key) = self.keys.get(&identity) {
            if let Some(set) = self.sets.get_mut(key.0 as usize) {
                set.uses += 1;
            }
            return *key;
        }
        let set = PooledOwners {
            owners: owners.clone(),
            uses: 1,
        };
        let key = OwnersKey(u32::try_from(self.sets.insert(set)).unwrap_or(0));
        self.keys.insert(identity, key);
        key
    }

    /// Releases the key of one socket.
    pub fn release_key(&mut self, key: OwnersKey) {
        let Some(set) = self.sets.get_mut(key.0 as usize) else {
            return;
        };
        let Ok(identity) = identity(&set.owners) else {
            return;
        };
        set.uses -= 1;
        if set.uses == 0 {
            self.keys.remove(&identity);
            self.sets.remove(key.0 as usize);
        }
    }

    /// Replaces the description of a process and returns the sets that changed.
    pub fn describe(&mut self, process: &Arc<Process>) -> Vec<OwnersKey> {
        let mut described = Vec::new();
        for (index, set) in &mut self.sets {
            let processes = match &mut set.owners {
                Owners::Known(processes) => processes,
                Owners::NotFound(not_found) => &mut not_found.carriers,
                Owners::Pending | Owners::NoProcess => continue,
            };
            let is_meant = |other: &Arc<Process>| other.id == process.id;
            let mut others = processes.iter();
            if others.any(|other| is_meant(other) && other != process) {
                let describe = |other| Arc::clone(if is_meant(other) { process } else { other });
                *processes = processes.iter().map(describe).collect();
                described.push(OwnersKey(u32::try_from(index).unwrap_or(0)));
            }
        }
        described
    }

    pub fn processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.sets.iter().flat_map(|(_, set)| set.owners.known())
    }
}

/// Returns the identity of these owners, or the key of those that are always stored.
fn identity(owners: &Owners) -> Result<PoolIdentity, OwnersKey> {
    match owners {
        Owners::Pending => Err(OwnersKey::PENDING),
        Owners::NoProcess => Err(OwnersKey::NO_PROCESS),
        Owners::Known(processes) => Ok(PoolIdentity::Known(ids(processes))),
        Owners::NotFound(not_found) => {
            let carriers = ids(&not_found.carriers);
            Ok(PoolIdentity::NotFound(
                not_found.cause,
                not_found.kernel,
                carriers,
            ))
        }
    }
}

fn ids(processes: &[Arc<Process>]) -> Vec<ProcessId> {
    processes.iter().map(|process| process.id).collect()
}
