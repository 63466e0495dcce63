//! What a server answered to a plain GET, for `portmon wait --http`.

use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::str::FromStr;

/// Target of a request (RFC 9112, section 3.2.1): a path, maybe with a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpPath(String);

/// A text that is no [`HttpPath`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAPath;

/// A GET that was tried on one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    pub address: SocketAddr,
    pub outcome: HttpOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpOutcome {
    Answered(HttpAnswer),
    /// A TLS record instead of an HTTP answer.
    Tls,
    /// First line of another answer.
    Other(SystemText),
    /// It closed the connection without an answer.
    Closed,
    /// It accepted the connection and did not answer in time.
    Silent,
    Refused,
    ConnectTimedOut,
    NoSuchAddress,
    /// Error text of the system, safe to show.
    Failed(String),
}

/// The head of an HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// `HTTP/1.1 200 OK`
    pub status_line: SystemText,
    pub status: u16,
    /// True if a refusal (400) says that the server expects HTTPS, as nginx and Go do.
    pub expects_https: bool,
}

impl HttpProbe {
    /// True for a status of success or redirection (RFC 9110, section 15).
    pub fn is_ready(&self) -> bool {
        matches!(&self.outcome, HttpOutcome::Answered(answer) if (200..400).contains(&answer.status))
    }

    /// True if something accepted the connection.
    pub fn is_connected(&self) -> bool {
        match self.outcome {
            HttpOutcome::Answered(_)
            | HttpOutcome::Tls
            | HttpOutcome::Other(_)
            | HttpOutcome::Closed
            | HttpOutcome::Silent => true,
            HttpOutcome::Refused
            | HttpOutcome::ConnectTimedOut
            | HttpOutcome::NoSuchAddress
            | HttpOutcome::Failed(_) => false,
        }
    }
}

impl HttpOutcome {
    /// Classifies the first bytes that a server sent.
    pub fn of_answer(bytes: &[u8]) -> Self {
        let first = bytes.split(|byte| *byte == b'\n').next();
        let first = first.unwrap_or_default().trim_ascii();
        if let Some(status) = status(first) {
            let expects_https = status == 400 && contains_ignoring_case(bytes, b"https");
            return Self::Answered(HttpAnswer {
                status_line: SystemText::new(shown(first)),
                status,
                expects_https,
            });
        }
        match bytes {
            [] => Self::Closed,
            // An alert or a handshake, version 3.x (RFC 8446, section 5.1).
            [0x15 | 0x16, 3, ..] => Self::Tls,
            _ => Self::Other(SystemText::new(shown(first))),
        }
    }
}

/// Number of bytes that are shown of an answer.
const MAX_SHOWN_BYTES: usize = 60;

fn shown(line: &[u8]) -> &[u8] {
    line.get(..MAX_SHOWN_BYTES).unwrap_or(line)
}

/// Parses the status of `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Option<u16> {
    let line = line.strip_prefix(b"HTTP/")?;
    let mut words = line
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    let status = std::str::from_utf8(words.nth(1)?).ok()?;
    (status.len() == 3).then(|| status.parse().ok())?
}

fn contains_ignoring_case(bytes: &[u8], word: &[u8]) -> bool {
    let mut windows = bytes.windows(word.len());
    windows.any(|window| window.eq_ignore_ascii_case(word))
}

impl Display for HttpPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Takes what may stand in a request line as it is: other characters are to be percent-encoded.
impl FromStr for HttpPath {
    type Err = NotAPath;

    fn from_str(text: &str) -> Result<Self, NotAPath> {
        let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_path.then(|| Self(text.to_owned())).ok_or(NotAPath)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(line: &str, status: u16, expects_https: bool) -> HttpOutcome {
        HttpOutcome::Answered(HttpAnswer {
            status_line: line.into(),
            status,
            expects_https,
        })
    }

    #[test]
    fn an_answer_is_http_with_its_status_tls_or_something_else() {
        let https = "HTTP/1.0 400 Bad Request";
        let cases: [(&[u8], HttpOutcome); 9] = [
            (
                b"HTTP/1.1 200 OK\r\nServer: https\r\n\r\n",
                answered("HTTP/1.1 200 OK", 200, false),
            ),
            (b"HTTP/1.1 404\r\n\r\n", answered("HTTP/1.1 404", 404, false)),
            (
                b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
                answered(https, 400, true),
            ),
            (
                b"HTTP/1.0 400 Bad Request\r\n\r\n",
                answered(https, 400, false),
            ),
            (b"", HttpOutcome::Closed),
            (b"\x15\x03\x01\x00\x02\x02\x46", HttpOutcome::Tls),
            (b"HTTP/1.1 OK\r\n", HttpOutcome::Other("HTTP/1.1 OK".into())),
            (
                b"HTTP/1.1 2000 OK\r\n",
                HttpOutcome::Other("HTTP/1.1 2000 OK".into()),
            ),
            (
                b"SSH-2.0-OpenSSH_9\r\nmore",
                HttpOutcome::Other("SSH-2.0-OpenSSH_9".into()),
            ),
        ];
        for (bytes, expected) in cases {
            assert_eq!(HttpOutcome::of_answer(bytes), expected);
        }
    }

    #[test]
    fn success_and_redirection_are_ready() {
        let ready = |status: u16| {
            let probe = HttpProbe {
                address: "127.0.0.1:3000".parse().expect("an address"),
                outcome: answered("", status, false),
            };
            probe.is_ready()
        };
        let found = [100, 199, 200, 204, 302, 399, 400, 404, 503].map(ready);
        let expected = [false, false, true, true, true, true, false, false, false];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_path_begins_with_a_slash_and_fits_in_a_request_line() {
        for path in ["/", "/health", "/a%20b?c=d&e"] {
            assert_eq!(
                path.parse::<HttpPath>().map(|path| path.to_string()),
                Ok(path.to_owned())
            );
        }
        for text in [
            "",
            "health",
            "http://localhost/",
            "/a b",
            "/\r\nHost: x",
            "/ä",
        ] {
            assert_eq!(text.parse::<HttpPath>(), Err(NotAPath), "{text:?}");
        }
    }
}
