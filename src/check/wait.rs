//! What `portmon wait` waits for, as far as the socket tables tell.

use crate::model::port::{Availability, PortSpec};
use crate::model::socket::{Protocol, Socket};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitTarget {
    /// The address is the one that is waited for; `None` for any local one.
    pub spec: PortSpec,
    pub until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A client that connects finds a listener, or a UDP socket receives what is sent.
    Listening,
    /// Nothing listens or is bound, and the port can be bound.
    Free,
}

/// What was found once the target was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The sockets of the port.
    Listening(Vec<Socket>),
    Free(Availability),
}

impl WaitTarget {
    /// The sockets that a client would reach.
    pub fn listeners<'s>(&self, sockets: &'s [Socket]) -> Vec<&'s Socket> {
        let receives = |socket: &&Socket| match self.spec.protocol {
            Protocol::Tcp => socket.is_listening(),
            Protocol::Udp => socket.holds_port(),
        };
        let receiving = sockets.iter().filter(receives);
        receiving
            .filter(|socket| self.spec.reaches(socket))
            .collect()
    }

    /// The sockets that prevent a bind of the port.
    pub fn blocking<'s>(&self, sockets: &'s [Socket]) -> Vec<&'s Socket> {
        let holding = sockets.iter().filter(|socket| socket.holds_port());
        holding
            .filter(|socket| self.spec.conflicts(socket))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::socket::State;
    use crate::model::testing::socket;

    fn spec(text: &str) -> PortSpec {
        text.parse().expect(text)
    }

    #[test]
    fn a_listener_counts_where_a_client_would_reach_it() {
        let sockets = [
            socket("127.0.0.1:3000").build(),
            socket("0.0.0.0:3000").build(),
            socket("[::]:3000").v6only(false).build(),
            socket("[::]:3000").v6only(true).build(),
            socket("127.0.0.1:3000").state(State::Bound).build(),
            socket("127.0.0.1:3000").to("127.0.0.1:9").build(),
        ];
        let found = |text| {
            let target = WaitTarget {
                spec: spec(text),
                until: Until::Listening,
            };
            let sockets = sockets.each_ref().map(std::slice::from_ref);
            sockets.map(|socket| target.listeners(socket).len())
        };
        assert_eq!(found("3000"), [1, 1, 1, 1, 0, 0]);
        assert_eq!(found("127.0.0.1:3000"), [1, 1, 1, 0, 0, 0]);
        assert_eq!(found("[::1]:3000"), [0, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn a_socket_on_any_address_blocks_all_addresses() {
        let sockets = [
            socket("127.0.0.1:3000").state(State::Bound).build(),
            socket("[::1]:3000").build(),
            socket("127.0.0.1:3000").to("127.0.0.1:9").build(),
        ];
        let found = |spec| {
            let target = WaitTarget {
                spec,
                until: Until::Free,
            };
            let sockets = sockets.each_ref().map(std::slice::from_ref);
            sockets.map(|socket| target.blocking(socket).len())
        };
        assert_eq!(found(spec("3000")), [1, 1, 0]);
        assert_eq!(found(spec("0.0.0.0:3000")), [1, 0, 0]);
        assert_eq!(found(spec("127.0.0.2:3000")), [0, 0, 0]);
        assert_eq!(
            found(spec("[::]:3000")),
            [1, 1, 0],
            "it asks for both families"
        );
    }
}
