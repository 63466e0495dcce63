//! Ports as people write them on a command line: one port, or a range of them.
//!
//! Unlike the filter, this never searches for text: what is not a port is an error, because a process may be ended for it.

use super::Port;
use super::address_spec::{AddressError, AddressSpec};
use super::bind::{AddressProbe, overlaps};
use super::url::{default_port, host_and_port, split_url};
use crate::model::process::shell::quoted;
use crate::model::socket::{Protocol, Socket};
use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A port of one protocol, on one local address or on all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortSpec {
    pub protocol: Protocol,
    pub address: AddressSpec,
    pub port: u16,
}

/// One port or several in a row, as `portmon free` takes them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PortRange {
    pub protocol: Protocol,
    pub address: AddressSpec,
    /// Never empty, and without port 0, which stands for any port (bind(2)).
    pub ports: RangeInclusive<u16>,
}

/// Why a text is not a port; with the text as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortSpecError {
    NotAPort(String),
    /// A number, but not from 1 to 65535.
    OutOfRange(String),
    NotAProtocol(String),
    /// What stands before the port is no address.
    Address(AddressError),
    /// An address without a port.
    MissingPort(AddressSpec),
    /// A range without one of its ends.
    OpenRange(String),
    BackwardRange(u16, u16),
    /// A range where one port is needed.
    IsRange(PortRange),
}

impl PortSpec {
    /// The TCP port on all local addresses.
    pub fn tcp(port: u16) -> Self {
        Self {
            protocol: Protocol::Tcp,
            address: AddressSpec::Any,
            port,
        }
    }

    /// The port with every local address.
    pub fn on_all_addresses(self) -> Self {
        Self {
            address: AddressSpec::Any,
            ..self
        }
    }

    /// True if a socket has this protocol and port, and exactly the address if there is one; on `localhost` are sockets on
    /// all addresses, too.
    pub fn matches(&self, socket: &Socket) -> bool {
        self.has_same_port(socket) && self.address.has(socket)
    }

    /// True if a socket has this protocol and port, on any address.
    pub fn has_same_port(&self, socket: &Socket) -> bool {
        (self.protocol, self.port) == (socket.protocol, socket.port())
    }

    /// True for an explicit `[::]`: node, Go and Java ask for both families with it.
    pub fn asks_for_both_families(&self) -> bool {
        self.address == AddressSpec::Ip(Ipv6Addr::UNSPECIFIED.into())
    }

    /// True if a socket conflicts with a bind on this port.
    pub fn conflicts(&self, socket: &Socket) -> bool {
        let v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        self.has_same_port(socket)
            && (self.address.conflicts(socket)
                || self.asks_for_both_families() && overlaps(socket, v4))
    }

    /// True if the result of these binds decides whether the port can be used. Beside `[::]` for both families, the one
    /// for IPv6 alone only tells what is left.
    pub fn is_decided_by(&self, probe: &AddressProbe) -> bool {
        probe.takes_ipv4 || !self.asks_for_both_families()
    }

    /// True if a client on this machine that connects to this port reaches the socket.
    pub fn reaches(&self, socket: &Socket) -> bool {
        self.has_same_port(socket) && self.address.reaches(socket)
    }

    /// The port as an argument of a command, without a colon before a number and quoted for a shell, of which zsh expands
    /// brackets: `3000`, `'[::1]:5432'`.
    pub fn to_argument(&self) -> String {
        let text = self.to_string();
        quoted(text.strip_prefix(':').unwrap_or(&text).as_bytes())
    }
}

impl PortRange {
    /// Parses words, each of which may be a list (`3000,3001 5432/udp`); duplicates are returned once.
    pub fn parse_list<'a>(
        words: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<Self>, PortSpecError> {
        let mut ranges = Vec::new();
        for text in words.into_iter().flat_map(|word| word.split(',')) {
            let range = text.parse()?;
            if !ranges.contains(&range) {
                ranges.push(range);
            }
        }
        Ok(ranges)
    }

    /// The port, if the range has only one.
    pub fn only_port(&self) -> Option<PortSpec> {
        let (first, last) = (*self.ports.start(), *self.ports.end());
        (first == last).then(|| self.at(first))
    }

    /// One port of the range.
    pub fn at(&self, port: u16) -> PortSpec {
        PortSpec {
            protocol: self.protocol,
            address: self.address,
            port,
        }
    }

    /// True if a socket has this protocol, one of the ports, and exactly the address if there is one.
    pub fn matches(&self, socket: &Socket) -> bool {
        self.ports.contains(&socket.port()) && self.at(socket.port()).matches(socket)
    }
}

/// As it can be typed again: `:3000`, `:5353/udp`, `[::1]:5432`.
impl Display for PortSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (protocol, number) = (self.protocol, self.port);
        write!(f, "{}{}", self.address, Port { protocol, number })
    }
}

