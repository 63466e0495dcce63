//! What a command is to act on: a port or a range of them, as people write it on a command line.
//!
//! Unlike the filter it never looks for text: whatever is no port is refused, because something may be ended for it.

use crate::model::address::canonical;
use crate::model::endpoint::{Protocol, Socket};
use crate::model::text::escaped;
use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Ports of one protocol, on one local address or on all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortSpec {
    pub protocol: Protocol,
    /// `None` for every local address. An IPv4 address is never v4-mapped here, as no row is.
    ///
    /// `localhost` says no address: the name leads to 127.0.0.1 and ::1, to whichever of them is tried first, and a
    /// socket on all addresses answers there just as well.
    pub address: Option<IpAddr>,
    /// Never empty, and without port 0, which stands for "any" (`bind(2)`).
    pub ports: RangeInclusive<u16>,
}

impl PortSpec {
    /// The targets of several words, each of which may be a list (`3000,3001 5432/udp`), every one of them once.
    pub fn parse_list<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, String> {
        let mut targets = Vec::new();
        for text in words.into_iter().flat_map(|word| word.split(',')) {
            let target = text.parse()?;
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        Ok(targets)
    }

    /// The port, where it is about one only.
    pub fn only_port(&self) -> Option<u16> {
        let (first, last) = (*self.ports.start(), *self.ports.end());
        (first == last).then_some(first)
    }

    /// Whether a socket has this protocol, one of the ports and exactly the address, if one is given.
    pub fn matches(&self, socket: &Socket) -> bool {
        let is_there = |address: IpAddr| socket.local.ip() == address;
        self.protocol == socket.protocol
            && self.ports.contains(&socket.port())
            && self.address.is_none_or(is_there)
    }
}

/// One port of a target, on one address or on all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SinglePort {
    pub protocol: Protocol,
    pub port: u16,
    pub address: Option<IpAddr>,
}

impl SinglePort {
    pub fn matches(&self, socket: &Socket) -> bool {
        self.has_same_port(socket) && self.address.is_none_or(|ip| socket.local.ip() == ip)
    }

    /// Whether a socket has the port, on whatever address.
    pub fn has_same_port(&self, socket: &Socket) -> bool {
        (self.protocol, self.port) == (socket.protocol, socket.port())
    }

    /// As the command line takes it, without a colon before a number.
    pub fn to_argument(&self) -> String {
        let word = self.to_string();
        word.strip_prefix(':').unwrap_or(&word).to_owned()
    }
}

impl Display for SinglePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        PortSpec::from(*self).fmt(f)
    }
}

impl From<SinglePort> for PortSpec {
    fn from(single_port: SinglePort) -> Self {
        Self {
            protocol: single_port.protocol,
            address: single_port.address,
            ports: single_port.port..=single_port.port,
        }
    }
}

/// As it can be typed again: `:3000`, `:5353/udp`, `[::1]:5432`, `:3000-3010`.
impl Display for PortSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(IpAddr::V4(v4)) => write!(f, "{v4}:")?,
            Some(IpAddr::V6(v6)) => write!(f, "[{v6}]:")?,
            None => write!(f, ":")?,
        }
        match self.only_port() {
            Some(port) => write!(f, "{port}")?,
            None => write!(f, "{}-{}", self.ports.start(), self.ports.end())?,
        }
        match self.protocol {
            Protocol::Tcp => Ok(()),
            Protocol::Udp => write!(f, "/udp"),
        }
    }
}

/// The error is one line for people: what is wrong and the way out.
impl FromStr for PortSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, protocol) = match text.rsplit_once('/') {
            Some((place, name)) => (place, protocol(name)?),
            None => (text, Protocol::Tcp),
        };
        let (address, ports) = match place.rsplit_once(':') {
            Some((host, ports)) => (address(host)?, ports),
            None => (None, place),
        };
        Ok(Self {
            protocol,
            address,
            ports: range(ports)?,
        })
    }
}

fn protocol(name: &str) -> Result<Protocol, String> {
    match name {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        _ => Err(format!(
            "{:?} is no protocol: 3000/tcp or 3000/udp",
            escaped(name)
        )),
    }
}

/// Error messages write `:3000`, `*:3000` and `:::3000` for every address.
fn address(host: &str) -> Result<Option<IpAddr>, String> {
    if matches!(host, "" | "*" | "::") || host.eq_ignore_ascii_case("localhost") {
        return Ok(None);
    }
    let in_brackets = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = match in_brackets {
        Some(v6) => v6.parse::<Ipv6Addr>().map(IpAddr::V6).ok(),
        None => host.parse::<Ipv4Addr>().map(IpAddr::V4).ok(),
    };
    match address {
        Some(address) => Ok(Some(canonical(SocketAddr::new(address, 0)).ip())),
        None if host.parse::<Ipv6Addr>().is_ok() => {
            Err(format!("{host} needs brackets before a port: [{host}]"))
        }
        None => Err(format!(
            "{:?} is no address: 127.0.0.1:3000, [::1]:3000 or localhost:3000",
            escaped(host)
        )),
    }
}

fn range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let Some((first, last)) = text.split_once('-') else {
        let port = port(text)?;
        return Ok(port..=port);
    };
    if first.is_empty() || last.is_empty() {
        return Err(format!(
            "{:?} is a range without an end: 3000-3010",
            escaped(text)
        ));
    }
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err(format!(
            "{first}-{last} runs backwards; did you mean: {last}-{first}"
        ));
    }
    Ok(first..=last)
}

