//! Connections that the kernel has reported as destroyed and that still have a row, in TIME_WAIT or FIN_WAIT2.

use crate::model::socket::{RawSocket, State};
use crate::tracker::socket_table::SocketTable;
use hashbrown::HashMap;

/// The rows whose destroyed connection was found: the cookie of each, and that of the connection.
#[derive(Default)]
pub struct WaitingConnections {
    rows: HashMap<[u32; 2], [u32; 2]>,
}

impl WaitingConnections {
    /// Returns these sockets, in the same order, without those that still have a row.
    ///
    /// Of several connections with the same ends, which follow one another where a client takes the same port again, only
    /// the last one can be the one that waits; each row stands for one of them.
    pub fn without_waiting(
        &mut self,
        table: &SocketTable,
        mut destroyed: Vec<RawSocket>,
    ) -> Vec<RawSocket> {
        destroyed.reverse();
        destroyed.retain(|one| {
            let row = waiting_row(table, one);
            row.is_none_or(|row| *self.rows.entry(row).or_insert(one.cookie) != one.cookie)
        });
        destroyed.reverse();
        destroyed
    }

    /// Forgets a row that closed.
    pub fn forget(&mut self, row: [u32; 2]) {
        self.rows.remove(&row);
    }
}

/// Returns the cookie of the row in TIME_WAIT or FIN_WAIT2 that has the same ends: the kernel assigns cookies on demand, so
/// a connection that no poll saw enters TIME_WAIT without one (`inet_twsk_alloc` in net/ipv4/inet_timewait_sock.c).
fn waiting_row(table: &SocketTable, destroyed: &RawSocket) -> Option<[u32; 2]> {
    let RawSocket {
        protocol,
        local,
        remote,
        interface,
        ..
    } = *destroyed;
    let slot = table.connection(protocol, local, remote, interface)?;
    let row = table.raw_socket(slot)?;
    let is_waiting =
        row.owner_hint.is_none() && matches!(row.state, Some(State::TimeWait | State::FinWait2));
    is_waiting.then_some(row.cookie)
}

#[cfg(test)]
mod tests {
    use super::super::ClosedSockets;
    use super::*;
    use crate::model::socket::{CompactAddr, Family, Protocol, SocketQueue};
    use crate::tracker::socket_table::Observed;

    #[test]
    fn a_row_that_closed_is_forgotten() {
        let destroyed = RawSocket {
            cookie: [1, 0],
            protocol: Protocol::Tcp,
            table: Family::Ipv4,
            state: Some(State::Established),
            v6only: None,
            local: CompactAddr::v4([127, 0, 0, 1], 3000),
            remote: CompactAddr::v4([127, 0, 0, 1], 50000),
            interface: 0,
            owner_hint: None,
            uid: 0,
            queue: SocketQueue {
                incoming: 0,
                outgoing: 0,
            },
        };
        let row = RawSocket {
            cookie: [2, 0],
            state: Some(State::TimeWait),
            ..destroyed
        };
        let (mut table, mut closed) = (SocketTable::default(), ClosedSockets::default());
        table.begin_poll();
        let Observed::New(slot) = table.observe(&row) else {
            panic!("a new row");
        };
        assert_eq!(closed.short_lived(&table, vec![destroyed], true), []);
        assert_eq!(closed.waiting.rows.len(), 1);
        closed.push(table.remove(slot).expect("the row"));
        assert!(closed.waiting.rows.is_empty());
    }
}
