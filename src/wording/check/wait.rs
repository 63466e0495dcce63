//! Sentences of `portmon wait`.

use crate::check::{Reached, Until, WaitTarget};
use crate::model::port::{Availability, BindResult, Holding, WhyUnseen};
use crate::model::snapshot::Problem;
use crate::model::socket::{Socket, State, is_loopback};
use crate::wording::number::grouped;
use crate::wording::socket::owners_with;
use crate::wording::{bind_result, count, doubt, list, owners, seconds, states, unread, unseen};
use std::time::Duration;

/// `waiting for 127.0.0.1:3000 to listen`
pub fn announcement(target: &WaitTarget) -> String {
    let what = match target.until {
        Until::Listening => "listen",
        Until::Free => "become free",
    };
    format!("waiting for {} to {what}", target.spec)
}

/// `:3000 is listening after 1.2 s: node 4242 on 127.0.0.1`
pub fn reached(target: &WaitTarget, found: &Reached, after: Duration) -> String {
    let (port, after) = (target.spec, seconds(after));
    match found {
        Reached::Listening(sockets) => {
            let owners = by_owner(&target.listeners(sockets), |socket| {
                format!("{} on", owners(socket))
            });
            format!("{port} is listening after {after}: {owners}")
        }
        Reached::Free(availability) => {
            format!("{port} is free after {after}{}", how_free(availability))
        }
    }
}

/// What to know about a port that nothing holds.
fn how_free(availability: &Availability) -> String {
    match availability {
        Availability::OnlyWithReuseAddr => {
            format!(": {}", bind_result(&BindResult::OnlyWithReuseAddr))
        }
        Availability::NotPermitted => {
            let denied = bind_result(&BindResult::NotPermitted);
            format!(": nothing holds it, but {denied}")
        }
        Availability::Usable
        | Availability::NoSuchAddress
        | Availability::Held(_)
        | Availability::Unknown(_) => String::new(),
    }
}

/// Tells after a timeout what is there instead. `failed_bind` is the last judgement where no socket holds the port.
pub fn timed_out(
    target: &WaitTarget,
    sockets: &[Socket],
    failed_bind: Option<&Availability>,
    problems: &[Problem],
    after: Duration,
) -> String {
    let (port, after) = (target.spec, seconds(after));
    let mut problems = problems.to_vec();
    problems.retain(|problem| problem.protocol == port.protocol);
    let problems = problems.as_slice();
    let is_foreign = failed_bind == Some(&Availability::NoSuchAddress);
    match target.until {
        Until::Listening if problems.is_empty() || is_foreign => {
            format!(
                "{port} is not listening after {after}: {}",
                instead(sockets, failed_bind)
            )
        }
        Until::Listening => {
            format!(
                "it is unknown whether {port} is listening after {after}: {}",
                unread(problems)
            )
        }
        Until::Free => {
            let (is_known, why) = not_free(target, sockets, failed_bind, problems);
            let not_free = if is_known {
                format!("{port} is not free")
            } else {
                format!("it is unknown whether {port} is free")
            };
            let unread = (!problems.is_empty()).then(|| unread(problems));
            let why: Vec<String> = why.into_iter().chain(unread).collect();
            format!("{not_free} after {after}: {}", why.join("; "))
        }
    }
}

/// Returns whether the port is known not to be free, and why; `None` if only unreadable tables could tell.
fn not_free(
    target: &WaitTarget,
    sockets: &[Socket],
    failed_bind: Option<&Availability>,
    problems: &[Problem],
) -> (bool, Option<String>) {
    let blocking = target.blocking(sockets);
    match failed_bind {
        Some(Availability::NoSuchAddress) => (true, Some(instead(sockets, failed_bind))),
        _ if !blocking.is_empty() => (true, Some(holding(&blocking))),
        Some(Availability::Unknown(why)) => (false, Some(doubt(why))),
        Some(Availability::Held(Holding::Unseen(WhyUnseen::BoundNotShown))) => {
            let unseen = unseen(WhyUnseen::BoundNotShown);
            (true, Some(format!("it is held by {unseen}")))
        }
        None if !problems.is_empty() => (false, None),
        _ => (true, Some(instead(sockets, failed_bind))),
    }
}

fn instead(sockets: &[Socket], failed_bind: Option<&Availability>) -> String {
    let (holders, left): (Vec<&Socket>, Vec<_>) =
        sockets.iter().partition(|socket| socket.holds_port());
    let in_use = bind_result(&BindResult::InUse);
    match failed_bind {
        Some(Availability::NoSuchAddress) => bind_result(&BindResult::NoSuchAddress),
        // The judgement found that they are the cause.
        Some(Availability::Held(Holding::Connections)) => {
            format!("{}, so a bind fails: {in_use}", used_by(&left))
        }
        Some(_) => format!("{}, but a bind fails: {in_use}", used_by(&left)),
        None if holders.is_empty() => used_by(&left),
        None => holding(&holders),
    }
}

