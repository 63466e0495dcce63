//! netstat2 on Linux, which reports inodes and uids.

use super::read_table;
use crate::model::socket::{Family, OwnerHint, RawSocket};
use crate::os::Error;
use crate::os::sockets::{KernelTable, procnet};
use netstat2::SocketInfo;

/// Without owners, which would be searched for in each table.
pub use netstat2::iterate_sockets_info_without_pids as iterate;

/// Emits every socket of a table.
///
/// netstat2 takes a refusal of the kernel for the end of the table. So an empty table is compared with the kernel's own
/// count, and read once more in case its sockets closed or opened meanwhile.
pub fn read(table: KernelTable, emit: &mut dyn FnMut(&RawSocket)) -> Result<(), Error> {
    if table.1 == Family::Ipv6 && !procnet::has_ipv6(table.0) {
        return Ok(());
    }
    let mut counted = 0;
    for _ in 0..2 {
        let mut is_empty = true;
        read_table(table, &mut |socket| {
            is_empty = false;
            emit(socket);
        })?;
        if !is_empty {
            return Ok(());
        }
        counted = procnet::in_use(table).unwrap_or(0);
        if counted == 0 {
            return Ok(());
        }
    }
    Err(Error::EmptyTable { counted })
}

pub fn uid(socket: &SocketInfo) -> u32 {
    socket.uid
}

pub fn owner_hints(socket: &SocketInfo) -> [Option<OwnerHint>; 1] {
    [OwnerHint::new(socket.inode)]
}
