//! Polling: the interval, the pause, and what a poll could not read.

use crate::app::overlay::free_dialog::FreeDialog;
use crate::app::{App, Effect};
use crate::model::poll_request::{PollRate, PollRequest};
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, EndpointId, Focus, Owners, SocketStats};
use crate::tracker::{Change, Changes};
use std::time::{Duration, Instant};

/// Intervals of the keys `+` and `-`, in milliseconds.
const INTERVALS: [u64; 9] = [100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];

#[derive(Debug)]
pub struct Sampling {
    /// The interval set by flag or key; see [`shown_interval`](Self::shown_interval) for the actual one.
    pub interval: Duration,
    pub paused_at: Option<Instant>,
    /// Changes since the start of the pause.
    pending: Option<Changes>,
    /// Time of the last poll; `None` before the first.
    pub last_poll: Option<Instant>,
    /// The tables that the last poll could not read.
    pub problems: Vec<Problem>,
    pub stale_since: Option<Instant>,
    /// True if the poller has ended.
    pub is_lost: bool,
    /// True if the terminal reported that it lost the focus; many never report it.
    is_unfocused: bool,
    /// True if the next request polls at once.
    pub wants_poll: bool,
    /// The last request.
    sent: PollRequest,
    /// The interval that the last poll reported.
    reported_interval: Duration,
    pub backoff: Option<Backoff>,
}

/// A longer interval than requested, since polls take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub took: Duration,
    pub interval: Duration,
}

/// Why the table may be out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// Tables could not be read since then.
    Unread(Instant),
    /// No poll came for much longer than the interval; the time of the last one.
    Late(Instant),
    Lost,
}

/// Time that a poll may be late before the table counts as stale.
const STALE_GRACE: Duration = Duration::from_secs(5);

impl Sampling {
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            paused_at: None,
            pending: None,
            last_poll: None,
            problems: Vec::new(),
            stale_since: None,
            is_lost: false,
            is_unfocused: false,
            wants_poll: false,
            sent: PollRequest::every(interval),
            reported_interval: Duration::ZERO,
            backoff: None,
        }
    }

    pub fn is_paused(&self) -> bool {
        self.paused_at.is_some()
    }

    /// Records a poll; returns its changes unless a pause defers them.
    pub fn on_changes(&mut self, changes: Changes) -> Option<Changes> {
        self.last_poll = Some(changes.taken.instant);
        self.reported_interval = changes.interval;
        let requested = self.requested_interval();
        let is_longer = changes.interval > requested + requested / 10;
        // After a quick poll there is none: that poll did not know the new interval yet.
        self.backoff = (is_longer && changes.took * 4 > requested).then_some(Backoff {
            took: changes.took,
            interval: changes.interval,
        });
        let stale_since = self.stale_since.or(self.last_poll);
        self.stale_since = stale_since.filter(|_| !changes.problems.is_empty());
        self.problems.clone_from(&changes.problems);
        if !self.is_paused() {
            return Some(changes);
        }
        match &mut self.pending {
            Some(pending) => pending.merge(changes),
            None => self.pending = Some(changes),
        }
        None
    }

    /// Returns the changes that a pause defers.
    pub fn deferred(&self) -> &[Change] {
        let pending = self.pending.as_ref();
        pending.map_or(&[], |changes| &changes.list)
    }

    /// Returns the next request if it differs from the last one. Each states everything the poller needs to know.
    pub fn next_request(
        &mut self,
        focus: Option<Focus>,
        in_view: Vec<EndpointId>,
    ) -> Option<PollRequest> {
        let request = PollRequest {
            rate: self.rate(),
            focus,
            in_view,
            ..PollRequest::every(self.interval)
        };
        if request.effective_interval() != self.sent.effective_interval() {
            // It was measured with another interval.
            self.backoff = None;
        }
        let poll_now = std::mem::take(&mut self.wants_poll);
        let is_new = poll_now || request != self.sent;
        self.sent = request.clone();
        is_new.then_some(PollRequest {
            poll_now,
            ..request
        })
    }

    /// Sets the focus that the terminal reports or a key proves. Gaining it polls at once.
    pub fn set_terminal_focus(&mut self, is_focused: bool) {
        self.wants_poll |= self.is_unfocused && is_focused;
        self.is_unfocused = !is_focused;
    }

    fn rate(&self) -> PollRate {
        match (self.paused_at, self.is_unfocused) {
            (Some(_), _) => PollRate::Paused,
            (None, true) => PollRate::Unfocused,
            (None, false) => PollRate::Focused,
        }
    }

    /// The set interval, slowed by a pause or a lost focus.
    fn requested_interval(&self) -> Duration {
        self.rate().apply_to(self.interval)
    }

    /// The actual interval, as far as it is known.
    pub fn shown_interval(&self) -> Duration {
        self.backoff
            .map_or_else(|| self.requested_interval(), |backoff| backoff.interval)
    }

    pub fn staleness(&self, now: Instant) -> Option<Staleness> {
        if self.is_lost {
            return Some(Staleness::Lost);
        }
        self.stale_since.map(Staleness::Unread).or_else(|| {
            let last = self.last_poll?;
            (now.saturating_duration_since(last) > self.max_age()).then_some(Staleness::Late(last))
        })
    }

    /// Returns when the table becomes stale without a poll.
    pub fn next_stale(&self, now: Instant) -> Option<Instant> {
        let late = self.last_poll? + self.max_age() + Duration::from_millis(1);
        (late > now).then_some(late)
    }

    /// Age of the last poll above which the table is stale. Allows for the interval in use, so that a long or changed
    /// interval does not make it stale.
    fn max_age(&self) -> Duration {
        self.reported_interval
            .max(self.requested_interval())
            .saturating_mul(3)
            + STALE_GRACE
    }

    /// Starts or ends a pause; at its end returns the deferred changes.
    pub fn toggle_pause(&mut self, now: Instant) -> Option<Changes> {
        self.wants_poll |= self.is_paused();
        self.paused_at = self.paused_at.xor(Some(now));
        self.pending.take()
    }

    /// Goes to the next longer interval, or else to the next shorter one.
    pub fn change_interval(&mut self, is_longer: bool) {
        let mut intervals = INTERVALS.map(Duration::from_millis).into_iter();
        let next = if is_longer {
            intervals.find(|next| *next > self.interval)
        } else {
            intervals.rfind(|next| *next < self.interval)
        };
        self.interval = next.unwrap_or(self.interval);
    }

    /// Returns when the ages on the screen next change, if no poll comes before.
    pub fn next_second(&self, now: Instant) -> Option<Instant> {
        let is_slow = self.shown_interval() > Duration::from_secs(1);
        let last = self.last_poll.filter(|_| is_slow)?;
        let whole = now.saturating_duration_since(last).as_secs() + 1;
        Some(last + Duration::from_secs(whole))
    }
}