/// Describes the connections of a port that no socket holds.
fn used_by(left: &[&Socket]) -> String {
    let mut own = left.to_vec();
    own.retain(|socket| socket.is_freed_with_owners());
    let owned = left.iter().find(|one| one.owners.first().is_some());
    match (left, owned) {
        ([], _) => "no socket uses it".to_owned(),
        _ if !own.is_empty() => connected_to_themselves(&own),
        (_, Some(socket)) => connected(socket, left.len() - 1),
        (_, None) => format!("only connections remain ({})", states(left)),
    }
}

/// `python3 14479 uses it for a connection to :42821 and for 1 more connection`
fn connected(socket: &Socket, more: usize) -> String {
    let verbs = ["uses it for a connection", "use it for a connection"];
    let to = match socket.remote {
        Some(remote) if is_loopback(remote.ip()) => format!(" to :{}", remote.port()),
        Some(_) => format!(" to {}", socket.remote_end().unwrap_or_default()),
        None => String::new(),
    };
    let more = (more > 0).then(|| format!(" and for {}", count(more, "more connection")));
    format!(
        "{}{to}{}",
        owners_with(socket, verbs),
        more.unwrap_or_default()
    )
}

/// `node 4242 is connected to itself on 127.0.0.1`
fn connected_to_themselves(sockets: &[&Socket]) -> String {
    let verbs = [
        "is connected to itself on",
        "are connected to themselves on",
    ];
    by_owner(sockets, |socket| owners_with(socket, verbs))
}

/// `node 4242 listens on ::1 and java 812 is bound to 127.0.0.1`
fn holding(sockets: &[&Socket]) -> String {
    by_owner(sockets, |socket| {
        let verbs = match socket.state {
            Some(State::Listen) => ["listens on", "listen on"],
            _ => ["is bound to", "are bound to"],
        };
        owners_with(socket, verbs)
    })
}

