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

fn get(address: SocketAddr, path: &HttpPath, end: Option<Instant>) -> HttpOutcome {
    let within = |most: Duration| {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        left.map_or(most, |left| left.max(MIN_TIMEOUT).min(most))
    };
    let mut stream = match TcpStream::connect_timeout(&address, within(CONNECT_TIMEOUT)) {
        Ok(stream) if is_self_connection(&stream) => return HttpOutcome::Refused,
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                ErrorKind::ConnectionRefused => HttpOutcome::Refused,
                ErrorKind::TimedOut => HttpOutcome::ConnectTimedOut,
                _ if bind_probe::is_address_unavailable(&error) => HttpOutcome::NoSuchAddress,
                _ => HttpOutcome::Failed(escaped(&error.to_string())),
            };
        }
    };
    self_sockets::register(&stream);
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

/// The name by which servers on this machine are asked; many answer to no other.
fn host(address: SocketAddr) -> String {
    if address.ip().is_loopback() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}
