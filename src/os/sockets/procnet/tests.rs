use super::*;
use crate::os::sockets::{TABLES, netstat};
use crate::os::testing::requirements::skipped;
use crate::os::testing::{connect, local_addr, own_ip, until};
use proptest::prelude::*;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

const HEADING: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n";

const TCP: KernelTable = (Protocol::Tcp, Family::Ipv4);
const TCP6: KernelTable = (Protocol::Tcp, Family::Ipv6);
const UDP: KernelTable = (Protocol::Udp, Family::Ipv4);
const UDP6: KernelTable = (Protocol::Udp, Family::Ipv6);

/// The sockets of a table and the number of malformed lines.
fn parsed(text: &[u8], table: KernelTable) -> (Vec<RawSocket>, usize) {
    let mut seen = Vec::new();
    let malformed = parse(text, table, &mut |one| seen.push(*one));
    (seen, malformed)
}

/// The sockets of lines without a malformed one.
fn parse_all(lines: &[String], table: KernelTable) -> Vec<RawSocket> {
    let text = HEADING.to_owned() + &lines.join("\n") + "\n";
    let (seen, malformed) = parsed(text.as_bytes(), table);
    assert_eq!(malformed, 0, "{text}");
    seen
}

/// An address and a port as the kernel of this machine writes them.
fn written(end: &str) -> String {
    let end: SocketAddr = end.parse().expect("an address");
    let octets = match end.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let word = |four: &[u8]| format!("{:08X}", u32::from_ne_bytes(four.try_into().expect("four")));
    let ip: String = octets.chunks(4).map(word).collect();
    format!("{ip}:{:04X}", end.port())
}

/// A line of a table, of user 1000 with inode 4242; `st` is the state and the queues.
fn line(local: &str, remote: &str, st: &str) -> String {
    let (local, remote) = (written(local), written(remote));
    format!(
        "   0: {local} {remote} {st} 00:00000000 00000000  1000        0 4242 1 0000000000000000 100 0 0 10 0"
    )
}

fn seen(protocol: Protocol, local: &str) -> RawSocket {
    let local: SocketAddr = local.parse().expect("an address");
    RawSocket {
        cookie: [0, 0],
        protocol,
        table: crate::model::socket::family(local.ip()),
        state: None,
        v6only: None,
        local: local.into(),
        remote: CompactAddr::NONE,
        interface: 0,
        owner_hint: OwnerHint::new(4242),
        uid: 1000,
        queue: SocketQueue {
            incoming: 0,
            outgoing: 0,
        },
    }
}

fn to(remote: &str) -> CompactAddr {
    remote.parse::<SocketAddr>().expect("an address").into()
}

/// Written by Linux 6.18 on a little-endian machine, except for the pointers: a listener with a waiting connection, a v4-mapped
/// socket in TIME_WAIT, a waiting datagram.
#[test]
#[cfg(target_endian = "little")]
fn recorded_lines_are_parsed() {
    let tcp = "   1: 0201587F:878F 00000000:0000 0A 00000000:00000001 00:00000000 00000000     0        0 414549 2 0000000000000000 100 0 0 10 0                    ";
    let tcp6 = "   3: 0000000000000000FFFF00000301587F:BA89 0000000000000000FFFF00000100007F:8A8A 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000000000000";
    let udp = " 5278: 0401587F:9559 00000000:0000 07 00000000:00000340 00:00000000 00000000     0        0 414556 2 0000000000000000 0        ";
    let all = [(tcp, TCP), (tcp6, TCP6), (udp, UDP)]
        .map(|(line, table)| parse_all(&[line.to_owned()], table)[0]);
    let expected = [
        RawSocket {
            state: Some(State::Listen),
            owner_hint: OwnerHint::new(414_549),
            uid: 0,
            queue: SocketQueue::UNKNOWN,
            ..seen(Protocol::Tcp, "127.88.1.2:34703")
        },
        RawSocket {
            table: Family::Ipv6,
            state: Some(State::TimeWait),
            remote: to("127.0.0.1:35466"),
            owner_hint: None,
            uid: 0,
            ..seen(Protocol::Tcp, "127.88.1.3:47753")
        },
        RawSocket {
            state: Some(State::Unconn),
            owner_hint: OwnerHint::new(414_556),
            uid: 0,
            queue: SocketQueue {
                incoming: 0x340,
                outgoing: 0,
            },
            ..seen(Protocol::Udp, "127.88.1.4:38233")
        },
    ];
    assert_eq!(all, expected);
    // 0x1770 hundredths of a second.
    let lasts = [None, Some(Duration::from_mins(1)), None];
    assert_eq!(all.map(|one| one.time_wait_left()), lasts);
}

