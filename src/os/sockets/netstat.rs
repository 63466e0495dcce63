//! One socket table by netstat2.
//!
//! netstat2 knows neither states nor remote ends of UDP sockets, nor whether `::` takes IPv4 too.

use crate::model::address::Family;
use crate::model::endpoint::{Protocol, State};
use crate::model::raw_socket::{CompactAddr, RawSocket, SocketQueue};
use crate::os::Error;
use netstat2::{AddressFamilyFlags, ProtocolFlags, ProtocolSocketInfo, SocketInfo, TcpState};
use std::net::{IpAddr, SocketAddr};

/// Tells every socket of a table; an error ends it before its end.
///
/// Nothing is asked of netstat2 after its first error: on Linux the next read might wait for ever.
pub fn table(
    protocol: Protocol,
    family: Family,
    emit: &mut impl FnMut(&RawSocket),
) -> Result<(), Error> {
    for socket in open(protocol, family).map_err(Error::Netstat)? {
        let socket = socket.map_err(Error::Netstat)?;
        if let Some(raw_socket) = raw_socket(&socket, family) {
            for owner_hint in owner_hints(&socket) {
                emit(&RawSocket {
                    owner_hint,
                    ..raw_socket
                });
            }
        }
    }
    Ok(())
}

type SocketIter = Result<
    Box<dyn Iterator<Item = Result<SocketInfo, netstat2::error::Error>>>,
    netstat2::error::Error,
>;

/// Without the holders on Linux, which `holders` finds once for all tables.
fn open(protocol: Protocol, family: Family) -> SocketIter {
    let family = match family {
        Family::Ipv4 => AddressFamilyFlags::IPV4,
        Family::Ipv6 => AddressFamilyFlags::IPV6,
    };
    let protocol = match protocol {
        Protocol::Tcp => ProtocolFlags::TCP,
        Protocol::Udp => ProtocolFlags::UDP,
    };
    #[cfg(target_os = "linux")]
    let sockets = netstat2::iterate_sockets_info_without_pids(family, protocol)?;
    #[cfg(not(target_os = "linux"))]
    let sockets = netstat2::iterate_sockets_info(family, protocol)?;
    Ok(Box::new(sockets))
}

/// A socket without a port holds nothing and is no row. Whose it is, is told by its marks.
fn raw_socket(socket: &SocketInfo, table: Family) -> Option<RawSocket> {
    let local = end(socket.local_addr(), socket.local_port());
    if local.port() == 0 {
        return None;
    }
    let (protocol, remote, state) = match &socket.protocol_socket_info {
        ProtocolSocketInfo::Udp(_) => (Protocol::Udp, CompactAddr::NONE, None),
        ProtocolSocketInfo::Tcp(tcp) => {
            let remote = Some(end(tcp.remote_addr, tcp.remote_port)).filter(|end| end.is_some());
            let state = state(tcp.state, remote.is_some());
            (Protocol::Tcp, remote.unwrap_or(CompactAddr::NONE), state)
        }
    };
    Some(RawSocket {
        cookie: [0, 0],
        protocol,
        table,
        state,
        only_v6: None,
        local,
        remote,
        scope: 0,
        owner_hint: 0,
        uid: uid(socket),
        queue: SocketQueue::UNKNOWN,
    })
}

#[cfg(target_os = "linux")]
fn uid(socket: &SocketInfo) -> u32 {
    socket.uid
}

#[cfg(not(target_os = "linux"))]
fn uid(_socket: &SocketInfo) -> u32 {
    RawSocket::NO_USER
}

/// The inode.
#[cfg(target_os = "linux")]
fn owner_hints(socket: &SocketInfo) -> impl Iterator<Item = u32> {
    std::iter::once(socket.inode)
}

#[cfg(not(target_os = "linux"))]
fn owner_hints(socket: &SocketInfo) -> impl Iterator<Item = u32> {
    pids_or_none(&socket.associated_pids)
}

/// Each holder, or the 0 of none. Pid 0 is how Windows says that no process has the socket.
#[cfg(any(test, not(target_os = "linux")))]
fn pids_or_none(pids: &[u32]) -> impl Iterator<Item = u32> {
    let known = pids.iter().copied().filter(|pid| *pid != 0);
    let none = known.clone().next().is_none().then_some(0);
    known.chain(none)
}

fn end(ip: IpAddr, port: u16) -> CompactAddr {
    SocketAddr::new(ip, port).into()
}

/// A closed socket that has a port and no remote end is what is called bound.
fn state(state: TcpState, has_remote: bool) -> Option<State> {
    Some(match state {
        TcpState::Closed | TcpState::DeleteTcb if has_remote => State::Closed,
        TcpState::Closed | TcpState::DeleteTcb => State::Bound,
        TcpState::Listen => State::Listen,
        TcpState::SynSent => State::SynSent,
        TcpState::SynReceived => State::SynRecv,
        TcpState::Established => State::Established,
        TcpState::FinWait1 => State::FinWait1,
        TcpState::FinWait2 => State::FinWait2,
        TcpState::CloseWait => State::CloseWait,
        TcpState::Closing => State::Closing,
        TcpState::LastAck => State::LastAck,
        TcpState::TimeWait => State::TimeWait,
        TcpState::Unknown => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_reported_once_per_owner_or_once_without_any() {
        let seen =
            [&[][..], &[0], &[7], &[7, 0, 9]].map(|pids| pids_or_none(pids).collect::<Vec<_>>());
        assert_eq!(seen, [vec![0], vec![0], vec![7], vec![7, 9]]);
    }
}
