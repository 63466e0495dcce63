//! What follows the fixed part of a row: attributes, each with its length and its type (netlink(7)).
//!
//! A broken one ends the walk: what stands behind it is not known.

use crate::model::stats::TcpCounters;
use std::time::Duration;

/// include/uapi/linux/inet_diag.h.
const INFO: u16 = 2;
const PROTOCOL: u16 = 10;
const ONLY_V6: u16 = 11;

/// The length and the type.
const HEADER: usize = 4;

/// `NLA_TYPE_MASK`: the two highest bits are flags.
const TYPE: u16 = 0x3fff;

/// The value of the first attribute of this type.
#[inline]
fn find(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
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

/// `IPV6_V6ONLY` (RFC 3493, section 5.3), which the kernel tells of IPv6 sockets that listen or are not connected.
#[inline]
pub fn only_v6(attributes: &[u8]) -> Option<bool> {
    let [is_only, ..] = find(attributes, ONLY_V6)? else {
        return None;
    };
    Some(*is_only != 0)
}

/// The protocol number of a socket that was destroyed.
pub fn protocol(attributes: &[u8]) -> Option<u8> {
    find(attributes, PROTOCOL)?.first().copied()
}

/// The counts of a connection; none where they are missing, or from before Linux 4.1, which counts no bytes.
pub fn flow(attributes: &[u8]) -> Option<TcpCounters> {
    let info = find(attributes, INFO)?;
    let acknowledged = wide(info, 120)?;
    // The kernel counts a SYN and a FIN as an acknowledged byte each, but neither among the bytes it sent, which it tells
    // since Linux 4.19, those sent again included.
    let sent_once = wide(info, 200).zip(wide(info, 208));
    let limit = sent_once.map_or(u64::MAX, |(sent, again)| sent.saturating_sub(again));
    Some(TcpCounters {
        sent: acknowledged.min(limit),
        received: wide(info, 128)?,
        round_trip: Duration::from_micros(number(info, 68)?.into()),
        retransmits: number(info, 100)?,
        idle_sent: Duration::from_millis(number(info, 44)?.into()),
        idle_received: Duration::from_millis(number(info, 52)?.into()),
    })
}

/// The field of `struct tcp_info` (include/uapi/linux/tcp.h) at this offset.
fn number(info: &[u8], at: usize) -> Option<u32> {
    info.get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_ne_bytes)
}

fn wide(info: &[u8], at: usize) -> Option<u64> {
    info.get(at..)?
        .first_chunk()
        .copied()
        .map(u64::from_ne_bytes)
}
