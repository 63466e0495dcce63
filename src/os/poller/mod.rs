//! Polls the sockets and their owners and reports what changed.
//!
//! Connects the socket source, the owner resolver and the tracker, which know nothing of one another. Sockets come first:
//! [`SocketPoller::poll_sockets`] reports them before their owners are looked up.

use crate::model::Moment;
use crate::model::port::EphemeralRange;
use crate::model::process::Pid;
use crate::model::socket::{Endpoint, EndpointId, Focus, OwnerHint, SocketSource, SocketStats};
use crate::os::owners::OwnerResolver;
use crate::os::processes::{self, Processes, pid_namespace};
use crate::os::sockets::diag::DestroyEvents;
use crate::os::sockets::{DumpRequest, Sockets, self_sockets};
use crate::os::{Error, interfaces, now};
use crate::tracker::{Changes, SlotId, Tracker, UnreadTables};
use hashbrown::HashSet;
use in_view::SocketsInView;
use owner_updates::ScanMode;
use std::time::{Duration, Instant};

mod in_view;
mod owner_updates;

/// Time between two polls of bound sockets: they are in another table of the kernel, which costs half as much as all the
/// others together.
const BOUND_INTERVAL: Duration = Duration::from_secs(10);

/// Time between two reads of the interfaces that sockets are bound to.
const INTERFACES_INTERVAL: Duration = Duration::from_secs(10);

pub struct SocketPoller {
    tracker: Tracker,
    sockets: Sockets,
    resolver: OwnerResolver,
    processes: Processes,
    request: DumpRequest,
    /// portmon's own pid as `/proc` shows it.
    own_pid: Option<Pid>,
    /// When bound sockets were last requested.
    bound_at: Option<Instant>,
    /// When the interfaces were last read.
    interfaces_at: Option<Instant>,
    has_missed_events: bool,
    polls: u32,
    /// Tables that the last poll did not read.
    unread: UnreadTables,
    polled_at: Moment,
    destroy_events: Option<DestroyEvents>,
    in_view: SocketsInView,
    focus: Option<Focus>,
    /// Last slot of the focused socket.
    focus_slot: Option<SlotId>,
    /// Hints of sockets whose last owner exited. Most likely they closed with it, which the next poll shows.
    orphaned: HashSet<OwnerHint>,
    /// Hints of sockets for which not every process was searched yet.
    unresolved: HashSet<OwnerHint>,
}

impl SocketPoller {
    /// Polls the requested sockets. Bound sockets are in every poll if requested, else in one every [`BOUND_INTERVAL`].
    pub fn new(
        ephemeral: EphemeralRange,
        source: Option<SocketSource>,
        request: DumpRequest,
    ) -> Self {
        let polled_at = now();
        Self {
            tracker: Tracker::new(ephemeral, polled_at.instant),
            sockets: Sockets::new(source),
            resolver: OwnerResolver::default(),
            processes: Processes::default(),
            request,
            own_pid: pid_namespace::own_pid(),
            bound_at: None,
            interfaces_at: None,
            has_missed_events: false,
            polls: 0,
            unread: UnreadTables::default(),
            polled_at,
            destroy_events: None,
            in_view: SocketsInView::default(),
            focus: None,
            focus_slot: None,
            orphaned: HashSet::new(),
            unresolved: HashSet::new(),
        }
    }

    /// Sets the socket whose stats are read with every poll.
    pub fn focus_on(&mut self, focus: Option<&Focus>) {
        self.focus = focus.cloned();
    }

    /// Sets the sockets on the screen, whose owners are kept true from poll to poll.
    pub fn set_in_view(&mut self, sockets: &[EndpointId]) {
        self.in_view.set(sockets);
    }

    /// Reports short-lived sockets from now on. Fails without cookies, which distinguish them from the sockets of a poll.
    pub fn enable_destroy_events(&mut self) -> Result<(), Error> {
        if !self.sockets.has_cookies() {
            return Err(Error::DestroyEventsUnsupported);
        }
        self.destroy_events = Some(DestroyEvents::open()?);
        Ok(())
    }

    /// Waits until then and receives destroy events meanwhile.
    pub fn wait_until(&mut self, until: Instant) {
        match &mut self.destroy_events {
            Some(destroy_events) => destroy_events.wait_until(until),
            None => std::thread::sleep(until.saturating_duration_since(Instant::now())),
        }
    }

