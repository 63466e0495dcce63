//! One socket in the book.

use super::book::Slot;
use super::pool::OwnersKey;
use crate::model::endpoint::Side;
use crate::model::sighting::Sighting;

#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub sighting: Sighting,
    /// When it was first seen, and first seen in its state.
    pub since: Stamp,
    pub state_since: Stamp,
    pub owners: OwnersKey,
    /// What came after it in the last look.
    pub next: Slot,
    /// The look that saw it last.
    pub seen: u8,
    /// Counts the sockets that nothing else tells apart.
    pub ordinal: u8,
    pub status: Status,
    pub news: News,
    /// Whether it stood there at the first look.
    pub was_before: bool,
    pub side: Side,
    pub is_local: bool,
    pub shares_number: bool,
}

/// Hundredths of a second since the first look, for 497 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp(pub u32);

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody's: the slot is free.
    Free,
    Listed,
    /// The program's own socket, which is no row.
    Own,
}

/// What is to be told of a record, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    None,
    Refreshed,
    Changed,
    Opened,
}

impl Record {
    /// A socket of which nothing else is known.
    pub fn new(sighting: &Sighting) -> Self {
        Self {
            sighting: *sighting,
            since: Stamp::default(),
            state_since: Stamp::default(),
            owners: OwnersKey::SOUGHT,
            next: Slot::NONE,
            seen: 0,
            ordinal: 0,
            status: Status::Listed,
            news: News::None,
            was_before: false,
            side: if sighting.stands() {
                Side::Standing
            } else {
                Side::Unknown
            },
            is_local: sighting.stands(),
            shares_number: false,
        }
    }

    /// Whether this is the socket that was sighted, whatever its state; equals without a cookie are told apart by order.
    #[inline]
    pub fn is_of(&self, sighting: &Sighting) -> bool {
        let own = &self.sighting;
        if self.status == Status::Free {
            return false;
        }
        if sighting.has_cookie() || own.has_cookie() {
            return own.cookie == sighting.cookie;
        }
        let ends = |socket: &Sighting| (socket.protocol, socket.local, socket.remote, socket.scope);
        ends(own) == ends(sighting) && (sighting.remote.is_some() || own.mark == sighting.mark)
    }
}
