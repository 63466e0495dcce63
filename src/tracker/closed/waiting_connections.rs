//! Connections that the kernel has reported as destroyed and that still have a row, in TIME_WAIT or FIN_WAIT2.

use crate::model::socket::{RawSocket, State};
use crate::tracker::socket_table::SocketTable;
use hashbrown::{HashMap, HashSet};

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
        self.forget_closed(table);
        destroyed.reverse();
        destroyed.retain(|one| {
            let row = waiting_row(table, one);
            row.is_none_or(|row| *self.rows.entry(row).or_insert(one.cookie) != one.cookie)
        });
        destroyed.reverse();
        destroyed
    }

    fn forget_closed(&mut self, table: &SocketTable) {
        if self.rows.is_empty() {
            return;
        }
        let open: HashSet<[u32; 2]> = table
            .each()
            .map(|(_, tracked)| tracked.raw_socket.cookie)
            .filter(|cookie| self.rows.contains_key(cookie))
            .collect();
        self.rows.retain(|row, _| open.contains(row));
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
