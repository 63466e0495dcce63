//! One socket table by netstat2.
//!
//! netstat2 knows neither states nor remote ends of UDP sockets, nor whether `::` takes IPv4 too.

use super::rows::Row;
use crate::model::address::{Family, canonical};
use crate::model::endpoint::{Protocol, State};
use crate::os::Error;
use netstat2::{AddressFamilyFlags, ProtocolFlags, ProtocolSocketInfo, SocketInfo, TcpState};
use std::net::{IpAddr, SocketAddr};

/// The rows of a table, and the error that ended it before its end.
///
/// Nothing is asked of netstat2 after its first error: on Linux the next read might wait for ever.
pub fn table(protocol: Protocol, family: Family) -> (Vec<Row>, Option<Error>) {
    let mut rows = Vec::new();
    let sockets = match open(protocol, family) {
        Ok(sockets) => sockets,
        Err(error) => return (rows, Some(Error::Netstat(error))),
    };
    for socket in sockets {
        match socket {
            Ok(socket) => rows.extend(row(&socket, family)),
            Err(error) => return (rows, Some(Error::Netstat(error))),
        }
    }
    (rows, None)
}

type Answers = Result<
    Box<dyn Iterator<Item = Result<SocketInfo, netstat2::error::Error>>>,
    netstat2::error::Error,
>;

/// Without the holders on Linux, which `holders` finds once for all tables.
fn open(protocol: Protocol, family: Family) -> Answers {
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

/// A socket without a port holds nothing and is no row.
fn row(socket: &SocketInfo, table: Family) -> Option<Row> {
    let local = end(socket.local_addr(), socket.local_port());
    if local.port() == 0 {
        return None;
    }
    let (protocol, remote, state) = match &socket.protocol_socket_info {
        ProtocolSocketInfo::Udp(_) => (Protocol::Udp, None, None),
        ProtocolSocketInfo::Tcp(tcp) => {
            let remote = Some(end(tcp.remote_addr, tcp.remote_port))
                .filter(|remote| remote.port() != 0 && !remote.ip().is_unspecified());
            (Protocol::Tcp, remote, state(tcp.state, remote.is_some()))
        }
    };
    let (inode, uid) = kernels_own(socket);
    Some(Row {
        protocol,
        table,
        local,
        remote,
        state,
        inode,
        uid,
        pids: pids(socket),
    })
}

/// Inode and user.
#[cfg(target_os = "linux")]
fn kernels_own(socket: &SocketInfo) -> (Option<u64>, Option<u32>) {
    (Some(socket.inode.into()), Some(socket.uid))
}

#[cfg(not(target_os = "linux"))]
fn kernels_own(_socket: &SocketInfo) -> (Option<u64>, Option<u32>) {
    (None, None)
}

/// Pid 0 is how Windows says that no process has the socket.
fn pids(socket: &SocketInfo) -> Vec<crate::model::process::Pid> {
    let pids = socket.associated_pids.iter().copied();
    pids.filter(|pid| *pid != 0)
        .map(crate::model::process::Pid)
        .collect()
}

fn end(ip: IpAddr, port: u16) -> SocketAddr {
    canonical(SocketAddr::new(ip, port))
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
