//! The rows, each with an index that stays the same until it is removed.

use crate::model::socket::{Endpoint, EndpointId};
use crate::table::listing::Counts;
use crate::table::row::{ChangeMark, Row, Section};
use crate::table::value::Value;
use slab::Slab;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

#[derive(Debug)]
pub struct RowEntry {
    pub row: Row,
    /// The value that the sort compares.
    pub key: Value,
    /// The section that shows it, if the filter matches.
    pub shown_in: Option<Section>,
}

#[derive(Debug, Default)]
pub struct RowStore {
    pub entries: Slab<RowEntry>,
    pub indices: HashMap<EndpointId, usize>,
    /// Rows to be sorted and filtered again.
    pub unsorted: HashSet<usize>,
    /// Removed rows, whose indices are not free while lines point to them.
    pub removed: HashSet<usize>,
    /// Rows with a change mark.
    pub marked: HashSet<usize>,
    pub counts: Counts,
}

impl RowStore {
    pub fn row(&self, index: usize) -> Option<&Row> {
        self.entries.get(index).map(|entry| &entry.row)
    }

    pub fn upsert(&mut self, endpoint: Endpoint, change_mark: Option<ChangeMark>) {
        let id = endpoint.id();
        let index = if let Some(known) = self.indices.get(&id).copied() {
            self.count(known, Counts::remove);
            known
        } else {
            self.insert(endpoint.clone())
        };
        if let Some(entry) = self.entries.get_mut(index) {
            entry.row.endpoint = endpoint;
            // A refreshed row keeps its mark, unless it was closed.
            entry.row.change_mark = match (change_mark, entry.row.change_mark) {
                (Some(change_mark), _) => change_mark,
                (None, ChangeMark::Closed(_)) => ChangeMark::None,
                (None, kept) => kept,
            };
            if entry.row.change_mark != ChangeMark::None {
                self.marked.insert(index);
            }
        }
        self.count(index, Counts::add);
        self.unsorted.insert(index);
    }

    fn insert(&mut self, endpoint: Endpoint) -> usize {
        let id = endpoint.id();
        let row = Row {
            endpoint,
            change_mark: ChangeMark::None,
        };
        let index = self.entries.insert(RowEntry {
            row,
            key: Value::Unknown,
            shown_in: None,
        });
        self.indices.insert(id, index);
        index
    }

    pub fn mark_closed(&mut self, id: EndpointId, now: Instant) {
        if let Some(index) = self.indices.get(&id).copied() {
            self.set_change_mark(index, ChangeMark::Closed(now));
            self.marked.insert(index);
        }
    }

    pub fn set_change_mark(&mut self, index: usize, change_mark: ChangeMark) {
        self.count(index, Counts::remove);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.row.change_mark = change_mark;
        }
        self.count(index, Counts::add);
    }

    pub fn remove(&mut self, id: EndpointId) {
        let Some(index) = self.indices.remove(&id) else {
            return;
        };
        self.count(index, Counts::remove);
        self.marked.remove(&index);
        self.unsorted.remove(&index);
        self.removed.insert(index);
    }

    fn count(&mut self, index: usize, how: fn(&mut Counts, &Row)) {
        if let Some(entry) = self.entries.get(index) {
            how(&mut self.counts, &entry.row);
        }
    }
}
