//! The rows in the order and selection that people see, kept up to date change by change.
//!
//! A change re-places only the rows it touches, and a new filter looks at the rows in slices, so that neither a busy
//! machine nor a long table delays a key. Drawing takes a slice of [`lines`](Listing::lines) and computes nothing.

use crate::model::endpoint::{Endpoint, EndpointId};
use crate::model::tracker::Change;
use crate::table::fields::{Column, field};
use crate::table::row::{Mark, Row, Section, Surroundings};
use std::time::Instant;

mod counts;
mod filter;
mod order;
mod pass;
mod store;

pub use counts::Counts;
pub use filter::{Chip, Chips, Filter, Hidden};
pub use order::Sort;

pub use pass::SLICE;

use order::{compare, merged};
use pass::Pass;
use store::Store;

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A row, to be asked for with [`Listing::row`].
    Row(usize),
    /// The rule above a section, with the number of its rows.
    Rule(Section, usize),
}

#[derive(Debug)]
pub struct Listing {
    store: Store,
    /// Every row in the chosen order.
    order: Vec<usize>,
    lines: Vec<Line>,
    sort: Sort,
    filter: Filter,
    /// The pass of a new filter. While it lasts the lines stay as they were, and so do the places they point to.
    pass: Option<Pass>,
    /// Changes that wait while the order is frozen.
    held: Option<Vec<Change>>,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            store: Store::default(),
            order: Vec::new(),
            lines: Vec::new(),
            sort: Sort {
                column: Column::Port,
                is_reversed: false,
            },
            filter: Filter::default(),
            pass: None,
            held: None,
        }
    }
}

/// Reading it.
impl Listing {
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub fn row(&self, place: usize) -> Option<&Row> {
        self.store.row(place)
    }

    pub fn row_of(&self, id: EndpointId) -> Option<&Row> {
        self.store
            .places
            .get(&id)
            .and_then(|place| self.row(*place))
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
        let place = *self.store.places.get(&id)?;
        // Until a pass is done the lines follow the filter before it.
        if self.pass.is_none() {
            self.store.entries.get(place)?.shown_in?;
        }
        self.lines.iter().position(|line| *line == Line::Row(place))
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let is_there = |place: &usize| !self.store.vacated.contains(place);
        let entries = self.store.entries.iter();
        entries
            .filter(move |(place, _)| is_there(place))
            .map(|(_, entry)| &entry.row)
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

    /// Those that a frozen order keeps waiting.
    pub fn waiting(&self) -> impl Iterator<Item = &Endpoint> {
        let held = self.held.iter().flatten();
        held.filter_map(|change| match change {
            Change::Opened(endpoint)
            | Change::Found(endpoint)
            | Change::Replaced { endpoint, .. } => Some(endpoint),
            _ => None,
        })
    }

    /// What happened to them, and to others, that a frozen order keeps from being shown.
    pub fn held_back(&self) -> &[Change] {
        self.held.as_deref().unwrap_or_default()
    }

    pub fn counts(&self) -> &Counts {
        &self.store.counts
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
        self.store
            .marked
            .iter()
            .filter_map(|place| self.row(*place)?.mark.ends())
            .min()
    }
}

/// Changing it.
impl Listing {
    pub fn apply(&mut self, changes: Vec<Change>, now: Instant, around: &Surroundings) {
        if changes.is_empty() {
            return;
        }
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
        let Some(held) = self.held.take() else {
            return;
        };
        for change in held {
            self.take_in(change, now);
        }
        // Rows that stood were changed and closed meanwhile, even if nothing waited.
        self.settle(around);
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
        let over: Vec<usize> = self.store.marked.iter().copied().filter(is_over).collect();
        if over.is_empty() {
            return;
        }
        for place in over {
            self.store.marked.remove(&place);
            match self.row(place) {
                Some(row) if row.is_gone() => self.store.remove(row.endpoint.id()),
                _ => self.store.set_mark(place, Mark::None),
            }
        }
        self.settle(around);
    }

