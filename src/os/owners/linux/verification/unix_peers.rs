//! The other ends of UNIX sockets, through which a socket can be passed (`SCM_RIGHTS` of unix(7)).
//!
//! Asks NETLINK_SOCK_DIAG (include/uapi/linux/unix_diag.h), which needs no privilege. A socket of another network namespace
//! is not among them; what is not known here is found by the number of descriptors.

use crate::os::owners::system::owner_cache::OwnerCache;
use crate::os::sockets::diag::{NetlinkMessages, attribute, open_netlink};
use hashbrown::HashMap;
use rustix::io::retry_on_intr;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, SocketFlags, connect, recv, send};
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Updates after which the peers are read again even if every socket is known, since a socket may be connected to another
/// one, and before which they are not read again; more of both for this many sockets, which each cost as much as a row.
const MAX_AGE: u32 = 16;
const SOCKETS_PER_UPDATE: u32 = 32;

/// The kernel never fills a larger buffer.
const BUFFER: usize = 32 * 1024;
const TIMEOUT: Duration = Duration::from_secs(1);

/// linux/netlink.h and linux/sock_diag.h.
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST` and `NLM_F_DUMP`.
const DUMP: u16 = 0x301;
const AF_UNIX: u8 = 1;

/// `UDIAG_SHOW_PEER`, and the attribute `UNIX_DIAG_PEER` that it asks for.
const SHOW_PEER: u32 = 1 << 2;
const PEER: u16 = 2;

/// Size of `struct unix_diag_msg`.
const ROW: usize = 16;

#[derive(Default)]
pub struct UnixPeers {
    /// The inode of the peer, 0 without one, by the inode of a socket.
    peers: HashMap<u32, u32>,
    /// The update in which they were read; `None` before the first.
    read_at: Option<u32>,
}

impl UnixPeers {
    /// Returns the processes that have the other ends of the UNIX sockets of these owners.
    pub fn of(&mut self, cache: &OwnerCache, owners: impl Iterator<Item = u32>) -> Vec<u32> {
        let sockets = owners.filter_map(|owner| Some(&cache.pid_table.owner(owner)?.other_sockets));
        let sockets: Vec<u32> = sockets.flatten().copied().collect();
        if sockets.is_empty() {
            return Vec::new();
        }
        if self.is_due(&sockets, cache.now) {
            self.read(cache);
            // What is no UNIX socket of this network namespace has no peer, and is not asked about at once again.
            for socket in &sockets {
                self.peers.entry(*socket).or_insert(0);
            }
        }
        let peers = sockets.iter().filter_map(|socket| self.peers.get(socket));
        let holders = peers.flat_map(|peer| cache.unclaimed.of(*peer));
        let mut holders: Vec<u32> = holders.map(|entry| entry.pid).collect();
        holders.sort_unstable();
        holders.dedup();
        holders
    }

    fn is_due(&self, sockets: &[u32], now: u32) -> bool {
        let Some(read_at) = self.read_at else {
            return true;
        };
        let age = now.saturating_sub(read_at);
        let pause = u32::try_from(self.peers.len()).unwrap_or(u32::MAX) / SOCKETS_PER_UPDATE;
        let is_known = |socket: &u32| self.peers.contains_key(socket);
        age > pause.saturating_add(MAX_AGE) || age > pause / 8 && !sockets.iter().all(is_known)
    }

    fn read(&mut self, cache: &OwnerCache) {
        self.read_at = Some(cache.now);
        self.peers.clear();
        // Without them the number of descriptors tells, a little later.
        let _ = dump(cache, &mut self.peers);
    }
}

/// Reads the peer of every UNIX socket. Those read before an error are kept.
fn dump(cache: &OwnerCache, peers: &mut HashMap<u32, u32>) -> Option<()> {
    let socket = open()?;
    retry_on_intr(|| send(&socket, &request(), SendFlags::empty())).ok()?;
    cache.proc.count(3);
    let mut buffer = vec![0; BUFFER];
    loop {
        cache.proc.count(1);
        let (_, length) = retry_on_intr(|| recv(&socket, &mut *buffer, RecvFlags::empty())).ok()?;
        for message in NetlinkMessages(buffer.get(..length)?) {
            let message = message.ok()?;
            if matches!(message.kind, NLMSG_ERROR | NLMSG_DONE) {
                return Some(());
            }
            let (row, attributes) = message.body.split_first_chunk::<ROW>()?;
            let [_, _, _, _, a, b, c, d, ..] = *row;
            let peer = attribute(attributes, PEER).and_then(|peer| peer.first_chunk());
            let peer = peer.map_or(0, |peer| u32::from_ne_bytes(*peer));
            peers.insert(u32::from_ne_bytes([a, b, c, d]), peer);
        }
    }
}

fn open() -> Option<OwnedFd> {
    let socket = open_netlink(SocketFlags::CLOEXEC).ok()?;
    set_socket_timeout(&socket, Timeout::Recv, Some(TIMEOUT)).ok()?;
    connect(&socket, &SocketAddrNetlink::new(0, 0)).ok()?;
    Some(socket)
}

/// `struct nlmsghdr`, then `struct unix_diag_req`: family, protocol and padding, states, inode, what to show, cookie.
fn request() -> Vec<u8> {
    let mut request = 40_u32.to_ne_bytes().to_vec();
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend(DUMP.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([AF_UNIX, 0, 0, 0]);
    request.extend(u32::MAX.to_ne_bytes());
    request.extend([0; 4]);
    request.extend(SHOW_PEER.to_ne_bytes());
    request.extend([0; 8]);
    request
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::testing::inode;
    use std::os::unix::net::UnixStream;

    #[test]
    fn both_ends_of_a_pair_are_peers() {
        let (one, other) = UnixStream::pair().expect("a pair");
        let mut peers = HashMap::new();
        assert_eq!(dump(&OwnerCache::default(), &mut peers), Some(()));
        let (one, other) = (inode(one), inode(other));
        assert_eq!(
            [one, other].map(|end| peers.get(&end).copied()),
            [Some(other), Some(one)]
        );
    }

    #[test]
    fn a_socket_of_another_kind_is_not_asked_about_at_once_again() {
        let pid = std::process::id();
        let mut cache = OwnerCache::default();
        cache.register_owner(pid);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
        let owner = cache.pid_table.owner_mut(pid).expect("this process");
        owner.other_sockets = vec![inode(listener)];
        let mut peers = UnixPeers::default();
        assert!(peers.of(&cache, [pid].into_iter()).is_empty());
        cache.now += 1 + u32::try_from(peers.peers.len()).expect("few") / SOCKETS_PER_UPDATE / 8;
        let calls = cache.proc.calls();
        assert!(peers.of(&cache, [pid].into_iter()).is_empty());
        assert_eq!(cache.proc.calls(), calls);
    }
}
