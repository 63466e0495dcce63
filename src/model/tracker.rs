//! Follows the sockets from look to look and tells what changed.
//!
//! The sampler's thread owns the tracker and feeds it every look one socket at a time; what leaves it are [`Changes`],
//! not tables. A table that could not be read keeps what it had, so that a failed look never reports that everything
//! closed. Sockets come first and owners after: whoever holds a new socket is [`Owners::Sought`] until it is told.

use crate::model::endpoint::{EndpointId, Owners, Protocol, State};
use crate::model::ports::EphemeralRange;
use crate::model::sighting::Sighting;
use crate::model::snapshot::{Problem, has_read};
use book::{Book, Found};
use pool::{OwnersKey, Pool};
use record::{News, Stamp, Status};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

mod book;
mod changes;
mod order;
mod owning;
mod pool;
mod record;
mod relations;
mod telling;

pub use book::Slot;
pub use changes::{Change, Changes};
use relations::Touched;

/// How long a closed socket can still be replaced by one that takes its place; as long as its row stays on the screen.
pub const REPLACEMENT_TIME: Duration = Duration::from_secs(3);

/// The sockets as they were at the last look.
pub struct Tracker {
    book: Book,
    pool: Pool,
    ephemeral: EphemeralRange,
    /// Stamps count from here.
    first: Instant,
    now: Stamp,
    has_told: bool,
    /// What there is to tell of records, each once; a record's `news` says what.
    news: Vec<Slot>,
    touched: Touched,
    closed: Vec<Closed>,
    recently_closed: Vec<(Closed, Instant)>,
    /// The cookies that the last look missed: what the kernel tells of their end may come late.
    departed: HashSet<[u32; 2]>,
    /// Sockets that came and went between two looks.
    passed: Vec<Sighting>,
    sought: Vec<Slot>,
    /// Inodes, or elsewhere pids, that no socket in the book has any more.
    released: Vec<u32>,
}

/// A socket that is gone.
#[derive(Clone, Copy, Debug)]
struct Closed {
    id: EndpointId,
    sighting: Sighting,
}

/// What one look over the tables left out.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    pub problems: Vec<Problem>,
    /// TCP sockets that are only bound were not asked for this time.
    pub is_without_bound: bool,
}

impl Gaps {
    /// Whether the look would have seen this socket.
    fn was_asked(&self, socket: &Sighting) -> bool {
        !(self.is_without_bound && is_bound(socket))
            && has_read(&self.problems, socket.protocol, socket.table)
    }
}

impl Tracker {
    /// The first look is not taken before `start`.
    pub fn new(ephemeral: EphemeralRange, start: Instant) -> Self {
        Self {
            book: Book::default(),
            pool: Pool::default(),
            ephemeral,
            first: start,
            now: Stamp::default(),
            has_told: false,
            news: Vec::new(),
            touched: Touched::default(),
            closed: Vec::new(),
            recently_closed: Vec::new(),
            departed: HashSet::new(),
            passed: Vec::new(),
            sought: Vec::new(),
            released: Vec::new(),
        }
    }

