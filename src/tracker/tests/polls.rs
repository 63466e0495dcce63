//! Polls as on Linux: sockets have cookies and come one at a time, owners come later.

use super::*;
use crate::model::process::Process;
use crate::model::socket::{CompactAddr, SocketQueue};
use std::sync::Arc;
use std::time::Duration;

/// A listener with this cookie and inode.
fn listener(cookie: u32, port: u16) -> RawSocket {
    RawSocket {
        cookie: [cookie, 0],
        protocol: Protocol::Tcp,
        table: Family::Ipv4,
        state: Some(State::Listen),
        v6only: None,
        local: CompactAddr::v4([127, 0, 0, 1], port),
        remote: CompactAddr::NONE,
        interface: 0,
        owner_hint: OwnerHint::new(cookie),
        uid: 1000,
        queue: SocketQueue {
            incoming: 0,
            outgoing: 128,
        },
    }
}

fn connection(cookie: u32, port: u16, to: u16) -> RawSocket {
    RawSocket {
        state: Some(State::Established),
        remote: CompactAddr::v4([127, 0, 0, 1], to),
        ..listener(cookie, port)
    }
}

fn bound(cookie: u32, port: u16) -> RawSocket {
    RawSocket {
        state: Some(State::Bound),
        ..listener(cookie, port)
    }
}

/// The connection after its process closed it.
fn without_owner(state: State, connection: RawSocket) -> RawSocket {
    RawSocket {
        state: Some(state),
        owner_hint: None,
        ..connection
    }
}

impl Tracker {
    fn poll(&mut self, seconds: f64, sockets: &[RawSocket]) -> Vec<String> {
        self.poll_destroyed(seconds, sockets, &[])
    }

    /// A poll that did not request bound sockets.
    fn poll_without_bound(&mut self, seconds: f64, sockets: &[RawSocket]) -> Vec<String> {
        self.read(seconds, sockets, true);
        self.emitted_at(seconds)
    }

    /// A poll with destroy events.
    fn poll_destroyed(
        &mut self,
        seconds: f64,
        sockets: &[RawSocket],
        destroyed: &[RawSocket],
    ) -> Vec<String> {
        self.read(seconds, sockets, false);
        self.observe_destroyed(destroyed.to_vec());
        self.emitted_at(seconds)
    }

    fn read(&mut self, seconds: f64, sockets: &[RawSocket], is_without_bound: bool) {
        self.begin_poll(instant(seconds));
        for socket in sockets {
            self.observe(socket);
        }
        let unread = UnreadTables {
            is_without_bound,
            ..UnreadTables::default()
        };
        self.end_poll(&unread, |_| HashSet::new());
    }

    fn emitted_at(&mut self, seconds: f64) -> Vec<String> {
        emitted(&self.emit(instant(seconds), &mut |_| None))
    }

    /// Sets the owner of the first unresolved socket.
    fn resolve_first(&mut self, owner: &Arc<Process>) {
        let (slot, _) = self.take_unresolved()[0];
        self.set_owners(slot, &Owners::Known([Arc::clone(owner)].into()));
    }

    fn owners_of(&self, cookie: u32) -> Owners {
        let found = self
            .each()
            .find(|(_, socket, _)| socket.cookie == [cookie, 0]);
        found.expect("it is there").2.clone()
    }
}

#[test]
fn the_order_of_a_poll_does_not_change_what_is_emitted() {
    let sockets: Vec<RawSocket> = (1..=50).map(|number| listener(number, 3000)).collect();
    let mut tracker = tracker();
    assert_eq!(tracker.poll(0.0, &sockets).len(), 50);
    for turn in 0..50 {
        let mut turned = sockets.clone();
        turned.rotate_left(turn);
        turned.swap(0, turn / 2);
        assert_eq!(tracker.poll(1.0, &turned), NOTHING, "{turn}");
        assert_eq!(tracker.poll(1.0, &turned), NOTHING, "{turn}");
    }
    let mut missing = sockets.clone();
    let closed = missing.remove(20);
    assert_eq!(tracker.poll(2.0, &missing), ["closed 21"]);
    missing.insert(7, closed);
    assert_eq!(tracker.poll(9.0, &missing), ["opened 127.0.0.1:3000"]);
    assert_eq!(tracker.poll(9.0, &missing), NOTHING);
    assert_eq!(tracker.socket_count(), 50);
}

#[test]
fn a_socket_seen_twice_in_one_poll_counts_once() {
    let mut tracker = tracker();
    let (one, other) = (listener(1, 3000), listener(2, 3001));
    tracker.poll(0.0, &[one, one, other, one]);
    assert_eq!(tracker.socket_count(), 2);
    assert_eq!(tracker.poll(1.0, &[other, one, other]), NOTHING);
    assert_eq!(tracker.poll(2.0, &[other, other]), ["closed 1"]);
}

