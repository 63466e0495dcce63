//! What the tracker tells: its records made into endpoints and changes.

use super::book::Slot;
use super::record::{News, Record, Stamp, Status};
use super::{Change, Changes, Tracker, relations};
use crate::model::Moment;
use crate::model::endpoint::{
    Endpoint, EndpointId, Owners, Protocol, Relation, Since, Socket, Waiting,
};
use crate::model::process::Process;
use crate::model::sighting::Sighting;
use crate::model::text::SystemText;
use hashbrown::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

impl Tracker {
    /// Tells what changed since it was last told. `user` names users.
    pub fn tell(
        &mut self,
        taken: Moment,
        mut user: impl FnMut(u32) -> Option<SystemText>,
    ) -> Changes {
        let touched = std::mem::take(&mut self.touched);
        for slot in relations::refresh(&mut self.book, &self.pool, &touched, self.ephemeral) {
            self.note(slot, News::Refreshed);
        }
        let closed = std::mem::take(&mut self.closed);
        let standing = closed.iter().filter(|closed| closed.sighting.stands());
        self.recently_closed
            .extend(standing.map(|closed| (*closed, taken.instant)));
        let replaced = self.replacements();
        let is_replaced: HashSet<EndpointId> = replaced.values().copied().collect();
        let mut list: Vec<Change> = closed
            .iter()
            .map(|closed| closed.id)
            .filter(|id| !is_replaced.contains(id))
            .map(Change::Closed)
            .collect();
        for sighting in std::mem::take(&mut self.passed) {
            let mut record = relations::visitor(&self.book, &self.pool, &sighting, self.ephemeral);
            (record.since, record.state_since) = (self.now, self.now);
            list.push(Change::Passed(self.endpoint(&record, &mut user)));
        }
        for slot in std::mem::take(&mut self.news) {
            list.extend(self.change(slot, &replaced, &mut user));
        }
        self.has_told = true;
        if self.sought.is_empty() {
            self.book.tidy();
        }
        Changes {
            taken,
            took: Duration::ZERO,
            interval: Duration::ZERO,
            problems: Vec::new(),
            missed: false,
            closeup: None,
            list,
        }
    }

    /// What is to be told of a record, which is then told.
    fn change(
        &mut self,
        slot: Slot,
        replaced: &HashMap<EndpointId, EndpointId>,
        user: &mut impl FnMut(u32) -> Option<SystemText>,
    ) -> Option<Change> {
        let record = self.book.get_mut(slot)?;
        let news = std::mem::replace(&mut record.news, News::None);
        let record = *record;
        if record.status != Status::Listed {
            return None;
        }
        let endpoint = self.endpoint(&record, user);
        Some(match news {
            News::None => return None,
            News::Opened if !self.has_told => Change::Found(endpoint),
            News::Opened => match replaced.get(&endpoint.id()) {
                Some(gone) => Change::Replaced {
                    gone: *gone,
                    endpoint,
                },
                None => Change::Opened(endpoint),
            },
            News::Changed => Change::Changed(endpoint),
            News::Refreshed => Change::Refreshed(endpoint),
        })
    }

    /// Every socket as it is now.
    pub fn endpoints(&self, mut user: impl FnMut(u32) -> Option<SystemText>) -> Vec<Endpoint> {
        let listed = |record: &&Record| record.status == Status::Listed;
        let records = self.book.each().map(|(_, record)| record).filter(listed);
        records
            .map(|record| self.endpoint(record, &mut user))
            .collect()
    }

    fn endpoint(
        &self,
        record: &Record,
        user: &mut impl FnMut(u32) -> Option<SystemText>,
    ) -> Endpoint {
        let since = self.instant(record.since);
        Endpoint {
            socket: self.socket(record, user),
            since: if record.was_before {
                Since::Before(since)
            } else {
                Since::Opened(since)
            },
            state_since: self.instant(record.state_since),
            relation: Relation {
                side: record.side,
                is_local: record.is_local,
                peer: self.peer(record),
                shares_number: record.shares_number,
            },
        }
    }

    fn socket(&self, record: &Record, user: &mut impl FnMut(u32) -> Option<SystemText>) -> Socket {
        let sighting = &record.sighting;
        let owners = self.pool.get(record.owners).clone();
        let known = Some(sighting.uid).filter(|uid| *uid != Sighting::NO_USER);
        // The kernel gives uid 0 where there is no owner, which does not mean root.
        let uid = match &owners {
            Owners::None => None,
            Owners::Sought | Owners::Hidden => known,
            Owners::Known(processes) => known.or_else(|| processes.first()?.uid),
        };
        Socket {
            id: sighting.id(record.ordinal.into()),
            protocol: sighting.protocol,
            table: sighting.table,
            local: sighting.local(),
            remote: sighting.remote(),
            state: sighting.state,
            only_v6: sighting.only_v6,
            uid,
            user: uid.and_then(user),
            owners,
            waiting: self.waiting(record),
        }
    }

    /// How long TIME_WAIT lasts is kept from the look that first saw it, and so counts from there.
    fn waiting(&self, record: &Record) -> Waiting {
        let sighting = &record.sighting;
        match (sighting.lasts(), sighting.queue()) {
            (Some(lasts), _) => Waiting::Until(self.instant(record.state_since) + lasts),
            (None, Some(queue)) => Waiting::Queue(queue),
            (None, None) => Waiting::Unknown,
        }
    }

    /// The process at the other end, when it is on this machine and may be seen.
    fn peer(&self, record: &Record) -> Option<Arc<Process>> {
        let mirror = relations::mirror(&self.book, &record.sighting)?;
        let owners = self.pool.get(self.book.get(mirror)?.owners);
        owners.first().cloned()
    }

    fn instant(&self, stamp: Stamp) -> Instant {
        self.first + Duration::from_millis(u64::from(stamp.0) * 10)
    }

    /// Which opened sockets took the place of one that closed, as new -> old.
    ///
    /// Only where exactly one went and exactly one came on the same protocol, address and port: anything else would be
    /// a guess.
    fn replacements(&mut self) -> HashMap<EndpointId, EndpointId> {
        if self.recently_closed.is_empty() || !self.has_told {
            return HashMap::new();
        }
        let news = self.news.iter().filter_map(|slot| self.book.get(*slot));
        let opened = news.filter(|record| record.news == News::Opened && record.sighting.stands());
        let came = by_place(
            opened.map(|record| (record.sighting.id(record.ordinal.into()), record.sighting)),
        );
        let closed = self.recently_closed.iter().map(|(closed, _)| closed);
        let went = by_place(closed.map(|closed| (closed.id, closed.sighting)));
        let pair = |(place, came): (_, &Vec<EndpointId>)| match (
            came.as_slice(),
            went.get(place)?.as_slice(),
        ) {
            ([new], [old]) => Some((*new, *old)),
            _ => None,
        };
        let replaced: HashMap<EndpointId, EndpointId> = came.iter().filter_map(pair).collect();
        let taken: HashSet<EndpointId> = replaced.values().copied().collect();
        self.recently_closed
            .retain(|(closed, _)| !taken.contains(&closed.id));
        replaced
    }
}

/// The sockets on each protocol, address and port.
fn by_place(
    sockets: impl Iterator<Item = (EndpointId, Sighting)>,
) -> HashMap<(Protocol, SocketAddr), Vec<EndpointId>> {
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for (id, sighting) in sockets {
        let place = (sighting.protocol, sighting.local());
        found.entry(place).or_default().push(id);
    }
    found
}
