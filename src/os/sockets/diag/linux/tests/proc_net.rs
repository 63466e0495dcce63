//! The sockets of this source are those of /proc/net.

use super::*;
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Protocol, table, state number, ends and inode.
type Line = (Protocol, Family, u8, String, String, u32);

/// Lines of /proc/net on addresses of this test.
fn rows_of_proc_net(own: &str) -> BTreeSet<Line> {
    let mut reported = BTreeSet::new();
    for (file, protocol, family) in [
        ("tcp", Protocol::Tcp, Family::Ipv4),
        ("tcp6", Protocol::Tcp, Family::Ipv6),
        ("udp", Protocol::Udp, Family::Ipv4),
        ("udp6", Protocol::Udp, Family::Ipv6),
    ] {
        let text = fs::read_to_string(format!("/proc/net/{file}")).expect("a table");
        for line in text.lines().filter(|line| line.contains(own)) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, local, remote, state, _, _, _, _, _, inode, ..] = words[..] else {
                panic!("a line of {file}: {line}");
            };
            let state = u8::from_str_radix(state, 16).expect("a state");
            let inode = inode.parse().expect("an inode");
            let (local, remote) = (local.to_owned(), remote.to_owned());
            reported.insert((protocol, family, state, local, remote, inode));
        }
    }
    reported
}

/// An end as /proc/net writes it: words of the address in native byte order.
fn hex(end: SocketAddr, table: Family) -> String {
    let octets = match end.ip() {
        std::net::IpAddr::V4(v4) if table == Family::Ipv4 => v4.octets().to_vec(),
        std::net::IpAddr::V4(v4) => v4.to_ipv6_mapped().octets().to_vec(),
        std::net::IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let words = octets.chunks(4).map(|word| {
        let word: [u8; 4] = word.try_into().expect("4 bytes");
        format!("{:08X}", u32::from_ne_bytes(word))
    });
    format!("{}:{:04X}", words.collect::<String>(), end.port())
}

fn rows_of_diag(own: &str) -> BTreeSet<Line> {
    let request = DumpRequest {
        scope: DumpScope::All,
        with_bound: false,
    };
    let rows = all(&mut open(), &request).into_iter();
    let lines = rows.map(|row| {
        let state = match row.state {
            Some(State::Established) => 1,
            Some(State::FinWait2) => 5,
            Some(State::TimeWait) => 6,
            Some(State::Unconn) => 7,
            Some(State::CloseWait) => 8,
            Some(State::Listen) => 10,
            _ => 0,
        };
        let nowhere = match row.table {
            Family::Ipv4 => address("0.0.0.0:0"),
            Family::Ipv6 => address("[::]:0"),
        };
        let (local, remote) = (row.local(), row.remote().unwrap_or(nowhere));
        let (local, remote) = (hex(local, row.table), hex(remote, row.table));
        let inode = inode_of(row.owner_hint);
        (row.protocol, row.table, state, local, remote, inode)
    });
    let is_own = |line: &Line| line.3.contains(own) || line.4.contains(own);
    lines.filter(is_own).collect()
}

#[test]
fn diag_matches_proc_net() {
    let own_ip = own_ip(80);
    let ip: &str = &own_ip.to_string();
    let _kept = connection(ip);
    let (_listener, half, _open) = connection(ip);
    half.shutdown(std::net::Shutdown::Write)
        .expect("shuts down");
    let (_other, closed, first) = connection(ip);
    drop((closed, first));
    let _udp = connected_udp(&format!("{ip}:0"));
    let mapped = bind(Type::STREAM, address(&format!("[::ffff:{ip}]:0")));
    mapped.listen(1).expect("listens");
    let _v4 = TcpStream::connect((ip, local_addr(&mapped).port()));
    // Both write the address as a word in native byte order.
    let own = format!("{:08X}", u32::from_ne_bytes(own_ip.octets()));
    until("the same in both", || {
        let (diag, proc) = (rows_of_diag(&own), rows_of_proc_net(&own));
        (diag == proc && diag.len() >= 13).then_some(())
    });
}

/// Time left in the line of a connection: `03:00001770` is a timer and its clock ticks.
fn lasts_by_proc(from: SocketAddr, to: SocketAddr) -> Option<Duration> {
    let ends = [from, to].map(|end| hex(end, Family::Ipv4));
    let text = fs::read_to_string("/proc/net/tcp").expect("a table");
    let mut lines = text.lines().map(|line| line.split_whitespace());
    let line: Vec<&str> = lines.find_map(|line| {
        let words: Vec<&str> = line.collect();
        (words.get(1..3)? == ends).then_some(words)
    })?;
    let ticks = u64::from_str_radix(line[5].strip_prefix("03:")?, 16).ok()?;
    let per_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_millis(ticks * 1_000 / per_second))
}

#[test]
fn time_wait_lasts_as_long_as_proc_net_says() {
    let (_listener, client, server) = connection("127.0.0.1");
    let (to, from) = (local_addr(&server), local_addr(&client));
    drop((client, server));
    let request = DumpRequest {
        scope: DumpScope::Local(vec![from.port()]),
        with_bound: false,
    };
    let (seen, later) = until("TIME_WAIT in both", || {
        let mut rows = all(&mut open(), &request).into_iter();
        let seen = rows.find(|row| row.remote() == Some(to) && row.time_wait_left().is_some())?;
        Some((seen, lasts_by_proc(from, to)?))
    });
    let lasts = seen.time_wait_left().expect("it was just seen");
    assert!(lasts <= Duration::from_mins(1), "{lasts:?}");
    // It was read later, and in hundredths of a second.
    let difference = (lasts + Duration::from_millis(10)).checked_sub(later);
    let is_close = difference.is_some_and(|difference| difference < Duration::from_secs(5));
    assert!(is_close, "{lasts:?}, later {later:?}");
    assert_eq!(seen.queue(), None);
}
