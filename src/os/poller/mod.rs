//! Looks at the sockets and at who holds them, one look after the other, and tells what changed.
//!
//! It brings three together that know nothing of one another: the source of sockets, the search for holders and the
//! tracker. Sockets come first: [`SocketPoller::poll_sockets`] tells them before anybody is asked who holds them.

use crate::model::Moment;
use crate::model::endpoint::Endpoint;
use crate::model::ports::EphemeralRange;
use crate::model::process::Pid;
use crate::model::snapshot::Problem;
use crate::model::socket_source::SocketSource;
use crate::model::stats::{Focus, SocketStats};
use crate::os::owners::OwnerResolver;
use crate::os::processes::{Processes, pid_namespace};
use crate::os::sockets::{DumpRequest, Sockets, self_sockets};
use crate::os::{Error, now};
use crate::tracker::{Changes, SlotId, Tracker, UnreadTables};
use destroy_events::DestroyEvents;
use hashbrown::HashSet;
use owner_updates::ScanMode;
use std::time::{Duration, Instant};

mod destroy_events;
mod owner_updates;

/// From one look at sockets that are only bound to the next: it walks another table of the kernel, which costs half as
/// much again as all the rest.
const BOUND_INTERVAL: Duration = Duration::from_secs(10);

pub struct SocketPoller {
    tracker: Tracker,
    sockets: Sockets,
    resolver: OwnerResolver,
    processes: Processes,
    request: DumpRequest,
    /// portmon itself, as its own sockets name their holder.
    own_pid: Option<Pid>,
    /// When bound sockets were last asked for.
    bound_at: Option<Instant>,
    has_missed_events: bool,
    polls: u32,
    problems: Vec<Problem>,
    polled_at: Moment,
    destroy_events: Option<DestroyEvents>,
    focus: Option<Focus>,
    /// Where the socket of the focus stood last.
    focus_slot: Option<SlotId>,
    /// Marks of sockets whose last holder ended. Most likely they are gone with it, which the next look tells.
    orphaned: HashSet<u32>,
    /// Marks of sockets for whose holder not every process was searched yet.
    unresolved: HashSet<u32>,
}

impl SocketPoller {
    /// Follows what `demand` names; bound sockets with every look if it asks for them, else now and then.
    pub fn new(
        ephemeral: EphemeralRange,
        source: Option<SocketSource>,
        request: DumpRequest,
    ) -> Self {
        let polled_at = now();
        Self {
            tracker: Tracker::new(ephemeral, polled_at.instant),
            sockets: Sockets::new(source),
            resolver: OwnerResolver::new(),
            processes: Processes::new(),
            request,
            own_pid: pid_namespace::own_pid(),
            bound_at: None,
            has_missed_events: false,
            polls: 0,
            problems: Vec::new(),
            polled_at,
            destroy_events: None,
            focus: None,
            focus_slot: None,
            orphaned: HashSet::new(),
            unresolved: HashSet::new(),
        }
    }

    /// What is looked at closely with every look.
    pub fn focus_on(&mut self, focus: Option<&Focus>) {
        if self.focus.as_ref() != focus {
            self.focus = focus.cloned();
        }
    }

    /// From now on sockets that come and go between two looks are told too.
    ///
    /// Only their cookies tell those from the ones that a look had.
    pub fn enable_destroy_events(&mut self) -> Result<(), Error> {
        if !self.sockets.has_cookies() {
            return Err(Error::CloseEventsUnsupported);
        }
        self.destroy_events = Some(DestroyEvents::open()?);
        Ok(())
    }

    /// Waits until then, listening to what closes meanwhile if that is followed.
    pub fn wait_until(&mut self, until: Instant) {
        match &mut self.destroy_events {
            Some(destroy_events) => destroy_events.wait_until(until),
            None => std::thread::sleep(until.saturating_duration_since(Instant::now())),
        }
    }

    /// The whole of a look: the sockets and who holds them.
    pub fn poll(&mut self) -> Changes {
        self.read_tables();
        self.update_owners(ScanMode::Incremental);
        self.take_changes()
    }

    /// The sockets alone; whoever holds those that are new is sought still.
    pub fn poll_sockets(&mut self) -> Changes {
        self.read_tables();
        self.take_changes()
    }

    /// Who holds what the last glance saw.
    pub fn resolve_owners(&mut self) -> Changes {
        self.update_owners(ScanMode::Incremental);
        self.take_changes()
    }

    /// A look that reads the holders of every socket anew.
    pub fn poll_uncached(&mut self) -> Changes {
        self.read_tables();
        self.update_owners(ScanMode::Full);
        self.take_changes()
    }

    /// The next look asks for bound sockets too.
    pub fn include_bound_next(&mut self) {
        self.bound_at = None;
    }

    /// Every socket as the last look saw it, in no particular order.
    pub fn endpoints(&mut self) -> Vec<Endpoint> {
        let processes = &mut self.processes;
        self.tracker.endpoints(|uid| processes.user(uid))
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
        // Before the tables: what closes meanwhile is then in one of them or told next time.
        let destroy_events = self.destroy_events.as_mut().map(DestroyEvents::take);
        self.tracker.begin_poll(at);
        let tracker = &mut self.tracker;
        self.problems = self
            .sockets
            .read(&request, &mut |socket| tracker.observe(socket));
        let unread = UnreadTables {
            problems: self.problems.clone(),
            is_without_bound: !with_bound,
        };
        let sockets = &mut self.sockets;
        self.tracker
            .end_poll(&unread, |missed| sockets.still_open(missed));
        for (slot, socket) in self.tracker.unresolved() {
            if self_sockets::contains(socket.cookie()) {
                self.tracker.hide_own_socket(slot);
            }
        }
        if let Some((closed, has_missed_events)) = destroy_events
            && self.sockets.has_cookies()
        {
            self.tracker.observe_closed(closed);
            self.has_missed_events = has_missed_events;
        }
    }

    fn take_changes(&mut self) -> Changes {
        let processes = &mut self.processes;
        let mut changes = self.tracker.emit(self.polled_at, |uid| processes.user(uid));
        changes.took = self.polled_at.instant.elapsed();
        changes.problems.clone_from(&self.problems);
        changes.missed = std::mem::take(&mut self.has_missed_events);
        changes.stats = self.stats();
        changes
    }

    fn stats(&mut self) -> Option<SocketStats> {
        let focus = self.focus.clone()?;
        self.focus_slot = self.tracker.find(focus.endpoint, self.focus_slot);
        let socket = self
            .focus_slot
            .and_then(|slot| self.tracker.raw_socket(slot));
        let at = now().instant;
        Some(SocketStats {
            endpoint: focus.endpoint,
            traffic: socket.and_then(|socket| self.sockets.traffic(socket, at)),
            usage: self.processes.usage(&focus.processes),
        })
    }
}

#[cfg(test)]
mod tests;
