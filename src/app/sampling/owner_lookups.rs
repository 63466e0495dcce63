//! How searches for holders end in a pause.
//!
//! It never shows anything else of what has changed since the pause began.

use crate::app::App;
use crate::model::endpoint::{Endpoint, Owners};
use crate::tracker::{Change, Changes};

impl App {
    /// A pause lets one thing through: how the search for the holders of a row ended that stands without them. Else they
    /// would be sought for as long as it lasts.
    pub(super) fn finish_owner_lookups(&mut self, changes: &Changes) {
        if self.sampling.paused_at.is_none() {
            return;
        }
        let ends = changes.list.iter();
        let ends = ends
            .filter_map(|change| self.finished_lookup(change))
            .collect();
        let context = self
            .settings
            .display_context(&self.environment, self.moment());
        self.listing.apply(ends, changes.taken.instant, &context);
    }

    /// What a change tells of the holders that a row is shown without: who they are, or that it closed before.
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
