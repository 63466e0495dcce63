//! The rows in the order and selection that people see, kept up to date change by change.
//!
//! A change re-places only the rows it touches, and a new filter looks at the rows in slices, so that neither a busy
//! machine nor a long table delays a key. Drawing takes a slice of [`lines`](Listing::lines) and computes nothing.

use crate::model::endpoint::{Endpoint, EndpointId};
use crate::model::tracker::Change;
use crate::table::fields::{Column, field};
use crate::table::row::{Mark, Row, Section, Surroundings};
use crate::table::value::Value;
use slab::Slab;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

mod counts;
mod filter;

pub use counts::Counts;
pub use filter::{Chip, Chips, Filter, Hidden};

/// How many rows a filter pass looks at before keys get their turn; about a millisecond's work.
pub const SLICE: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub is_reversed: bool,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A row, to be asked for with [`Listing::row`].
    Row(usize),
    /// The rule above a section, with the number of its rows.
    Rule(Section, usize),
}

#[derive(Debug)]
struct Entry {
    row: Row,
    key: Value,
    /// Where the filter puts it, if it lets it through.
    shown_in: Option<Section>,
}

#[derive(Debug)]
pub struct Listing {
    entries: Slab<Entry>,
    places: HashMap<EndpointId, usize>,
    /// Every row in the chosen order.
    order: Vec<usize>,
    lines: Vec<Line>,
    sort: Sort,
    filter: Filter,
    /// Rows whose place or visibility has to be found again.
    unplaced: HashSet<usize>,
    /// Rows that are gone for good; their places are given away only once nothing points to them.
    vacated: HashSet<usize>,
    marked: HashSet<usize>,
    /// How far the pass of a new filter has come through `order`.
    pass: Option<usize>,
    /// Changes that wait while the order is frozen.
    held: Option<Vec<Change>>,
    counts: Counts,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            entries: Slab::new(),
            places: HashMap::new(),
            order: Vec::new(),
            lines: Vec::new(),
            sort: Sort {
                column: Column::Port,
                is_reversed: false,
            },
            filter: Filter::default(),
            unplaced: HashSet::new(),
            vacated: HashSet::new(),
            marked: HashSet::new(),
            pass: None,
            held: None,
            counts: Counts::default(),
        }
    }
}

/// Reading it.
impl Listing {
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub fn row(&self, place: usize) -> Option<&Row> {
        self.entries.get(place).map(|entry| &entry.row)
    }

    pub fn row_of(&self, id: EndpointId) -> Option<&Row> {
        self.places.get(&id).and_then(|place| self.row(*place))
    }

    /// The row on a line, unless the line is a rule.
    pub fn row_on(&self, line: usize) -> Option<&Row> {
        match self.lines.get(line) {
            Some(Line::Row(place)) => self.row(*place),
            Some(Line::Rule(..)) | None => None,
        }
    }

    /// The line a row stands on, if the filter shows it.
    pub fn line_of(&self, id: EndpointId) -> Option<usize> {
        let place = *self.places.get(&id)?;
        self.entries.get(place)?.shown_in?;
        self.lines.iter().position(|line| *line == Line::Row(place))
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.entries.iter().map(|(_, entry)| &entry.row)
    }

    pub fn shown_rows(&self) -> impl Iterator<Item = &Row> {
        self.lines.iter().filter_map(|line| match line {
            Line::Row(place) => self.row(*place),
            Line::Rule(..) => None,
        })
    }

    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.rows()
            .filter(|row| !row.is_gone())
            .map(|row| &row.endpoint)
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub fn sort(&self) -> Sort {
        self.sort
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Why rows are not shown, for the line that says so.
    pub fn hidden(&self) -> Hidden {
        Hidden::count(&self.filter, self.rows())
    }

    /// Whether a filter pass still has rows to look at.
    pub fn is_passing(&self) -> bool {
        self.pass.is_some()
    }

    /// When the next mark or gone row is to be taken away.
    pub fn next_expiry(&self) -> Option<Instant> {
        if self.held.is_some() {
            return None;
        }
        self.marked
            .iter()
            .filter_map(|place| self.row(*place)?.mark.ends())
            .min()
    }
}

/// Changing it.
impl Listing {
    pub fn apply(&mut self, changes: Vec<Change>, now: Instant, around: &Surroundings) {
        for change in changes {
            self.take_in(change, now);
        }
        self.settle(around);
    }

