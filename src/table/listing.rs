//! The rows in the order and selection that people see, kept up to date change by change.
//!
//! A change re-places only the rows it touches, and a new filter looks at the rows in slices, so that neither a busy
//! machine nor a long table delays a key. Drawing takes a slice of [`lines`](Listing::lines) and computes nothing.

use crate::model::endpoint::{Endpoint, EndpointId};
use crate::table::fields::{Column, field};
use crate::table::row::{ChangeMark, DisplayContext, Row, Section};
use crate::tracker::Change;
use std::time::Instant;

mod counts;
mod filter;
mod filter_job;
mod sort;
mod store;

pub use counts::Counts;
pub use filter::{Chip, Chips, Filter, Hidden};
pub use sort::Sort;

pub use filter_job::SLICE;

use filter_job::FilterJob;
use sort::{compare, merge};
use store::RowStore;

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableLine {
    /// A row, to be asked for with [`Listing::row`].
    Row(usize),
    /// The rule above a section, with the number of its rows.
    Rule(Section, usize),
}

#[derive(Debug)]
pub struct Listing {
    store: RowStore,
    /// Every row in the chosen order.
    order: Vec<usize>,
    lines: Vec<TableLine>,
    sort: Sort,
    filter: Filter,
    /// The pass of a new filter. While it lasts the lines stay as they were, and so do the places they point to.
    filter_job: Option<FilterJob>,
    /// Changes that wait while the order is frozen.
    deferred: Option<Vec<Change>>,
}

impl Default for Listing {
    fn default() -> Self {
        Self {
            store: RowStore::default(),
            order: Vec::new(),
            lines: Vec::new(),
            sort: Sort {
                column: Column::Port,
                is_reversed: false,
            },
            filter: Filter::default(),
            filter_job: None,
            deferred: None,
        }
    }
}

/// Reading it.
impl Listing {
    pub fn lines(&self) -> &[TableLine] {
        &self.lines
    }

    pub fn row(&self, index: usize) -> Option<&Row> {
        self.store.row(index)
    }

    pub fn row_of(&self, id: EndpointId) -> Option<&Row> {
        self.store
            .indices
            .get(&id)
            .and_then(|index| self.row(*index))
    }

    /// The row on a line, unless the line is a rule.
    pub fn row_on(&self, line: usize) -> Option<&Row> {
        match self.lines.get(line) {
            Some(TableLine::Row(index)) => self.row(*index),
            Some(TableLine::Rule(..)) | None => None,
        }
    }

    /// The line a row stands on, if the filter shows it.
    pub fn line_of(&self, id: EndpointId) -> Option<usize> {
        let index = *self.store.indices.get(&id)?;
        // Until a pass is done the lines follow the filter before it.
        if self.filter_job.is_none() {
            self.store.entries.get(index)?.shown_in?;
        }
        self.lines
            .iter()
            .position(|line| *line == TableLine::Row(index))
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let is_there = |index: &usize| !self.store.removed.contains(index);
        let entries = self.store.entries.iter();
        entries
            .filter(move |(index, _)| is_there(index))
            .map(|(_, entry)| &entry.row)
    }

    pub fn shown_rows(&self) -> impl Iterator<Item = &Row> {
        self.lines.iter().filter_map(|line| match line {
            TableLine::Row(index) => self.row(*index),
            TableLine::Rule(..) => None,
        })
    }

    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.rows()
            .filter(|row| !row.is_closed())
            .map(|row| &row.endpoint)
    }

    /// Those that a frozen order keeps waiting.
    pub fn waiting(&self) -> impl Iterator<Item = &Endpoint> {
        let held = self.deferred.iter().flatten();
        held.filter_map(|change| match change {
            Change::Opened(endpoint)
            | Change::Initial(endpoint)
            | Change::Replaced { endpoint, .. } => Some(endpoint),
            _ => None,
        })
    }

    /// What happened to them, and to others, that a frozen order keeps from being shown.
    pub fn held_back(&self) -> &[Change] {
        self.deferred.as_deref().unwrap_or_default()
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
    pub fn is_filtering(&self) -> bool {
        self.filter_job.is_some()
    }

    /// When the next mark or gone row is to be taken away.
    pub fn next_expiry(&self) -> Option<Instant> {
        if self.deferred.is_some() {
            return None;
        }
        self.store
            .marked
            .iter()
            .filter_map(|index| self.row(*index)?.change_mark.ends())
            .min()
    }
}

/// Changing it.
impl Listing {
    pub fn apply(&mut self, changes: Vec<Change>, now: Instant, context: &DisplayContext) {
        if changes.is_empty() {
            return;
        }
        for change in changes {
            self.apply_change(change, now);
        }
        self.resort_changed(context);
    }

    /// Keeps every row in its place from now on: closed rows stay, new ones wait.
    pub fn freeze(&mut self) {
        self.deferred.get_or_insert_default();
    }

    pub fn thaw(&mut self, now: Instant, context: &DisplayContext) {
        let Some(held) = self.deferred.take() else {
            return;
        };
        for change in held {
            self.apply_change(change, now);
        }
        // Rows that stood were changed and closed meanwhile, even if nothing waited.
        self.resort_changed(context);
    }

    /// Takes away the marks and the gone rows whose time is over.
    pub fn expire(&mut self, now: Instant, context: &DisplayContext) {
        if self.deferred.is_some() {
            return;
        }
        let is_over = |index: &usize| {
            self.row(*index)
                .and_then(|row| row.change_mark.ends())
                .is_none_or(|end| end <= now)
        };
        let over: Vec<usize> = self.store.marked.iter().copied().filter(is_over).collect();
        if over.is_empty() {
            return;
        }
        for index in over {
            self.store.marked.remove(&index);
            match self.row(index) {
                Some(row) if row.is_closed() => self.store.remove(row.endpoint.id()),
                _ => self.store.set_change_mark(index, ChangeMark::None),
            }
        }
        self.resort_changed(context);
    }

