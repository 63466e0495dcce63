//! Turns pending changes into the changes of a poll.

use super::tracked_socket::{PendingChange, SlotId, SlotStatus};
use super::{Change, Changes, Tracker, peers};
use crate::model::Moment;
use crate::model::socket::EndpointId;
use crate::model::text::SystemText;
use hashbrown::{HashMap, HashSet};
use std::time::Duration;

pub fn emit(
    tracker: &mut Tracker,
    taken: Moment,
    mut user: impl FnMut(u32) -> Option<SystemText>,
) -> Changes {
    let dirty = std::mem::take(&mut tracker.dirty);
    let affected = peers::refresh(
        &mut tracker.table,
        &tracker.owner_pool,
        &dirty,
        tracker.ephemeral,
    );
    for slot in affected {
        tracker.add_pending(slot, PendingChange::Refreshed);
    }
    let closed = tracker.closed.take(taken.instant);
    let pending = std::mem::take(&mut tracker.pending);
    let replaced = if tracker.has_emitted {
        tracker.closed.take_replaced(&tracker.table, &pending)
    } else {
        HashMap::new()
    };
    let is_replaced: HashSet<EndpointId> = replaced.values().copied().collect();
    let mut list: Vec<Change> = closed
        .into_iter()
        .filter(|id| !is_replaced.contains(id))
        .map(Change::Closed)
        .collect();
    list.extend(short_lived(tracker, &mut user));
    for slot in pending {
        list.extend(change(tracker, slot, &replaced, &mut user));
    }
    tracker.has_emitted = true;
    if tracker.unresolved.is_empty() {
        tracker.table.compact();
    }
    Changes {
        taken,
        took: Duration::ZERO,
        interval: Duration::ZERO,
        problems: Vec::new(),
        missed: false,
        stats: None,
        list,
    }
}

fn short_lived(
    tracker: &mut Tracker,
    user: &mut impl FnMut(u32) -> Option<SystemText>,
) -> Vec<Change> {
    std::mem::take(&mut tracker.short_lived)
        .iter()
        .map(|raw_socket| {
            let mut socket = peers::transient(
                &tracker.table,
                &tracker.owner_pool,
                raw_socket,
                tracker.ephemeral,
            );
            (socket.since, socket.state_since) = (tracker.now, tracker.now);
            Change::ShortLived(tracker.source().endpoint(&socket, user))
        })
        .collect()
}

/// Takes the pending change of one socket.
fn change(
    tracker: &mut Tracker,
    slot: SlotId,
    replaced: &HashMap<EndpointId, EndpointId>,
    user: &mut impl FnMut(u32) -> Option<SystemText>,
) -> Option<Change> {
    let socket = tracker.table.get_mut(slot)?;
    let pending = std::mem::replace(&mut socket.pending, PendingChange::None);
    let socket = *socket;
    if socket.status != SlotStatus::Listed {
        return None;
    }
    let endpoint = tracker.source().endpoint(&socket, user);
    Some(match pending {
        PendingChange::None => return None,
        PendingChange::Opened if !tracker.has_emitted => Change::Initial(endpoint),
        PendingChange::Opened => match replaced.get(&endpoint.id()) {
            Some(gone) => Change::Replaced {
                gone: *gone,
                endpoint,
            },
            None => Change::Opened(endpoint),
        },
        PendingChange::Changed => Change::Changed(endpoint),
        PendingChange::Refreshed => Change::Refreshed(endpoint),
    })
}
