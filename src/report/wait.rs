//! `portmon wait`: what is waited for, whether it is there, and what is said of it.
//!
//! From the table only. Whether a port without a socket can be bound is asked by the command, once nothing is in the way.

use crate::model::endpoint::{Protocol, Socket, State, covers};
use crate::model::port_spec::PortSpec;
use crate::model::snapshot::{Problem, unread};
use crate::wording;
use std::net::SocketAddr;
use std::time::Duration;

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitTarget {
    pub spec: PortSpec,
    pub until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A client that connects finds a listener; UDP: a socket takes what is sent.
    Listening,
    /// Nothing listens or is bound, and it can be bound.
    Free,
}

impl WaitTarget {
    /// The sockets that a client would find, of those of this port.
    pub fn listeners<'a>(&self, sockets: &'a [Socket]) -> Vec<&'a Socket> {
        let takes = |socket: &&Socket| match self.spec.protocol {
            Protocol::Tcp => socket.is_listening(),
            Protocol::Udp => socket.holds_port(),
        };
        let standing = sockets.iter().filter(takes);
        standing.filter(|socket| self.is_reached(socket)).collect()
    }

    /// The sockets that hold the port where it is to be free.
    pub fn holders<'a>(&self, sockets: &'a [Socket]) -> Vec<&'a Socket> {
        let standing = sockets.iter().filter(|socket| socket.holds_port());
        standing
            .filter(|socket| self.is_in_the_way(socket))
            .collect()
    }

    /// `:3000 listens: node 4242 on 127.0.0.1 after 1.2 s`
    pub fn reached_message(&self, sockets: &[Socket], after: Duration) -> String {
        let (port, after) = (self.spec, wording::seconds(after));
        match self.until {
            Until::Listening => {
                let who = listeners_text(&self.listeners(sockets));
                format!("{port} listens: {who} after {after}")
            }
            Until::Free => format!("{port} is free after {after}"),
        }
    }

    /// What is there instead of what was waited for; `bind` is how a bind failed where nothing is in the way. Of the tables
    /// that could not be read nothing is known.
    pub fn timeout_message(
        &self,
        sockets: &[Socket],
        bind: Option<&str>,
        problems: &[Problem],
        after: Duration,
    ) -> String {
        let (port, after) = (self.spec, wording::seconds(after));
        let problems: Vec<Problem> = problems
            .iter()
            .filter(|problem| problem.protocol == self.spec.protocol)
            .cloned()
            .collect();
        if let Some(unread) = unread(&problems) {
            return self.unknown(sockets, &unread, &after);
        }
        let standing: Vec<&Socket> = sockets.iter().filter(|one| one.holds_port()).collect();
        let left = || wording::states(&sockets.iter().collect::<Vec<_>>());
        let instead = match bind {
            Some(reason) if sockets.is_empty() => {
                format!("nothing holds it, but a bind fails: {reason}")
            }
            Some(reason) => format!("only {} left, but a bind fails: {reason}", left()),
            None if !standing.is_empty() => bound_text(&standing),
            None if !sockets.is_empty() => format!("nothing but {}", left()),
            None => "nothing is there".to_owned(),
        };
        let verb = match self.until {
            Until::Listening => "does not listen",
            Until::Free => "is not free",
        };
        format!("{port} {verb} after {after}: {instead}")
    }

    /// `whether :3000 is free is unknown after 5.0 s: the socket tables could not be read: out of memory`
    fn unknown(&self, sockets: &[Socket], unread: &str, after: &str) -> String {
        let port = self.spec;
        let (what, seen) = match self.until {
            Until::Listening => ("listens", Vec::new()),
            Until::Free => ("is free", self.holders(sockets)),
        };
        if seen.is_empty() {
            format!("whether {port} {what} is unknown after {after}: {unread}")
        } else {
            let stands = bound_text(&seen);
            format!("{port} is not free after {after}: {stands}, {unread}")
        }
    }

    /// `waiting for 127.0.0.1:3000 to listen`, for whoever sits before it.
    pub fn announcement(&self) -> String {
        let what = match self.until {
            Until::Listening => "listen",
            Until::Free => "become free",
        };
        format!("waiting for {} to {what}", self.spec)
    }

    fn is_reached(&self, socket: &Socket) -> bool {
        self.spec.address.is_none_or(|address| {
            covers(
                socket.local,
                socket.only_v6,
                SocketAddr::new(address, self.spec.port),
            )
        })
    }

    /// All addresses of a family cannot be bound while one of them is taken.
    fn is_in_the_way(&self, socket: &Socket) -> bool {
        let takes_all = self.spec.address.is_some_and(|address| {
            address.is_unspecified() && address.is_ipv4() == socket.local.is_ipv4()
        });
        takes_all || self.is_reached(socket)
    }
}

/// `node 4242 on 127.0.0.1 and ::1`, each holder once.
fn listeners_text(sockets: &[&Socket]) -> String {
    by_owner(sockets, wording::holder)
}

/// `node 4242 listens on ::1 and java 812 is bound on 127.0.0.1`
fn bound_text(sockets: &[&Socket]) -> String {
    by_owner(sockets, |socket| {
        let verb = if socket.state == Some(State::Listen) {
            "listens"
        } else {
            "is bound"
        };
        format!("{} {verb}", wording::holder(socket))
    })
}