/// gVisor writes no timers.
#[test]
fn time_wait_with_an_unknown_timer_has_no_remaining_time() {
    let timers = [
        "00:00000000",
        "03:00000064",
        "03:zz",
        "03:1FFFFFFFFFFFFFFFF",
    ];
    let lasts = timers.map(|timer| {
        let st = "06 00000000:00000000";
        let line =
            line("127.0.0.1:80", "127.0.0.1:9", st).replace(" 00:00000000 ", &format!(" {timer} "));
        let seen = parse_all(&[line], TCP);
        seen[0].time_wait_left()
    });
    assert_eq!(lasts, [None, Some(Duration::from_secs(1)), None, None]);
}

#[test]
fn an_ipv6_address_is_read_word_by_word() {
    let lines = [line(
        "[2001:db8:1:2:3:4:5:6]:80",
        "[fe80::9]:81",
        "01 0000000A:0000000B",
    )];
    let expected = RawSocket {
        state: Some(State::Established),
        remote: to("[fe80::9]:81"),
        queue: SocketQueue {
            incoming: 11,
            outgoing: 10,
        },
        ..seen(Protocol::Tcp, "[2001:db8:1:2:3:4:5:6]:80")
    };
    assert_eq!(parse_all(&lines, TCP6), [expected]);
}

#[test]
fn every_state_number_maps_to_its_state() {
    let states = |table, remote: &str| -> Vec<Option<State>> {
        let line = |number| {
            let local = format!("127.0.0.1:{}", 100 + number);
            line(&local, remote, &format!("{number:02X} 00000000:00000000"))
        };
        let all = parse_all(&(1..=14).map(line).collect::<Vec<_>>(), table);
        all.iter().map(|one| one.state).collect()
    };
    let mut tcp = [
        State::Established,
        State::SynSent,
        State::SynRecv,
        State::FinWait1,
        State::FinWait2,
        State::TimeWait,
        State::Closed,
        State::CloseWait,
        State::LastAck,
        State::Listen,
        State::Closing,
        State::SynRecv,
    ]
    .map(Some)
    .to_vec();
    tcp.extend([None, None]);
    assert_eq!(states(TCP, "127.0.0.1:9"), tcp);
    tcp[6] = Some(State::Bound);
    assert_eq!(states(TCP, "0.0.0.0:0"), tcp);
    let mut udp = vec![None; 14];
    (udp[0], udp[6]) = (Some(State::Established), Some(State::Unconn));
    assert_eq!(states(UDP, "127.0.0.1:9"), udp);
}

#[test]
fn a_socket_without_a_port_is_no_row() {
    let lines = [line("0.0.0.0:0", "0.0.0.0:0", "07 00000000:00000000")];
    assert_eq!(parse_all(&lines, TCP), []);
}

/// The subflows of an MPTCP connection share its inode (net/mptcp/subflow.c).
#[test]
fn bound_sockets_are_reported_once_per_inode() {
    let listen = |local| line(local, "0.0.0.0:0", "0A 00000000:00000000");
    let connection = |remote| line("127.0.0.1:80", remote, "01 00000000:00000000");
    let lines = [
        listen("127.0.0.1:80"),
        listen("127.0.0.1:80"),
        listen("127.0.0.1:80").replace("4242", "4243"),
        listen("127.0.0.1:81"),
        connection("127.0.0.1:5000"),
        connection("127.0.0.1:5001"),
    ];
    let listening = |local, inode| RawSocket {
        state: Some(State::Listen),
        owner_hint: OwnerHint::new(inode),
        queue: SocketQueue::UNKNOWN,
        ..seen(Protocol::Tcp, local)
    };
    let connected = |remote| RawSocket {
        state: Some(State::Established),
        remote: to(remote),
        ..seen(Protocol::Tcp, "127.0.0.1:80")
    };
    let expected = [
        listening("127.0.0.1:80", 4242),
        listening("127.0.0.1:80", 4243),
        listening("127.0.0.1:81", 4242),
        connected("127.0.0.1:5000"),
        connected("127.0.0.1:5001"),
    ];
    assert_eq!(parse_all(&lines, TCP), expected);
}

#[test]
fn malformed_lines_are_counted_and_hide_no_others() {
    let good = line("127.0.0.1:80", "127.0.0.1:9", "01 00000000:00000000");
    let whole = parse_all(std::slice::from_ref(&good), TCP);
    let bad = [
        "nonsense",
        "\u{fffd}",
        // An address of the other family, a missing word, an invalid inode.
        &line("[::1]:80", "[::1]:9", "01 00000000:00000000"),
        &good[..good.find(" 4242").expect("the inode")],
        &good.replace("4242", "4294967296"),
        // Fewer digits than are printed, and a sign.
        &good.replacen("00000000:", "0:", 1),
        &good.replacen("00000000:", "+0000000:", 1),
    ];
    for bad in bad {
        let text = format!("{HEADING}{bad}\n{good}\n");
        let outcome = parsed(text.as_bytes(), TCP);
        assert_eq!(outcome, (whole.clone(), 1), "{bad}");
    }
    let headless = [format!("{good}\n"), String::new()].map(|text| parsed(text.as_bytes(), TCP));
    assert_eq!(headless, [(whole, 1), (Vec::new(), 1)]);
}

