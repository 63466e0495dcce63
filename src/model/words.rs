//! Small pieces of sentences, so that every sentence about a port names things alike.
//!
//! Freeing and checking share them: what both name stands here and nowhere else. Nothing here draws a conclusion.

use crate::model::address;
use crate::model::duration::rough_duration;
use crate::model::endpoint::{Owners, Protocol, Socket, State};
use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

/// `:3000`, and `:5353/udp`, as ports are named in every sentence.
pub fn port(protocol: Protocol, port: u16) -> String {
    format!(":{}", target(protocol, port))
}

/// `3000`, and `5353/udp`, as the command line takes a port.
pub fn target(protocol: Protocol, port: u16) -> String {
    format!("{port}{}", suffix(protocol))
}

/// Where a socket stands: `::1:5173`, `127.0.0.1:5353/udp`, and `*:8080` for all addresses of both families.
pub fn place(socket: &Socket) -> String {
    let (ip, port) = (socket.local_address(), socket.port());
    format!("{ip}:{}", target(socket.protocol, port))
}

/// An address, as [`place`] writes it.
pub fn place_at(protocol: Protocol, at: SocketAddr) -> String {
    format!("{}:{}", address::address(at), target(protocol, at.port()))
}

fn suffix(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "",
        Protocol::Udp => "/udp",
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list<T: Display>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.to_string(),
        [rest @ .., last] => {
            let rest: Vec<String> = rest.iter().map(ToString::to_string).collect();
            format!("{} and {last}", rest.join(", "))
        }
    }
}

/// `1 port`, `3 ports`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// `0.8 s`, `40 ms` where tenths of a second would say nothing, and `4 min` where they say too much.
pub fn seconds(duration: Duration) -> String {
    if duration < Duration::from_millis(100) {
        format!("{} ms", duration.as_millis())
    } else if duration >= Duration::from_mins(1) {
        rough_duration(duration)
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// `2 ESTABLISHED and 12 TIME_WAIT`: what a port has, by state.
pub fn states(sockets: &[&Socket]) -> String {
    let in_state = |state: Option<State>| {
        sockets
            .iter()
            .filter(|socket| socket.state == state)
            .count()
    };
    let mut parts: Vec<String> = State::ALL
        .iter()
        .map(|state| (in_state(Some(*state)), state.name()))
        .filter(|(number, _)| *number > 0)
        .map(|(number, name)| format!("{number} {name}"))
        .collect();
    let stateless = in_state(None);
    if stateless > 0 {
        parts.push(count(stateless, "socket"));
    }
    list(&parts)
}

/// Who holds a socket: `node 4242`, or whatever may be said where that is hidden.
pub fn holder(socket: &Socket) -> String {
    match (&socket.owners, user(socket)) {
        (Owners::Known(processes), _) => list(processes),
        (Owners::NoPermission, Some(user)) => format!("a process of {user} that may not be seen"),
        (Owners::NoPermission, None) => "a process that may not be seen".to_owned(),
        (Owners::Pending, _) => "a process that is still being looked for".to_owned(),
        (Owners::NoProcess, _) => "no process".to_owned(),
    }
}

/// The user of a socket by name, or by number.
pub fn user(socket: &Socket) -> Option<String> {
    let by_number = || socket.uid.map(|uid| format!("uid {uid}"));
    socket
        .user
        .as_ref()
        .map(ToString::to_string)
        .or_else(by_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{process, socket};

    #[test]
    fn an_address_is_written_as_it_can_be_typed_with_udp_marked() {
        let mut all = socket("[::]:8080").build();
        all.only_v6 = Some(false);
        let udp = socket("127.0.0.1:5353").udp().build();
        let places = [place(&all), place(&udp), place_at(Protocol::Tcp, all.local)];
        assert_eq!(places, ["*:8080", "127.0.0.1:5353/udp", ":::8080"]);
        let ports = [port(Protocol::Tcp, 80), port(Protocol::Udp, 53)];
        assert_eq!(ports, [":80", ":53/udp"]);
    }

    #[test]
    fn lists_are_joined_with_commas_and_and() {
        let lists = [vec![], vec!["a"], vec!["a", "b"], vec!["a", "b", "c"]].map(|of| list(&of));
        assert_eq!(lists, ["", "a", "a and b", "a, b and c"]);
    }

    #[test]
    fn durations_show_tenths_only_where_they_help() {
        let said =
            [40, 99, 100, 840, 5_000, 60_400, 250_000].map(|ms| seconds(Duration::from_millis(ms)));
        let expected = ["40 ms", "99 ms", "0.1 s", "0.8 s", "5.0 s", "60 s", "4 min"];
        assert_eq!(said, expected);
    }

    #[test]
    fn an_owner_is_named_as_far_as_it_is_visible() {
        let mut nameless = socket("127.0.0.1:80").build();
        nameless.user = None;
        let mut unknown = nameless.clone();
        unknown.uid = None;
        let sockets = [
            socket("127.0.0.1:80")
                .owner(&process(1, "node").build())
                .build(),
            socket("127.0.0.1:80").build(),
            nameless,
            unknown,
            socket("127.0.0.1:80").without_owner().build(),
        ];
        assert_eq!(
            sockets.map(|socket| holder(&socket)),
            [
                "node 1",
                "a process of dev that may not be seen",
                "a process of uid 1000 that may not be seen",
                "a process that may not be seen",
                "no process",
            ]
        );
    }

    #[test]
    fn sockets_of_a_port_are_counted_by_state() {
        let sockets = [
            socket("127.0.0.1:80")
                .to("127.0.0.1:1")
                .state(State::TimeWait)
                .build(),
            socket("127.0.0.1:80").to("127.0.0.1:2").build(),
            socket("127.0.0.1:80")
                .to("127.0.0.1:3")
                .state(State::TimeWait)
                .build(),
        ];
        let sockets: Vec<&Socket> = sockets.iter().collect();
        assert_eq!(states(&sockets), "1 ESTABLISHED and 2 TIME_WAIT");
    }
}
