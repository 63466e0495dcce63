//! Interfaces of Linux: names by ioctl(2) (netdevice(7)), addresses by netlink (rtnetlink(7)).
#![expect(
    unsafe_code,
    reason = "rustix does not offer SO_BINDTOIFINDEX, and libc only as unsafe"
)]

use crate::model::socket::Interface;
use crate::os::sockets::diag::{NetlinkMessage, NetlinkMessages, attribute};
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::io::retry_on_intr;
use rustix::net::netdevice::{index_to_name, name_to_index};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{connect, recv, send, socket_with};
use std::io;
use std::net::IpAddr;
use std::os::raw::c_int;
use std::time::Duration;

/// `LOOPBACK_IFINDEX` of include/net/flow.h: in every network namespace.
const LOOPBACK: u32 = 1;

/// The kernel never fills a larger buffer (`netlink_recvmsg`).
const BUFFER: usize = 32 * 1024;

/// Longest time that the kernel may take for a part of its reply.
const RECV_TIMEOUT: Duration = Duration::from_secs(1);

/// include/uapi/linux/netlink.h and rtnetlink.h.
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;

/// include/uapi/linux/if_addr.h: the address of the other end on a point-to-point link, and the local one if both differ.
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;

/// Size of `struct ifaddrmsg`.
const ADDRESS_HEADER: usize = 8;

/// Reads what is known of these interfaces, the addresses of all of them at once.
pub fn describe(indices: &[u32]) -> Vec<Interface> {
    if indices.is_empty() {
        return Vec::new();
    }
    let socket = any_socket();
    let all = addresses().unwrap_or_default();
    let describe = |index: &u32| {
        let own = all.iter().filter(|(owner, _)| owner == index);
        let name = socket.as_ref();
        let name = name.and_then(|socket| index_to_name(socket, *index).ok());
        Interface {
            index: *index,
            name: name.map(|name| name.as_str().into()),
            is_loopback: *index == LOOPBACK,
            addresses: own.map(|(_, ip)| *ip).collect(),
        }
    };
    indices.iter().map(describe).collect()
}

/// Returns the index of an interface by its name, or checks an index.
pub fn index(name: &str) -> Option<u32> {
    let socket = any_socket()?;
    if let Ok(index) = name_to_index(&socket, name) {
        return Some(index);
    }
    let index = name.parse().ok()?;
    index_to_name(&socket, index).is_ok().then_some(index)
}

/// Binds a socket to an interface (SO_BINDTODEVICE of socket(7), by its index), for which Linux 5.7 asks no privilege.
pub fn bind_to(socket: &impl AsFd, index: u32) -> io::Result<()> {
    let index = c_int::try_from(index).map_err(io::Error::other)?;
    let length = libc::socklen_t::try_from(size_of_val(&index)).map_err(io::Error::other)?;
    // SAFETY: the pointer and the length are those of `index`, which outlives the call.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTOIFINDEX,
            (&raw const index).cast(),
            length,
        )
    };
    if outcome == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// The calls of netdevice(7) take any socket.
fn any_socket() -> Option<OwnedFd> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::DGRAM);
    socket_with(family, kind, SocketFlags::CLOEXEC, None).ok()
}

/// Reads every address of this network namespace with the index of its interface; `None` if the kernel refuses.
fn addresses() -> Option<Vec<(u32, IpAddr)>> {
    let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
    // NETLINK_ROUTE is 0.
    let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).ok()?;
    set_socket_timeout(&socket, Timeout::Recv, Some(RECV_TIMEOUT)).ok()?;
    connect(&socket, &SocketAddrNetlink::new(0, 0)).ok()?;
    retry_on_intr(|| send(&socket, &request(), SendFlags::empty())).ok()?;
    let mut buffer = vec![0; BUFFER];
    let mut found = Vec::new();
    loop {
        let (_, length) = retry_on_intr(|| recv(&socket, &mut *buffer, RecvFlags::TRUNC)).ok()?;
        for message in NetlinkMessages(buffer.get(..length)?) {
            let message = message.ok()?;
            match message.kind {
                RTM_NEWADDR => found.extend(address(message)),
                NLMSG_DONE => return Some(found),
                NLMSG_ERROR => return None,
                _ => {}
            }
        }
    }
}

/// A `struct nlmsghdr` that asks for a dump, and a `struct ifaddrmsg` of zeros, which means every family.
fn request() -> Vec<u8> {
    const LENGTH: u32 = 24;
    let mut request = LENGTH.to_ne_bytes().to_vec();
    request.extend(RTM_GETADDR.to_ne_bytes());
    request.extend(NLM_F_REQUEST_DUMP.to_ne_bytes());
    request.extend([0; 8 + ADDRESS_HEADER]);
    request
}

/// Returns the address of a message and the index of its interface.
fn address(message: NetlinkMessage) -> Option<(u32, IpAddr)> {
    let (header, attributes) = message.body.split_first_chunk::<ADDRESS_HEADER>()?;
    let [_, _, _, _, index @ ..] = *header;
    let ip = attribute(attributes, IFA_LOCAL).or_else(|| attribute(attributes, IFA_ADDRESS))?;
    let v4 = <[u8; 4]>::try_from(ip).map(IpAddr::from);
    let ip = v4.or_else(|_| <[u8; 16]>::try_from(ip).map(IpAddr::from));
    Some((u32::from_ne_bytes(index), ip.ok()?))
}
