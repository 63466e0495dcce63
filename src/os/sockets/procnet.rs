//! One socket table of `/proc/net/{tcp,tcp6,udp,udp6}`, for sandboxes that refuse netlink, such as gVisor.
//!
//! Format: proc_net(5) and the kernel's net/ipv4/tcp_ipv4.c, net/ipv4/udp.c, net/ipv6/tcp_ipv6.c and net/ipv6/datagram.c.
//! There are no cookies, interfaces, backlogs, bound TCP sockets, nor whether `::` takes IPv4. The kernel writes a table
//! page by page: sockets that open or close meanwhile may push others out of it. A malformed line is always reported and
//! never hides another.

use super::diag::state_of;
use crate::model::socket::{
    CompactAddr, Family, OwnerHint, Protocol, RawSocket, SocketQueue, State,
};
use crate::os::Error;
use hashbrown::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Emits every socket of a table; an error means that there are more.
///
/// A kernel without IPv6 has no tables for it, which counts as empty.
pub fn read(
    protocol: Protocol,
    family: Family,
    emit: &mut impl FnMut(&RawSocket),
) -> Result<(), Error> {
    read_in(Path::new("/proc/net"), protocol, family, emit)
}

fn read_in(
    folder: &Path,
    protocol: Protocol,
    family: Family,
    emit: &mut impl FnMut(&RawSocket),
) -> Result<(), Error> {
    let path = folder.join(name(protocol, family));
    let text = match fs::read(&path) {
        Ok(text) => text,
        // If the IPv4 table is missing too, nothing can be read, which is no empty table.
        Err(cause)
            if cause.kind() == ErrorKind::NotFound
                && family == Family::Ipv6
                && folder.join(name(protocol, Family::Ipv4)).exists() =>
        {
            return Ok(());
        }
        Err(cause) => return Err(Error::UnreadableFile { path, cause }),
    };
    match parse(&text, protocol, family, emit) {
        0 => Ok(()),
        lines => Err(Error::MalformedLines { path, lines }),
    }
}

fn name(protocol: Protocol, family: Family) -> &'static str {
    match (protocol, family) {
        (Protocol::Tcp, Family::Ipv4) => "tcp",
        (Protocol::Tcp, Family::Ipv6) => "tcp6",
        (Protocol::Udp, Family::Ipv4) => "udp",
        (Protocol::Udp, Family::Ipv6) => "udp6",
    }
}

/// Emits the sockets of a table and returns the number of malformed lines, a missing heading included.
fn parse(
    text: &[u8],
    protocol: Protocol,
    family: Family,
    emit: &mut impl FnMut(&RawSocket),
) -> usize {
    let mut lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .peekable();
    let is_heading = |line: &&[u8]| line.trim_ascii_start().starts_with(b"sl ");
    let mut malformed = usize::from(lines.next_if(is_heading).is_none());
    let mut bound = HashSet::new();
    // A socket that opens while a page is written moves the last ones of the page before into it again. Connections need
    // no check, their ends identify them, and MPTCP gives all subflows of one socket the same inode.
    let mut is_duplicate = |one: &RawSocket| {
        one.remote == CompactAddr::NONE
            && one.owner_hint.is_some()
            && !bound.insert((one.owner_hint, one.local))
    };
    for line in lines {
        match raw_socket(line, protocol, family) {
            None => malformed += 1,
            // Without a local port it holds nothing.
            Some(one) if one.local.port() == 0 || is_duplicate(&one) => {}
            Some(one) => emit(&one),
        }
    }
    malformed
}

/// Parses a line: `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 4242 …`.
fn raw_socket(line: &[u8], protocol: Protocol, table: Family) -> Option<RawSocket> {
    let mut words = str::from_utf8(line).ok()?.split_ascii_whitespace();
    words.next()?.strip_suffix(':')?;
    let local = address(words.next()?, table)?;
    let remote = address(words.next()?, table)?.or_none();
    let number = u8::try_from(hex(words.next()?, 2)?).ok()?;
    let (outgoing, incoming) = words.next()?.split_once(':')?;
    let queue = SocketQueue {
        incoming: hex(incoming, 8)?,
        outgoing: hex(outgoing, 8)?,
    };
    let timer = words.next()?;
    // The retransmit counter is before the uid, the probe counter after it.
    let uid = words.nth(1)?.parse().ok()?;
    let inode = words.nth(1)?.parse().ok()?;
    // Linux lists no closed TCP sockets here, gVisor lists bound ones as closed.
    let state = state_of(number, protocol, remote.is_some());
    Some(RawSocket {
        cookie: [0, 0],
        protocol,
        table,
        state,
        v6only: None,
        local,
        remote,
        scope: 0,
        owner_hint: OwnerHint::new(inode),
        uid,
        queue: match state {
            // Without the backlog limit the number of waiting connections means little.
            Some(State::Listen) => SocketQueue::UNKNOWN,
            Some(State::TimeWait) => time_wait_left(timer).unwrap_or(SocketQueue::UNKNOWN),
            _ => queue,
        },
    })
}

/// Time left in TIME_WAIT, from `03:00001770`: timer 3 with the clock ticks left (`get_timewait4_sock` in
/// net/ipv4/tcp_ipv4.c).
fn time_wait_left(timer: &str) -> Option<SocketQueue> {
    let ticks = u64::from_str_radix(timer.strip_prefix("03:")?, 16).ok()?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let milliseconds = ticks.checked_mul(1_000)? / per_second;
    Some(RawSocket::time_wait_queue(
        u32::try_from(milliseconds).ok()?,
    ))
}

fn address(word: &str, family: Family) -> Option<CompactAddr> {
    let (ip, port) = word.split_once(':')?;
    let port = u16::try_from(hex(port, 4)?).ok()?;
    match family {
        Family::Ipv4 => Some(CompactAddr::v4(octets(ip)?, port)),
        Family::Ipv6 => Some(CompactAddr::v6(octets(ip)?, port)),
    }
}

/// Octets of an address: the kernel prints each four of them as a number in native byte order.
fn octets<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    let (fours, _) = octets.as_chunks_mut::<4>();
    for (four, digits) in fours.iter_mut().zip(digits.as_bytes().chunks_exact(8)) {
        *four = hex(str::from_utf8(digits).ok()?, 8)?.to_ne_bytes();
    }
    Some(octets)
}

/// Parses a number of exactly this many digits; the standard library would accept a sign.
fn hex(digits: &str, count: usize) -> Option<u32> {
    let is_whole = digits.len() == count && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests;
