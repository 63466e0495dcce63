//! The sorted and filtered rows, kept up to date change by change.
//!
//! A change moves only the rows it touches, and a new filter is applied in slices, so that neither a busy machine nor a
//! long table delays a key. Drawing takes a slice of [`lines`](Listing::lines) and computes nothing.

use crate::model::socket::{Endpoint, EndpointId};
use crate::table::fields::field;
use crate::table::row::{ChangeMark, DisplayContext, Row};
use crate::tracker::Change;
use std::ops::Range;
use std::time::Instant;

mod counts;
mod filter;
mod sort;
mod store;

pub use counts::Counts;
pub use filter::{Chip, Chips, Filter, Hidden};
pub use sort::{Sort, TableLine};

use sort::{compare, merge};
use store::RowStore;

/// Number of rows to filter before the next event is handled; about 1 ms of work.
const SLICE: usize = 2_000;

#[derive(Debug, Default)]
pub struct Listing {
    store: RowStore,
    /// Every row, sorted.
    order: Vec<usize>,
    lines: Vec<TableLine>,
    sort: Sort,
    filter: Filter,
    /// Indices of the rows that a new filter has not checked yet; rows added later are checked when they are added.
    /// Iterating by index, not by order, skips no row when others open, close or are sorted. Until it is done the lines
    /// stay as they were, and so do the indices in them.
    unfiltered: Option<Range<usize>>,
    /// Changes deferred while the order is frozen.
    deferred: Option<Vec<Change>>,
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
        self.row(*self.store.indices.get(&id)?)
    }

    /// Returns the row on a line, unless the line is a rule.
    pub fn row_on(&self, line: usize) -> Option<&Row> {
        match self.lines.get(line) {
            Some(TableLine::Row(index)) => self.row(*index),
            Some(TableLine::Rule(..)) | None => None,
        }
    }

    /// Returns the line of a row, if the filter shows it.
    pub fn line_of(&self, id: EndpointId) -> Option<usize> {
        let index = *self.store.indices.get(&id)?;
        // Until a new filter is done the lines follow the one before it.
        if self.unfiltered.is_none() {
            self.store.entries.get(index)?.shown_in?;
        }
        self.lines
            .iter()
            .position(|line| *line == TableLine::Row(index))
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        let entries = self.store.entries.iter();
        entries
            .filter(|(index, _)| !self.store.removed.contains(index))
            .map(|(_, entry)| &entry.row)
    }

    pub fn shown_rows(&self) -> impl Iterator<Item = &Row> {
        (0..self.lines.len()).filter_map(|line| self.row_on(line))
    }

    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.rows()
            .filter(|row| !row.is_closed())
            .map(|row| &row.endpoint)
    }

    /// Returns every endpoint, also those that wait to become rows while the order is frozen.
    pub fn all_endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        let waiting = self.deferred().iter().filter_map(|change| match change {
            Change::Opened(endpoint)
            | Change::Initial(endpoint)
            | Change::Replaced { endpoint, .. } => Some(endpoint),
            _ => None,
        });
        self.endpoints().chain(waiting)
    }

    /// Returns the changes deferred while the order is frozen.
    pub fn deferred(&self) -> &[Change] {
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

    /// Counts the hidden rows, for the message of an empty table.
    pub fn hidden(&self) -> Hidden {
        Hidden::count(&self.filter, self.rows())
    }

    /// True while a new filter still has rows to check.
    pub fn is_filtering(&self) -> bool {
        self.unfiltered.is_some()
    }

    /// Returns when the next change mark or closed row expires.
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

    /// Freezes the order: closed rows stay, new ones wait.
    pub fn freeze(&mut self) {
        self.deferred.get_or_insert_default();
    }

    pub fn thaw(&mut self, now: Instant, context: &DisplayContext) {
        let Some(deferred) = self.deferred.take() else {
            return;
        };
        for change in deferred {
            self.apply_change(change, now);
        }
        // Rows may have changed or closed even if nothing was deferred.
        self.resort_changed(context);
    }

    /// Removes the change marks and closed rows that have expired.
    pub fn expire(&mut self, now: Instant, context: &DisplayContext) {
        if self.deferred.is_some() {
            return;
        }
        let RowStore {
            entries, marked, ..
        } = &mut self.store;
        let end = |index: usize| entries.get(index)?.row.change_mark.ends();
        let expired: Vec<usize> = marked
            .extract_if(|index| end(*index).is_none_or(|end| end <= now))
            .collect();
        if expired.is_empty() {
            return;
        }
        for index in expired {
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

    /// Starts to apply a filter; [`advance`](Self::advance) does the work.
    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        let last = self.store.entries.iter().next_back();
        self.unfiltered = Some(0..last.map_or(0, |(last, _)| last + 1));
    }

    /// Applies a new filter to the next slice of rows. The lines change after the last slice.
    pub fn advance(&mut self, context: &DisplayContext) {
        let Some(Range { start, end }) = self.unfiltered else {
            return;
        };
        let next = (start + SLICE).min(end);
        for index in start..next {
            self.refilter_row(index, context);
        }
        self.unfiltered = (next < end).then_some(next..end);
        self.rebuild_lines_unless_filtering();
    }

    fn apply_change(&mut self, change: Change, now: Instant) {
        if self.has_to_wait(&change) {
            if let Change::Replaced { gone, .. } = change {
                self.store.mark_closed(gone, now);
            }
            self.deferred.get_or_insert_default().push(change);
            return;
        }
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
            // It was never a row.
            Change::ShortLived(_) => {}
        }
    }

    /// True if the order is frozen and the change would move a row. A row on the screen is updated in place, unless
    /// earlier changes of it are deferred.
    fn has_to_wait(&self, change: &Change) -> bool {
        let Some(deferred) = &self.deferred else {
            return false;
        };
        match change {
            Change::ShortLived(_) => false,
            Change::Initial(_) | Change::Opened(_) | Change::Replaced { .. } => true,
            Change::Changed(_) | Change::Refreshed(_) | Change::Closed(_) => {
                let id = change.id();
                !self.store.indices.contains_key(&id)
                    || deferred.iter().any(|other| other.id() == id)
            }
        }
    }

    /// Sorts the changed rows and merges them into the order.
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

    /// Applies the filter to one row.
    fn refilter_row(&mut self, index: usize, context: &DisplayContext) {
        if let Some(entry) = self.store.entries.get_mut(index) {
            entry.shown_in = self.filter.section_of(&entry.row, context);
        }
    }

    /// Rebuilds the lines, unless a new filter is not done yet. Until then they may point to removed rows, whose indices are
    /// not reused before that.
    fn rebuild_lines_unless_filtering(&mut self) {
        if self.is_filtering() {
            return;
        }
        self.lines = sort::lines(&self.order, &self.store.entries);
        for index in self.store.removed.drain() {
            self.store.entries.remove(index);
        }
    }
}

#[cfg(test)]
mod tests;
