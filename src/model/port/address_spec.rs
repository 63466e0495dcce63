//! Which local addresses a port is asked about, as people write them: `127.0.0.1`, `localhost`, `[fe80::1%eth0]`.

use super::bind::{LOCAL_ADDRESSES, overlaps};
use crate::model::socket::{InterfaceName, Socket, needs_scope};
use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressSpec {
    /// Every local address.
    Any,
    /// What the name `localhost` resolves to.
    Localhost(Localhost),
    /// Never v4-mapped.
    Ip(IpAddr),
    /// An address on one interface: a link-local one (RFC 4007, section 11), or that of a socket with SO_BINDTODEVICE.
    OnInterface {
        ip: IpAddr,
        interface: InterfaceName,
        /// Index of the interface; 0 until it was looked up.
        index: u32,
    },
}

/// Addresses of `localhost`, in the order in which clients try them; those of RFC 6761, section 6.3, until it was looked
/// up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Localhost([Option<IpAddr>; Localhost::MAX]);

/// Why a text is not an address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Neither an address nor `localhost`.
    NotAnAddress(String),
    /// What stands behind `%` is no name that an interface can have.
    NotAnInterface(String),
    /// No interface has this name or index.
    UnknownInterface(InterfaceName),
    /// A link-local address without its interface, which it takes to mean one address.
    NeedsInterface(Ipv6Addr),
    /// An IPv6 address before a port, as it was typed.
    NeedsBrackets(String),
}

impl Localhost {
    /// Number of addresses that are kept.
    const MAX: usize = 3;

    /// Returns these addresses, or the default if there are none.
    pub fn new(ips: &[IpAddr]) -> Self {
        let mut kept = ips.iter().copied();
        let found = Self([(); Self::MAX].map(|()| kept.next()));
        if ips.is_empty() {
            Self::default()
        } else {
            found
        }
    }

    pub fn ips(self) -> impl Iterator<Item = IpAddr> {
        self.0.into_iter().flatten()
    }
}

impl Default for Localhost {
    fn default() -> Self {
        Self::new(&[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
    }
}

impl AddressSpec {
    pub fn is_any(self) -> bool {
        self == Self::Any
    }

    /// The address, if it is one.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Any | Self::Localhost(_) => None,
            Self::Ip(ip) | Self::OnInterface { ip, .. } => Some(ip),
        }
    }

    /// Index of the interface that a bind has to name besides the address; a link-local one names it itself.
    pub fn device(self) -> Option<u32> {
        match self {
            Self::OnInterface { ip, index, .. } => {
                let is_scoped = matches!(ip, IpAddr::V6(v6) if needs_scope(v6));
                Some(index).filter(|_| !is_scoped)
            }
            Self::Any | Self::Localhost(_) | Self::Ip(_) => None,
        }
    }

    /// The text without the brackets that only a port needs: `::1`, `fe80::1%eth0`.
    pub fn without_brackets(self) -> String {
        self.to_string().replace(['[', ']'], "")
    }

    /// Returns the port on each address, where [`Any`](Self::Any) means [`LOCAL_ADDRESSES`].
    pub fn bind_addresses(self, port: u16) -> Vec<SocketAddr> {
        let on = |ip| SocketAddr::new(ip, port);
        match self {
            Self::Any => LOCAL_ADDRESSES.map(on).to_vec(),
            Self::Localhost(localhost) => localhost.ips().map(on).collect(),
            Self::Ip(ip) => vec![on(ip)],
            Self::OnInterface { ip, index, .. } => vec![on_interface(ip, port, index)],
        }
    }

    /// True if a socket is on one of these addresses. One on all addresses is on those of `localhost` too.
    pub fn has(self, socket: &Socket) -> bool {
        let local = socket.local.ip();
        match self {
            Self::Any => true,
            Self::Localhost(localhost) => localhost.ips().any(|ip| socket.receives(ip)),
            Self::Ip(ip) => local == ip,
            Self::OnInterface {
                ip,
                interface,
                index,
            } => local == ip && is_on(socket, interface, index),
        }
    }

    /// True if a socket conflicts with a bind of its port on one of these addresses, where `::` stands for IPv6 alone.
    pub fn conflicts(self, socket: &Socket) -> bool {
        match self {
            Self::Any => true,
            Self::Localhost(localhost) => localhost.ips().any(|ip| overlaps(socket, ip)),
            Self::Ip(ip) => overlaps(socket, ip),
            // A bind to one interface and one to another never conflict (`inet_csk_bind_conflict` in
            // net/ipv4/inet_connection_sock.c).
            Self::OnInterface {
                ip,
                interface,
                index,
            } => !is_apart(socket, interface, index) && overlaps(socket, ip),
        }
    }

