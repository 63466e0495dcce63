//! The progress of a new filter through the rows.
//!
//! It goes by index and not by order: the index of a row never changes, so no row is skipped if others open, close or are
//! sorted meanwhile.

use crate::table::listing::store::RowEntry;
use slab::Slab;
use std::ops::Range;

/// Number of rows to filter before the next event is handled; about 1 ms of work.
pub const SLICE: usize = 2_000;

/// The indices that are left. Rows added later are filtered as they are added.
#[derive(Debug)]
pub struct FilterJob(Range<usize>);

impl FilterJob {
    pub fn over(entries: &Slab<RowEntry>) -> Self {
        Self(0..entries.iter().next_back().map_or(0, |(last, _)| last + 1))
    }

    /// Returns the next indices; some may be vacant.
    pub fn next_slice(&mut self) -> Range<usize> {
        let from = self.0.start;
        self.0.start = (from + SLICE).min(self.0.end);
        from..self.0.start
    }

    pub fn is_done(&self) -> bool {
        self.0.is_empty()
    }
}
