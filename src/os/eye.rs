//! Looks at the sockets and at who holds them, one look after the other, and tells what changed.
//!
//! It brings three together that know nothing of one another: the source of sockets, the search for holders and the
//! tracker. Sockets come first: [`Eye::glance`] tells them before anybody is asked who holds them.

use crate::model::Moment;
use crate::model::endpoint::{Endpoint, Owners};
use crate::model::ports::EphemeralRange;
use crate::model::process::{Pid, Process, ProcessId, topmost_first};
use crate::model::sighting::Sighting;
use crate::model::snapshot::Problem;
use crate::model::source::Source;
use crate::model::tracker::{Changes, Gaps, Slot, Tracker};
use crate::model::traffic::{Closeup, Focus};
use crate::os::holders::{Finding, Holders, Sought};
use crate::os::processes::Processes;
use crate::os::sockets::{Demand, Sockets};
use crate::os::{Error, now, own};
use closings::Closings;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

mod closings;

/// From one look at sockets that are only bound to the next: it walks another table of the kernel, which costs half as
/// much again as all the rest.
const BOUND_INTERVAL: Duration = Duration::from_secs(10);

/// How holders are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// Those that are new or changed, and the others in turn.
    Usual,
    /// All of them.
    Close,
}

/// How many looks come to one process that is read again: a steady look must cost hardly more than its tables.
const REREAD_EVERY: u32 = 3;

pub struct Eye {
    tracker: Tracker,
    sockets: Sockets,
    holders: Holders,
    processes: Processes,
    demand: Demand,
    own: Pid,
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
            own: Pid(std::process::id()),
            bound_at: None,
            has_missed: false,
            looks: 0,
            problems: Vec::new(),
            taken,
            closings: None,
            focus: None,
            focused: None,
            bereft: HashSet::new(),
        }
    }

    /// What is looked at closely with every look.
    pub fn focus_on(&mut self, focus: Option<&Focus>) {
        if self.focus.as_ref() != focus {
            self.focus = focus.cloned();
        }
    }

    /// From now on sockets that come and go between two looks are told too.
    pub fn follow_closings(&mut self) -> Result<(), Error> {
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

    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    pub fn taken(&self) -> Moment {
        self.taken
    }

    pub fn processes(&mut self) -> &mut Processes {
        &mut self.processes
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
        if let Some((closed, has_missed)) = closings {
            self.tracker.pass(closed);
            self.has_missed = has_missed;
        }
    }

    fn find_holders(&mut self, care: Care) {
        let mut sought = self.tracker.sought();
        sought.retain(|(slot, socket)| {
            let is_own = own::is_own(socket.cookie());
            if is_own {
                self.tracker.disregard(*slot);
            }
            !is_own
        });
        let released = self.tracker.released();
        let wanted: Vec<Sought> = sought
            .iter()
            .map(|(_, socket)| self.wanted(socket))
            .collect();
        let mut findings = self.holders.update(&released, &wanted, self.tracker.len());
        if care == Care::Close {
            let marks: Vec<u32> = self
                .tracker
                .each()
                .map(|(_, socket, _)| socket.mark)
                .collect();
            findings.extend(self.holders.check(&marks));
        }
        self.assign(&sought, &findings);
        if !released.is_empty() {
            let held: HashSet<ProcessId> =
                self.tracker.holders().map(|process| process.id).collect();
            self.processes.retain(|id| held.contains(&id));
        }
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(REREAD_EVERY)
            && let Some(process) = self.processes.reread_next()
        {
            self.tracker.describe(&process);
        }
    }

    fn wanted(&self, socket: &Sighting) -> Sought {
        let listener = (!socket.stands()).then(|| self.tracker.listener_owners(socket));
        let owner = listener.flatten().and_then(Owners::first);
        Sought {
            inode: socket.mark,
            uid: socket.uid,
            is_standing: socket.stands(),
            neighbour: owner.map(|owner| owner.pid()),
        }
    }

    /// Tells the tracker who holds what was sought and what was found to have other holders.
    fn assign(&mut self, sought: &[(Slot, Sighting)], findings: &[Finding]) {
        let bereft = std::mem::take(&mut self.bereft);
        if sought.is_empty() && findings.is_empty() && bereft.is_empty() {
            return;
        }
        let mut found: HashMap<u32, Vec<&Finding>> = HashMap::new();
        for finding in findings {
            found.entry(finding.inode).or_default().push(finding);
        }
        let sought: HashSet<Slot> = sought.iter().map(|(slot, _)| *slot).collect();
        let concerned: Vec<(Slot, u32, Vec<ProcessId>)> = self
            .tracker
            .each()
            .filter(|(slot, socket, _)| {
                sought.contains(slot)
                    || found.contains_key(&socket.mark)
                    || bereft.contains(&socket.mark)
            })
            .map(|(slot, socket, owners)| (slot, socket.mark, ids(owners)))
            .collect();
        for (slot, mark, before) in concerned {
            let was_bereft = bereft.contains(&mark);
            let mut holders = if was_bereft || sought.contains(&slot) {
                Vec::new()
            } else {
                before.clone()
            };
            for finding in found.get(&mark).into_iter().flatten() {
                holders.retain(|id| *id != finding.process);
                if finding.holds {
                    holders.push(finding.process);
                }
            }
            self.own(slot, mark, &holders, was_bereft);
        }
    }

    fn own(&mut self, slot: Slot, mark: u32, holders: &[ProcessId], was_bereft: bool) {
        let known: Vec<Arc<Process>> = holders
            .iter()
            .filter_map(|id| self.processes.known(*id))
            .collect();
        match known.as_slice() {
            [only] if only.pid() == self.own => self.tracker.disregard(slot),
            [_, ..] => {
                let owners = Owners::Known(topmost_first(known).into());
                self.tracker.own(slot, &owners);
            }
            [] if was_bereft || holders.is_empty() && !self.has_known(slot) => {
                self.tracker.own(slot, &Owners::Hidden);
            }
            [] => {
                self.bereft.insert(mark);
            }
        }
    }

    fn has_known(&self, slot: Slot) -> bool {
        let owners = self.tracker.owners(slot);
        owners.is_some_and(|owners| !owners.known().is_empty())
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

fn ids(owners: &Owners) -> Vec<ProcessId> {
    owners.known().iter().map(|process| process.id).collect()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