/// The addresses of each holder behind what is said of it.
fn by_owner(sockets: &[&Socket], say: impl Fn(&Socket) -> String) -> String {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for socket in sockets {
        let (who, place) = (say(socket), socket.local_address());
        match said.iter_mut().find(|(known, _)| *known == who) {
            Some((_, places)) if places.contains(&place) => {}
            Some((_, places)) => places.push(place),
            None => said.push((who, vec![place])),
        }
    }
    let parts = said
        .iter()
        .map(|(who, places)| format!("{who} on {}", wording::list(places)));
    wording::list(&parts.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{process, socket};

    fn target(address: Option<&str>, until: Until) -> WaitTarget {
        WaitTarget {
            spec: PortSpec {
                address: address.map(|address| address.parse().expect("an address")),
                ..PortSpec::tcp(3000)
            },
            until,
        }
    }

    #[test]
    fn a_listener_counts_where_a_client_would_find_it() {
        let mut dual = socket("[::]:3000").build();
        dual.only_v6 = Some(false);
        let mut only_v6 = socket("[::]:3000").build();
        only_v6.only_v6 = Some(true);
        let sockets = [
            socket("127.0.0.1:3000").build(),
            socket("0.0.0.0:3000").build(),
            dual,
            only_v6,
            socket("127.0.0.1:3000").state(State::Bound).build(),
            socket("127.0.0.1:3000").to("127.0.0.1:9").build(),
        ];
        let found = |address| {
            let target = target(address, Until::Listening);
            sockets
                .iter()
                .map(|socket| target.listeners(std::slice::from_ref(socket)).len())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(None), [1, 1, 1, 1, 0, 0]);
        assert_eq!(found(Some("127.0.0.1")), [1, 1, 1, 0, 0, 0]);
        assert_eq!(found(Some("::1")), [0, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn any_bound_address_blocks_all_addresses() {
        let sockets = [
            socket("127.0.0.1:3000").state(State::Bound).build(),
            socket("[::1]:3000").build(),
            socket("127.0.0.1:3000").to("127.0.0.1:9").build(),
        ];
        let found = |address| {
            let target = target(address, Until::Free);
            sockets
                .iter()
                .map(|socket| target.holders(std::slice::from_ref(socket)).len())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(None), [1, 1, 0]);
        assert_eq!(found(Some("0.0.0.0")), [1, 0, 0]);
        assert_eq!(found(Some("127.0.0.2")), [0, 0, 0]);
        assert_eq!(found(Some("::")), [0, 1, 0]);
    }

    #[test]
    fn the_result_of_a_wait_names_the_owner_and_the_time() {
        let node = process(4242, "node").build();
        let sockets = [
            socket("127.0.0.1:3000").owner(&node).build(),
            socket("[::1]:3000").owner(&node).build(),
            socket("10.0.0.1:3000").build(),
        ];
        let after = Duration::from_millis(1_200);
        let listens = target(None, Until::Listening).reached_message(&sockets, after);
        assert_eq!(
            listens,
            ":3000 listens: node 4242 on 127.0.0.1 and ::1 and a process of dev that may not be seen on 10.0.0.1 \
             after 1.2 s"
        );
        let on_one = target(Some("::1"), Until::Listening).reached_message(&sockets, after);
        assert_eq!(on_one, "[::1]:3000 listens: node 4242 on ::1 after 1.2 s");
        let free = target(None, Until::Free).reached_message(&[], after);
        assert_eq!(free, ":3000 is free after 1.2 s");
    }

    #[test]
    fn of_tables_that_could_not_be_read_nothing_is_said() {
        let problems = [Problem {
            protocol: Protocol::Tcp,
            family: crate::model::address::Family::Ipv6,
            reason: "out of memory".to_owned(),
        }];
        let missed = |sockets: &[Socket], protocol| {
            let mut target = target(None, Until::Free);
            target.spec.protocol = protocol;
            target.timeout_message(sockets, None, &problems, Duration::from_secs(5))
        };
        let node = process(4242, "node").build();
        let listens = socket("127.0.0.1:3000").owner(&node).build();
        assert_eq!(
            [
                missed(&[], Protocol::Tcp),
                missed(&[listens], Protocol::Tcp),
                missed(&[], Protocol::Udp),
            ],
            [
                "whether :3000 is free is unknown after 5.0 s: the table of tcp6 sockets could not be read: out of memory",
                ":3000 is not free after 5.0 s: node 4242 listens on 127.0.0.1, the table of tcp6 sockets could not be \
                 read: out of memory",
                ":3000/udp is not free after 5.0 s: nothing is there",
            ]
        );
    }

    #[test]
    fn a_timed_out_wait_says_what_is_there_instead() {
        let node = process(4242, "node").build();
        let listens = socket("[::1]:3000").owner(&node).build();
        let bound = socket("127.0.0.1:3000")
            .owner(&node)
            .state(State::Bound)
            .build();
        let rest = socket("127.0.0.1:3000")
            .to("127.0.0.1:9")
            .state(State::TimeWait)
            .without_owner()
            .build();
        let missed = |until, sockets: &[Socket], bind| {
            target(None, until).timeout_message(sockets, bind, &[], Duration::from_secs(5))
        };
        let said = [
            missed(Until::Listening, &[], None),
            missed(Until::Listening, std::slice::from_ref(&bound), None),
            missed(Until::Listening, std::slice::from_ref(&rest), None),
            missed(Until::Free, &[listens, bound, rest.clone()], None),
            missed(Until::Free, &[rest], Some("in use")),
            missed(Until::Free, &[], Some("in use")),
        ];
        assert_eq!(
            said,
            [
                ":3000 does not listen after 5.0 s: nothing is there",
                ":3000 does not listen after 5.0 s: node 4242 is bound on 127.0.0.1",
                ":3000 does not listen after 5.0 s: nothing but 1 TIME_WAIT",
                ":3000 is not free after 5.0 s: node 4242 listens on ::1 and node 4242 is bound on 127.0.0.1",
                ":3000 is not free after 5.0 s: only 1 TIME_WAIT left, but a bind fails: in use",
                ":3000 is not free after 5.0 s: nothing holds it, but a bind fails: in use",
            ]
        );
    }
}
