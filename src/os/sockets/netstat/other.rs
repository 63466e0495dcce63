//! netstat2 where it reports the pids of the owners.

use crate::model::socket::{OwnerHint, RawSocket};
use netstat2::SocketInfo;

pub use super::read_table as read;
pub use netstat2::iterate_sockets_info as iterate;

pub fn uid(_socket: &SocketInfo) -> u32 {
    RawSocket::NO_USER
}

/// One hint for each owner, or a single `None`. Windows reports pid 0 if no process has the socket.
pub fn owner_hints(socket: &SocketInfo) -> Vec<Option<OwnerHint>> {
    let hints = socket.associated_pids.iter().copied().map(OwnerHint::new);
    let mut hints: Vec<_> = hints.flatten().map(Some).collect();
    if hints.is_empty() {
        hints.push(None);
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use netstat2::{ProtocolSocketInfo, UdpSocketInfo};
    use std::net::Ipv4Addr;

    #[test]
    fn a_socket_is_reported_once_per_owner_or_once_without_any() {
        let cases: [(&[u32], _); 4] = [
            (&[], vec![None]),
            (&[0], vec![None]),
            (&[7], vec![OwnerHint::new(7)]),
            (&[7, 0, 9], vec![OwnerHint::new(7), OwnerHint::new(9)]),
        ];
        for (pids, expected) in cases {
            let socket = SocketInfo {
                protocol_socket_info: ProtocolSocketInfo::Udp(UdpSocketInfo {
                    local_addr: Ipv4Addr::LOCALHOST.into(),
                    local_port: 80,
                }),
                associated_pids: pids.to_vec(),
            };
            assert_eq!(owner_hints(&socket), expected);
        }
    }
}