/// A temporary folder.
struct ProcNetDir(PathBuf);

impl ProcNetDir {
    fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("portmon-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        for (file, text) in files {
            fs::write(folder.join(file), text).expect("a file");
        }
        Self(folder)
    }

    /// The sockets, and the error without the path of the folder.
    fn read(&self, table: KernelTable) -> (Vec<RawSocket>, Result<(), String>) {
        let mut seen = Vec::new();
        let end = read_in(&self.0, table, &mut |one| seen.push(*one));
        let place = format!("{}/", self.0.display());
        let end = end.map_err(|error| error.to_string().replace(&place, ""));
        (seen, end)
    }
}

impl Drop for ProcNetDir {
    fn drop(&mut self) {
        // It is a temporary folder in any case.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn without_ipv6_in_the_kernel_its_tables_are_empty() {
    let all = ["tcp", "tcp6", "udp", "udp6"];
    for missing in [&["tcp6", "udp6"][..], &["tcp6"], &["udp6"]] {
        let files = all.into_iter().filter(|file| !missing.contains(file));
        let files: Vec<(&str, &str)> = files.map(|file| (file, HEADING)).collect();
        let folder = ProcNetDir::with("v4", &files);
        for table in TABLES {
            assert_eq!(folder.read(table), (Vec::new(), Ok(())), "{missing:?}");
        }
    }
}

#[test]
fn each_protocol_decides_by_its_own_tables_if_there_is_ipv6() {
    let folder = ProcNetDir::with(
        "mixed",
        &[("tcp", HEADING), ("tcp6", HEADING), ("udp", HEADING)],
    );
    let of = [Protocol::Tcp, Protocol::Udp].map(|protocol| has_ipv6_in(&folder.0, protocol));
    assert_eq!(of, [true, false]);
}

#[test]
fn missing_tables_are_errors() {
    let folder = ProcNetDir::with("nothing", &[]);
    for (table, file) in TABLES.into_iter().zip(["tcp", "tcp6", "udp", "udp6"]) {
        let (seen, end) = folder.read(table);
        let error = end.expect_err(file);
        let expected = format!("cannot read {file}: ");
        assert!(seen.is_empty() && error.starts_with(&expected), "{error}");
    }
}

#[test]
fn each_protocol_and_family_has_its_socket_count() {
    let v4 = "sockets: used 294\nTCP: inuse 9 orphan 0 tw 1 alloc 12 mem 1\nUDP: inuse 3 mem 2\nUDPLITE: inuse 7\n";
    let v6 = "TCP6: inuse 4\nUDP6: inuse 0\nUDPLITE6: inuse 7\n";
    let cases = [
        (v4, TCP, Some(9)),
        (v4, UDP, Some(3)),
        (v6, TCP6, Some(4)),
        (v6, UDP6, Some(0)),
        ("", UDP6, None),
    ];
    for (text, table, expected) in cases {
        assert_eq!(count(text, table), expected, "{table:?}");
    }
}

#[test]
fn valid_lines_are_reported_before_the_error() {
    let good = line("127.0.0.1:80", "127.0.0.1:9", "01 00000000:00000000");
    let text = format!("{HEADING}what\n{good}\nwhat\n");
    let folder = ProcNetDir::with("malformed", &[("tcp", &text)]);
    let expected = parse_all(&[good], TCP);
    let end = Err("cannot parse 2 lines of tcp".to_owned());
    assert_eq!(folder.read(TCP), (expected, end));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        table in 0..4_usize,
    ) {
        parsed(&bytes, TABLES[table]);
    }

    /// Every line is a socket, malformed, or has no port.
    #[test]
    fn a_malformed_line_is_never_dropped(
        at in 0..120_usize,
        with in "[ :0-9A-Fa-f+\\-]{0,9}",
        until in 0..12_usize,
        is_v4: bool,
    ) {
        let (table, local, remote) = if is_v4 {
            (TCP, "127.0.0.1:80", "127.0.0.1:9")
        } else {
            (TCP6, "[::1]:80", "[::1]:9")
        };
        let mut broken = line(local, remote, "01 00000000:00000000");
        broken.replace_range(at..(at + until).min(broken.len()), &with);
        let text = format!("{HEADING}{broken}\n");
        let (seen, malformed) = parsed(text.as_bytes(), table);
        let has_no_port = broken.contains(":0000 ") && seen.is_empty() && malformed == 0;
        prop_assert!(seen.len() + malformed == 1 || has_no_port, "{broken}");
    }