    /// Keeps every row in its place from now on: closed rows stay, new ones wait.
    pub fn freeze(&mut self) {
        self.held.get_or_insert_default();
    }

    pub fn thaw(&mut self, now: Instant, around: &Surroundings) {
        if let Some(held) = self.held.take() {
            self.apply(held, now, around);
        }
    }

    /// Takes away the marks and the gone rows whose time is over.
    pub fn expire(&mut self, now: Instant, around: &Surroundings) {
        if self.held.is_some() {
            return;
        }
        let is_over = |place: &usize| {
            self.row(*place)
                .and_then(|row| row.mark.ends())
                .is_none_or(|end| end <= now)
        };
        let over: Vec<usize> = self.marked.iter().copied().filter(is_over).collect();
        for place in over {
            self.marked.remove(&place);
            match self.row(place) {
                Some(row) if row.is_gone() => self.remove(row.endpoint.id()),
                _ => self.set_mark(place, Mark::None),
            }
        }
        self.settle(around);
    }

    pub fn set_sort(&mut self, sort: Sort, around: &Surroundings) {
        self.sort = sort;
        for (_, entry) in &mut self.entries {
            entry.key = (field(sort.column).value)(&entry.row, around);
        }
        let (entries, mut order) = (&self.entries, std::mem::take(&mut self.order));
        order.sort_by(|left, right| compare(entries, sort, *left, *right));
        self.order = order;
        self.rebuild_lines();
    }

    /// Starts to show what `filter` lets through; [`advance`](Self::advance) does the work.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.pass = Some(0);
    }

    /// Looks at the next slice of rows for a new filter. The lines change when the last one is done.
    pub fn advance(&mut self, around: &Surroundings) {
        let Some(from) = self.pass else { return };
        let to = (from + SLICE).min(self.order.len());
        for place in self.order.get(from..to).unwrap_or_default() {
            judge(&mut self.entries, &self.filter, *place, around);
        }
        self.pass = (to < self.order.len()).then_some(to);
        if self.pass.is_none() {
            self.rebuild_lines();
        }
    }

    fn take_in(&mut self, change: Change, now: Instant) {
        let Some(change) = self.hold_back(change, now) else {
            return;
        };
        match change {
            Change::Found(endpoint) => self.put(endpoint, Some(Mark::None)),
            Change::Opened(endpoint) => self.put(endpoint, Some(Mark::New(now))),
            Change::Changed(endpoint) => self.put(endpoint, Some(Mark::Changed(now))),
            Change::Refreshed(endpoint) => self.put(endpoint, None),
            Change::Replaced { gone, endpoint } => {
                self.remove(gone);
                self.put(endpoint, Some(Mark::Replaced(now)));
            }
            Change::Closed(id) => self.mark_gone(id, now),
        }
    }

    /// While the order is frozen only what concerns a row that stands goes on, and nothing moves.
    fn hold_back(&mut self, change: Change, now: Instant) -> Option<Change> {
        let Some(held) = &mut self.held else {
            return Some(change);
        };
        let id = change.id();
        let is_waiting = held.iter().any(|held| held.id() == id);
        match change {
            Change::Changed(_) | Change::Refreshed(_) | Change::Closed(_)
                if !is_waiting && self.places.contains_key(&id) =>
            {
                Some(change)
            }
            Change::Replaced { gone, endpoint } => {
                held.push(Change::Replaced { gone, endpoint });
                self.mark_gone(gone, now);
                None
            }
            other => {
                held.push(other);
                None
            }
        }
    }

