//! `portmon wait`: what is waited for, whether it is there, and what is said of it.
//!
//! From the table only. Whether a port without a socket can be bound is asked by the command, once nothing is in the way.

use crate::model::endpoint::{Protocol, Socket, State, covers};
use crate::model::snapshot::{Problem, unread};
use crate::model::target::Target;
use crate::model::words;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub protocol: Protocol,
    pub port: u16,
    /// Where it counts; `None` for any local address.
    pub address: Option<IpAddr>,
    pub until: Until,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A client that connects finds a listener; UDP: a socket takes what is sent.
    Listening,
    /// Nothing listens or is bound, and it can be bound.
    Free,
}

impl Waiting {
    /// The sockets that a client would find, of those of this port.
    pub fn listeners<'a>(&self, sockets: &'a [Socket]) -> Vec<&'a Socket> {
        let takes = |socket: &&Socket| match self.protocol {
            Protocol::Tcp => socket.is_listening(),
            Protocol::Udp => socket.is_standing(),
        };
        let standing = sockets.iter().filter(takes);
        standing.filter(|socket| self.is_reached(socket)).collect()
    }

    /// The sockets that hold the port where it is to be free.
    pub fn holders<'a>(&self, sockets: &'a [Socket]) -> Vec<&'a Socket> {
        let standing = sockets.iter().filter(|socket| socket.is_standing());
        standing
            .filter(|socket| self.is_in_the_way(socket))
            .collect()
    }

    /// `:3000 listens: node 4242 on 127.0.0.1 after 1.2 s`
    pub fn reached(&self, sockets: &[Socket], after: Duration) -> String {
        let (port, after) = (self.target(), words::seconds(after));
        match self.until {
            Until::Listening => {
                let who = who_stands_where(&self.listeners(sockets));
                format!("{port} listens: {who} after {after}")
            }
            Until::Free => format!("{port} is free after {after}"),
        }
    }

    /// What is there instead of what was waited for; `bind` is how a bind failed where nothing is in the way. Of the tables
    /// that could not be read nothing is known.
    pub fn missed(
        &self,
        sockets: &[Socket],
        bind: Option<&str>,
        problems: &[Problem],
        after: Duration,
    ) -> String {
        let (port, after) = (self.target(), words::seconds(after));
        let problems: Vec<Problem> = problems
            .iter()
            .filter(|problem| problem.protocol == self.protocol)
            .cloned()
            .collect();
        if let Some(unread) = unread(&problems) {
            return self.unknown(sockets, &unread, &after);
        }
        let standing: Vec<&Socket> = sockets.iter().filter(|one| one.is_standing()).collect();
        let left = || words::states(&sockets.iter().collect::<Vec<_>>());
        let instead = match bind {
            Some(reason) if sockets.is_empty() => {
                format!("nothing holds it, but a bind fails: {reason}")
            }
            Some(reason) => format!("only {} left, but a bind fails: {reason}", left()),
            None if !standing.is_empty() => what_stands(&standing),
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
        let port = self.target();
        let (what, seen) = match self.until {
            Until::Listening => ("listens", Vec::new()),
            Until::Free => ("is free", self.holders(sockets)),
        };
        if seen.is_empty() {
            format!("whether {port} {what} is unknown after {after}: {unread}")
        } else {
            let stands = what_stands(&seen);
            format!("{port} is not free after {after}: {stands}, {unread}")
        }
    }

    /// `waiting for 127.0.0.1:3000 to listen`, for whoever sits before it.
    pub fn announcement(&self) -> String {
        let what = match self.until {
            Until::Listening => "listen",
            Until::Free => "become free",
        };
        format!("waiting for {} to {what}", self.target())
    }

    fn target(&self) -> Target {
        Target {
            protocol: self.protocol,
            address: self.address,
            ports: self.port..=self.port,
        }
    }

    fn is_reached(&self, socket: &Socket) -> bool {
        self.address.is_none_or(|address| {
            covers(
                socket.local,
                socket.only_v6,
                SocketAddr::new(address, self.port),
            )
        })
    }

    /// All addresses of a family cannot be bound while one of them is taken.
    fn is_in_the_way(&self, socket: &Socket) -> bool {
        let takes_all = self.address.is_some_and(|address| {
            address.is_unspecified() && address.is_ipv4() == socket.local.is_ipv4()
        });
        takes_all || self.is_reached(socket)
    }
}

