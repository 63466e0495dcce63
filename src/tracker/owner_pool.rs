//! Sets of owners, stored once for all sockets with the same owners.

use crate::model::process::{Process, ProcessId};
use crate::model::socket::Owners;
use slab::Slab;
use std::collections::HashMap;
use std::sync::Arc;

/// Names a set of owners in its [`OwnerPool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnersKey(u32);

impl OwnersKey {
    pub const PENDING: Self = Self(0);
    pub const NO_PROCESS: Self = Self(1);
    const NO_PERMISSION: Self = Self(2);
}

pub struct OwnerPool {
    sets: Slab<PooledOwners>,
    keys: HashMap<Vec<ProcessId>, OwnersKey>,
}

struct PooledOwners {
    owners: Owners,
    /// Number of sockets with these owners.
    uses: u32,
}

impl Default for OwnerPool {
    fn default() -> Self {
        Self {
            sets: [Owners::Pending, Owners::NoProcess, Owners::NoPermission]
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
        let ids = match owners {
            Owners::Pending => return OwnersKey::PENDING,
            Owners::NoProcess => return OwnersKey::NO_PROCESS,
            Owners::NoPermission => return OwnersKey::NO_PERMISSION,
            Owners::Known(processes) => ids(processes),
        };
        if let Some(key) = self.keys.get(&ids) {
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
        self.keys.insert(ids, key);
        key
    }

    /// Releases the key of one socket.
    pub fn release_key(&mut self, key: OwnersKey) {
        let Some(set) = self.sets.get_mut(key.0 as usize) else {
            return;
        };
        let Owners::Known(processes) = &set.owners else {
            return;
        };
        set.uses -= 1;
        if set.uses == 0 {
            self.keys.remove(&ids(processes));
            self.sets.remove(key.0 as usize);
        }
    }

    /// Replaces the description of a process and returns the sets that changed.
    pub fn describe(&mut self, process: &Arc<Process>) -> Vec<OwnersKey> {
        let mut described = Vec::new();
        for (index, set) in &mut self.sets {
            let known = set.owners.known();
            let is_meant = |other: &Arc<Process>| other.id == process.id;
            if known
                .iter()
                .any(|other| is_meant(other) && other != process)
            {
                let describe = |other| Arc::clone(if is_meant(other) { process } else { other });
                set.owners = Owners::Known(known.iter().map(describe).collect());
                described.push(OwnersKey(u32::try_from(index).unwrap_or(0)));
            }
        }
        described
    }

    pub fn processes(&self) -> impl Iterator<Item = &Arc<Process>> {
        self.sets.iter().flat_map(|(_, set)| set.owners.known())
    }
}

/// Identities in order: the topmost owner comes first, so the order matters.
fn ids(processes: &[Arc<Process>]) -> Vec<ProcessId> {
    processes.iter().map(|process| process.id).collect()
}
