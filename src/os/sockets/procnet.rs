//! The socket tables `/proc/net/{tcp,tcp6,udp,udp6}`, for sandboxes that refuse netlink, such as gVisor, and the kernel's
//! counts of their sockets in `/proc/net/sockstat{,6}`.
//!
//! Format: proc_net(5) and the kernel's net/ipv4/tcp_ipv4.c, net/ipv4/udp.c, net/ipv6/tcp_ipv6.c and net/ipv6/datagram.c.
//! There are no cookies, interfaces, backlogs, bound TCP sockets, nor whether `::` takes IPv4. The kernel writes a table
//! page by page: sockets that open or close meanwhile may push others out of it. A malformed line is always reported and
//! never hides another.

use super::state_number::state_of;
use crate::model::socket::{
    CompactAddr, Family, OwnerHint, Protocol, RawSocket, SocketQueue, State,
};
use crate::os::Error;
use crate::os::sockets::KernelTable;
use hashbrown::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const DIRECTORY: &str = "/proc/net";

/// Emits the sockets of a table; after an error some are missing.
pub fn read(table: KernelTable, emit: &mut dyn FnMut(&RawSocket)) -> Result<(), Error> {
    read_in(Path::new(DIRECTORY), table, emit)
}

/// False if the kernel has no IPv6 table of this protocol: then it is empty, and an error reading it is no problem.
pub fn has_ipv6(protocol: Protocol) -> bool {
    has_ipv6_in(Path::new(DIRECTORY), protocol)
}

/// Number of sockets in a table; `None` if the kernel does not report it.
pub fn in_use(table: KernelTable) -> Option<u64> {
    let file = match table.1 {
        Family::Ipv4 => "sockstat",
        Family::Ipv6 => "sockstat6",
    };
    count(
        &fs::read_to_string(Path::new(DIRECTORY).join(file)).ok()?,
        table,
    )
}

fn read_in(
    folder: &Path,
    table: KernelTable,
    emit: &mut dyn FnMut(&RawSocket),
) -> Result<(), Error> {
    let path = folder.join(name(table));
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(cause)
            if cause.kind() == ErrorKind::NotFound
                && table.1 == Family::Ipv6
                && !has_ipv6_in(folder, table.0) =>
        {
            return Ok(());
        }
        Err(cause) => return Err(Error::UnreadableFile { path, cause }),
    };
    match parse(&text, table, emit) {
        0 => Ok(()),
        lines => Err(Error::MalformedLines { path, lines }),
    }
}

fn has_ipv6_in(folder: &Path, protocol: Protocol) -> bool {
    let has = |family| folder.join(name((protocol, family))).exists();
    // If the IPv4 table is missing too, nothing can be read, which proves nothing.
    has(Family::Ipv6) || !has(Family::Ipv4)
}

fn name(table: KernelTable) -> &'static str {
    match table {
        (Protocol::Tcp, Family::Ipv4) => "tcp",
        (Protocol::Tcp, Family::Ipv6) => "tcp6",
        (Protocol::Udp, Family::Ipv4) => "udp",
        (Protocol::Udp, Family::Ipv6) => "udp6",
    }
}

/// Parses `TCP6: inuse 4`.
fn count(text: &str, table: KernelTable) -> Option<u64> {
    let start = name(table).to_uppercase() + ": inuse ";
    let rest = text.lines().find_map(|line| line.strip_prefix(&*start))?;
    rest.split(' ').next()?.parse().ok()
}

/// Emits the sockets of a table and returns the number of malformed lines, a missing heading included.
fn parse(text: &[u8], table: KernelTable, emit: &mut dyn FnMut(&RawSocket)) -> usize {
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
        match raw_socket(line, table) {
            None => malformed += 1,
            // Without a local port it holds nothing.
            Some(one) if one.local.port() == 0 || is_duplicate(&one) => {}
            Some(one) => emit(&one),
        }
    }
    malformed
}

/// Parses a line: `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 4242 …`.
fn raw_socket(line: &[u8], (protocol, table): KernelTable) -> Option<RawSocket> {
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
        interface: 0,
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
    Some(match family {
        Family::Ipv4 => CompactAddr::v4(octets(ip)?, port),
        Family::Ipv6 => CompactAddr::v6(octets(ip)?, port),
    })
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
