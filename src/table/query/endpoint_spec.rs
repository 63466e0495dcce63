//! A local port with its address, in the forms that error messages, browsers and other tools write:
//! `:3000` `*:3000` `:::3000` `3000/tcp` `localhost:3000` `127.0.0.1:5432` `[::1]:5173` `http://localhost:5173/x`

use crate::model::socket::{Protocol, Socket, is_loopback};
use crate::model::text::escaped;
use crate::table::query::numbers::{PORT, is_digits, number};
use crate::table::query::token::{Token, TokenError};
use std::fmt::{self, Display};
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    pub port: u16,
    pub protocol: Option<Protocol>,
    pub host: Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// No host or a wildcard: a bind to all addresses conflicts with every owner of the port.
    Any,
    /// 127.0.0.0/8, ::1 and the wildcards.
    Localhost,
    /// This address, and wildcards that include it.
    Ip(IpAddr),
    /// The host name in a URL. Names are not resolved: any address.
    Name,
}

impl EndpointSpec {
    pub fn is_of(self, socket: &Socket) -> bool {
        socket.port() == self.port
            && self
                .protocol
                .is_none_or(|protocol| protocol == socket.protocol)
            && self.host.is_of(socket)
    }
}

/// Writes the shortest form that parses to the same endpoint.
impl Display for EndpointSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Any | Host::Name => write!(f, ":{}", self.port),
            Host::Localhost => write!(f, "localhost:{}", self.port),
            Host::Ip(ip) => SocketAddr::new(ip, self.port).fmt(f),
        }?;
        match self.protocol {
            Some(protocol) => write!(f, "/{protocol}"),
            None => Ok(()),
        }
    }
}

impl Host {
    fn is_of(self, socket: &Socket) -> bool {
        let local = socket.local.ip();
        match self {
            Self::Any | Self::Name => true,
            Self::Localhost => is_loopback(local) || local.is_unspecified(),
            Self::Ip(ip) => local == ip || local.is_unspecified() && covers(socket, ip),
        }
    }
}

/// True if a wildcard socket includes this address: `::` includes IPv4 unless IPV6_V6ONLY is set.
fn covers(wildcard: &Socket, ip: IpAddr) -> bool {
    let is_v6 = wildcard.local.is_ipv6();
    is_v6 == ip.is_ipv6() || is_v6 && wildcard.v6only != Some(true)
}

/// Punctuation after an endpoint in a sentence: `listen tcp :8080: bind: …`, `127.0.0.1:80, 127.0.0.1:81`.
const PUNCTUATION: [char; 7] = [':', ',', '.', ';', ')', '\'', '`'];

/// Parses an endpoint; `None` if the token is not written like one.
pub fn endpoint_spec(token: Token<'_>) -> Result<Option<EndpointSpec>, TokenError> {
    if let Some((scheme, rest)) = split_url(token.text) {
        return of_url(token, scheme, rest).map(Some);
    }
    let trimmed = Token {
        text: token.text.trim_end_matches(PUNCTUATION),
        ..token
    };
    if let Some(found) = of_host_and_port(trimmed)? {
        return Ok(Some(found));
    }
    let is_address_only = token.text.starts_with('[') && token.text.ends_with(']');
    let before = token
        .text
        .strip_suffix(if is_address_only { "" } else { ":" });
    match before.and_then(host) {
        Some(_) => Err(token.error(format!("missing port after {}", escaped(token.text)))),
        None => Ok(None),
    }
}

/// True for a URL, in which `|` and `,` separate nothing.
pub fn is_url(text: &str) -> bool {
    split_url(text).is_some()
}

fn split_url(text: &str) -> Option<(&str, &str)> {
    text.split_once("://").filter(|(scheme, _)| {
        scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.'))
    })
}

