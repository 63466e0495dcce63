//! Changes while the order is frozen: those of rows on the screen are shown in place, all others wait.

use crate::table::listing::store::RowStore;
use crate::tracker::Change;
use std::time::Instant;

/// Defers a change; returns it if it can be applied without moving a row.
pub fn defer(
    deferred: &mut Vec<Change>,
    store: &mut RowStore,
    change: Change,
    now: Instant,
) -> Option<Change> {
    let id = change.id();
    match change {
        Change::ShortLived(_) => return None,
        Change::Changed(_) | Change::Refreshed(_) | Change::Closed(_)
            if store.indices.contains_key(&id) && deferred.iter().all(|other| other.id() != id) =>
        {
            return Some(change);
        }
        Change::Replaced { gone, .. } => store.mark_closed(gone, now),
        Change::Initial(_)
        | Change::Opened(_)
        | Change::Changed(_)
        | Change::Refreshed(_)
        | Change::Closed(_) => {}
    }
    deferred.push(change);
    None
}