    /// How many sockets there are.
    pub fn len(&self) -> usize {
        self.book.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins a look; every socket is then to be [seen](Self::see) and the look [ended](Self::end).
    pub fn begin(&mut self, at: Instant) {
        self.now = stamp(self.first, at);
        self.book.begin_look();
        self.recently_closed
            .retain(|(_, closed)| at.saturating_duration_since(*closed) < REPLACEMENT_TIME);
    }

    /// Takes in one socket. It is cheapest where sockets come in the order of the look before.
    #[inline]
    pub fn see(&mut self, sighting: &Sighting) {
        match self.book.see(sighting) {
            Found::Same => {}
            Found::New(slot) => self.open(slot),
            Found::Other(slot, before) => self.alter(slot, &before, sighting),
        }
    }

    fn open(&mut self, slot: Slot) {
        let (now, was_before) = (self.now, !self.has_told);
        let Some(record) = self.book.get_mut(slot) else {
            return;
        };
        record.since = now;
        record.state_since = now;
        record.was_before = was_before;
        if record.sighting.mark == 0 {
            record.owners = OwnersKey::NONE;
        } else {
            self.sought.push(slot);
        }
        self.touched.slots.push(slot);
        self.note(slot, News::Opened);
    }

    fn alter(&mut self, slot: Slot, before: &Sighting, after: &Sighting) {
        let now = self.now;
        let mut news = News::Refreshed;
        if before.state != after.state {
            news = News::Changed;
            if let Some(record) = self.book.get_mut(slot) {
                record.state_since = now;
            }
        } else if after.state == Some(State::TimeWait)
            && let Some(record) = self.book.get_mut(slot)
        {
            // How long it lasts counts from when it entered the state.
            record.sighting.queue = before.queue;
        }
        if before.mark != after.mark {
            self.release(before.mark);
            if after.mark == 0 {
                self.own(slot, &Owners::None);
            } else {
                self.sought.push(slot);
            }
        }
        let is_only_queued = Sighting {
            queue: before.queue,
            ..*after
        } == *before;
        if !is_only_queued {
            self.touched.slots.push(slot);
        }
        self.note(slot, news);
    }

    /// Ends a look: what it did not see is gone, unless its table was not read. Of listeners, whose closing nobody may be
    /// told by mistake, `confirm` gives the cookies of those that are there all the same.
    pub fn end(&mut self, gaps: &Gaps, confirm: impl FnOnce(&[Sighting]) -> HashSet<u64>) {
        let mut unseen = self.book.unseen();
        self.rejoin(&mut unseen);
        let (asked, unasked): (Vec<Slot>, Vec<Slot>) = unseen
            .into_iter()
            .partition(|slot| self.sighting(*slot).is_some_and(|one| gaps.was_asked(one)));
        let listeners: Vec<Sighting> = asked
            .iter()
            .filter_map(|slot| self.sighting(*slot))
            .filter(|socket| socket.state == Some(State::Listen))
            .copied()
            .collect();
        let confirmed = if listeners.is_empty() {
            HashSet::new()
        } else {
            confirm(&listeners)
        };
        for slot in asked {
            let cookie = self.sighting(slot).map_or(0, Sighting::cookie);
            if confirmed.contains(&cookie) {
                self.book.keep(slot);
            } else {
                self.close(slot);
            }
        }
        for slot in unasked {
            self.book.keep(slot);
        }
    }

    /// A socket that gained or lost its other end stands elsewhere in the book; its cookie tells that it is the same.
    fn rejoin(&mut self, unseen: &mut Vec<Slot>) {
        if unseen.is_empty() {
            return;
        }
        let cookies: HashMap<[u32; 2], Slot> = unseen
            .iter()
            .filter_map(|slot| Some((self.sighting(*slot)?.cookie, *slot)))
            .filter(|(cookie, _)| *cookie != [0, 0])
            .collect();
        let came: Vec<(Slot, Sighting)> = self
            .news
            .iter()
            .filter_map(|slot| Some((*slot, self.book.get(*slot)?)))
            .filter(|(_, record)| record.news == News::Opened)
            .map(|(slot, record)| (slot, record.sighting))
            .collect();
        let mut rejoined: HashSet<Slot> = HashSet::new();
        let mut settled: HashSet<Slot> = HashSet::new();
        for (slot, sighting) in came {
            let old = cookies.get(&sighting.cookie).copied();
            let Some((old, before)) = old.and_then(|old| Some((old, self.book.remove(old)?)))
            else {
                continue;
            };
            rejoined.insert(old);
            let is_same_mark = before.sighting.mark == sighting.mark;
            if is_same_mark {
                settled.insert(slot);
            } else {
                self.pool.give_back(before.owners);
                self.release(before.sighting.mark);
            }
            self.touched.closed.push(before.sighting);
            if let Some(renewed) = self.book.get_mut(slot) {
                renewed.since = before.since;
                renewed.was_before = before.was_before;
                if is_same_mark {
                    renewed.owners = before.owners;
                }
                renewed.status = before.status;
                renewed.news = News::Changed;
            }
        }
        unseen.retain(|slot| !rejoined.contains(slot));
        self.sought.retain(|slot| !settled.contains(slot));
    }

    fn close(&mut self, slot: Slot) {
        let Some(record) = self.book.remove(slot) else {
            return;
        };
        self.pool.give_back(record.owners);
        let sighting = record.sighting;
        self.release(sighting.mark);
        self.touched.closed.push(sighting);
        if record.status == Status::Own {
            return;
        }
        self.closed.push(Closed {
            id: sighting.id(record.ordinal.into()),
            sighting,
        });
    }

    /// Takes in sockets that the kernel told to have closed since the last look: those that no look ever had have passed.
    /// One that enters TIME_WAIT is told too, but has its row still.
    pub fn pass(&mut self, destroyed: Vec<Sighting>) {
        let departed = std::mem::take(&mut self.departed);
        if !self.has_told {
            // What stood there before the first look is no event, and neither is its end.
            self.departed.extend(destroyed.iter().map(|one| one.cookie));
            return;
        }
        let closed = self.closed.iter().map(|closed| closed.sighting.cookie);
        self.departed.extend(closed);
        if destroyed.is_empty() {
            return;
        }
        let told: HashSet<[u32; 2]> = destroyed.iter().map(|one| one.cookie).collect();
        let listed = self.book.each().map(|(_, record)| record.sighting.cookie);
        let mut known: HashSet<[u32; 2]> = listed
            .chain(departed)
            .chain(self.departed.iter().copied())
            .filter(|cookie| told.contains(cookie))
            .collect();
        let is_news = |one: &Sighting| {
            one.has_cookie() && known.insert(one.cookie) && !self.is_left_waiting(one)
        };
        let passed: Vec<Sighting> = destroyed.into_iter().filter(is_news).collect();
        self.passed.extend(passed);
    }

    /// Whether the kernel keeps the connection of a socket that closed, under another cookie: it gives a socket one only
    /// when somebody asks, so one that no look ever had comes to TIME_WAIT without (`inet_twsk_alloc` in
    /// net/ipv4/inet_timewait_sock.c), where it may also wait as FIN_WAIT2.
    fn is_left_waiting(&self, closed: &Sighting) -> bool {
        let slot = self
            .book
            .connection(closed.protocol, closed.local, closed.remote);
        let left = slot.and_then(|slot| self.sighting(slot));
        left.is_some_and(|left| {
            left.mark == 0 && matches!(left.state, Some(State::TimeWait | State::FinWait2))
        })
    }

    fn release(&mut self, mark: u32) {
        if mark != 0 {
            self.released.push(mark);
        }
    }

    fn note(&mut self, slot: Slot, news: News) {
        let Some(record) = self.book.get_mut(slot) else {
            return;
        };
        if record.status == Status::Own {
            return;
        }
        if record.news == News::None {
            self.news.push(slot);
        }
        record.news = record.news.max(news);
    }
}

fn is_bound(socket: &Sighting) -> bool {
    socket.protocol == Protocol::Tcp && socket.state == Some(State::Bound)
}

fn stamp(first: Instant, at: Instant) -> Stamp {
    let hundredths = at.saturating_duration_since(first).as_millis() / 10;
    Stamp(u32::try_from(hundredths).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
