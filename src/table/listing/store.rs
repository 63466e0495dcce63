//! The rows themselves, each at a place that stays its own for as long as it lives.

use crate::model::endpoint::{Endpoint, EndpointId};
use crate::table::listing::Counts;
use crate::table::row::{Mark, Row, Section};
use crate::table::value::Value;
use slab::Slab;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

#[derive(Debug)]
pub struct Entry {
    pub row: Row,
    /// What the chosen column says of it.
    pub key: Value,
    /// Where the filter puts it, if it lets it through.
    pub shown_in: Option<Section>,
}

#[derive(Debug, Default)]
pub struct Store {
    pub entries: Slab<Entry>,
    pub places: HashMap<EndpointId, usize>,
    /// Rows whose place in the order or visibility has to be found again.
    pub unplaced: HashSet<usize>,
    /// Rows that are gone for good; their places are given away only once nothing points to them.
    pub vacated: HashSet<usize>,
    pub marked: HashSet<usize>,
    pub counts: Counts,
}

impl Store {
    pub fn row(&self, place: usize) -> Option<&Row> {
        self.entries.get(place).map(|entry| &entry.row)
    }

    pub fn put(&mut self, endpoint: Endpoint, mark: Option<Mark>) {
        let id = endpoint.id();
        let place = if let Some(known) = self.places.get(&id).copied() {
            self.count(known, Counts::remove);
            known
        } else {
            self.insert(endpoint.clone())
        };
        if let Some(entry) = self.entries.get_mut(place) {
            entry.row.endpoint = endpoint;
            // A refreshed row keeps its mark, unless it was gone and is now known to be there.
            entry.row.mark = match (mark, entry.row.mark) {
                (Some(mark), _) => mark,
                (None, Mark::Gone(_)) => Mark::None,
                (None, kept) => kept,
            };
            if entry.row.mark != Mark::None {
                self.marked.insert(place);
            }
        }
        self.count(place, Counts::add);
        self.unplaced.insert(place);
    }

    fn insert(&mut self, endpoint: Endpoint) -> usize {
        let id = endpoint.id();
        let row = Row {
            endpoint,
            mark: Mark::None,
        };
        let place = self.entries.insert(Entry {
            row,
            key: Value::Nothing,
            shown_in: None,
        });
        self.places.insert(id, place);
        place
    }

    pub fn mark_gone(&mut self, id: EndpointId, now: Instant) {
        if let Some(place) = self.places.get(&id).copied() {
            self.set_mark(place, Mark::Gone(now));
            self.marked.insert(place);
        }
    }

    pub fn set_mark(&mut self, place: usize, mark: Mark) {
        self.count(place, Counts::remove);
        if let Some(entry) = self.entries.get_mut(place) {
            entry.row.mark = mark;
        }
        self.count(place, Counts::add);
    }

    pub fn remove(&mut self, id: EndpointId) {
        let Some(place) = self.places.remove(&id) else {
            return;
        };
        self.count(place, Counts::remove);
        self.marked.remove(&place);
        self.unplaced.remove(&place);
        self.vacated.insert(place);
    }

    fn count(&mut self, place: usize, how: fn(&mut Counts, &Row)) {
        if let Some(entry) = self.entries.get(place) {
            how(&mut self.counts, &entry.row);
        }
    }
}