    pub fn set_sort(&mut self, sort: Sort, around: &Surroundings) {
        self.sort = sort;
        for (_, entry) in &mut self.store.entries {
            entry.key = (field(sort.column).value)(&entry.row, around);
        }
        let (entries, mut order) = (&self.store.entries, std::mem::take(&mut self.order));
        order.sort_by(|left, right| compare(entries, sort, *left, *right));
        self.order = order;
        self.rebuild_lines_unless_passing();
    }

    /// Starts to show what `filter` lets through; [`advance`](Self::advance) does the work.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.pass = Some(Pass::over(&self.store.entries));
    }

    /// Looks at the next slice of rows for a new filter. The lines change when the last one is done.
    pub fn advance(&mut self, around: &Surroundings) {
        let Some(mut pass) = self.pass.take() else {
            return;
        };
        for place in pass.next_slice() {
            self.judge(place, around);
        }
        self.pass = (!pass.is_done()).then_some(pass);
        self.rebuild_lines_unless_passing();
    }

    fn take_in(&mut self, change: Change, now: Instant) {
        let Some(change) = self.hold_back(change, now) else {
            return;
        };
        match change {
            Change::Found(endpoint) => self.store.put(endpoint, Some(Mark::None)),
            Change::Opened(endpoint) => self.store.put(endpoint, Some(Mark::New(now))),
            Change::Changed(endpoint) => self.store.put(endpoint, Some(Mark::Changed(now))),
            Change::Refreshed(endpoint) => self.store.put(endpoint, None),
            Change::Replaced { gone, endpoint } => {
                self.store.remove(gone);
                self.store.put(endpoint, Some(Mark::Replaced(now)));
            }
            Change::Closed(id) => self.store.mark_gone(id, now),
            // It never was a row.
            Change::Passed(_) => {}
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
            Change::Passed(_) => None,
            Change::Changed(_) | Change::Refreshed(_) | Change::Closed(_)
                if !is_waiting && self.store.places.contains_key(&id) =>
            {
                Some(change)
            }
            Change::Replaced { gone, endpoint } => {
                held.push(Change::Replaced { gone, endpoint });
                self.store.mark_gone(gone, now);
                None
            }
            other => {
                held.push(other);
                None
            }
        }
    }

    /// Finds the places of the rows that changed and merges them into the order.
    fn settle(&mut self, around: &Surroundings) {
        if self.held.is_some() {
            return;
        }
        let mut order = std::mem::take(&mut self.order);
        order.retain(|place| {
            !self.store.unplaced.contains(place) && !self.store.vacated.contains(place)
        });
        let mut moved: Vec<usize> = self.store.unplaced.drain().collect();
        for place in &moved {
            if let Some(entry) = self.store.entries.get_mut(*place) {
                entry.key = (field(self.sort.column).value)(&entry.row, around);
            }
            self.judge(*place, around);
        }
        let (entries, sort) = (&self.store.entries, self.sort);
        moved.sort_by(|left, right| compare(entries, sort, *left, *right));
        self.order = merged(order, moved, |left, right| {
            compare(entries, sort, left, right)
        });
        self.rebuild_lines_unless_passing();
    }

    /// Decides anew where the filter puts a row.
    fn judge(&mut self, place: usize, around: &Surroundings) {
        if let Some(entry) = self.store.entries.get_mut(place) {
            entry.shown_in = self.filter.section_of(&entry.row, around);
        }
    }

    /// A half-judged table is not shown: the end of the pass rebuilds the lines. Until then they may point to rows that
    /// are gone for good, whose places nobody else gets before that.
    fn rebuild_lines_unless_passing(&mut self) {
        if self.pass.is_some() {
            return;
        }
        self.rebuild_lines();
        for place in self.store.vacated.drain() {
            self.store.entries.remove(place);
        }
    }

    fn rebuild_lines(&mut self) {
        let mut lines = Vec::with_capacity(self.order.len() + 2);
        for section in [Section::Standing, Section::Connected, Section::Outside] {
            let is_here = |place: &&usize| {
                self.store
                    .entries
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

#[cfg(test)]
mod tests;
