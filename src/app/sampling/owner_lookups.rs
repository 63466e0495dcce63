//! Owner lookups that finish during a pause: the only change that a pause lets through.

use crate::app::App;
use crate::model::socket::{Endpoint, Owners};
use crate::tracker::{Change, Changes};

impl App {
    /// Shows the owners that a poll found for rows without them; otherwise these would stay pending during the pause.
    pub(super) fn finish_owner_lookups(&mut self, changes: &Changes) {
        if !self.sampling.is_paused() {
            return;
        }
        let finished = changes
            .list
            .iter()
            .filter_map(|change| self.finished_lookup(change))
            .collect();
        self.update_listing(|listing, context| {
            listing.apply(finished, changes.taken.instant, context);
        });
    }

    /// Returns the change for a row with pending owners: the owners, or that it closed.
    fn finished_lookup(&self, change: &Change) -> Option<Change> {
        let (id, later) = match change {
            Change::Closed(gone) | Change::Replaced { gone, .. } => (*gone, None),
            Change::Changed(later) | Change::Refreshed(later) => (later.id(), Some(later)),
            Change::Initial(_) | Change::Opened(_) | Change::ShortLived(_) => return None,
        };
        let shown = self.listing.row_of(id).filter(|row| !row.is_closed())?;
        let is_pending = |endpoint: &Endpoint| endpoint.socket.owners == Owners::Pending;
        if !is_pending(&shown.endpoint) || later.is_some_and(is_pending) {
            return None;
        }
        let Some(later) = later else {
            return Some(Change::Closed(id));
        };
        let mut endpoint = shown.endpoint.clone();
        endpoint.socket.owners = later.socket.owners.clone();
        (endpoint.socket.uid, endpoint.socket.user) = (later.socket.uid, later.socket.user.clone());
        Some(Change::Refreshed(endpoint))
    }
}
