//! Who holds what: a compact table of descriptors that are sockets, found by the inode.
//!
//! Twelve bytes each, because a machine may have 100,000 of them. A socket held several times has several.

use super::turns::Turns;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// One descriptor of one process that is a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub inode: u32,
    /// What the keeper of the table counts processes by.
    pub process: u32,
    pub descriptor: u32,
}

/// What an edge adds to those that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    None,
    /// A process that holds the socket already has it under another number too.
    Descriptor,
    /// The process did not hold the socket.
    Holder,
}

#[derive(Default)]
pub struct Edges {
    table: HashTable<Edge>,
    hasher: DefaultHashBuilder,
    turns: Turns,
}

impl Edges {
    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn of(&self, inode: u32) -> impl Iterator<Item = Edge> {
        let hash = self.hasher.hash_one(inode);
        let equal = self.table.iter_hash(hash);
        equal.copied().filter(move |edge| edge.inode == inode)
    }

    pub fn has(&self, inode: u32) -> bool {
        self.of(inode).next().is_some()
    }

    pub fn has_pair(&self, inode: u32, process: u32) -> bool {
        self.of(inode).any(|edge| edge.process == process)
    }

    pub fn insert(&mut self, edge: Edge) -> News {
        let mut news = News::Holder;
        for other in self.of(edge.inode) {
            if other == edge {
                return News::None;
            }
            if other.process == edge.process {
                news = News::Descriptor;
            }
        }
        let Self { table, hasher, .. } = self;
        let hash = |inode: u32| hasher.hash_one(inode);
        table.insert_unique(hash(edge.inode), edge, |edge| hash(edge.inode));
        news
    }

    /// Takes out all that hold this socket.
    pub fn take(&mut self, inode: u32) -> Vec<Edge> {
        let hash = self.hasher.hash_one(inode);
        let mut taken = Vec::new();
        while let Ok(entry) = self.table.find_entry(hash, |edge| edge.inode == inode) {
            taken.push(entry.remove().0);
        }
        taken
    }

    /// Takes out all that fit, in one pass over the table.
    pub fn take_if(&mut self, is_wrong: impl Fn(&Edge) -> bool) -> Vec<Edge> {
        self.table.extract_if(|edge| is_wrong(edge)).collect()
    }

    /// The one whose turn it is, if that is found soon.
    pub fn next_turn(&mut self) -> Option<Edge> {
        self.turns.next(&self.table).0.copied()
    }

    /// Gives back memory once most of it is unused.
    pub fn tidy(&mut self) {
        let Self { table, hasher, .. } = self;
        if table.len().saturating_mul(8) < table.num_buckets() && table.num_buckets() > 256 {
            let wanted = table.len().saturating_mul(2);
            table.shrink_to(wanted, |edge| hasher.hash_one(edge.inode));
        }
    }

    /// The bytes that the table takes.
    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.table.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(inode: u32, process: u32, descriptor: u32) -> Edge {
        Edge {
            inode,
            process,
            descriptor,
        }
    }

    fn sorted(mut edges: Vec<Edge>) -> Vec<Edge> {
        edges.sort_unstable();
        edges
    }

    #[test]
    fn a_process_is_new_to_a_socket_once() {
        let mut edges = Edges::default();
        let inserted = [edge(7, 1, 3), edge(7, 1, 3), edge(7, 1, 4), edge(7, 2, 3)];
        let news = inserted.map(|edge| edges.insert(edge));
        assert_eq!(
            news,
            [News::Holder, News::None, News::Descriptor, News::Holder]
        );
        assert_eq!(
            sorted(edges.take(7)),
            [edge(7, 1, 3), edge(7, 1, 4), edge(7, 2, 3)]
        );
        assert!(!edges.has(7));
    }

    #[test]
    fn every_edge_has_its_turn() {
        let mut edges = Edges::default();
        for inode in 0..500 {
            edges.insert(edge(inode, 1, inode));
        }
        let seen = (0..501).filter_map(|_| edges.next_turn()).collect();
        let mut seen = sorted(seen);
        seen.dedup();
        assert_eq!(seen.len(), 500);
    }

    #[test]
    fn an_edge_takes_at_most_22_bytes_at_100_000_and_none_once_gone() {
        let mut edges = Edges::default();
        for inode in 0..100_000 {
            edges.insert(edge(inode, 1, inode));
        }
        assert!(edges.size() / edges.len() <= 22, "{}", edges.size());
        edges.take_if(|_| true);
        edges.tidy();
        assert!(edges.size() < 4096, "{}", edges.size());
    }
}
