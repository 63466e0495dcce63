//! Turns tracked sockets into endpoints.

use super::owner_pool::OwnerPool;
use super::peers;
use super::socket_table::SocketTable;
use super::tracked_socket::{Centiseconds, TrackedSocket};
use crate::model::process::Process;
use crate::model::socket::{Endpoint, Owners, QueueOrTimer, RawSocket, Relation, Since, Socket};
use crate::model::text::SystemText;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What an endpoint is made from, beside its own record.
pub struct EndpointSource<'t> {
    pub table: &'t SocketTable,
    pub owner_pool: &'t OwnerPool,
    /// Start of the tracker, from which [`Centiseconds`] count.
    pub start: Instant,
}

impl EndpointSource<'_> {
    /// Returns the endpoint of a socket; `user` names its user.
    pub fn endpoint(
        &self,
        tracked: &TrackedSocket,
        user: &mut impl FnMut(u32) -> Option<SystemText>,
    ) -> Endpoint {
        let since = self.instant(tracked.since);
        Endpoint {
            socket: self.socket(tracked, user),
            since: if tracked.is_initial {
                Since::Before(since)
            } else {
                Since::Opened(since)
            },
            state_since: self.instant(tracked.state_since),
            relation: Relation {
                role: tracked.peer.role,
                is_local: tracked.peer.is_local,
                peer: self.peer(tracked),
                shares_port: tracked.peer.shares_port,
            },
        }
    }

    fn socket(
        &self,
        tracked: &TrackedSocket,
        user: &mut impl FnMut(u32) -> Option<SystemText>,
    ) -> Socket {
        let raw_socket = &tracked.raw_socket;
        let owners = self.owner_pool.get(tracked.owners).clone();
        let known = Some(raw_socket.uid).filter(|uid| *uid != RawSocket::NO_USER);
        // Without an owner the kernel reports uid 0, which does not mean root.
        let uid = match &owners {
            Owners::NoProcess => None,
            Owners::Pending | Owners::NoPermission => known,
            Owners::Known(processes) => known.or_else(|| processes.first()?.uid),
        };
        Socket {
            id: tracked.id(),
            protocol: raw_socket.protocol,
            table: raw_socket.table,
            local: raw_socket.local(),
            remote: raw_socket.remote(),
            state: raw_socket.state,
            v6only: raw_socket.v6only,
            uid,
            user: uid.and_then(user),
            owners,
            queue_or_timer: self.queue_or_timer(tracked),
        }
    }

    /// The time left in TIME_WAIT is that of the poll that first saw the state.
    fn queue_or_timer(&self, tracked: &TrackedSocket) -> QueueOrTimer {
        let raw_socket = &tracked.raw_socket;
        match (raw_socket.time_wait_left(), raw_socket.queue()) {
            (Some(left), _) => {
                QueueOrTimer::TimeWaitUntil(self.instant(tracked.state_since) + left)
            }
            (None, Some(queue)) => QueueOrTimer::Queue(queue),
            (None, None) => QueueOrTimer::Unknown,
        }
    }

    /// The process at the other end, if it is on this machine and can be seen.
    fn peer(&self, tracked: &TrackedSocket) -> Option<Arc<Process>> {
        let other = peers::other_end(self.table, &tracked.raw_socket)?;
        let owners = self.owner_pool.get(self.table.get(other)?.owners);
        owners.first().cloned()
    }

    fn instant(&self, time: Centiseconds) -> Instant {
        self.start + Duration::from_millis(u64::from(time.0) * 10)
    }
}