fn port(text: &str) -> Result<u16, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(format!(
            "{:?} is no port: 3000, 3000/udp, 127.0.0.1:3000 or 3000-3010",
            escaped(text)
        ));
    }
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| format!("{text} is no port: 1 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::socket;

    fn tcp(address: Option<&str>, ports: RangeInclusive<u16>) -> PortSpec {
        PortSpec {
            protocol: Protocol::Tcp,
            address: address.map(|address| address.parse().expect("an address")),
            ports,
        }
    }

    fn udp(address: Option<&str>, ports: RangeInclusive<u16>) -> PortSpec {
        PortSpec {
            protocol: Protocol::Udp,
            ..tcp(address, ports)
        }
    }

    #[test]
    fn a_port_spec_parses_common_forms_and_round_trips() {
        let cases = [
            ("3000", tcp(None, 3000..=3000), ":3000"),
            ("3000/tcp", tcp(None, 3000..=3000), ":3000"),
            ("3000/udp", udp(None, 3000..=3000), ":3000/udp"),
            (":3000", tcp(None, 3000..=3000), ":3000"),
            ("*:3000", tcp(None, 3000..=3000), ":3000"),
            (":::3000", tcp(None, 3000..=3000), ":3000"),
            ("localhost:3000", tcp(None, 3000..=3000), ":3000"),
            (
                "127.0.0.1:5432",
                tcp(Some("127.0.0.1"), 5432..=5432),
                "127.0.0.1:5432",
            ),
            (
                "0.0.0.0:5432/udp",
                udp(Some("0.0.0.0"), 5432..=5432),
                "0.0.0.0:5432/udp",
            ),
            ("[::1]:5432", tcp(Some("::1"), 5432..=5432), "[::1]:5432"),
            ("[::]:5432", tcp(Some("::"), 5432..=5432), "[::]:5432"),
            (
                "[::ffff:127.0.0.1]:5432",
                tcp(Some("127.0.0.1"), 5432..=5432),
                "127.0.0.1:5432",
            ),
            (
                "[::1]:5432/udp",
                udp(Some("::1"), 5432..=5432),
                "[::1]:5432/udp",
            ),
            ("3000-3010", tcp(None, 3000..=3010), ":3000-3010"),
            ("1-65535/udp", udp(None, 1..=65535), ":1-65535/udp"),
        ];
        for (text, expected, written) in cases {
            assert_eq!(text.parse().as_ref(), Ok(&expected), "{text}");
            assert_eq!(expected.to_string(), written);
            assert_eq!(written.parse().as_ref(), Ok(&expected), "{written}");
        }
    }

    #[test]
    fn an_invalid_port_spec_names_the_error_and_valid_forms() {
        let cases = [
            ("0", "0 is no port: 1 to 65535"),
            ("70000", "70000 is no port: 1 to 65535"),
            ("3000-70000", "70000 is no port: 1 to 65535"),
            (
                "99999999999999999999",
                "99999999999999999999 is no port: 1 to 65535",
            ),
            (
                "3010-3000",
                "3010-3000 runs backwards; did you mean: 3000-3010",
            ),
            ("3000-", "\"3000-\" is a range without an end: 3000-3010"),
            ("-3000", "\"-3000\" is a range without an end: 3000-3010"),
            (
                "node",
                "\"node\" is no port: 3000, 3000/udp, 127.0.0.1:3000 or 3000-3010",
            ),
            (
                "",
                "\"\" is no port: 3000, 3000/udp, 127.0.0.1:3000 or 3000-3010",
            ),
            (
                "+3000",
                "\"+3000\" is no port: 3000, 3000/udp, 127.0.0.1:3000 or 3000-3010",
            ),
            ("3000/sctp", "\"sctp\" is no protocol: 3000/tcp or 3000/udp"),
            (
                "localhst:3000",
                "\"localhst\" is no address: 127.0.0.1:3000, [::1]:3000 or localhost:3000",
            ),
            (
                "[127.0.0.1]:80",
                "\"[127.0.0.1]\" is no address: 127.0.0.1:3000, [::1]:3000 or localhost:3000",
            ),
            ("::1:5432", "::1 needs brackets before a port: [::1]"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<PortSpec>(), Err(expected.to_owned()), "{text}");
        }
    }

    #[test]
    fn port_specs_may_be_lists_and_duplicates_are_dropped() {
        let expected = vec![
            tcp(None, 3000..=3000),
            tcp(None, 3001..=3001),
            udp(None, 5432..=5432),
        ];
        assert_eq!(
            PortSpec::parse_list(["3000,3001", "5432/udp", ":3000"]),
            Ok(expected)
        );
        assert!(PortSpec::parse_list(["3000,"]).is_err());
    }

    #[test]
    fn a_port_spec_matches_protocol_port_and_exact_address() {
        let names = |target: &str| {
            let target: PortSpec = target.parse().expect(target);
            [
                socket("127.0.0.1:3000").build(),
                socket("0.0.0.0:3000").build(),
                socket("127.0.0.1:3001").build(),
                socket("127.0.0.1:3000").udp().build(),
            ]
            .map(|socket| target.matches(&socket))
        };
        assert_eq!(names("3000"), [true, true, false, false]);
        assert_eq!(names("127.0.0.1:3000"), [true, false, false, false]);
        assert_eq!(names("3000-3010"), [true, true, true, false]);
        assert_eq!(names("3000/udp"), [false, false, false, true]);
    }
}
