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

    /// Adds or replaces a row. Without a mark it keeps the one it has, unless it was closed.
    pub fn upsert(&mut self, endpoint: Endpoint, change_mark: Option<ChangeMark>) {
        let id = endpoint.id();
        let known = self.indices.get(&id).copied();
        let before = known
            .and_then(|index| self.row(index))
            .filter(|row| !row.is_closed());
        let kept = before.map(|row| row.change_mark);
        let change_mark = change_mark.or(kept).unwrap_or(ChangeMark::None);
        let row = Row {
            endpoint,
            change_mark,
        };
        let index = if let Some(index) = known {
            self.count(index, -1);
            if let Some(entry) = self.entries.get_mut(index) {
                entry.row = row;
            }
            index
        } else {
            self.entries.insert(RowEntry {
                row,
                key: Value::Unknown,
                shown_in: None,
            })
        };
        self.indices.insert(id, index);
        if change_mark != ChangeMark::None {
            self.marked.insert(index);
        }
        self.count(index, 1);
        self.unsorted.insert(index);
    }

    pub fn mark_closed(&mut self, id: EndpointId, now: Instant) {
        if let Some(index) = self.indices.get(&id).copied() {
            self.set_change_mark(index, ChangeMark::Closed(now));
            self.marked.insert(index);
        }
    }

    pub fn set_change_mark(&mut self, index: usize, change_mark: ChangeMark) {
        self.count(index, -1);
        if let Some(entry) = self.entries.get_mut(index) {
            entry.row.change_mark = change_mark;
        }
        self.count(index, 1);
    }

    pub fn remove(&mut self, id: EndpointId) {
        let Some(index) = self.indices.remove(&id) else {
            return;
        };
        self.count(index, -1);
        self.marked.remove(&index);
        self.unsorted.remove(&index);
        self.removed.insert(index);
    }

    fn count(&mut self, index: usize, by: isize) {
        if let Some(entry) = self.entries.get(index) {
            self.counts.change(&entry.row, by);
        }
    }
}