#[test]
fn a_socket_that_gets_a_remote_end_stays_the_same_socket() {
    let bound = RawSocket {
        protocol: Protocol::Udp,
        state: Some(State::Unconn),
        ..listener(1, 5000)
    };
    let connected = RawSocket {
        state: Some(State::Established),
        remote: CompactAddr::v4([127, 0, 0, 1], 53),
        ..bound
    };
    let mut tracker = tracker();
    tracker.poll(0.0, &[bound]);
    tracker.resolve_first(&process(7, "resolver").build());
    for (seconds, socket) in [(1.0, connected), (2.0, bound)] {
        let emitted = tracker.poll(seconds, &[socket]);
        assert!(emitted.contains(&"changed 127.0.0.1:5000".to_owned()));
        assert_eq!(tracker.owners_of(1).known().len(), 1);
        assert_eq!(tracker.take_unresolved(), []);
        assert_eq!(tracker.take_removed_hints(), []);
    }
}

#[test]
fn a_bound_socket_that_connects_stays_one_row() {
    let connected = connection(7, 5000, 80);
    let (one, other) = (listener(1, 1), listener(2, 2));
    let mut tracker = tracker();
    tracker.poll(0.0, &[one, other, bound(7, 5000)]);
    let emitted = tracker.poll_without_bound(1.0, &[one, connected, other]);
    assert_eq!(emitted, ["changed 127.0.0.1:5000"]);
    assert_eq!(tracker.socket_count(), 3);
    assert_eq!(tracker.poll(10.0, &[one, connected, other]), NOTHING);
}

#[test]
fn equal_sockets_without_a_cookie_get_different_ids() {
    let equal = RawSocket {
        cookie: [0, 0],
        ..listener(7, 5000)
    };
    let others: Vec<RawSocket> = (1..7).map(|number| listener(number, 80)).collect();
    let mut tracker = tracker();
    for poll in 0..60_usize {
        let mut sockets = others[..poll % 6].to_vec();
        for turn in 0..(poll * 7) % 5 {
            sockets.insert((turn * poll) % (sockets.len() + 1), equal);
        }
        tracker.poll(1.0, &sockets);
        let ids: HashSet<EndpointId> = tracker.all().iter().map(Endpoint::id).collect();
        assert_eq!(ids.len(), sockets.len(), "{poll}");
        assert_eq!(tracker.socket_count(), sockets.len(), "{poll}");
    }
}

#[test]
fn an_inode_is_removed_once_no_socket_has_it() {
    let one = listener(1, 3000);
    let subflow = RawSocket {
        owner_hint: one.owner_hint,
        ..listener(2, 3000)
    };
    let mut tracker = tracker();
    tracker.poll(0.0, &[one, subflow]);
    tracker.poll(1.0, &[subflow]);
    assert_eq!(tracker.take_removed_hints(), []);
    tracker.poll(2.0, &[]);
    let removed = tracker.take_removed_hints();
    assert_eq!(removed, Vec::from_iter(one.owner_hint));
}

#[test]
fn sockets_closed_before_the_first_poll_are_not_short_lived() {
    let mut tracker = tracker();
    let (listener, destroyed) = ([listener(9, 3000)], [connection(1, 3000, 50000)]);
    let emitted = tracker.poll_destroyed(0.0, &listener, &destroyed);
    assert_eq!(emitted, ["initial 127.0.0.1:3000"]);
    let emitted = tracker.poll_destroyed(1.0, &listener, &destroyed);
    assert_eq!(emitted, NOTHING);
}

#[test]
fn bound_sockets_stay_while_they_are_not_polled() {
    let mut tracker = tracker();
    tracker.poll(0.0, &[bound(1, 3000)]);
    assert_eq!(tracker.poll_without_bound(1.0, &[]), NOTHING);
    assert_eq!(tracker.poll(2.0, &[]), ["closed 1"]);
}

#[test]
fn a_listener_missed_by_a_poll_closes_only_if_confirmed_gone() {
    let mut tracker = tracker();
    tracker.poll(0.0, &[listener(1, 3000), connection(2, 3000, 50000)]);
    tracker.begin_poll(instant(1.0));
    tracker.end_poll(&UnreadTables::default(), |asked| {
        let cookies: Vec<u64> = asked.iter().map(RawSocket::cookie).collect();
        assert_eq!(cookies, [1]);
        HashSet::from([1])
    });
    assert_eq!(tracker.emitted_at(1.0), ["closed 2"]);
}

