//! The order of the rows.

use crate::table::fields::Column;
use crate::table::listing::store::RowEntry;
use slab::Slab;
use std::cmp::Ordering;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub column: Column,
    pub is_reversed: bool,
}

impl Sort {
    pub const fn ascending(column: Column) -> Self {
        Self {
            column,
            is_reversed: false,
        }
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