    /// True if a client on this machine that connects to one of these addresses reaches the socket.
    pub fn reaches(self, socket: &Socket) -> bool {
        match self {
            Self::Any => true,
            Self::Localhost(localhost) => localhost.ips().any(|ip| socket.receives(ip)),
            Self::Ip(ip) => socket.receives(ip),
            Self::OnInterface {
                ip,
                interface,
                index,
            } => !is_apart(socket, interface, index) && socket.covers(ip),
        }
    }
}

/// True if a socket is on this interface: one that was looked up is the same by any other name (`altname` of ip-link(8)),
/// and after it is renamed.
fn is_on(socket: &Socket, name: InterfaceName, index: u32) -> bool {
    if index == 0 {
        return socket.is_on_interface(name);
    }
    let interface = socket.interface.as_ref();
    interface.is_some_and(|interface| interface.index == index)
}

/// True if a socket is on another interface.
fn is_apart(socket: &Socket, name: InterfaceName, index: u32) -> bool {
    socket.interface.is_some() && !is_on(socket, name, index)
}

/// Returns the address with its port; a link-local one with the interface as its scope.
fn on_interface(ip: IpAddr, port: u16, index: u32) -> SocketAddr {
    match ip {
        IpAddr::V6(v6) if needs_scope(v6) => SocketAddrV6::new(v6, port, 0, index).into(),
        _ => SocketAddr::new(ip, port),
    }
}

/// As it is typed before a port: `127.0.0.1`, `[fe80::1%eth0]`, `localhost`; empty for every address.
impl Display for AddressSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Localhost(_) => f.write_str("localhost"),
            Self::Ip(IpAddr::V4(v4)) => v4.fmt(f),
            Self::Ip(IpAddr::V6(v6)) => write!(f, "[{v6}]"),
            Self::OnInterface { ip, interface, .. } => match ip {
                IpAddr::V4(v4) => write!(f, "{v4}%{interface}"),
                IpAddr::V6(v6) => write!(f, "[{v6}%{interface}]"),
            },
        }
    }
}

/// Parses what stands before the port; error messages write every address as `:3000`, `*:3000` or `:::3000`.
impl FromStr for AddressSpec {
    type Err = AddressError;

    fn from_str(host: &str) -> Result<Self, AddressError> {
        if matches!(host, "" | "*" | "::") {
            return Ok(Self::Any);
        }
        if host.eq_ignore_ascii_case("localhost") {
            return Ok(Self::Localhost(Localhost::default()));
        }
        let in_brackets = host.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
        let spec = Self::bare(in_brackets.unwrap_or(host))?;
        let is_v6 = spec.ip().is_some_and(|ip| ip.is_ipv6());
        match in_brackets {
            None if is_v6 && host.contains(':') => {
                Err(AddressError::NeedsBrackets(host.to_owned()))
            }
            // Only an IPv6 address stands in brackets, and a v4-mapped one is IPv6.
            Some(inside) if !inside.contains(':') => {
                Err(AddressError::NotAnAddress(host.to_owned()))
            }
            _ => Ok(spec),
        }
    }
}

impl AddressSpec {
    /// Parses an address without brackets, with or without an interface: `127.0.0.53%lo`, `*%lo`.
    pub fn bare(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError::NotAnAddress(text.to_owned());
        let (ip, interface) = match text.split_once('%') {
            Some((ip, name)) => (ip, Some(name)),
            None => (text, None),
        };
        let ip: IpAddr = match ip {
            // How portmon writes a socket that takes both families.
            "*" if interface.is_some() => Ipv6Addr::UNSPECIFIED.into(),
            ip => ip.parse().map_err(|_| wrong())?,
        };
        let ip = ip.to_canonical();
        let Some(interface) = interface else {
            return Ok(Self::Ip(ip));
        };
        let named = InterfaceName::new(interface);
        let interface = named.ok_or_else(|| AddressError::NotAnInterface(interface.to_owned()))?;
        let index = 0;
        Ok(Self::OnInterface {
            ip,
            interface,
            index,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::socket;

    #[test]
    fn an_interface_that_was_looked_up_is_known_by_its_index() {
        let local = Ipv4Addr::LOCALHOST;
        let named = |name, index| AddressSpec::OnInterface {
            ip: local.into(),
            interface: InterfaceName::new(name).expect("a name"),
            index,
        };
        let socket = socket("127.0.0.1:53").interface(2, "v0", &["127.0.0.1"]);
        let socket = socket.build();
        let cases = [
            (named("v0", 0), true),
            (named("altname0", 0), false),
            (named("altname0", 2), true),
            (named("v0", 3), false),
        ];
        for (spec, expected) in cases {
            let answers = [
                spec.has(&socket),
                spec.conflicts(&socket),
                spec.reaches(&socket),
            ];
            assert_eq!(answers, [expected; 3], "{spec:?}");
        }
    }
}
