//! One HTTP request (RFC 9112) over a Unix socket, limited in time and size.
//!
//! It is of HTTP/1.0, since the response to HTTP/1.1 may come in chunks. The server may be anybody and answer anything,
//! slowly or never: then there is no response.

use super::deadline_reader::DeadlineReader;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Four times the response for a thousand containers with ten ports each.
const MAX_BYTES: u64 = 4 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status line and the headers.
    pub head: Vec<String>,
    pub body: Vec<u8>,
}

/// Requests a path; `None` unless the status is 200.
pub fn get(socket: &Path, path: &str, timeout: Duration) -> Option<HttpResponse> {
    let end = Instant::now() + timeout;
    let mut stream = connected(socket, timeout).ok()?;
    let request =
        format!("GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let source = stream;
    read_response(DeadlineReader { source, end })
}

/// Connects within the timeout: while the backlog is full, connect(2) waits as long as a send may take (unix(7)).
fn connected(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(timeout))?;
    connect(&socket, &address)?;
    Ok(socket.into())
}

/// Reads a body of the length in its header, else until the server closes; `None` at the size limit.
fn read_response(source: impl Read) -> Option<HttpResponse> {
    let mut reader = BufReader::new(source.take(MAX_BYTES));
    let is_empty = |line: &io::Result<String>| line.as_ref().is_ok_and(String::is_empty);
    let lines = reader.by_ref().lines().take_while(|line| !is_empty(line));
    let head: Vec<String> = lines.collect::<io::Result<_>>().ok()?;
    let status = head.first()?.strip_prefix("HTTP/1.")?.get(1..)?;
    if !status.starts_with(" 200") || header(&head, "transfer-encoding").is_some() {
        return None;
    }
    let mut body = Vec::new();
    let is_whole = if let Some(length) = header(&head, "content-length") {
        let length = length.parse().ok()?;
        let read = reader.take(length).read_to_end(&mut body).ok()?;
        u64::try_from(read) == Ok(length)
    } else {
        reader.read_to_end(&mut body).ok()?;
        reader.get_ref().limit() > 0
    };
    is_whole.then_some(HttpResponse { head, body })
}

/// Returns the value of a header; the case of its name does not matter.
pub fn header<'h>(head: &'h [String], name: &str) -> Option<&'h str> {
    head.iter().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests;
