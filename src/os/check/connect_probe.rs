//! Connects to a port as a client does, and reads the answer to a plain GET.

use crate::check::{Banner, CONNECT_TIMEOUT, CheckRequest, ConnectOutcome, ConnectProbe};
use crate::model::port::{AddressSpec, PortSpec};
use crate::model::socket::Protocol;
use crate::model::text::{SystemText, escaped};
use crate::os::bind_probe;
use crate::os::sockets::self_sockets;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A request that HTTP servers of any age answer, closing the connection afterwards.
const REQUEST: &[u8] = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";

/// Longest time and largest answer that are read.
const REPLY_TIMEOUT: Duration = Duration::from_millis(500);
const MAX_REPLY_BYTES: usize = 4096;

/// Number of bytes shown of an answer that is not HTTP.
const MAX_SHOWN_BYTES: usize = 60;

const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// Connects to the requested addresses, or to 127.0.0.1 and ::1. UDP has no connections that could be refused.
pub fn probe_all(request: &CheckRequest) -> Vec<ConnectProbe> {
    if request.spec.protocol == Protocol::Udp {
        return Vec::new();
    }
    let addresses = client_addresses(request.spec);
    addresses.into_iter().map(probe).collect()
}

/// Addresses to which a client of the port connects: the given ones, or 127.0.0.1 and ::1.
pub(super) fn client_addresses(spec: PortSpec) -> Vec<SocketAddr> {
    let PortSpec { address, port, .. } = spec;
    let addresses = match address {
        AddressSpec::Any => LOOPBACK.map(|ip| SocketAddr::new(ip, port)).to_vec(),
        AddressSpec::Localhost(_) | AddressSpec::Ip(_) | AddressSpec::OnInterface { .. } => {
            address.bind_addresses(port)
        }
    };
    addresses.into_iter().map(to_loopback).collect()
}

/// A connect to all addresses goes to loopback.
fn to_loopback(at: SocketAddr) -> SocketAddr {
    let [v4, v6] = LOOPBACK;
    let ip = if at.is_ipv4() { v4 } else { v6 };
    let loopback = SocketAddr::new(ip, at.port());
    if at.ip().is_unspecified() {
        loopback
    } else {
        at
    }
}

fn probe(address: SocketAddr) -> ConnectProbe {
    if bind_probe::is_elsewhere(address) {
        let outcome = ConnectOutcome::NoSuchAddress;
        return ConnectProbe { address, outcome };
    }
    let begun = Instant::now();
    let outcome = match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
        Ok(stream) if is_self_connection(&stream) => ConnectOutcome::Refused,
        Ok(mut stream) => {
            let took = begun.elapsed();
            self_sockets::register(&stream);
            ConnectOutcome::Accepted {
                took,
                banner: read_banner(&mut stream),
            }
        }
        Err(error) => match error.kind() {
            ErrorKind::ConnectionRefused => ConnectOutcome::Refused,
            ErrorKind::TimedOut => ConnectOutcome::TimedOut,
            _ if bind_probe::is_address_unavailable(&error) => ConnectOutcome::NoSuchAddress,
            _ => ConnectOutcome::Failed(escaped(&error.to_string())),
        },
    };
    ConnectProbe { address, outcome }
}

/// True if a client was assigned the very port that it connects to, and so reached itself (RFC 9293, section 3.5,
/// simultaneous open).
pub(super) fn is_self_connection(stream: &TcpStream) -> bool {
    let peer = stream.peer_addr();
    peer.is_ok() && stream.local_addr().ok() == peer.ok()
}

fn read_banner(stream: &mut TcpStream) -> Banner {
    let mut bytes = Vec::new();
    let outcome = exchange(stream, REQUEST, REPLY_TIMEOUT, &mut bytes);
    match (outcome, bytes.as_slice()) {
        (Err(ErrorKind::WouldBlock | ErrorKind::TimedOut), []) => Banner::Nothing,
        (_, []) => Banner::Closed,
        (_, bytes) => parse_banner(bytes),
    }
}

/// Sends a request and reads what the server says within the time, or until it closes the connection.
pub(super) fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    timeout: Duration,
    bytes: &mut Vec<u8>,
) -> Result<(), ErrorKind> {
    let end = Instant::now() + timeout;
    let kind = |error: io::Error| error.kind();
    stream.set_write_timeout(Some(timeout)).map_err(kind)?;
    // A server that does not take the request counts as one that closed the connection.
    stream
        .write_all(request)
        .map_err(|_| ErrorKind::ConnectionReset)?;
    let mut buffer = [0; MAX_REPLY_BYTES];
    while bytes.len() < MAX_REPLY_BYTES && !is_complete(bytes) {
        let left = end.saturating_duration_since(Instant::now());
        // A failed setsockopt(2) says nothing about the server.
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return Err(ErrorKind::TimedOut);
        }
        match stream.read(&mut buffer).map_err(kind) {
            Ok(0) => return Ok(()),
            Ok(count) => bytes.extend(buffer.iter().take(count)),
            Err(ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// True if enough was read: the head of an HTTP answer, or the beginning of another one.
fn is_complete(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"HTTP/") {
        bytes.windows(4).any(|four| four == b"\r\n\r\n")
            || bytes.windows(2).any(|two| two == b"\n\n")
    } else {
        bytes.len() >= b"HTTP/".len()
    }
}

fn parse_banner(bytes: &[u8]) -> Banner {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.next().unwrap_or_default();
    if !bytes.starts_with(b"HTTP/") {
        return Banner::Other(SystemText::new(
            first.get(..MAX_SHOWN_BYTES).unwrap_or(first),
        ));
    }
    let server = lines.take_while(|line| !line.is_empty()).find_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let is_server = name.eq_ignore_ascii_case(b"server");
        is_server.then(|| SystemText::new(value.get(1..).unwrap_or_default().trim_ascii()))
    });
    Banner::Http {
        status: SystemText::new(first),
        server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_self_connection_is_no_listener() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let to = listener.local_addr().expect("an address");
        let other = TcpStream::connect(to).expect("connects");
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.expect("a socket");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        socket.bind(&any.into()).expect("binds");
        let own = socket.local_addr().expect("an address");
        socket.connect(&own).expect("meets itself");
        assert!(is_self_connection(&socket.into()) && !is_self_connection(&other));
    }

    #[test]
    fn an_http_banner_is_the_status_and_the_server() {
        let cases: [(&[u8], Banner); 4] = [
            (
                b"HTTP/1.1 200 OK\r\nDate: today\r\nSERVER:  nginx \r\n\r\nServer: no",
                Banner::Http {
                    status: "HTTP/1.1 200 OK".into(),
                    server: Some("nginx".into()),
                },
            ),
            (
                b"HTTP/1.0 404 Not Found\r\n\r\nServer: no",
                Banner::Http {
                    status: "HTTP/1.0 404 Not Found".into(),
                    server: None,
                },
            ),
            (
                b"SSH-2.0-OpenSSH_9\r\nmore",
                Banner::Other("SSH-2.0-OpenSSH_9".into()),
            ),
            (
                b"\x15\x03\x01\x00",
                Banner::Other(SystemText::new(b"\x15\x03\x01\x00")),
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse_banner(bytes), expected);
        }
    }
}
