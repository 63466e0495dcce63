//! A local port with its address, in the forms that error messages, browsers and other tools write:
//! `:3000` `*:3000` `:::3000` `3000/tcp` `localhost:3000` `127.0.0.1:5432` `[::1]:5173` `http://localhost:5173/x`

use crate::model::port::Localhost;
use crate::model::port::url::{default_port, host_and_port, split_url};
use crate::model::socket::{InterfaceName, Protocol, Socket};
use crate::model::text::escaped;
use crate::table::query::numbers::{PORT, is_digits, number};
use crate::table::query::token::{ParseError, Token};
use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

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
    /// What the name resolves to, and wildcards that include one of these addresses.
    Localhost(Localhost),
    /// This address, and wildcards that include it.
    Ip(IpAddr),
    /// The same on one interface.
    OnInterface(IpAddr, InterfaceName),
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
            Host::Localhost(_) => write!(f, "localhost:{}", self.port),
            Host::Ip(ip) => SocketAddr::new(ip, self.port).fmt(f),
            Host::OnInterface(IpAddr::V4(v4), name) => write!(f, "{v4}%{name}:{}", self.port),
            Host::OnInterface(IpAddr::V6(v6), name) => write!(f, "[{v6}%{name}]:{}", self.port),
        }?;
        match self.protocol {
            Some(protocol) => write!(f, "/{protocol}"),
            None => Ok(()),
        }
    }
}

impl Host {
    fn is_of(self, socket: &Socket) -> bool {
        match self {
            Self::Any | Self::Name => true,
            Self::Localhost(localhost) => localhost.ips().any(|ip| socket.covers(ip)),
            Self::Ip(ip) => socket.covers(ip),
            Self::OnInterface(ip, name) => {
                socket.covers(ip) && (socket.interface.is_none() || socket.is_on_interface(name))
            }
        }
    }
}

/// Punctuation after an endpoint in a sentence: `listen tcp :8080: bind: …`, `127.0.0.1:80, 127.0.0.1:81`.
const PUNCTUATION: [char; 7] = [':', ',', '.', ';', ')', '\'', '`'];

/// Parses an endpoint; `None` if the token is not written like one.
pub fn endpoint_spec(token: Token<'_>) -> Result<Option<EndpointSpec>, ParseError> {
    if let Some((scheme, rest)) = split_url(token.text) {
        return of_url(token, scheme, rest).map(Some);
    }
    let text = token.text.trim_end_matches(PUNCTUATION);
    if let Some(found) = of_host_and_port(Token { text, ..token })? {
        return Ok(Some(found));
    }
    let is_bracketed = token.text.starts_with('[') && token.text.ends_with(']');
    let end = if is_bracketed { "" } else { ":" };
    match token.text.strip_suffix(end).and_then(host) {
        Some(_) => Err(token.error(format!("missing port after {}", escaped(token.text)))),
        None => Ok(None),
    }
}

/// Parses `3000/tcp` and forms with a colon before the port; ignores a path after it.
fn of_host_and_port(token: Token<'_>) -> Result<Option<EndpointSpec>, ParseError> {
    let (authority, path) = match token.text.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (token.text, None),
    };
    let protocol = path.and_then(Protocol::named);
    let (host, digits) = match (authority.rsplit_once(':'), path) {
        (Some((name, digits)), _) => (host(name), digits),
        (None, Some("")) if is_digits(authority) => {
            return Err(token.error(format!(
                "missing protocol after {authority}/ (try tcp or udp)"
            )));
        }
        (None, Some(_)) if is_digits(authority) => {
            protocol.ok_or_else(|| not_a_protocol(token.after(authority.len() + 1)))?;
            (Some(Host::Any), authority)
        }
        (None, _) => (None, authority),
    };
    let Some(host) = host else {
        return Ok(None);
    };
    // A published port of `docker ps`: 0.0.0.0:8080->80/tcp.
    let digits = digits.split_once("->").map_or(digits, |(own, _)| own);
    Ok(Some(EndpointSpec {
        port: port(token, digits)?,
        protocol,
        host,
    }))
}

fn of_url(token: Token<'_>, scheme: &str, rest: &str) -> Result<EndpointSpec, ParseError> {
    let (name, digits) = host_and_port(rest, &PUNCTUATION);
    if name.is_empty() && digits.is_none() {
        return Err(token.error(format!("missing host after {scheme}://")));
    }
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

fn port(token: Token<'_>, text: &str) -> Result<u16, ParseError> {
    let what = match text {
        "" => format!("missing port in {}", escaped(token.text)),
        _ => format!("not a port: {}", escaped(text)),
    };
    if !is_digits(text) {
        return Err(token.error(what));
    }
    let number = number(Token { text, ..token }, PORT).map_err(|error| token.error(error.what))?;
    u16::try_from(number).map_err(|_| token.error(what))
}

fn host(name: &str) -> Option<Host> {
    Some(match name {
        "" | "*" => Host::Any,
        name if name.eq_ignore_ascii_case("localhost") => Host::Localhost(Localhost::default()),
        name => match (address(name)?, scope(name)) {
            (ip, Some(interface)) => Host::OnInterface(ip, interface),
            (ip, None) if ip.is_unspecified() => Host::Any,
            (ip, None) => Host::Ip(ip),
        },
    })
}

/// Parses an address with or without brackets; ignores its scope, and turns a v4-mapped one into IPv4.
pub fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let unscoped = bare.split_once('%').map_or(bare, |(address, _)| address);
    // How portmon writes a socket that takes both families.
    if unscoped == "*" && unscoped != bare {
        return Some(Ipv6Addr::UNSPECIFIED.into());
    }
    let ip: IpAddr = unscoped.parse().ok()?;
    Some(ip.to_canonical())
}

/// Returns the interface behind an address: `[fe80::1%eth0]`, `127.0.0.53%lo`.
pub fn scope(text: &str) -> Option<InterfaceName> {
    let (_, name) = text.trim_end_matches(']').split_once('%')?;
    InterfaceName::new(name)
}

pub fn not_a_protocol(name: Token<'_>) -> ParseError {
    name.invalid("a protocol", "tcp or udp")
}

#[cfg(test)]
mod tests;