    pub fn set_sort(&mut self, sort: Sort, context: &DisplayContext) {
        self.sort = sort;
        for (_, entry) in &mut self.store.entries {
            entry.key = (field(sort.column).value)(&entry.row, context);
        }
        let (entries, mut order) = (&self.store.entries, std::mem::take(&mut self.order));
        order.sort_by(|left, right| compare(entries, sort, *left, *right));
        self.order = order;
        self.rebuild_lines_unless_filtering();
    }

    /// Starts to show what `filter` lets through; [`advance`](Self::advance) does the work.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.filter_job = Some(FilterJob::over(&self.store.entries));
    }

    /// Looks at the next slice of rows for a new filter. The lines change when the last one is done.
    pub fn advance(&mut self, context: &DisplayContext) {
        let Some(mut job) = self.filter_job.take() else {
            return;
        };
        for index in job.next_slice() {
            self.refilter_row(index, context);
        }
        self.filter_job = (!job.is_done()).then_some(job);
        self.rebuild_lines_unless_filtering();
    }

    fn apply_change(&mut self, change: Change, now: Instant) {
        let Some(change) = self.defer_if_frozen(change, now) else {
            return;
        };
        match change {
            Change::Initial(endpoint) => self.store.upsert(endpoint, Some(ChangeMark::None)),
            Change::Opened(endpoint) => self.store.upsert(endpoint, Some(ChangeMark::Opened(now))),
            Change::Changed(endpoint) => {
                self.store.upsert(endpoint, Some(ChangeMark::Changed(now)));
            }
            Change::Refreshed(endpoint) => self.store.upsert(endpoint, None),
            Change::Replaced { gone, endpoint } => {
                self.store.remove(gone);
                self.store.upsert(endpoint, Some(ChangeMark::Replaced(now)));
            }
            Change::Closed(id) => self.store.mark_closed(id, now),
            // It never was a row.
            Change::ShortLived(_) => {}
        }
    }

    /// While the order is frozen only what concerns a row that stands goes on, and nothing moves.
    fn defer_if_frozen(&mut self, change: Change, now: Instant) -> Option<Change> {
        let Some(held) = &mut self.deferred else {
            return Some(change);
        };
        let id = change.id();
        let is_waiting = held.iter().any(|held| held.id() == id);
        match change {
            Change::ShortLived(_) => None,
            Change::Changed(_) | Change::Refreshed(_) | Change::Closed(_)
                if !is_waiting && self.store.indices.contains_key(&id) =>
            {
                Some(change)
            }
            Change::Replaced { gone, endpoint } => {
                held.push(Change::Replaced { gone, endpoint });
                self.store.mark_closed(gone, now);
                None
            }
            other => {
                held.push(other);
                None
            }
        }
    }

    /// Finds the places of the rows that changed and merges them into the order.
    fn resort_changed(&mut self, context: &DisplayContext) {
        if self.deferred.is_some() {
            return;
        }
        let mut order = std::mem::take(&mut self.order);
        order.retain(|index| {
            !self.store.unsorted.contains(index) && !self.store.removed.contains(index)
        });
        let mut moved: Vec<usize> = self.store.unsorted.drain().collect();
        for index in &moved {
            if let Some(entry) = self.store.entries.get_mut(*index) {
                entry.key = (field(self.sort.column).value)(&entry.row, context);
            }
            self.refilter_row(*index, context);
        }
        let (entries, sort) = (&self.store.entries, self.sort);
        moved.sort_by(|left, right| compare(entries, sort, *left, *right));
        self.order = merge(order, moved, |left, right| {
            compare(entries, sort, left, right)
        });
        self.rebuild_lines_unless_filtering();
    }

    /// Decides anew where the filter puts a row.
    fn refilter_row(&mut self, index: usize, context: &DisplayContext) {
        if let Some(entry) = self.store.entries.get_mut(index) {
            entry.shown_in = self.filter.section_of(&entry.row, context);
        }
    }

    /// A half-judged table is not shown: the end of the pass rebuilds the lines. Until then they may point to rows that
    /// are gone for good, whose places nobody else gets before that.
    fn rebuild_lines_unless_filtering(&mut self) {
        if self.filter_job.is_some() {
            return;
        }
        self.rebuild_lines();
        for index in self.store.removed.drain() {
            self.store.entries.remove(index);
        }
    }

    fn rebuild_lines(&mut self) {
        let mut lines = Vec::with_capacity(self.order.len() + 2);
        for section in [Section::Bound, Section::Connected, Section::OutOfScope] {
            let is_here = |index: &&usize| {
                self.store
                    .entries
                    .get(**index)
                    .is_some_and(|entry| entry.shown_in == Some(section))
            };
            let start = lines.len();
            lines.extend(
                self.order
                    .iter()
                    .filter(is_here)
                    .map(|index| TableLine::Row(*index)),
            );
            let living = lines
                .iter()
                .skip(start)
                .filter(|line| self.is_open_row(**line))
                .count();
            if section != Section::Bound && lines.len() > start {
                lines.insert(start, TableLine::Rule(section, living));
            }
        }
        self.lines = lines;
    }

    fn is_open_row(&self, line: TableLine) -> bool {
        matches!(line, TableLine::Row(index) if self.row(index).is_some_and(|row| !row.is_closed()))
    }
}

#[cfg(test)]
mod tests;
