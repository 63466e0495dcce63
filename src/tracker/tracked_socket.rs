//! One socket of the socket table.

use super::owner_pool::OwnersKey;
use crate::model::socket::{EndpointId, RawSocket, SocketRole};

/// Index of a socket in the table; reused once that socket is gone. The default is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(pub(super) u32);

impl Default for SlotId {
    fn default() -> Self {
        Self::NONE
    }
}

impl SlotId {
    pub const NONE: Self = Self(u32::MAX);

    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub struct TrackedSocket {
    pub raw_socket: RawSocket,
    /// When it was first seen.
    pub since: Centiseconds,
    /// When it was first seen in its current state.
    pub state_since: Centiseconds,
    pub owners: OwnersKey,
    /// The socket that followed it in the last poll.
    pub next: SlotId,
    /// The last poll that saw it.
    pub seen: u8,
    /// Numbers the sockets that are otherwise equal.
    pub ordinal: u8,
    pub status: SlotStatus,
    pub pending: PendingChange,
    /// True if the first poll saw it.
    pub is_initial: bool,
    pub relation: SocketRelation,
}

/// What a socket is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketRelation {
    pub role: SocketRole,
    pub is_local: bool,
    pub shares_port: bool,
}

/// Hundredths of a second since the tracker started; lasts 497 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Centiseconds(pub u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotStatus {
    Free,
    InUse,
    /// A socket of portmon itself, which is never shown.
    OwnSocket,
}

/// Change of a socket that was not emitted yet, the least important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PendingChange {
    None,
    Refreshed,
    Changed,
    Opened,
}

impl TrackedSocket {
    pub fn new(raw_socket: &RawSocket) -> Self {
        Self {
            raw_socket: *raw_socket,
            since: Centiseconds::default(),
            state_since: Centiseconds::default(),
            owners: OwnersKey::PENDING,
            next: SlotId::NONE,
            seen: 0,
            ordinal: 0,
            status: SlotStatus::InUse,
            pending: PendingChange::None,
            is_initial: false,
            relation: SocketRelation {
                role: SocketRole::Unknown,
                is_local: false,
                shares_port: false,
            },
        }
    }

    pub fn id(&self) -> EndpointId {
        self.raw_socket.id(self.ordinal.into())
    }

    /// True if both are the same socket, in whatever state. Equal ones without a cookie are told apart by their order.
    #[inline]
    pub fn is_same_socket(&self, other: &RawSocket) -> bool {
        let own = &self.raw_socket;
        if self.status == SlotStatus::Free {
            return false;
        }
        if other.has_cookie() || own.has_cookie() {
            return own.cookie == other.cookie;
        }
        let ends = |socket: &RawSocket| {
            (
                socket.protocol,
                socket.local,
                socket.remote,
                socket.interface,
            )
        };
        ends(own) == ends(other) && (other.remote.is_some() || own.owner_hint == other.owner_hint)
    }
}
