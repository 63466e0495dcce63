//! Looks at the sockets and at who holds them, one look after the other, and tells what changed.
//!
//! It brings three together that know nothing of one another: the source of sockets, the search for holders and the
//! tracker. Sockets come first: [`Eye::glance`] tells them before anybody is asked who holds them.

use crate::model::Moment;
use crate::model::endpoint::Endpoint;
use crate::model::ports::EphemeralRange;
use crate::model::process::Pid;
use crate::model::snapshot::Problem;
use crate::model::source::Source;
use crate::model::tracker::{Changes, Gaps, Slot, Tracker};
use crate::model::traffic::{Closeup, Focus};
use crate::os::holders::Holders;
use crate::os::processes::Processes;
use crate::os::sockets::{Demand, Sockets};
use crate::os::{Error, now, own, pids};
use closings::Closings;
use hashbrown::HashSet;
use holding::Care;
use std::time::{Duration, Instant};

mod closings;
mod holding;

/// From one look at sockets that are only bound to the next: it walks another table of the kernel, which costs half as
/// much again as all the rest.
const BOUND_INTERVAL: Duration = Duration::from_secs(10);

pub struct Eye {
    tracker: Tracker,
    sockets: Sockets,
    holders: Holders,
    processes: Processes,
    demand: Demand,
    /// portmon itself, as its own sockets name their holder.
    own: Option<Pid>,
    /// When bound sockets were last asked for.
    bound_at: Option<Instant>,
    has_missed: bool,
    looks: u32,
    problems: Vec<Problem>,
    taken: Moment,
    closings: Option<Closings>,
    focus: Option<Focus>,
    /// Where the socket of the focus stood last.
    focused: Option<Slot>,
    /// Marks of sockets whose last holder ended. Most likely they are gone with it, which the next look tells.
    bereft: HashSet<u32>,
    /// Marks of sockets for whose holder not every process was searched yet.
    open: HashSet<u32>,
}

impl Eye {
    /// Follows what `demand` names; bound sockets with every look if it asks for them, else now and then.
    pub fn new(ephemeral: EphemeralRange, source: Option<Source>, demand: Demand) -> Self {
        let taken = now();
        Self {
            tracker: Tracker::new(ephemeral, taken.instant),
            sockets: Sockets::new(source),
            holders: Holders::new(),
            processes: Processes::new(),
            demand,
            own: pids::own(),
            bound_at: None,
            has_missed: false,
            looks: 0,
            problems: Vec::new(),
            taken,
            closings: None,
            focus: None,
            focused: None,
            bereft: HashSet::new(),
            open: HashSet::new(),
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
    pub fn follow_closings(&mut self) -> Result<(), Error> {
        if !self.sockets.has_cookies() {
            return Err(Error::NotToldHere);
        }
        self.closings = Some(Closings::open()?);
        Ok(())
    }

    /// Waits until then, listening to what closes meanwhile if that is followed.
    pub fn rest(&mut self, until: Instant) {
        match &mut self.closings {
            Some(closings) => closings.rest(until),
            None => std::thread::sleep(until.saturating_duration_since(Instant::now())),
        }
    }

    /// The whole of a look: the sockets and who holds them.
    pub fn look(&mut self) -> Changes {
        self.read();
        self.find_holders(Care::Usual);
        self.tell()
    }

    /// The sockets alone; whoever holds those that are new is sought still.
    pub fn glance(&mut self) -> Changes {
        self.read();
        self.tell()
    }

    /// Who holds what the last glance saw.
    pub fn seek(&mut self) -> Changes {
        self.find_holders(Care::Usual);
        self.tell()
    }

    /// A look that reads the holders of every socket anew.
    pub fn look_closely(&mut self) -> Changes {
        self.read();
        self.find_holders(Care::Close);
        self.tell()
    }

    /// The next look asks for bound sockets too.
    pub fn ask_for_bound(&mut self) {
        self.bound_at = None;
    }

    /// Every socket as the last look saw it, in no particular order.
    pub fn endpoints(&mut self) -> Vec<Endpoint> {
        let processes = &mut self.processes;
        self.tracker.endpoints(|uid| processes.user(uid))
    }

    fn read(&mut self) {
        self.taken = now();
        let at = self.taken.instant;
        let is_due = |last: Instant| at.saturating_duration_since(last) >= BOUND_INTERVAL;
        let with_bound = self.demand.with_bound || self.bound_at.is_none_or(is_due);
        if with_bound {
            self.bound_at = Some(at);
        }
        let demand = Demand {
            with_bound,
            ..self.demand.clone()
        };
        // Before the tables: what closes meanwhile is then in one of them or told next time.
        let closings = self.closings.as_mut().map(Closings::take);
        self.tracker.begin(at);
        let tracker = &mut self.tracker;
        self.problems = self
            .sockets
            .read(&demand, &mut |socket| tracker.see(socket));
        let gaps = Gaps {
            problems: self.problems.clone(),
            is_without_bound: !with_bound,
        };
        let sockets = &mut self.sockets;
        self.tracker
            .end(&gaps, |missed| sockets.still_there(missed));
        for (slot, socket) in self.tracker.new_ones() {
            if own::is_own(socket.cookie()) {
                self.tracker.disregard(slot);
            }
        }
        if let Some((closed, has_missed)) = closings
            && self.sockets.has_cookies()
        {
            self.tracker.pass(closed);
            self.has_missed = has_missed;
        }
    }

    fn tell(&mut self) -> Changes {
        let processes = &mut self.processes;
        let mut changes = self.tracker.tell(self.taken, |uid| processes.user(uid));
        changes.took = self.taken.instant.elapsed();
        changes.problems.clone_from(&self.problems);
        changes.missed = std::mem::take(&mut self.has_missed);
        changes.closeup = self.closeup();
        changes
    }

    fn closeup(&mut self) -> Option<Closeup> {
        let focus = self.focus.clone()?;
        self.focused = self.tracker.find(focus.endpoint, self.focused);
        let socket = self.focused.and_then(|slot| self.tracker.sighting(slot));
        let at = now().instant;
        Some(Closeup {
            endpoint: focus.endpoint,
            traffic: socket.and_then(|socket| self.sockets.traffic(socket, at)),
            usage: self.processes.usage(&focus.processes),
        })
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
