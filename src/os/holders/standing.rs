//! The sockets that hold a port for themselves, whose holders matter most.

use super::turns::Turns;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

#[derive(Default)]
pub struct Standing {
    inodes: HashTable<u32>,
    hasher: DefaultHashBuilder,
    turns: Turns,
}

impl Standing {
    pub fn set(&mut self, inode: u32, is_standing: bool) {
        let Self { inodes, hasher, .. } = self;
        let hash = |inode: &u32| hasher.hash_one(*inode);
        let entry = inodes.entry(hash(&inode), |other| *other == inode, hash);
        match entry {
            hashbrown::hash_table::Entry::Vacant(place) if is_standing => {
                place.insert(inode);
            }
            hashbrown::hash_table::Entry::Occupied(place) if !is_standing => {
                place.remove();
            }
            _ => {}
        }
    }

    pub fn next_turn(&mut self) -> Option<u32> {
        self.turns.next(&self.inodes).0.copied()
    }
}
