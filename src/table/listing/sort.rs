//! The order of the rows, and the lines of the table that follow from it.

use crate::table::fields::Column;
use crate::table::listing::store::RowEntry;
use crate::table::row::Section;
use slab::Slab;
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub is_reversed: bool,
}

impl Sort {
    pub fn ascending(column: Column) -> Self {
        let is_reversed = false;
        Self {
            column,
            is_reversed,
        }
    }
}

impl Default for Sort {
    fn default() -> Self {
        Self::ascending(Column::Port)
    }
}

/// Compares by the chosen column, then by port, protocol, local, remote and identity. Unknown values are last in either
/// direction.
pub fn compare(entries: &Slab<RowEntry>, sort: Sort, left: usize, right: usize) -> Ordering {
    let (Some(left), Some(right)) = (entries.get(left), entries.get(right)) else {
        return Ordering::Equal;
    };
    let mut by_key = left.key.cmp(&right.key);
    if sort.is_reversed && left.key.is_known() && right.key.is_known() {
        by_key = by_key.reverse();
    }
    let tie_breaker = |entry: &RowEntry| {
        let socket = &entry.row.endpoint.socket;
        (
            socket.port(),
            socket.protocol,
            socket.local,
            socket.remote,
            socket.id,
        )
    };
    by_key.then_with(|| tie_breaker(left).cmp(&tie_breaker(right)))
}

/// Merges two sorted lists.
pub fn merge(
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

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableLine {
    /// A row, as an index for [`Listing::row`](super::Listing::row).
    Row(usize),
    /// The rule above a section, with the number of its open rows.
    Rule(Section, usize),
}

/// Rows by section, each section but the first under a rule.
pub fn lines(order: &[usize], entries: &Slab<RowEntry>) -> Vec<TableLine> {
    let mut lines = Vec::with_capacity(order.len() + 2);
    for section in [
        Section::PortHolders,
        Section::Connected,
        Section::OutOfScope,
    ] {
        let start = lines.len();
        let mut open = 0;
        for index in order {
            if let Some(entry) = entries.get(*index)
                && entry.shown_in == Some(section)
            {
                lines.push(TableLine::Row(*index));
                open += usize::from(!entry.row.is_closed());
            }
        }
        if section != Section::PortHolders && lines.len() > start {
            lines.insert(start, TableLine::Rule(section, open));
        }
    }
    lines
}
