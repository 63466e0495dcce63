//! One HTTP/1.1 request (RFC 9112) over a Unix socket, limited in time and size.
//!
//! The server may be anybody and answer anything, slowly or never: then there is no response.

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
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    read_response(DeadlineReader { stream, end })
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

/// A reader that fails after its deadline, in however many reads.
struct DeadlineReader {
    stream: UnixStream,
    end: Instant,
}

impl Read for DeadlineReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(buffer)
    }
}

fn read_response(source: impl Read) -> Option<HttpResponse> {
    let mut reader = BufReader::new(source.take(MAX_BYTES));
    let head = lines(&mut reader)?;
    let status = head.first()?.strip_prefix("HTTP/1.")?.get(1..)?;
    if !status.starts_with(" 200") {
        return None;
    }
    let is_chunked = header(&head, "transfer-encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
    let body = match header(&head, "content-length") {
        _ if is_chunked => chunks(&mut reader)?,
        Some(length) => exactly(&mut reader, length.parse().ok()?)?,
        None => rest(&mut reader)?,
    };
    Some(HttpResponse { head, body })
}

/// Returns the value of a header; the case of its name does not matter.
pub fn header<'h>(head: &'h [String], name: &str) -> Option<&'h str> {
    head.iter().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Reads lines up to an empty one; `None` if the input ends before.
fn lines(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let lines = std::iter::repeat_with(|| line(reader));
    lines
        .take_while(|line| line.as_deref() != Some(""))
        .collect()
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some(String::from_utf8_lossy(line).into_owned())
}

/// Reads a chunked body (RFC 9112, section 7.1), without extensions and trailers.
fn chunks(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = line(reader)?;
        let size = line.split(';').next()?.trim();
        match u64::from_str_radix(size, 16).ok()? {
            0 => return Some(body),
            size => body.extend(exactly(reader, size)?),
        }
        if !self::line(reader)?.is_empty() {
            return None;
        }
    }
}

fn exactly(reader: &mut impl BufRead, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = reader.take(length).read_to_end(&mut bytes).ok()?;
    (u64::try_from(read) == Ok(length)).then_some(bytes)
}

/// Reads until the server closes; `None` at the size limit.
fn rest<R: Read>(reader: &mut BufReader<io::Take<R>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).ok()?;
    (reader.get_ref().limit() > 0).then_some(bytes)
}

#[cfg(test)]
mod tests;