/// As it can be typed again: `:3000-3010`.
impl Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.at(*self.ports.start()), self.ports.end());
        if self.only_port().is_some() {
            return first.fmt(f);
        }
        match first.to_string().split_once('/') {
            None => write!(f, "{first}-{last}"),
            Some((place, protocol)) => write!(f, "{place}-{last}/{protocol}"),
        }
    }
}

impl FromStr for PortSpec {
    type Err = PortSpecError;

    fn from_str(text: &str) -> Result<Self, PortSpecError> {
        let range: PortRange = text.parse()?;
        range.only_port().ok_or(PortSpecError::IsRange(range))
    }
}

impl FromStr for PortRange {
    type Err = PortSpecError;

    fn from_str(text: &str) -> Result<Self, PortSpecError> {
        if let Some((scheme, rest)) = split_url(text) {
            return of_url(text, scheme, rest);
        }
        let (place, protocol) = match text.rsplit_once('/') {
            Some((place, name)) => (place, Protocol::named(name).ok_or(name)),
            None => (text, Ok(Protocol::Tcp)),
        };
        let protocol = protocol.map_err(|name| PortSpecError::NotAProtocol(name.to_owned()))?;
        if let Some(address) = address_without_port(place) {
            return Err(PortSpecError::MissingPort(address));
        }
        // A published port of a container, as `docker ps` and the details write it: 0.0.0.0:8080->80/tcp.
        let place = place.split_once("->").map_or(place, |(own, _)| own);
        let (address, ports) = match place.rsplit_once(':') {
            Some((host, ports)) => (host.parse().map_err(PortSpecError::Address)?, ports),
            None => (AddressSpec::Any, place),
        };
        Ok(Self {
            protocol,
            address,
            ports: ports_of(ports)?,
        })
    }
}

/// Parses the host and the port of a URL, which is TCP; without a port that of its scheme.
fn of_url(text: &str, scheme: &str, rest: &str) -> Result<PortRange, PortSpecError> {
    let (host, digits) = host_and_port(rest, &[]);
    let ports = match digits {
        Some(digits) => ports_of(digits)?,
        None => default_port(scheme)
            .map(|port| port..=port)
            .ok_or_else(|| PortSpecError::NotAPort(text.to_owned()))?,
    };
    Ok(PortRange {
        protocol: Protocol::Tcp,
        address: host.parse().map_err(PortSpecError::Address)?,
        ports,
    })
}

/// Parses a lone address. `::1:5432` is one too, but is more likely meant as an address with a port.
fn address_without_port(place: &str) -> Option<AddressSpec> {
    let inside = place
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = AddressSpec::bare(inside.unwrap_or(place)).ok()?;
    let (host, _) = place.rsplit_once(':').unwrap_or_default();
    host.parse::<Ipv6Addr>().is_err().then_some(address)
}

fn ports_of(text: &str) -> Result<RangeInclusive<u16>, PortSpecError> {
    let Some((first, last)) = text.split_once('-') else {
        let port = port(text)?;
        return Ok(port..=port);
    };
    if first.is_empty() || last.is_empty() {
        return Err(PortSpecError::OpenRange(text.to_owned()));
    }
    let (first, last) = (port(first)?, port(last)?);
    if first > last {
        return Err(PortSpecError::BackwardRange(first, last));
    }
    Ok(first..=last)
}

