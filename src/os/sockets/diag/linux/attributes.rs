//! Attributes that follow the fixed part of a row, each with its length and type (netlink(7)).
//!
//! A malformed one ends the list: what follows it is unknown.

use crate::model::socket::TcpCounters;
use std::time::Duration;

/// include/uapi/linux/inet_diag.h.
const INFO: u16 = 2;
const PROTOCOL: u16 = 10;
const ONLY_V6: u16 = 11;
const CGROUP_ID: u16 = 21;

const HEADER: usize = 4;

/// `NLA_TYPE_MASK`: the two highest bits are flags.
const TYPE: u16 = 0x3fff;

/// Returns the value of the first attribute with this type.
#[inline]
pub fn find(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let [l0, l1, t0, t1] = *attributes.first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = attributes.get(HEADER..length)?;
        if u16::from_ne_bytes([t0, t1]) & TYPE == wanted {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(HEADER)..)?;
    }
}

/// `IPV6_V6ONLY` (RFC 3493, section 5.3), reported for IPv6 sockets that listen or are not connected.
#[inline]
pub fn v6only(attributes: &[u8]) -> Option<bool> {
    let [is_only, ..] = find(attributes, ONLY_V6)? else {
        return None;
    };
    Some(*is_only != 0)
}

/// Control group that the socket was created in, by the inode of its directory (since Linux 5.9).
pub fn cgroup(attributes: &[u8]) -> Option<u64> {
    let id = find(attributes, CGROUP_ID)?.first_chunk()?;
    Some(u64::from_ne_bytes(*id))
}

/// Protocol number of a destroyed socket.
pub fn protocol(attributes: &[u8]) -> Option<u8> {
    find(attributes, PROTOCOL)?.first().copied()
}

/// Counters of a connection; `None` if they are missing, and before Linux 4.1, which counts no bytes.
pub fn flow(attributes: &[u8]) -> Option<TcpCounters> {
    let info = find(attributes, INFO)?;
    let acknowledged = u64_at(info, 120)?;
    // SYN and FIN each count as an acknowledged byte, but not among the bytes sent (since Linux 4.19), which include the
    // retransmitted ones.
    let sent_once = u64_at(info, 200).zip(u64_at(info, 208));
    let limit = sent_once.map_or(u64::MAX, |(sent, again)| sent.saturating_sub(again));
    Some(TcpCounters {
        sent: acknowledged.min(limit),
        received: u64_at(info, 128)?,
        rtt: Duration::from_micros(u32_at(info, 68)?.into()),
        retransmits: u32_at(info, 100)?,
        idle_sent: Duration::from_millis(u32_at(info, 44)?.into()),
        idle_received: Duration::from_millis(u32_at(info, 52)?.into()),
    })
}

/// Field of `struct tcp_info` (include/uapi/linux/tcp.h) at this offset.
fn u32_at(info: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*info.get(at..)?.first_chunk()?))
}

fn u64_at(info: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*info.get(at..)?.first_chunk()?))
}
