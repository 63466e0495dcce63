//! Ports and addresses, as sentences and the command line name them, and what is wrong with one.

use crate::model::port::{AddressError, BindResult, Doubt, PortSpecError, WhyUnseen};
use crate::model::socket::{Protocol, Socket};
use crate::model::text::escaped;
use std::net::SocketAddr;

/// `:3000`, and `:5353/udp`, as ports are named in every sentence.
pub fn port(protocol: Protocol, port: u16) -> String {
    format!(":{}", target(protocol, port))
}

/// `3000`, and `5353/udp`, as the command line takes a port.
pub fn target(protocol: Protocol, port: u16) -> String {
    format!("{port}{}", suffix(protocol))
}

/// Where a socket is: `[::1]:5173`, `127.0.0.1:5353/udp`, and `*:8080` for all addresses of both families.
pub fn place(socket: &Socket) -> String {
    format!("{}{}", socket.local_end(), suffix(socket.protocol))
}

/// An address, as [`place`] writes it.
pub fn address_with_protocol(protocol: Protocol, at: SocketAddr) -> String {
    format!("{at}{}", suffix(protocol))
}

/// `/udp` after a port; nothing for TCP.
pub fn suffix(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "",
        Protocol::Udp => "/udp",
    }
}

/// Describes the result of a bind: `address already in use`.
pub fn bind_result(result: &BindResult) -> String {
    let text = match result {
        BindResult::Usable => "it can be bound",
        BindResult::OnlyWithReuseAddr => "it can be bound only with SO_REUSEADDR",
        BindResult::InUse => "address already in use",
        BindResult::NotPermitted => "you are not permitted to bind it",
        BindResult::NoSuchAddress => "this machine has no such address",
        BindResult::Failed(reason) => reason,
    };
    text.to_owned()
}

/// Describes what refuses a bind and is in no table: `something that no socket table shows`.
pub fn unseen(why: WhyUnseen) -> &'static str {
    match why {
        WhyUnseen::UnreadTable => "an unknown owner: not every socket table could be read",
        WhyUnseen::BoundNotShown => {
            "something that this socket source does not show (a bound socket)"
        }
        WhyUnseen::NotKnown => "something not in any socket table",
    }
}

/// Describes why it is not known whether a port is free: `the bind fails: Too many open files`.
pub fn doubt(doubt: &Doubt) -> String {
    match doubt {
        Doubt::BindFailed(error) => {
            format!("a bind fails: {error}")
        }
        Doubt::NotPermitted(why) => {
            let denied = bind_result(&BindResult::NotPermitted);
            let unseen = match why {
                WhyUnseen::BoundNotShown => "this socket source does not show bound sockets",
                WhyUnseen::UnreadTable | WhyUnseen::NotKnown => {
                    "not every socket table could be read"
                }
            };
            format!("{denied}, and {unseen}")
        }
        Doubt::OnlyWithReuseAddr => {
            let only = bind_result(&BindResult::OnlyWithReuseAddr);
            format!("{only}, and not every socket table could be read")
        }
    }
}

/// Describes in one line why a text is not an address.
pub fn address_error(error: &AddressError) -> String {
    match error {
        AddressError::NotAnAddress(host) => format!(
            "not an address: \"{}\" (try 127.0.0.1:3000, [::1]:3000 or localhost:3000)",
            escaped(host)
        ),
        AddressError::NotAnInterface(name) => {
            format!(
                "not an interface: \"{}\" (try [fe80::1%eth0]:3000)",
                escaped(name)
            )
        }
        AddressError::UnknownInterface(name) => format!("this machine has no interface {name}"),
        AddressError::NeedsInterface(ip) => {
            format!("a link-local address needs its interface: [{ip}%eth0]:PORT")
        }
        AddressError::NeedsBrackets(v6) => {
            let v6 = escaped(v6);
            format!("an IPv6 address with a port needs brackets: [{v6}]:PORT")
        }
    }
}

/// Describes in one line why a text is not a port.
pub fn port_spec_error(error: &PortSpecError) -> String {
    let quoted = |text: &str| format!("\"{}\"", escaped(text));
    match error {
        PortSpecError::NotAPort(text) => format!(
            "not a port: {} (try 3000, 3000/udp or 127.0.0.1:3000)",
            quoted(text)
        ),
        PortSpecError::OutOfRange(number) => {
            format!("not a port: {number} (ports are 1 to 65535)")
        }
        PortSpecError::NotAProtocol(name) => format!(
            "not a protocol: {} (try 3000/tcp or 3000/udp)",
            quoted(name)
        ),
        PortSpecError::Address(error) => address_error(error),
        PortSpecError::MissingPort(address) => {
            let bare = address.without_brackets();
            format!("missing port: {bare} (try {address}:3000)")
        }
        PortSpecError::OpenRange(text) => {
            format!("a range needs both ends: {} (try 3000-3010)", quoted(text))
        }
        PortSpecError::BackwardRange(first, last) => {
            format!("reversed range: {first}-{last} (try {last}-{first})")
        }
        PortSpecError::IsRange(range) => format!(
            "expected one port, not the range {range} (try {})",
            range.at(*range.ports.start()).to_argument()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::port::PortSpec;
    use crate::model::testing::socket;

    #[test]
    fn an_address_is_written_as_it_can_be_typed_with_udp_marked() {
        let mut all = socket("[::]:8080").build();
        all.v6only = Some(false);
        let udp = socket("127.0.0.1:5353").udp().build();
        let places = [
            place(&all),
            place(&udp),
            address_with_protocol(Protocol::Tcp, all.local),
        ];
        assert_eq!(places, ["*:8080", "127.0.0.1:5353/udp", "[::]:8080"]);
        let ports = [port(Protocol::Tcp, 80), port(Protocol::Udp, 53)];
        assert_eq!(ports, [":80", ":53/udp"]);
    }

    #[test]
    fn a_wrong_port_is_named_with_what_to_write_instead() {
        let cases = [
            (
                "a\x1bb",
                "not a port: \"a\\x1bb\" (try 3000, 3000/udp or 127.0.0.1:3000)",
            ),
            ("70000", "not a port: 70000 (ports are 1 to 65535)"),
            (
                "3000/sctp",
                "not a protocol: \"sctp\" (try 3000/tcp or 3000/udp)",
            ),
            (
                "localhst:3000",
                "not an address: \"localhst\" (try 127.0.0.1:3000, [::1]:3000 or localhost:3000)",
            ),
            ("[::1]", "missing port: ::1 (try [::1]:3000)"),
            (
                "::1:5432",
                "an IPv6 address with a port needs brackets: [::1]:PORT",
            ),
            (
                "[fe80::1%]:80",
                "not an interface: \"\" (try [fe80::1%eth0]:3000)",
            ),
            (
                "fe80::1%v0:80",
                "an IPv6 address with a port needs brackets: [fe80::1%v0]:PORT",
            ),
            (
                "fe80::1%v0",
                "missing port: fe80::1%v0 (try [fe80::1%v0]:3000)",
            ),
            (
                "3000-",
                "a range needs both ends: \"3000-\" (try 3000-3010)",
            ),
            ("3010-3000", "reversed range: 3010-3000 (try 3000-3010)"),
            (
                "3000-3010/udp",
                "expected one port, not the range :3000-3010/udp (try 3000/udp)",
            ),
        ];
        for (text, expected) in cases {
            let error = text.parse::<PortSpec>().expect_err(text);
            assert_eq!(port_spec_error(&error), expected);
        }
    }
}
