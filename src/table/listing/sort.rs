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

/// By the chosen column, the unknown last either way; ties by port, protocol, local, remote, identity.
pub fn compare(entries: &Slab<RowEntry>, sort: Sort, left: usize, right: usize) -> Ordering {
    let (Some(left), Some(right)) = (entries.get(left), entries.get(right)) else {
        return Ordering::Equal;
    };
    let by_key = left.key.cmp(&right.key);
    let is_reversed = sort.is_reversed && left.key.is_known() && right.key.is_known();
    let tie = |entry: &RowEntry| {
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

/// Two sorted lists as one.
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