/// Lists the addresses behind each distinct text.
fn by_owner(sockets: &[&Socket], text: impl Fn(&Socket) -> String) -> String {
    let parts = grouped(sockets, |socket| text(socket)).into_iter();
    let parts = parts.map(|(text, sockets)| {
        let mut addresses: Vec<String> = sockets.iter().map(|one| one.local_address()).collect();
        addresses.dedup();
        format!("{text} {}", list(&addresses))
    });
    list(&parts.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::port::PortSpec;
    use crate::model::socket::{Family, Protocol};
    use crate::model::testing::{process, socket};

    fn target(text: &str, until: Until) -> WaitTarget {
        WaitTarget {
            spec: text.parse().expect(text),
            until,
        }
    }

    #[test]
    fn the_result_of_a_wait_names_the_owner_and_the_time() {
        let node = process(4242, "node").build();
        let sockets = [
            socket("127.0.0.1:3000").owner(&node).build(),
            socket("[::1]:3000").owner(&node).build(),
            socket("10.0.0.1:3000").build(),
        ];
        let reached = |text, until| {
            let target = target(text, until);
            let found = match until {
                Until::Listening => Reached::Listening(sockets.to_vec()),
                Until::Free => Reached::Free(Availability::Usable),
            };
            reached(&target, &found, Duration::from_millis(1_200))
        };
        let hidden = owners(&sockets[2]);
        assert_eq!(
            [
                reached("3000", Until::Listening),
                reached("[::1]:3000", Until::Listening),
                reached("3000", Until::Free),
            ],
            [
                format!(
                    ":3000 is listening after 1.2 s: node 4242 on 127.0.0.1 and ::1 and {hidden} on 10.0.0.1"
                ),
                "[::1]:3000 is listening after 1.2 s: node 4242 on ::1".to_owned(),
                ":3000 is free after 1.2 s".to_owned(),
            ]
        );
    }

    #[test]
    fn unread_tables_prove_nothing() {
        let problems = [Problem {
            protocol: Protocol::Tcp,
            family: Family::Ipv6,
            reason: "out of memory".to_owned(),
        }];
        let node = process(4242, "node").build();
        let listens = [socket("127.0.0.1:3000").owner(&node).build()];
        let timed_out = |text, until, sockets: &[Socket]| {
            let after = Duration::from_secs(5);
            timed_out(&target(text, until), sockets, None, &problems, after)
        };
        assert_eq!(
            [
                timed_out("3000", Until::Listening, &[]),
                timed_out("3000", Until::Free, &[]),
                timed_out("3000", Until::Free, &listens),
                timed_out("3000/udp", Until::Free, &[]),
            ],
            [
                "it is unknown whether :3000 is listening after 5.0 s: the tcp6 socket table could not be read: out of memory",
                "it is unknown whether :3000 is free after 5.0 s: the tcp6 socket table could not be read: out of memory",
                ":3000 is not free after 5.0 s: node 4242 listens on 127.0.0.1; the tcp6 socket table could not be \
                 read: out of memory",
                ":3000/udp is not free after 5.0 s: no socket uses it",
            ]
        );
    }

    #[test]
    fn the_owner_of_a_connection_is_what_uses_the_port() {
        let python = process(14479, "python3").build();
        let client = socket("127.0.0.1:3000").owner(&python);
        let client = client.to("127.0.0.1:42821").state(State::Established);
        let left = socket("127.0.0.1:3000").to("127.0.0.1:9");
        let left = left.state(State::TimeWait).without_owner().build();
        let held = Some(&Availability::Held(Holding::Connections));
        let both = [left, client.build()];
        let uses = "python3 14479 uses it for a connection to :42821";
        let fails = ", so a bind fails: address already in use";
        assert_eq!(instead(&both[1..], None), uses);
        assert_eq!(
            instead(&both, held),
            format!("{uses} and for 1 more connection{fails}")
        );
    }

    #[test]
    fn a_missing_address_is_the_reason_whatever_listens() {
        let node = process(4242, "node").build();
        let listens = [socket("0.0.0.0:3000").owner(&node).build()];
        let problems = [Problem {
            protocol: Protocol::Tcp,
            family: Family::Ipv6,
            reason: "out of memory".to_owned(),
        }];
        let missing = Some(&Availability::NoSuchAddress);
        let told = |until, problems: &[Problem]| {
            let target = target("203.0.113.9:3000", until);
            timed_out(&target, &listens, missing, problems, Duration::from_secs(5))
        };
        let no_address = "after 5.0 s: this machine has no such address";
        assert_eq!(
            [
                told(Until::Listening, &[]),
                told(Until::Listening, &problems),
                told(Until::Free, &[])
            ],
            ["listening", "listening", "free"]
                .map(|what| format!("203.0.113.9:3000 is not {what} {no_address}"))
        );
    }

    #[test]
    fn a_timed_out_wait_tells_what_is_there_instead() {
        let node = process(4242, "node").build();
        let worker = process(4243, "node").build();
        let shared = || socket("[::1]:3000").owners(&[&node, &worker]);
        let shared_and_bound = shared().state(State::Bound).build();
        let listens = socket("[::1]:3000").owner(&node).build();
        let bound = socket("127.0.0.1:3000").owner(&node).state(State::Bound);
        let bound = bound.build();
        let left = socket("127.0.0.1:3000").to("127.0.0.1:9");
        let left = left.state(State::TimeWait).without_owner().build();
        let connections = Some(&Availability::Held(Holding::Connections));
        let in_use = Some(&Availability::Held(Holding::Unseen(WhyUnseen::NotKnown)));
        let timed_out = |until, sockets: &[Socket], bind| {
            let target = WaitTarget {
                spec: PortSpec::tcp(3000),
                until,
            };
            timed_out(&target, sockets, bind, &[], Duration::from_secs(5))
        };
        let left_only = std::slice::from_ref(&left);
        assert_eq!(
            [
                timed_out(Until::Listening, &[], None),
                timed_out(Until::Listening, std::slice::from_ref(&bound), None),
                timed_out(Until::Listening, left_only, None),
                timed_out(Until::Free, &[listens, bound, left.clone()], None),
                timed_out(Until::Free, &[shared().build()], None),
                timed_out(Until::Free, &[shared_and_bound], None),
                timed_out(Until::Free, left_only, connections),
                timed_out(Until::Free, &[], in_use),
            ],
            [
                ":3000 is not listening after 5.0 s: no socket uses it",
                ":3000 is not listening after 5.0 s: node 4242 is bound to 127.0.0.1",
                ":3000 is not listening after 5.0 s: only connections remain (1 TIME_WAIT)",
                ":3000 is not free after 5.0 s: node 4242 listens on ::1 and node 4242 is bound to 127.0.0.1",
                ":3000 is not free after 5.0 s: node 4242 and node 4243 listen on ::1",
                ":3000 is not free after 5.0 s: node 4242 and node 4243 are bound to ::1",
                ":3000 is not free after 5.0 s: only connections remain (1 TIME_WAIT), so a bind fails: address already in use",
                ":3000 is not free after 5.0 s: no socket uses it, but a bind fails: address already in use",
            ]
        );
    }
}