/// Parses `3000/tcp` and forms with a colon before the port; ignores a path after it.
fn of_host_and_port(token: Token<'_>) -> Result<Option<EndpointSpec>, TokenError> {
    let (authority, path) = match token.text.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (token.text, None),
    };
    let (host, digits) = match (authority.rsplit_once(':'), path) {
        (Some((name, digits)), _) => match host(name) {
            Some(host) => (host, digits),
            None => return Ok(None),
        },
        (None, Some(name)) if is_digits(authority) => {
            if protocol(name).is_none() {
                return Err(token.error(no_protocol(name)));
            }
            (Host::Any, authority)
        }
        (None, _) => return Ok(None),
    };
    // A published port of `docker ps`: 0.0.0.0:8080->80/tcp.
    let digits = digits.split_once("->").map_or(digits, |(own, _)| own);
    let spec = EndpointSpec {
        port: port(token, digits)?,
        protocol: path.and_then(protocol),
        host,
    };
    Ok(Some(spec))
}

fn of_url(token: Token<'_>, scheme: &str, rest: &str) -> Result<EndpointSpec, TokenError> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let authority = authority.trim_end_matches(PUNCTUATION);
    if authority.is_empty() {
        return Err(token.error(format!("missing host after {scheme}://")));
    }
    let (name, digits) = match authority.rsplit_once(':') {
        Some((name, digits)) if !digits.ends_with(']') => (name, Some(digits)),
        _ => (authority, None),
    };
    let port = match (digits, default_port(scheme)) {
        (Some(digits), _) => port(token, digits)?,
        (None, Some(port)) => port,
        (None, None) => {
            let what = format!("{scheme} has no default port: write {scheme}://localhost:PORT");
            return Err(token.error(what));
        }
    };
    Ok(EndpointSpec {
        port,
        protocol: None,
        host: host(name).unwrap_or(Host::Name),
    })
}

fn port(token: Token<'_>, digits: &str) -> Result<u16, TokenError> {
    let what = if digits.is_empty() {
        format!("missing port in {}", escaped(token.text))
    } else {
        format!("not a port: {}", escaped(digits))
    };
    if !is_digits(digits) {
        return Err(token.error(what));
    }
    let own = Token {
        text: digits,
        ..token
    };
    let number = number(own, PORT).map_err(|error| token.error(error.what))?;
    u16::try_from(number).map_err(|_| token.error(what))
}

fn host(name: &str) -> Option<Host> {
    if name.is_empty() || name == "*" {
        return Some(Host::Any);
    }
    if name.eq_ignore_ascii_case("localhost") {
        return Some(Host::Localhost);
    }
    let ip = address(name)?;
    Some(if ip.is_unspecified() {
        Host::Any
    } else {
        Host::Ip(ip)
    })
}

/// Parses an address with or without brackets; ignores its scope, and turns a v4-mapped one into IPv4.
pub fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let unscoped = bare.split_once('%').map_or(bare, |(address, _)| address);
    let ip: IpAddr = unscoped.parse().ok()?;
    Some(ip.to_canonical())
}

pub fn protocol(name: &str) -> Option<Protocol> {
    [Protocol::Tcp, Protocol::Udp]
        .into_iter()
        .find(|protocol| name.eq_ignore_ascii_case(protocol.name()))
}

pub fn no_protocol(name: &str) -> String {
    if name.is_empty() {
        "missing protocol: tcp or udp".to_owned()
    } else {
        format!("not a protocol: {} (try tcp or udp)", escaped(name))
    }
}

/// Default ports of URL schemes, from the IANA registry and the vendors' manuals.
const DEFAULT_PORTS: [(&str, u16); 20] = [
    ("http", 80),
    ("https", 443),
    ("ws", 80),
    ("wss", 443),
    ("ftp", 21),
    ("ssh", 22),
    ("sftp", 22),
    ("ldap", 389),
    ("ldaps", 636),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("mysql", 3306),
    ("mariadb", 3306),
    ("redis", 6379),
    ("rediss", 6379),
    ("mongodb", 27017),
    ("amqp", 5672),
    ("amqps", 5671),
    ("mqtt", 1883),
    ("nats", 4222),
];

fn default_port(scheme: &str) -> Option<u16> {
    DEFAULT_PORTS
        .iter()
        .find(|(name, _)| scheme.eq_ignore_ascii_case(name))
        .map(|(_, port)| *port)
}

#[cfg(test)]
mod tests;
