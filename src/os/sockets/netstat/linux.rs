//! netstat2 on Linux, which reports inodes and uids.

use super::super::sockstat;
use super::read_table;
use crate::model::socket::{Family, OwnerHint, Protocol, RawSocket};
use crate::os::Error;
use netstat2::error::Error as NetstatError;
use netstat2::{AddressFamilyFlags, ProtocolFlags, SocketInfo};

/// Emits every socket of a table.
///
/// netstat2 takes a refusal of the kernel for the end of the table. So an empty table is compared with the kernel's own
/// count, and read once more in case its sockets closed or opened meanwhile.
pub fn read(
    protocol: Protocol,
    family: Family,
    emit: &mut impl FnMut(&RawSocket),
) -> Result<(), Error> {
    if family == Family::Ipv6 && !sockstat::has_ipv6() {
        return Ok(());
    }
    let mut counted = 0;
    for _ in 0..2 {
        let mut is_empty = true;
        read_table(protocol, family, &mut |socket| {
            is_empty = false;
            emit(socket);
        })?;
        if !is_empty {
            return Ok(());
        }
        counted = sockstat::in_use(protocol, family).unwrap_or(0);
        if counted == 0 {
            return Ok(());
        }
    }
    Err(Error::EmptyTable { counted })
}

/// Without owners, which would be searched for in each table.
pub fn iterate(
    families: AddressFamilyFlags,
    protocols: ProtocolFlags,
) -> Result<impl Iterator<Item = Result<SocketInfo, NetstatError>>, NetstatError> {
    netstat2::iterate_sockets_info_without_pids(families, protocols)
}

pub fn uid(socket: &SocketInfo) -> u32 {
    socket.uid
}

pub fn owner_hints(socket: &SocketInfo) -> [Option<OwnerHint>; 1] {
    [OwnerHint::new(socket.inode)]
}
