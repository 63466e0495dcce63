//! One socket table read by netstat2, which knows neither states nor remote ends of UDP sockets, nor whether `::` takes
//! IPv4.

use crate::model::socket::{CompactAddr, Family, Protocol, RawSocket, SocketQueue, State};
use crate::os::Error;
use crate::os::sockets::KernelTable;
use netstat2::{AddressFamilyFlags, ProtocolFlags, ProtocolSocketInfo, SocketInfo, TcpState};
use std::net::{IpAddr, SocketAddr};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod system;

pub use system::read;

/// Emits every socket of a table.
///
/// The first error ends it: on Linux the next read of netstat2 might block for ever.
pub fn read_table(
    (protocol, family): KernelTable,
    emit: &mut dyn FnMut(&RawSocket),
) -> Result<(), Error> {
    let protocols = match protocol {
        Protocol::Tcp => ProtocolFlags::TCP,
        Protocol::Udp => ProtocolFlags::UDP,
    };
    let families = match family {
        Family::Ipv4 => AddressFamilyFlags::IPV4,
        Family::Ipv6 => AddressFamilyFlags::IPV6,
    };
    for socket in system::iterate(families, protocols).map_err(Error::Netstat)? {
        let socket = socket.map_err(Error::Netstat)?;
        if let Some(raw_socket) = raw_socket(&socket, family) {
            for owner_hint in system::owner_hints(&socket) {
                emit(&RawSocket {
                    owner_hint,
                    ..raw_socket
                });
            }
        }
    }
    Ok(())
}

/// The socket without its owner hint; `None` without a local port, because it holds nothing.
fn raw_socket(socket: &SocketInfo, table: Family) -> Option<RawSocket> {
    let local = address(socket.local_addr(), socket.local_port());
    if local.port() == 0 {
        return None;
    }
    let (protocol, remote, state) = match &socket.protocol_socket_info {
        ProtocolSocketInfo::Udp(_) => (Protocol::Udp, CompactAddr::NONE, None),
        ProtocolSocketInfo::Tcp(tcp) => {
            let remote = address(tcp.remote_addr, tcp.remote_port);
            let state = state(tcp.state, remote.is_some());
            (Protocol::Tcp, remote.or_none(), state)
        }
    };
    Some(RawSocket {
        cookie: [0, 0],
        protocol,
        table,
        state,
        v6only: None,
        local,
        remote,
        interface: 0,
        owner_hint: None,
        uid: system::uid(socket),
        queue: SocketQueue::UNKNOWN,
    })
}

fn address(ip: IpAddr, port: u16) -> CompactAddr {
    SocketAddr::new(ip, port).into()
}

/// A closed socket with a port and without a remote end is bound.
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
