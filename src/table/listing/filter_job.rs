//! How far a new filter has come through the rows.
//!
//! A pass counts through the rows' places and not through their order: a place is its row's own for as long as the row
//! lives, so nothing that opens, closes or sorts meanwhile sets the pass back or lets it skip a row.

use crate::table::listing::store::RowEntry;
use slab::Slab;
use std::ops::Range;

/// How many rows a filter pass looks at before keys get their turn; about a millisecond's work.
pub const SLICE: usize = 2_000;

/// The places that are still to be judged. Rows that come after its start are judged as they come.
#[derive(Debug)]
pub struct FilterJob(Range<usize>);

impl FilterJob {
    pub fn over(entries: &Slab<RowEntry>) -> Self {
        Self(0..entries.iter().next_back().map_or(0, |(last, _)| last + 1))
    }

    /// The next places to judge; some may be vacant.
    pub fn next_slice(&mut self) -> Range<usize> {
        let from = self.0.start;
        self.0.start = (from + SLICE).min(self.0.end);
        from..self.0.start
    }

    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }
}
