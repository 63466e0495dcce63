//! Network interfaces that sockets are bound to: by SO_BINDTODEVICE (socket(7)), or by the scope of a link-local address.

use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::net::IpAddr;

/// An interface that exists, or existed while a socket was bound to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Index of the kernel (netdevice(7)).
    pub index: u32,
    /// `None` for an interface that is gone, or of another network namespace.
    pub name: Option<SystemText>,
    pub is_loopback: bool,
    /// Addresses of the interface; of the loopback one without 127.0.0.0/8 and ::1.
    pub addresses: Vec<IpAddr>,
}

impl Interface {
    /// True if what a program on this machine sends to one of its addresses arrives on this interface: on the one that
    /// has the address, whichever it is sent through (`ip_route_output_key_hash_rcu` in net/ipv4/route.c,
    /// `ip6_rcv_core` in net/ipv6/ip6_input.c). What is sent to all addresses goes to loopback.
    pub fn receives(&self, ip: IpAddr) -> bool {
        let is_of_loopback = ip.is_loopback() || ip.is_unspecified();
        self.is_loopback && is_of_loopback || self.addresses.contains(&ip)
    }

    /// True for its name, and for its index in digits.
    pub fn is_named(&self, name: InterfaceName) -> bool {
        let is_name = |own: &SystemText| own.raw() == name.as_str();
        self.name.as_ref().is_some_and(is_name) || self.index.to_string() == name.as_str()
    }
}

/// The name, or the index of an interface without one: `lo`, `7`.
impl Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => name.fmt(f),
            None => self.index.fmt(f),
        }
    }
}

/// An interface as it is typed, by its name or index: `eth0`, `2`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct InterfaceName {
    bytes: [u8; Self::MAX],
    length: u8,
}

impl InterfaceName {
    /// Longest name in bytes (IFNAMSIZ of <net/if.h>, which counts a final zero).
    const MAX: usize = 15;

    /// Returns the name; `None` if no interface can have it (`dev_valid_name` in net/core/dev.c).
    pub fn new(text: &str) -> Option<Self> {
        let mut bytes = [0; Self::MAX];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        let is_valid =
            |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b':' | b'%');
        let is_name = !text.is_empty() && text.bytes().all(is_valid);
        is_name.then_some(Self {
            bytes,
            length: u8::try_from(text.len()).ok()?,
        })
    }

    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length.into()).unwrap_or_default();
        // It was made of a whole text.
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&crate::model::text::escaped(self.as_str()))
    }
}

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(index: u32, name: Option<&str>, addresses: &[&str]) -> Interface {
        let ips = addresses.iter().map(|ip| ip.parse().expect("an address"));
        Interface {
            index,
            name: name.map(Into::into),
            is_loopback: index == 1,
            addresses: ips.collect(),
        }
    }

    #[test]
    fn an_interface_receives_what_is_sent_to_its_own_addresses() {
        let lo = interface(1, Some("lo"), &["10.255.255.254"]);
        let v0 = interface(2, Some("v0"), &["10.77.0.1", "fe80::1"]);
        let cases = [
            ("127.0.0.1", true, false),
            ("127.9.9.9", true, false),
            ("::1", true, false),
            ("0.0.0.0", true, false),
            ("10.255.255.254", true, false),
            ("10.77.0.1", false, true),
            ("fe80::1", false, true),
            ("10.77.0.2", false, false),
        ];
        for (ip, on_lo, on_v0) in cases {
            let ip: IpAddr = ip.parse().expect("an address");
            assert_eq!([lo.receives(ip), v0.receives(ip)], [on_lo, on_v0], "{ip}");
        }
    }

    #[test]
    fn an_interface_is_typed_by_name_or_index() {
        let v0 = interface(7, Some("v0"), &[]);
        let gone = interface(7, None, &[]);
        let named = |text| InterfaceName::new(text).expect(text);
        let found = ["v0", "7", "v1"].map(|text| v0.is_named(named(text)));
        assert_eq!(found, [true, true, false]);
        let found = ["v0", "7"].map(|text| gone.is_named(named(text)));
        assert_eq!(found, [false, true]);
        assert_eq!([v0.to_string(), gone.to_string()], ["v0", "7"]);
    }

    #[test]
    fn a_text_that_no_interface_can_have_is_no_name() {
        let names = [
            "eth0",
            "a-name-of-15-by",
            "a-name-of-16-byt",
            "",
            "a b",
            "a/b",
            "a%b",
        ];
        let valid = names.map(|text| InterfaceName::new(text).is_some());
        assert_eq!(valid, [true, true, false, false, false, false, false]);
    }
}