    /// Polls the sockets and their owners.
    pub fn poll(&mut self) -> Changes {
        self.read_tables();
        self.resolve_owners()
    }

    /// Polls the sockets and reads all of their owners again.
    pub fn poll_uncached(&mut self) -> Changes {
        self.read_tables();
        self.update_owners(ScanMode::Full);
        self.take_changes()
    }

    /// Polls the sockets alone; [`resolve_owners`](Self::resolve_owners) is to follow.
    pub fn poll_sockets(&mut self) -> Changes {
        self.read_tables();
        self.take_changes()
    }

    /// Looks up the owners of the sockets of the last poll.
    pub fn resolve_owners(&mut self) -> Changes {
        self.update_owners(ScanMode::Incremental);
        self.take_changes()
    }

    /// Requests bound sockets with the next poll.
    pub fn include_bound_next(&mut self) {
        self.bound_at = None;
    }

    /// Every socket as of the last poll, in no particular order.
    pub fn endpoints(&mut self) -> Vec<Endpoint> {
        let processes = &mut self.processes;
        self.tracker.endpoints(&mut |uid| processes.user(uid))
    }

    fn read_tables(&mut self) {
        self.polled_at = now();
        let at = self.polled_at.instant;
        let is_due = |last: Instant| at.saturating_duration_since(last) >= BOUND_INTERVAL;
        let with_bound = self.request.with_bound || self.bound_at.is_none_or(is_due);
        if with_bound {
            self.bound_at = Some(at);
        }
        let request = DumpRequest {
            with_bound,
            ..self.request.clone()
        };
        // Before the tables: a socket that closes meanwhile is in one of them, or in the next events.
        let destroyed = self.destroy_events.as_mut().map(DestroyEvents::take);
        let (tracker, sockets) = (&mut self.tracker, &mut self.sockets);
        tracker.begin_poll(at);
        self.unread = UnreadTables {
            problems: sockets.read(&request, &mut |socket| tracker.observe(socket)),
            is_without_bound: !with_bound,
        };
        tracker.end_poll(&self.unread, |missed| sockets.still_open(missed));
        for (slot, socket) in self.tracker.unresolved() {
            if self_sockets::contains(socket.cookie()) {
                self.tracker.hide_own_socket(slot);
            }
        }
        if let Some((destroyed, has_missed_events)) = destroyed
            && self.sockets.has_cookies()
        {
            self.tracker.observe_destroyed(destroyed);
            self.has_missed_events = has_missed_events;
        }
    }

    fn take_changes(&mut self) -> Changes {
        self.describe_interfaces();
        let processes = &mut self.processes;
        let (tracker, at) = (&mut self.tracker, self.polled_at.instant);
        let list = tracker.emit(at, &mut |uid| processes.user(uid));
        Changes {
            taken: self.polled_at,
            took: at.elapsed(),
            interval: Duration::ZERO,
            problems: self.unread.problems.clone(),
            list,
            missed: std::mem::take(&mut self.has_missed_events),
            stats: self.stats(),
        }
    }

    /// Describes interfaces that are new, and from time to time the others: they may be renamed, or lose an address.
    fn describe_interfaces(&mut self) {
        let at = self.polled_at.instant;
        let mut indices = self.tracker.take_unknown_interfaces();
        let is_due = |last: Instant| at.saturating_duration_since(last) >= INTERFACES_INTERVAL;
        if self.interfaces_at.is_none_or(is_due) {
            self.interfaces_at = Some(at);
            indices = [self.tracker.keep_used_interfaces(), indices].concat();
        }
        for interface in interfaces::describe(&indices) {
            self.tracker.describe_interface(interface);
        }
    }

    fn stats(&mut self) -> Option<SocketStats> {
        let focus = self.focus.as_ref()?;
        self.focus_slot = self.tracker.find(focus.endpoint, self.focus_slot);
        let slot = self.focus_slot;
        let socket = slot.and_then(|slot| self.tracker.raw_socket(slot));
        Some(SocketStats {
            endpoint: focus.endpoint,
            traffic: socket.and_then(|socket| self.sockets.counters(socket, Instant::now())),
            usage: processes::usage(&focus.processes),
        })
    }
}

#[cfg(test)]
mod tests;