#[test]
fn new_and_newly_owned_sockets_are_unresolved() {
    let accepted = connection(1, 3000, 50000);
    let waiting = without_owner(State::Established, accepted);
    let mut tracker = tracker();
    tracker.poll(0.0, &[waiting]);
    assert_eq!(tracker.take_unresolved(), []);
    assert_eq!(tracker.owners_of(1), Owners::NoProcess);
    tracker.poll(1.0, &[accepted]);
    let unresolved = tracker.take_unresolved().into_iter();
    let unresolved: Vec<RawSocket> = unresolved.map(|(_, one)| one).collect();
    assert_eq!(unresolved, [accepted]);
    tracker.poll(2.0, &[waiting]);
    let removed = tracker.take_removed_hints();
    assert_eq!(removed, Vec::from_iter(accepted.owner_hint));
    assert_eq!(tracker.owners_of(1), Owners::NoProcess);
}

#[test]
fn the_end_of_a_time_wait_is_emitted_once() {
    let left = |milliseconds| RawSocket {
        queue: RawSocket::time_wait_queue(milliseconds),
        ..without_owner(State::TimeWait, connection(1, 3000, 50000))
    };
    let mut tracker = tracker();
    tracker.poll(0.0, &[connection(1, 3000, 50000)]);
    tracker.poll(1.0, &[left(59_990)]);
    let ends = |tracker: &Tracker| {
        tracker.all()[0]
            .socket
            .time_wait_until()
            .expect("it is known")
    };
    let expected = instant(1.0) + Duration::from_millis(59_990);
    assert_eq!(ends(&tracker), expected);
    let emitted = tracker.poll(2.0, &[left(58_970)]);
    assert_eq!((emitted, ends(&tracker)), (vec![], expected));
    // Another change of the socket is emitted and leaves its end as it is.
    let changed = RawSocket {
        uid: 7,
        ..left(57_980)
    };
    assert_eq!(tracker.poll(3.0, &[changed]).len(), 1);
    assert_eq!(ends(&tracker), expected);
}

#[test]
fn portmons_own_socket_is_never_emitted() {
    let mut tracker = tracker();
    tracker.poll(0.0, &[]);
    tracker.read(1.0, &[listener(1, 3000)], false);
    let (slot, _) = tracker.take_unresolved()[0];
    tracker.hide_own_socket(slot);
    assert_eq!(tracker.emitted_at(1.0), NOTHING);
    assert_eq!(tracker.all(), []);
    assert_eq!(tracker.poll(2.0, &[listener(1, 3000)]), NOTHING);
    assert_eq!(tracker.poll(3.0, &[]), NOTHING);
    // If it was emitted before it was known as portmon's own, it closes.
    tracker.poll(4.0, &[listener(2, 3000)]);
    let (slot, _) = tracker.take_unresolved()[0];
    tracker.hide_own_socket(slot);
    assert_eq!(tracker.emitted_at(4.0), ["closed 2"]);
}

#[test]
fn a_better_description_reaches_every_socket_of_the_process() {
    let (before, after) = (process(7, "sh").build(), process(7, "node").build());
    let mut tracker = tracker();
    let listeners = [listener(1, 3000), listener(2, 3001), listener(3, 3002)];
    tracker.poll(0.0, &listeners);
    for (slot, socket) in tracker.take_unresolved() {
        if socket.cookie != [3, 0] {
            tracker.set_owners(slot, &Owners::Known([before.clone()].into()));
        }
    }
    tracker.emit(instant(0.0), &mut |_| None);
    tracker.describe(&after);
    assert_eq!(
        tracker.emitted_at(0.0),
        ["refreshed 127.0.0.1:3000", "refreshed 127.0.0.1:3001"]
    );
    assert_eq!(tracker.owners_of(1), Owners::Known([after].into()));
}

#[test]
fn only_sockets_no_poll_ever_saw_are_short_lived() {
    let (known, waits) = (connection(1, 3000, 50000), connection(2, 3000, 50001));
    let (brief, late) = (connection(3, 3000, 50002), connection(4, 3000, 50003));
    let server = process(7, "node").build();
    let mut tracker = tracker();
    tracker.poll(0.0, &[listener(9, 3000), known, waits, late]);
    tracker.resolve_first(&server);
    tracker.emit(instant(0.0), &mut |_| None);
    let still = without_owner(State::TimeWait, waits);
    // `late` is closed in this poll, but its event comes only with the next one.
    let now = [listener(9, 3000), still];
    let emitted = tracker.poll_destroyed(1.0, &now, &[known, waits, brief, brief]);
    let expected = [
        "changed 127.0.0.1:3000",
        "closed 1",
        "closed 4",
        "short-lived 127.0.0.1:3000",
    ];
    assert_eq!(emitted, expected);
    assert_eq!(tracker.poll_destroyed(2.0, &now, &[late]), NOTHING);
}

