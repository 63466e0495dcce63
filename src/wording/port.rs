//! Ports and addresses, as sentences and the command line name them.

use crate::model::port::BindResult;
use crate::model::socket::{Protocol, Socket};
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
    if socket.is_dual_stack() {
        format!("*{}", port(socket.protocol, socket.port()))
    } else {
        place_at(socket.protocol, socket.local)
    }
}

/// An address, as [`place`] writes it.
pub fn place_at(protocol: Protocol, at: SocketAddr) -> String {
    format!("{at}{}", suffix(protocol))
}

fn suffix(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "",
        Protocol::Udp => "/udp",
    }
}

/// Describes the result of a bind: `the address is in use`.
pub fn bind_result(result: &BindResult) -> String {
    let text = match result {
        BindResult::Usable => "it can be bound",
        BindResult::OnlyWithReuseAddr => "it can be bound only with SO_REUSEADDR",
        BindResult::InUse => "the address is in use",
        BindResult::NotPermitted => "you are not permitted to bind it",
        BindResult::NoSuchAddress => "this machine has no such address",
        BindResult::Failed(reason) => reason,
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::socket;

    #[test]
    fn an_address_is_written_as_it_can_be_typed_with_udp_marked() {
        let mut all = socket("[::]:8080").build();
        all.v6only = Some(false);
        let udp = socket("127.0.0.1:5353").udp().build();
        let places = [place(&all), place(&udp), place_at(Protocol::Tcp, all.local)];
        assert_eq!(places, ["*:8080", "127.0.0.1:5353/udp", "[::]:8080"]);
        let ports = [port(Protocol::Tcp, 80), port(Protocol::Udp, 53)];
        assert_eq!(ports, [":80", ":53/udp"]);
    }
}
