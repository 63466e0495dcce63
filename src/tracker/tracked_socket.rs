//! One socket in the book.

use super::owner_pool::OwnersKey;
use super::socket_table::SlotId;
use crate::model::endpoint::SocketRole;
use crate::model::raw_socket::RawSocket;

#[derive(Clone, Copy, Debug)]
pub struct TrackedSocket {
    pub raw_socket: RawSocket,
    /// When it was first seen, and first seen in its state.
    pub since: Centiseconds,
    pub state_since: Centiseconds,
    pub owners: OwnersKey,
    /// What came after it in the last look.
    pub next: SlotId,
    /// The look that saw it last.
    pub seen: u8,
    /// Counts the sockets that nothing else tells apart.
    pub ordinal: u8,
    pub status: SlotStatus,
    pub pending: PendingChange,
    /// Whether it stood there at the first look.
    pub is_initial: bool,
    pub role: SocketRole,
    pub is_local: bool,
    pub shares_port: bool,
}

/// Hundredths of a second since the first look, for 497 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Centiseconds(pub u32);

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotStatus {
    /// Nobody's: the slot is free.
    Free,
    Listed,
    /// The program's own socket, which is no row.
    OwnSocket,
}

/// What is to be told of a record, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PendingChange {
    None,
    Refreshed,
    Changed,
    Opened,
}

impl TrackedSocket {
    /// A socket of which nothing else is known.
    pub fn new(raw_socket: &RawSocket) -> Self {
        Self {
            raw_socket: *raw_socket,
            since: Centiseconds::default(),
            state_since: Centiseconds::default(),
            owners: OwnersKey::PENDING,
            next: SlotId::NONE,
            seen: 0,
            ordinal: 0,
            status: SlotStatus::Listed,
            pending: PendingChange::None,
            is_initial: false,
            role: if raw_socket.holds_port() {
                SocketRole::Unconnected
            } else {
                SocketRole::Unknown
            },
            is_local: raw_socket.holds_port(),
            shares_port: false,
        }
    }

    /// Whether this is the socket that was sighted, whatever its state; equals without a cookie are told apart by order.
    #[inline]
    pub fn is_same_socket(&self, raw_socket: &RawSocket) -> bool {
        let own = &self.raw_socket;
        if self.status == SlotStatus::Free {
            return false;
        }
        if raw_socket.has_cookie() || own.has_cookie() {
            return own.cookie == raw_socket.cookie;
        }
        let ends =
            |socket: &RawSocket| (socket.protocol, socket.local, socket.remote, socket.scope);
        ends(own) == ends(raw_socket)
            && (raw_socket.remote.is_some() || own.owner_hint == raw_socket.owner_hint)
    }
}