    fn put(&mut self, endpoint: Endpoint, mark: Option<Mark>) {
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
            entry.row.mark = mark.unwrap_or(entry.row.mark);
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

    fn mark_gone(&mut self, id: EndpointId, now: Instant) {
        if let Some(place) = self.places.get(&id).copied() {
            self.set_mark(place, Mark::Gone(now));
            self.marked.insert(place);
        }
    }

    fn set_mark(&mut self, place: usize, mark: Mark) {
        self.count(place, Counts::remove);
        if let Some(entry) = self.entries.get_mut(place) {
            entry.row.mark = mark;
        }
        self.count(place, Counts::add);
    }

    fn remove(&mut self, id: EndpointId) {
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

    /// Finds the places of the rows that changed and merges them into the order.
    fn settle(&mut self, around: &Surroundings) {
        if self.held.is_some() || self.unplaced.is_empty() && self.vacated.is_empty() {
            return;
        }
        let mut order = std::mem::take(&mut self.order);
        order.retain(|place| !self.unplaced.contains(place) && !self.vacated.contains(place));
        for place in self.vacated.drain() {
            self.entries.remove(place);
        }
        let mut moved: Vec<usize> = self.unplaced.drain().collect();
        for place in &moved {
            if let Some(entry) = self.entries.get_mut(*place) {
                entry.key = (field(self.sort.column).value)(&entry.row, around);
            }
            judge(&mut self.entries, &self.filter, *place, around);
        }
        let (entries, sort) = (&self.entries, self.sort);
        moved.sort_by(|left, right| compare(entries, sort, *left, *right));
        self.order = merged(order, moved, |left, right| {
            compare(entries, sort, left, right)
        });
        // A pass under way counts through the order, which just changed.
        self.pass = self.pass.map(|_| 0);
        if self.pass.is_none() {
            self.rebuild_lines();
        }
    }

    fn rebuild_lines(&mut self) {
        let mut lines = Vec::with_capacity(self.order.len() + 2);
        for section in [Section::Standing, Section::Connected, Section::Outside] {
            let is_here = |place: &&usize| {
                self.entries
                    .get(**place)
                    .is_some_and(|entry| entry.shown_in == Some(section))
            };
            let start = lines.len();
            lines.extend(
                self.order
                    .iter()
                    .filter(is_here)
                    .map(|place| Line::Row(*place)),
            );
            let living = lines
                .iter()
                .skip(start)
                .filter(|line| self.is_living(**line))
                .count();
            if section != Section::Standing && lines.len() > start {
                lines.insert(start, Line::Rule(section, living));
            }
        }
        self.lines = lines;
    }

    fn is_living(&self, line: Line) -> bool {
        matches!(line, Line::Row(place) if self.row(place).is_some_and(|row| !row.is_gone()))
    }
}

fn judge(entries: &mut Slab<Entry>, filter: &Filter, place: usize, around: &Surroundings) {
    if let Some(entry) = entries.get_mut(place) {
        entry.shown_in = filter.section_of(&entry.row, around);
    }
}

/// By the chosen column, the unknown last either way; ties by port, protocol, local, remote, identity.
fn compare(entries: &Slab<Entry>, sort: Sort, left: usize, right: usize) -> Ordering {
    let (Some(left), Some(right)) = (entries.get(left), entries.get(right)) else {
        return Ordering::Equal;
    };
    let by_key = left.key.cmp(&right.key);
    let is_reversed = sort.is_reversed && left.key != Value::Nothing && right.key != Value::Nothing;
    let tie = |entry: &Entry| {
        let socket = &entry.row.endpoint.socket;
        (
            socket.port(),
            socket.protocol,
            socket.local,
            socket.remote,
            socket.id,
        )
    };
    let by_key = if is_reversed {
        by_key.reverse()
    } else {
        by_key
    };
    by_key.then_with(|| tie(left).cmp(&tie(right)))
}

fn merged(
    left: Vec<usize>,
    right: Vec<usize>,
    compare: impl Fn(usize, usize) -> Ordering,
) -> Vec<usize> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let from_left = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) => compare(*one, *other).is_le(),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return merged,
        };
        merged.extend(if from_left { left.next() } else { right.next() });
    }
}

#[cfg(test)]
mod tests;