/// `node 4242 on 127.0.0.1 and ::1`, each holder once.
fn who_stands_where(sockets: &[&Socket]) -> String {
    by_holder(sockets, words::holder)
}

/// `node 4242 listens on ::1 and java 812 is bound on 127.0.0.1`
fn what_stands(sockets: &[&Socket]) -> String {
    by_holder(sockets, |socket| {
        let verb = if socket.state == Some(State::Listen) {
            "listens"
        } else {
            "is bound"
        };
        format!("{} {verb}", words::holder(socket))
    })
}

/// The addresses of each holder behind what is said of it.
fn by_holder(sockets: &[&Socket], say: impl Fn(&Socket) -> String) -> String {
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
        .map(|(who, places)| format!("{who} on {}", words::list(places)));
    words::list(&parts.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{process, socket};

    fn waiting(address: Option<&str>, until: Until) -> Waiting {
        Waiting {
            protocol: Protocol::Tcp,
            port: 3000,
            address: address.map(|address| address.parse().expect("an address")),
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
            let waiting = waiting(address, Until::Listening);
            sockets
                .iter()
                .map(|socket| waiting.listeners(std::slice::from_ref(socket)).len())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(None), [1, 1, 1, 1, 0, 0]);
        assert_eq!(found(Some("127.0.0.1")), [1, 1, 1, 0, 0, 0]);
        assert_eq!(found(Some("::1")), [0, 0, 1, 1, 0, 0]);
    }

    #[test]
    fn in_the_way_of_all_addresses_is_whatever_stands_on_one_of_them() {
        let sockets = [
            socket("127.0.0.1:3000").state(State::Bound).build(),
            socket("[::1]:3000").build(),
            socket("127.0.0.1:3000").to("127.0.0.1:9").build(),
        ];
        let found = |address| {
            let waiting = waiting(address, Until::Free);
            sockets
                .iter()
                .map(|socket| waiting.holders(std::slice::from_ref(socket)).len())
                .collect::<Vec<_>>()
        };
        assert_eq!(found(None), [1, 1, 0]);
        assert_eq!(found(Some("0.0.0.0")), [1, 0, 0]);
        assert_eq!(found(Some("127.0.0.2")), [0, 0, 0]);
        assert_eq!(found(Some("::")), [0, 1, 0]);
    }

    #[test]
    fn what_was_waited_for_is_told_with_who_it_is_and_how_long_it_took() {
        let node = process(4242, "node").build();
        let sockets = [
            socket("127.0.0.1:3000").owner(&node).build(),
            socket("[::1]:3000").owner(&node).build(),
            socket("10.0.0.1:3000").build(),
        ];
        let after = Duration::from_millis(1_200);
        let listens = waiting(None, Until::Listening).reached(&sockets, after);
        assert_eq!(
            listens,
            ":3000 listens: node 4242 on 127.0.0.1 and ::1 and a process of dev that may not be seen on 10.0.0.1 \
             after 1.2 s"
        );
        let on_one = waiting(Some("::1"), Until::Listening).reached(&sockets, after);
        assert_eq!(on_one, "[::1]:3000 listens: node 4242 on ::1 after 1.2 s");
        let free = waiting(None, Until::Free).reached(&[], after);
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
            let mut waiting = waiting(None, Until::Free);
            waiting.protocol = protocol;
            waiting.missed(sockets, None, &problems, Duration::from_secs(5))
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
    fn what_is_there_instead_is_told() {
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
            waiting(None, until).missed(sockets, bind, &[], Duration::from_secs(5))
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
