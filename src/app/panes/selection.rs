//! The cursor, the marks and the part of the table in view.
//!
//! The cursor is the id of a row, so it stays on that row when others open, close or are sorted, and the row stays on
//! its line of the screen. At the top of the list the view stays instead, to show new rows.

use crate::model::socket::EndpointId;
use crate::table::listing::{Listing, TableLine};
use crate::table::row::{ChangeMark, Row};
use std::collections::HashSet;

#[derive(Debug, Default)]
pub struct Selection {
    pub cursor: Option<EndpointId>,
    /// The cursor's line at the last update.
    pub line: usize,
    /// The first line in view.
    pub top: usize,
    /// Rows to be freed together, whether or not the filter shows them.
    marked: HashSet<EndpointId>,
}

impl Selection {
    /// Moves the cursor to its row after the lines changed, or to the row now at its line if it is gone.
    pub fn follow(&mut self, listing: &Listing, height: usize) {
        let offset = self.line.saturating_sub(self.top);
        let found = self.cursor.and_then(|id| listing.line_of(id));
        let Some(line) = found.or_else(|| nearest_row(listing, self.line)) else {
            (self.cursor, self.line, self.top) = (None, 0, 0);
            return;
        };
        if self.top > 0 {
            self.top = line.saturating_sub(offset);
        }
        self.set_line(listing, line);
        self.scroll_into_view(listing, height);
    }

    /// Moves by a number of rows; rules do not count.
    pub fn step(&mut self, listing: &Listing, rows: isize) {
        let mut line = self.line;
        for _ in 0..rows.unsigned_abs() {
            match next_row(listing, line, rows > 0) {
                Some(next) => line = next,
                None => break,
            }
        }
        self.set_line(listing, line);
    }

    pub fn go_to_end(&mut self, listing: &Listing) {
        self.go_to_line(listing, nearest_row(listing, listing.lines().len()));
    }

    pub fn go_to_start(&mut self, listing: &Listing) {
        self.top = 0;
        self.go_to_line(listing, nearest_row(listing, 0));
    }

    pub fn go_to(&mut self, listing: &Listing, id: EndpointId) -> bool {
        self.go_to_line(listing, listing.line_of(id))
    }

    fn go_to_line(&mut self, listing: &Listing, line: Option<usize>) -> bool {
        if let Some(line) = line {
            self.set_line(listing, line);
        }
        line.is_some()
    }

    /// Puts the cursor on the best match of the filter.
    pub fn go_to_best_match(&mut self, listing: &Listing) {
        let query = &listing.filter().query;
        let best = (0..listing.lines().len())
            .filter_map(|line| Some((line, listing.row_on(line)?)))
            .min_by_key(|(line, row)| (row.is_closed(), query.rank(row), *line));
        if let Some((line, _)) = best {
            self.top = 0;
            self.set_line(listing, line);
        }
    }

    /// Goes to the next row with a change mark, wrapping around; returns false if there is none.
    pub fn go_to_next_change(&mut self, listing: &Listing) -> bool {
        let count = listing.lines().len();
        let is_changed = |line: &usize| {
            let row = listing.row_on(*line);
            row.is_some_and(|row| row.change_mark != ChangeMark::None)
        };
        let mut lines = (self.line + 1..count).chain(0..count.min(self.line + 1));
        self.go_to_line(listing, lines.find(is_changed))
    }

    /// Returns the number of new rows above and below the view.
    pub fn new_out_of_view(&self, listing: &Listing, height: usize) -> (usize, usize) {
        let is_new = |line: &usize| {
            let row = listing.row_on(*line);
            row.is_some_and(|row| matches!(row.change_mark, ChangeMark::Opened(_)))
        };
        let (above, below) = (0..self.top, self.top + height..listing.lines().len());
        (above.filter(is_new).count(), below.filter(is_new).count())
    }

    /// Marks or unmarks the row under the cursor; returns false if it is closed or there is none.
    pub fn toggle_mark(&mut self, listing: &Listing) -> bool {
        let row = self.cursor.and_then(|id| listing.row_of(id));
        let Some(row) = row.filter(|row| !row.is_closed()) else {
            return false;
        };
        let id = row.endpoint.id();
        if !self.marked.remove(&id) {
            self.marked.insert(id);
        }
        true
    }

    /// Returns false if no row was marked.
    pub fn unmark_all(&mut self) -> bool {
        !std::mem::take(&mut self.marked).is_empty()
    }

    /// Number of marked rows, whether or not the filter shows them.
    pub fn marked_count(&self) -> usize {
        self.marked.len()
    }

    pub fn is_marked(&self, row: &Row) -> bool {
        self.marked.contains(&row.endpoint.id()) && !row.is_closed()
    }

    /// Returns the marked rows that the filter shows, from top to bottom.
    pub fn marked_rows<'a>(&'a self, listing: &'a Listing) -> impl Iterator<Item = &'a Row> {
        listing.shown_rows().filter(|row| self.is_marked(row))
    }

    /// Unmarks rows that have closed.
    pub fn forget_closed(&mut self, listing: &Listing) {
        self.marked
            .retain(|id| listing.row_of(*id).is_some_and(|row| !row.is_closed()));
    }

    fn set_line(&mut self, listing: &Listing, line: usize) {
        self.line = line;
        self.cursor = listing.row_on(line).map(|row| row.endpoint.id());
    }

    /// Scrolls the cursor's line into view, with the rule above the first row.
    fn scroll_into_view(&mut self, listing: &Listing, height: usize) {
        let height = height.max(1);
        let last_top = listing.lines().len().saturating_sub(height);
        self.top = self
            .top
            .clamp((self.line + 1).saturating_sub(height), self.line)
            .min(last_top);
        if self.top == 1
            && self.line < height
            && matches!(listing.lines().first(), Some(TableLine::Rule(..)))
        {
            self.top = 0;
        }
    }
}

/// Returns the line of the row at this line, else of the next row, else of the last row before it.
fn nearest_row(listing: &Listing, line: usize) -> Option<usize> {
    let line = line.min(listing.lines().len().saturating_sub(1));
    let row = listing.row_on(line).map(|_| line);
    row.or_else(|| next_row(listing, line, true))
        .or_else(|| next_row(listing, line, false))
}

fn next_row(listing: &Listing, line: usize, is_down: bool) -> Option<usize> {
    let is_row = |line: &usize| listing.row_on(*line).is_some();
    if is_down {
        (line + 1..listing.lines().len()).find(is_row)
    } else {
        (0..line).rev().find(is_row)
    }
}
