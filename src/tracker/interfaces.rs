//! The interfaces that sockets are bound to.

use super::Tracker;
use super::tracked_socket::{PendingChange, SlotId};
use crate::model::socket::Interface;
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

/// Interfaces by their index.
#[derive(Default)]
pub struct Interfaces {
    known: HashMap<u32, Arc<Interface>>,
    /// Indices of which nothing is known yet.
    unknown: Vec<u32>,
}

impl Interfaces {
    pub fn get(&self, index: u32) -> Option<Arc<Interface>> {
        self.known.get(&index).cloned()
    }

    /// Notes an index that a socket has; 0 is none.
    pub fn note(&mut self, index: u32) {
        if index != 0 && !self.known.contains_key(&index) && !self.unknown.contains(&index) {
            self.unknown.push(index);
        }
    }
}

impl Tracker {
    /// Takes the indices of interfaces that are to be described.
    pub fn take_unknown_interfaces(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.table.interfaces.unknown)
    }

    /// Forgets the described interfaces that no socket has any more, and returns the indices of the others.
    pub fn keep_used_interfaces(&mut self) -> Vec<u32> {
        if self.table.interfaces.known.is_empty() {
            return Vec::new();
        }
        let each = self.table.each();
        let used: HashSet<u32> = each
            .map(|(_, tracked)| tracked.raw_socket.interface)
            .collect();
        let known = &mut self.table.interfaces.known;
        known.retain(|index, _| used.contains(index));
        known.keys().copied().collect()
    }

    /// Describes an interface, also wherever sockets show another description of it.
    pub fn describe_interface(&mut self, interface: Interface) {
        let index = interface.index;
        let known = &mut self.table.interfaces.known;
        if known.get(&index).is_some_and(|old| **old == interface) {
            return;
        }
        let is_new = known.insert(index, Arc::new(interface)).is_none();
        if is_new {
            return;
        }
        let each = self.table.each();
        let bound = each.filter(|(_, tracked)| tracked.raw_socket.interface == index);
        let slots: Vec<SlotId> = bound.map(|(slot, _)| slot).collect();
        self.dirty.slots.extend(&slots);
        for slot in slots {
            self.add_pending(slot, PendingChange::Refreshed);
        }
    }
}