/// The kernel destroys a socket after a grace period, in which there may be many polls.
#[test]
fn a_destroy_event_may_come_some_polls_after_the_close() {
    let late = connection(4, 3000, 50001);
    for polls in [&[1.0, 1.1, 1.2, 3.9][..], &[61.0, 121.0]] {
        let mut tracker = tracker();
        tracker.poll(0.0, &[late]);
        assert_eq!(tracker.poll(polls[0], &[]), ["closed 4"]);
        let (last, between) = polls[1..].split_last().expect("another poll");
        for seconds in between {
            assert_eq!(tracker.poll(*seconds, &[]), NOTHING);
        }
        assert_eq!(tracker.poll_destroyed(*last, &[], &[late]), NOTHING);
    }
}

/// No poll had asked for its cookie before, so it waits under another one.
#[test]
fn a_socket_first_polled_in_time_wait_is_not_short_lived() {
    let (waits, brief) = (connection(1, 3000, 50000), connection(2, 3000, 50001));
    for state in [State::TimeWait, State::FinWait2] {
        let left = without_owner(state, connection(3, 3000, 50000));
        let mut tracker = tracker();
        tracker.poll(0.0, &[]);
        let emitted = tracker.poll_destroyed(1.0, &[left], &[waits]);
        assert_eq!(emitted, ["opened 127.0.0.1:3000"]);
        let emitted = tracker.poll_destroyed(2.0, &[left], &[waits, brief]);
        assert_eq!(emitted, ["short-lived 127.0.0.1:3000"]);
    }
}

#[test]
fn a_short_lived_connection_gets_the_owner_of_its_listener() {
    let server = process(7, "node").build();
    let mut tracker = tracker();
    tracker.poll(0.0, &[listener(9, 3000)]);
    tracker.resolve_first(&server);
    tracker.read(1.0, &[listener(9, 3000)], false);
    tracker.observe_destroyed(vec![connection(1, 3000, 50000), connection(2, 50000, 3000)]);
    let list = tracker.emit(instant(1.0), &mut |_| None);
    let short_lived: Vec<(SocketRole, Owners)> = list
        .into_iter()
        .filter_map(|change| match change {
            Change::ShortLived(endpoint) => Some((endpoint.relation.role, endpoint.socket.owners)),
            _ => None,
        })
        .collect();
    let known = Owners::Known([server].into());
    assert_eq!(
        short_lived,
        [
            (SocketRole::Server, known),
            (SocketRole::Client, Owners::NoProcess)
        ]
    );
}

#[test]
fn compaction_reorders_sockets_without_changing_them() {
    let at = |cookie: u32| listener(cookie, u16::try_from(cookie % 50_000 + 1).expect("a port"));
    let mut tracker = tracker();
    let mut sockets: Vec<RawSocket> = (1..=800).map(at).collect();
    // Then no socket is unresolved in every second poll, which allows compaction.
    tracker.poll(0.0, &sockets);
    tracker.poll(0.0, &sockets);
    let mut out_of_order = Vec::new();
    for poll in 1..=130_u32 {
        // Some close, as many open, and the kernel reports them elsewhere.
        for turn in 0..50 {
            sockets.remove(turn * 13);
            let place = (turn * 7 + usize::try_from(poll).expect("small") * 31) % sockets.len();
            let number = u32::try_from(turn).expect("small");
            sockets.insert(place, at(1_000 * poll + number));
        }
        let emitted = tracker.poll(f64::from(poll) * 10.0, &sockets);
        tracker.take_unresolved();
        let count = |word: &str| emitted.iter().filter(|line| line.starts_with(word)).count();
        assert_eq!(count("opened"), count("closed"), "{poll}");
        assert_eq!(tracker.poll(f64::from(poll) * 10.0, &sockets), NOTHING);
        out_of_order.push(tracker.table.out_of_order);
    }
    let most = out_of_order.iter().copied().max().expect("polls");
    assert!(out_of_order[129] < most / 2, "{out_of_order:?}");
    let mut cookies: Vec<[u32; 2]> = tracker.each().map(|(_, one, _)| one.cookie).collect();
    let mut expected: Vec<[u32; 2]> = sockets.iter().map(|one| one.cookie).collect();
    cookies.sort_unstable();
    expected.sort_unstable();
    assert_eq!(cookies, expected);
}

/// With its shares of the index and the fd cache a socket takes at most 130 bytes.
#[test]
fn a_tracked_socket_stays_small() {
    assert!(
        size_of::<tracked_socket::TrackedSocket>() <= 92,
        "{}",
        size_of::<tracked_socket::TrackedSocket>()
    );
}