impl App {
    pub(super) fn on_sample(&mut self, mut changes: Changes) {
        self.clock = changes.taken;
        self.record_stats(changes.stats.take(), changes.taken.instant);
        // Before the table loses the owners of closed sockets, and in a pause too.
        self.record_closed(&changes);
        self.update_reuse_watch(&changes);
        self.finish_owner_lookups(&changes);
        if let Some(changes) = self.sampling.on_changes(changes) {
            self.apply(changes);
        }
        self.ask_again();
    }

    /// Adds stats; in a pause only the first ones of a row.
    fn record_stats(&mut self, stats: Option<SocketStats>, at: Instant) {
        let is_paused = self.sampling.is_paused();
        let stats_history = &mut self.details.stats_history;
        match stats {
            Some(stats) if is_paused && stats_history.is_for(stats.endpoint) => {}
            Some(stats) => stats_history.add(stats, at),
            None if self.sampling.sent.focus.is_some() => stats_history.miss(),
            None => {}
        }
    }

    /// In a pause, shows the owners that a poll found for rows without them: the only change that a pause lets through.
    fn finish_owner_lookups(&mut self, changes: &Changes) {
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

    /// Returns the sockets of the rows on the screen, those of the question in front of them, and that of the cursor, which
    /// the details may cover.
    fn sockets_in_view(&self) -> Vec<EndpointId> {
        let height = usize::from(self.layout().rows);
        let dialog = self.overlay.free_dialog();
        let mut in_view = dialog.map_or_else(Vec::new, FreeDialog::sockets);
        in_view.extend(self.selection.cursor);
        let lines = self.selection.top..self.selection.top + height;
        let rows = lines.filter_map(|line| self.listing.row_on(line));
        in_view.extend(rows.map(|row| row.endpoint.id()));
        in_view.sort_unstable();
        in_view.dedup();
        in_view
    }

    pub(super) fn request_poll(&mut self) {
        let focus = self.details.focus(self.current_row());
        let request = self.sampling.next_request(focus, self.sockets_in_view());
        self.effects.extend(request.map(Effect::Sample));
    }
}

#[cfg(test)]
mod tests;
