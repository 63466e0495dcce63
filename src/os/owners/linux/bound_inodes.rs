//! The sockets that hold a port for themselves, whose holders matter most.

use super::round_robin::RoundRobin;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

#[derive(Default)]
pub struct BoundInodes {
    inodes: HashTable<u32>,
    hasher: DefaultHashBuilder,
    round_robin: RoundRobin,
}

impl BoundInodes {
    pub fn set(&mut self, inode: u32, holds_port: bool) {
        let Self { inodes, hasher, .. } = self;
        let hash = |inode: &u32| hasher.hash_one(*inode);
        let entry = inodes.entry(hash(&inode), |other| *other == inode, hash);
        match entry {
            hashbrown::hash_table::Entry::Vacant(place) if holds_port => {
                place.insert(inode);
            }
            hashbrown::hash_table::Entry::Occupied(place) if !holds_port => {
                place.remove();
            }
            _ => {}
        }
    }

    pub fn next_in_turn(&mut self) -> Option<u32> {
        self.round_robin.next(&self.inodes).0.copied()
    }
}