    #[test]
    fn every_line_of_the_kernel_is_parsed_exactly(
        ips: ([u8; 16], [u8; 16]),
        ports in (1_u16.., 1_u16..),
        numbers: (u32, u32),
        owner: (u32, u32),
    ) {
        let [local, remote] = [(ips.0, ports.0), (ips.1, ports.1)]
            .map(|(ip, port)| SocketAddr::from((ip, port)));
        let (incoming, outgoing) = numbers;
        let (uid, inode) = owner;
        let st = format!("01 {outgoing:08X}:{incoming:08X}");
        let line = line(&local.to_string(), &remote.to_string(), &st)
            .replace(" 1000 ", &format!(" {uid} "))
            .replace(" 4242 ", &format!(" {inode} "));
        let remote = CompactAddr::from(remote);
        let expected = RawSocket {
            state: Some(State::Established),
            remote: if remote.is_some() { remote } else { CompactAddr::NONE },
            owner_hint: OwnerHint::new(inode),
            uid,
            queue: SocketQueue { incoming, outgoing },
            ..seen(Protocol::Udp, &local.to_string())
        };
        prop_assert_eq!(parse_all(&[line], UDP6), [expected]);
    }
}

/// The sockets of a source on an address, sorted so that both sources have the same order.
fn on(at: SocketAddr, protocol: Protocol, read: crate::os::sockets::ReadTable) -> Vec<RawSocket> {
    let mut all = Vec::new();
    let table = (protocol, crate::model::socket::family(at.ip()));
    let mut keep = |one: &RawSocket| all.extend((one.local() == at).then_some(*one));
    read(table, &mut keep).expect("it can be read");
    all.sort_unstable_by_key(|one| one.remote);
    all
}

/// Reads both sources until they report this number of sockets: sockets of other tests may push a line out of a table while
/// it is read.
fn both(protocol: Protocol, at: SocketAddr, count: usize) -> [Vec<RawSocket>; 2] {
    until(&at.to_string(), || {
        let both = [read, netstat::read].map(|source| on(at, protocol, source));
        both.iter()
            .all(|found| found.len() == count)
            .then_some(both)
    })
}

/// Addresses that no other test, and no other run of this one, uses.
fn own_addresses() -> Vec<SocketAddr> {
    let mut all = vec![
        SocketAddr::from((own_ip(88), 0)),
        SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0)),
    ];
    all.retain(|at| {
        let bound = UdpSocket::bind(at).inspect_err(|error| skipped(format_args!("{at}: {error}")));
        bound.is_ok()
    });
    all
}

/// Without what netstat2 does not report.
fn without_queue(all: &[RawSocket]) -> Vec<RawSocket> {
    let queue = SocketQueue::UNKNOWN;
    all.iter().map(|one| RawSocket { queue, ..*one }).collect()
}

#[test]
fn tcp_sockets_match_netstat2() {
    for ip in own_addresses() {
        let listener = TcpListener::bind(ip).expect("a listener");
        let at = local_addr(&listener);
        let client = connect(at.ip(), at);
        let (server, from) = listener.accept().expect("a connection");
        for (at, count) in [(at, 2), (from, 1)] {
            let [proc, netstat] = both(Protocol::Tcp, at, count);
            assert_eq!(without_queue(&proc), netstat);
        }
        drop((client, server));
    }
}

#[test]
fn udp_sockets_match_netstat2_plus_states_and_remote_ends() {
    for ip in own_addresses() {
        let waiting = UdpSocket::bind(ip).expect("a socket");
        let connected = UdpSocket::bind(ip).expect("a socket");
        let [at, from] = [&waiting, &connected].map(local_addr);
        connected.connect(at).expect("a connection");
        for (local, state, remote) in [
            (at, State::Unconn, CompactAddr::NONE),
            (from, State::Established, at.into()),
        ] {
            let [proc, netstat] = both(Protocol::Udp, local, 1);
            let state = Some(state);
            let expected = RawSocket {
                state,
                remote,
                ..netstat[0]
            };
            assert_eq!(without_queue(&proc), [expected]);
        }
    }
}

#[test]
fn the_receive_queue_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let at = local_addr(&listener);
    let mut client = TcpStream::connect(at).expect("a connection");
    let (_server, from) = listener.accept().expect("a connection");
    std::io::Write::write_all(&mut client, b"seven..").expect("it is sent");
    let queue = until("seven bytes", || {
        let [proc, _] = both(Protocol::Tcp, at, 2);
        let server = proc
            .into_iter()
            .find(|one| one.remote == CompactAddr::from(from))?;
        (server.queue.incoming != 0).then_some(server.queue)
    });
    let expected = SocketQueue {
        incoming: 7,
        outgoing: 0,
    };
    assert_eq!(queue, expected);
}
