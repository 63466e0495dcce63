//! One question and one answer of HTTP/1.1 (RFC 9112) over a Unix socket, within a time and a size that nobody exceeds.
//!
//! Whoever listens there may be anybody and may answer anything, slowly or never: then there is no answer.

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// What an answer may take: a thousand containers with ten ports each take a quarter of it.
const LIMIT: u64 = 4 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// The lines before the body.
    pub head: Vec<String>,
    pub body: Vec<u8>,
}

impl HttpResponse {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// Asks for a path, and takes no answer but one that succeeds.
pub fn get(socket: &Path, path: &str, within: Duration) -> Option<HttpResponse> {
    let end = Instant::now() + within;
    let mut stream = connected(socket, within).ok()?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    read_response(DeadlineReader { stream, end })
}

/// A connect to a Unix socket waits while the queue of its listener is full, for as long as a send may take (unix(7)).
fn connected(path: &Path, within: Duration) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(within))?;
    connect(&socket, &address)?;
    Ok(socket.into())
}

/// Reads until a moment, however often it is asked.
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
    let mut reader = BufReader::new(source.take(LIMIT));
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

/// The value of the header, without regard to the case of its name.
fn header<'h>(head: &'h [String], name: &str) -> Option<&'h str> {
    head.iter().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The lines up to an empty one, or nothing where there is none.
fn lines(reader: &mut impl BufRead) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        match line(reader)? {
            line if line.is_empty() => return Some(lines),
            line => lines.push(line),
        }
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    let line = line.strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Some(String::from_utf8_lossy(line).into_owned())
}

/// A body in chunks (RFC 9112, section 7.1), without their extensions and whatever follows the last.
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

/// Whatever comes until the other side closes, unless that is more than is taken.
fn rest<R: Read>(reader: &mut BufReader<io::Take<R>>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).ok()?;
    (reader.get_ref().limit() > 0).then_some(bytes)
}

#[cfg(test)]
mod tests;
