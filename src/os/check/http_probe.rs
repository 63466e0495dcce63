//! A plain GET to a port, as a browser or a health check sends it.

use super::connect_probe::{client_addresses, exchange, is_self_connection};
use crate::check::{CONNECT_TIMEOUT, HttpOutcome, HttpPath, HttpProbe};
use crate::model::port::PortSpec;
use crate::model::text::escaped;
use crate::os::bind_probe;
use crate::os::sockets::self_sockets;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longest wait for an answer: a development server may build what it serves at the first request.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Shortest time that one GET is given, even if the whole wait ends before.
const MIN_TIMEOUT: Duration = Duration::from_millis(500);

/// Sends a GET to the address, or to 127.0.0.1 and then ::1, until one answers that it is ready.
pub fn probe_all(spec: PortSpec, path: &HttpPath, end: Option<Instant>) -> Vec<HttpProbe> {
    let mut probes = Vec::new();
    for address in client_addresses(spec) {
        let outcome = get(address, path, end);
        let probe = HttpProbe { address, outcome };
        let is_ready = probe.is_ready();
        probes.push(probe);
        if is_ready {
            break;
        }
    }
    probes
}

/// Replaces "closed without an answer" where the server speaks TLS: most of those close the connection when they read a GET,
/// and answer a ClientHello.
pub fn recognize_tls(probes: &mut [HttpProbe]) {
    for probe in probes {
        if probe.outcome == HttpOutcome::Closed && answers_tls(probe.address) {
            probe.outcome = HttpOutcome::Tls;
        }
    }
}

fn answers_tls(address: SocketAddr) -> bool {
    let mut bytes = Vec::new();
    let Ok(mut stream) = connect(address, CONNECT_TIMEOUT) else {
        return false;
    };
    // Whatever ends the exchange, the first bytes tell.
    let _ = exchange(&mut stream, &client_hello(), MIN_TIMEOUT, &mut bytes);
    HttpOutcome::of_answer(&bytes) == HttpOutcome::Tls
}

/// A ClientHello of TLS 1.2 without extensions (RFC 5246, section 7.4.1.2), which a server answers with a ServerHello or
/// an alert.
fn client_hello() -> Vec<u8> {
    const CIPHER_SUITES: [u8; 10] = [0x13, 0x01, 0xc0, 0x2f, 0xc0, 0x2b, 0x00, 0x9c, 0x00, 0x2f];
    let mut hello = vec![0x16, 3, 1, 0, 53, 1, 0, 0, 49, 3, 3];
    hello.extend([0; 32]);
    hello.extend([0, 0, 10]);
    hello.extend(CIPHER_SUITES);
    hello.extend([1, 0]);
    hello
}

fn get(address: SocketAddr, path: &HttpPath, end: Option<Instant>) -> HttpOutcome {
    let within = |most: Duration| {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        left.map_or(most, |left| left.max(MIN_TIMEOUT).min(most))
    };
    let mut stream = match connect(address, within(CONNECT_TIMEOUT)) {
        Ok(stream) => stream,
        Err(outcome) => return outcome,
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: portmon\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        host(address)
    );
    let mut bytes = Vec::new();
    let outcome = exchange(
        &mut stream,
        request.as_bytes(),
        within(ANSWER_TIMEOUT),
        &mut bytes,
    );
    match outcome {
        Err(ErrorKind::WouldBlock | ErrorKind::TimedOut) if bytes.is_empty() => HttpOutcome::Silent,
        _ => HttpOutcome::of_answer(&bytes),
    }
}

fn connect(address: SocketAddr, timeout: Duration) -> Result<TcpStream, HttpOutcome> {
    if bind_probe::is_elsewhere(address) {
        return Err(HttpOutcome::NoSuchAddress);
    }
    match TcpStream::connect_timeout(&address, timeout) {
        Ok(stream) if is_self_connection(&stream) => Err(HttpOutcome::Refused),
        Ok(stream) => {
            self_sockets::register(&stream);
            Ok(stream)
        }
        Err(error) => Err(match error.kind() {
            ErrorKind::ConnectionRefused => HttpOutcome::Refused,
            ErrorKind::TimedOut => HttpOutcome::ConnectTimedOut,
            _ if bind_probe::is_address_unavailable(&error) => HttpOutcome::NoSuchAddress,
            _ => HttpOutcome::Failed(escaped(&error.to_string())),
        }),
    }
}

/// The name by which servers on this machine are asked; many answer to no other. An address has no scope, which means
/// nothing to the server (RFC 9110, section 7.2; RFC 3986, section 3.2.2).
fn host(address: SocketAddr) -> String {
    if address.ip().is_loopback() {
        format!("localhost:{}", address.port())
    } else {
        SocketAddr::new(address.ip(), address.port()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddrV6;

    #[test]
    fn the_host_of_a_link_local_address_has_no_scope() {
        let link_local = SocketAddrV6::new("fe80::1".parse().expect("an address"), 80, 0, 2);
        assert_eq!(host(link_local.into()), "[fe80::1]:80");
        assert_eq!(host(SocketAddr::from(([127, 0, 0, 2], 80))), "localhost:80");
    }
}