fn port(text: &str) -> Result<u16, PortSpecError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PortSpecError::NotAPort(text.to_owned()));
    }
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| PortSpecError::OutOfRange(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::socket;

    /// A range on this address; on every address for "".
    fn tcp(address: &str, ports: RangeInclusive<u16>) -> PortRange {
        PortRange {
            protocol: Protocol::Tcp,
            address: address.parse().expect("an address"),
            ports,
        }
    }

    fn udp(address: &str, ports: RangeInclusive<u16>) -> PortRange {
        PortRange {
            protocol: Protocol::Udp,
            ..tcp(address, ports)
        }
    }

    #[test]
    fn a_port_spec_parses_common_forms_and_round_trips() {
        let one = 3000..=3000;
        let cases = [
            ("3000", tcp("", one.clone()), ":3000"),
            ("3000/tcp", tcp("", one.clone()), ":3000"),
            ("3000/udp", udp("", one.clone()), ":3000/udp"),
            ("3000/TCP", tcp("", one.clone()), ":3000"),
            (
                "http://localhost:3000/x?y#z",
                tcp("localhost", one.clone()),
                "localhost:3000",
            ),
            (
                "http://dev:pw@[::1]:3000",
                tcp("[::1]", one.clone()),
                "[::1]:3000",
            ),
            (
                "http://127.0.0.1/",
                tcp("127.0.0.1", 80..=80),
                "127.0.0.1:80",
            ),
            (
                "127.0.0.1:3000->80/udp",
                udp("127.0.0.1", one.clone()),
                "127.0.0.1:3000/udp",
            ),
            (":3000", tcp("", one.clone()), ":3000"),
            ("*:3000", tcp("", one.clone()), ":3000"),
            (":::3000", tcp("", one.clone()), ":3000"),
            (
                "localhost:3000",
                tcp("localhost", one.clone()),
                "localhost:3000",
            ),
            (
                "10.0.0.1:3000",
                tcp("10.0.0.1", one.clone()),
                "10.0.0.1:3000",
            ),
            (
                "0.0.0.0:3000/udp",
                udp("0.0.0.0", one.clone()),
                "0.0.0.0:3000/udp",
            ),
            ("[::1]:3000", tcp("[::1]", one.clone()), "[::1]:3000"),
            ("[::]:3000", tcp("[::]", one.clone()), "[::]:3000"),
            (
                "[::ffff:10.0.0.1]:3000",
                tcp("10.0.0.1", one.clone()),
                "10.0.0.1:3000",
            ),
            (
                "[::1]:3000/udp",
                udp("[::1]", one.clone()),
                "[::1]:3000/udp",
            ),
            (
                "[fe80::1%eth0]:3000",
                tcp("[fe80::1%eth0]", one.clone()),
                "[fe80::1%eth0]:3000",
            ),
            (
                "127.0.0.53%lo:53/udp",
                udp("127.0.0.53%lo", 53..=53),
                "127.0.0.53%lo:53/udp",
            ),
            ("*%lo:3000", tcp("[::%lo]", one), "[::%lo]:3000"),
            ("3000-3010", tcp("", 3000..=3010), ":3000-3010"),
            ("1-65535/udp", udp("", 1..=65535), ":1-65535/udp"),
        ];
        for (text, expected, written) in cases {
            assert_eq!(expected.to_string(), written);
            for text in [text, written] {
                assert_eq!(text.parse().as_ref(), Ok(&expected), "{text}");
            }
        }
    }

    #[test]
    fn an_invalid_port_spec_tells_what_is_wrong() {
        use PortSpecError as Error;
        let text = str::to_owned;
        let address = |text: &str| text.parse().expect(text);
        let wrong = Error::Address;
        let cases = [
            ("0", Error::OutOfRange(text("0"))),
            ("70000", Error::OutOfRange(text("70000"))),
            ("3000-70000", Error::OutOfRange(text("70000"))),
            ("99999999999", Error::OutOfRange(text("99999999999"))),
            ("3010-3000", Error::BackwardRange(3010, 3000)),
            ("3000-", Error::OpenRange(text("3000-"))),
            ("-3000", Error::OpenRange(text("-3000"))),
            ("node", Error::NotAPort(text("node"))),
            ("", Error::NotAPort(text(""))),
            ("+3000", Error::NotAPort(text("+3000"))),
            ("3000/sctp", Error::NotAProtocol(text("sctp"))),
            (
                "localhst:3000",
                wrong(AddressError::NotAnAddress(text("localhst"))),
            ),
            ("[::1]", Error::MissingPort(address("[::1]"))),
            ("::1/udp", Error::MissingPort(address("[::1]"))),
            ("127.0.0.1", Error::MissingPort(address("127.0.0.1"))),
            ("fe80::1%v0", Error::MissingPort(address("[fe80::1%v0]"))),
            (
                "[fe80::1%a b]:80",
                wrong(AddressError::NotAnInterface(text("a b"))),
            ),
            (
                "fe80::1%v0:5432",
                wrong(AddressError::NeedsBrackets(text("fe80::1%v0"))),
            ),
            (
                "[127.0.0.1]:80",
                wrong(AddressError::NotAnAddress(text("[127.0.0.1]"))),
            ),
            ("::1:5432", wrong(AddressError::NeedsBrackets(text("::1")))),
            ("3000-3010", Error::IsRange(tcp("", 3000..=3010))),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<PortSpec>(), Err(expected), "{text}");
        }
    }

    #[test]
    fn one_port_is_written_as_it_is_typed_as_an_argument() {
        for (text, argument) in [
            ("3000", "3000"),
            ("53/udp", "53/udp"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]:80", "'[::1]:80'"),
        ] {
            let spec: PortSpec = text.parse().expect(text);
            assert_eq!(spec.to_argument(), argument);
        }
    }

    #[test]
    fn port_specs_may_be_lists_and_duplicates_are_dropped() {
        let listed = PortRange::parse_list(["3000,3001", "5432/udp", ":3000"]);
        let [one, other] = [3000..=3000, 3001..=3001].map(|ports| tcp("", ports));
        assert_eq!(listed, Ok(vec![one, other, udp("", 5432..=5432)]));
        assert!(PortRange::parse_list(["3000,"]).is_err());
    }

    #[test]
    fn a_port_spec_matches_protocol_port_and_exact_address() {
        let names = |target: &str| {
            let target: PortRange = target.parse().expect(target);
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
