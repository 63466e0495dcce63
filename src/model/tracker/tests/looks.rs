//! Looks as the Linux source gives them: with cookies, one socket at a time, owners later.

use super::*;
use crate::model::Moment;
use crate::model::endpoint::Endpoint;
use crate::model::sighting::{End, Queue};
use crate::model::testing::moment;

/// A listener with this cookie, held by a process.
fn listener(cookie: u32, port: u16) -> Sighting {
    Sighting {
        cookie: [cookie, 0],
        protocol: Protocol::Tcp,
        table: Family::Ipv4,
        state: Some(State::Listen),
        only_v6: None,
        local: End::v4([127, 0, 0, 1], port),
        remote: End::NONE,
        scope: 0,
        mark: cookie,
        uid: 1000,
        queue: Queue {
            incoming: 0,
            outgoing: 128,
        },
    }
}

fn connection(cookie: u32, port: u16, to: u16) -> Sighting {
    Sighting {
        state: Some(State::Established),
        remote: End::v4([127, 0, 0, 1], to),
        ..listener(cookie, port)
    }
}

fn tracker() -> Tracker {
    Tracker::new(LINUX, instant(0.0))
}

impl Tracker {
    fn look(&mut self, seconds: f64, sockets: &[Sighting]) -> Vec<String> {
        self.look_with(seconds, sockets, &Gaps::default(), &[])
    }

    /// A look that leaves gaps, and beside which these were told to have closed.
    fn look_with(
        &mut self,
        seconds: f64,
        sockets: &[Sighting],
        gaps: &Gaps,
        destroyed: &[Sighting],
    ) -> Vec<String> {
        let taken: Moment = moment(seconds);
        self.begin(taken.instant);
        for socket in sockets {
            self.see(socket);
        }
        self.end(gaps, |_| HashSet::new());
        self.pass(destroyed.to_vec());
        told(&self.tell(taken, |_| None))
    }

    fn owners_of(&self, cookie: u32) -> Owners {
        let mut each = self.each();
        let found = each.find(|(_, socket, _)| socket.cookie == [cookie, 0]);
        found
            .map(|(_, _, owners)| owners.clone())
            .expect("it is there")
    }
}

#[test]
fn no_order_of_a_look_changes_what_it_tells() {
    let sockets: Vec<Sighting> = (1..=50).map(|number| listener(number, 3000)).collect();
    let mut tracker = tracker();
    assert_eq!(tracker.look(0.0, &sockets).len(), 50);
    for turn in 0..50 {
        let mut turned = sockets.clone();
        turned.rotate_left(turn);
        turned.swap(0, turn / 2);
        assert_eq!(tracker.look(1.0, &turned), Vec::<String>::new(), "{turn}");
        assert_eq!(tracker.look(1.0, &turned), Vec::<String>::new(), "{turn}");
    }
    let mut missing = sockets.clone();
    let gone = missing.remove(20);
    assert_eq!(tracker.look(2.0, &missing), ["closed 21"]);
    missing.insert(7, gone);
    assert_eq!(tracker.look(9.0, &missing), ["opened 127.0.0.1:3000"]);
    assert_eq!(tracker.look(9.0, &missing), Vec::<String>::new());
    assert_eq!(tracker.len(), 50);
}

#[test]
fn a_socket_that_comes_twice_in_one_look_is_one() {
    let mut tracker = tracker();
    let (one, other) = (listener(1, 3000), listener(2, 3001));
    tracker.look(0.0, &[one, one, other, one]);
    assert_eq!(tracker.len(), 2);
    assert_eq!(
        tracker.look(1.0, &[other, one, other]),
        Vec::<String>::new()
    );
    assert_eq!(tracker.look(2.0, &[other, other]), ["closed 1"]);
}

#[test]
fn a_socket_that_gets_another_end_is_the_same_socket() {
    let bound = Sighting {
        protocol: Protocol::Udp,
        state: Some(State::Unconn),
        ..listener(1, 5000)
    };
    let connected = Sighting {
        state: Some(State::Established),
        remote: End::v4([127, 0, 0, 1], 53),
        ..bound
    };
    let mut tracker = tracker();
    let process = process(7, "resolver").build();
    tracker.look(0.0, &[bound]);
    let (slot, _) = tracker.sought()[0];
    tracker.own(slot, &Owners::Known([process].into()));
    for (seconds, socket) in [(1.0, connected), (2.0, bound)] {
        let told = tracker.look(seconds, &[socket]);
        assert!(
            told.contains(&"changed 127.0.0.1:5000".to_owned()),
            "{told:?}"
        );
        assert_eq!(tracker.owners_of(1).known().len(), 1);
        assert_eq!((tracker.sought(), tracker.released()), (vec![], vec![]));
    }
}

#[test]
fn a_bound_socket_that_connects_unasked_for_is_one_row_and_stays() {
    let bound = Sighting {
        state: Some(State::Bound),
        ..listener(7, 5000)
    };
    let connected = connection(7, 5000, 80);
    let (one, other) = (listener(1, 1), listener(2, 2));
    let unasked = Gaps {
        is_without_bound: true,
        ..Gaps::default()
    };
    let mut tracker = tracker();
    tracker.look(0.0, &[one, other, bound]);
    let told = tracker.look_with(1.0, &[one, connected, other], &unasked, &[]);
    assert_eq!(
        (told, tracker.len()),
        (vec!["changed 127.0.0.1:5000".to_owned()], 3)
    );
    assert_eq!(
        tracker.look(10.0, &[one, connected, other]),
        Vec::<String>::new()
    );
}

#[test]
fn equals_without_a_cookie_never_share_an_identity() {
    let equal = Sighting {
        cookie: [0, 0],
        ..listener(7, 5000)
    };
    let others: Vec<Sighting> = (1..7).map(|number| listener(number, 80)).collect();
    let mut tracker = tracker();
    for look in 0..60_usize {
        let mut sockets = others[..look % 6].to_vec();
        for turn in 0..(look * 7) % 5 {
            sockets.insert((turn * look) % (sockets.len() + 1), equal);
        }
        tracker.look(1.0, &sockets);
        let ids: HashSet<EndpointId> = tracker.all().iter().map(Endpoint::id).collect();
        assert_eq!(
            (ids.len(), tracker.len()),
            (sockets.len(), sockets.len()),
            "{look}"
        );
    }
}

#[test]
fn an_inode_is_released_once_no_socket_has_it() {
    let (one, subflow) = (
        listener(1, 3000),
        Sighting {
            mark: 1,
            ..listener(2, 3000)
        },
    );
    let mut tracker = tracker();
    tracker.look(0.0, &[one, subflow]);
    tracker.look(1.0, &[subflow]);
    assert_eq!(tracker.released(), Vec::<u32>::new());
    tracker.look(2.0, &[]);
    assert_eq!(tracker.released(), [1]);
}

#[test]
fn what_closed_before_the_first_look_has_not_passed() {
    let mut tracker = tracker();
    let gone = [connection(1, 3000, 50000)];
    let told = tracker.look_with(0.0, &[listener(9, 3000)], &Gaps::default(), &gone);
    assert_eq!(told, ["found 127.0.0.1:3000"]);
    let told = tracker.look_with(1.0, &[listener(9, 3000)], &Gaps::default(), &gone);
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn bound_sockets_stay_while_nobody_asks_for_them() {
    let bound = Sighting {
        state: Some(State::Bound),
        ..listener(1, 3000)
    };
    let unasked = Gaps {
        is_without_bound: true,
        ..Gaps::default()
    };
    let mut tracker = tracker();
    tracker.look(0.0, &[bound]);
    assert_eq!(
        tracker.look_with(1.0, &[], &unasked, &[]),
        Vec::<String>::new()
    );
    assert_eq!(tracker.look(2.0, &[]), ["closed 1"]);
}

#[test]
fn a_listener_that_a_look_missed_is_gone_only_if_it_is_not_there() {
    let mut tracker = tracker();
    tracker.look(0.0, &[listener(1, 3000), connection(2, 3000, 50000)]);
    tracker.begin(instant(1.0));
    tracker.end(&Gaps::default(), |asked| {
        let cookies: Vec<u64> = asked.iter().map(Sighting::cookie).collect();
        assert_eq!(cookies, [1]);
        HashSet::from([1])
    });
    assert_eq!(told(&tracker.tell(moment(1.0), |_| None)), ["closed 2"]);
}

#[test]
fn who_holds_a_socket_is_sought_when_it_comes_and_when_it_gets_a_holder() {
    let waiting = Sighting {
        mark: 0,
        ..connection(1, 3000, 50000)
    };
    let accepted = connection(1, 3000, 50000);
    let mut tracker = tracker();
    tracker.look(0.0, &[waiting]);
    assert_eq!(
        (tracker.sought(), tracker.owners_of(1)),
        (vec![], Owners::None)
    );
    tracker.look(1.0, &[accepted]);
    let sought: Vec<Sighting> = tracker.sought().into_iter().map(|(_, one)| one).collect();
    assert_eq!(sought, [accepted]);
    tracker.look(2.0, &[waiting]);
    assert_eq!(
        (tracker.released(), tracker.owners_of(1)),
        (vec![1], Owners::None)
    );
}

#[test]
fn a_time_wait_ends_when_its_first_look_said_and_is_not_told_again_as_that_comes_closer() {
    let left = |milliseconds| Sighting {
        state: Some(State::TimeWait),
        mark: 0,
        queue: Queue::lasting(milliseconds),
        ..connection(1, 3000, 50000)
    };
    let mut tracker = tracker();
    tracker.look(0.0, &[connection(1, 3000, 50000)]);
    tracker.look(1.0, &[left(59_990)]);
    let ends = |tracker: &Tracker| {
        let all = tracker.all();
        all[0].socket.ends_at().expect("it is known")
    };
    let expected = instant(1.0) + Duration::from_millis(59_990);
    assert_eq!(ends(&tracker), expected);
    let told = tracker.look(2.0, &[left(58_970)]);
    assert_eq!((told, ends(&tracker)), (vec![], expected));
    // Something else about it is learned: that is told, and changes nothing about its end.
    let learned = Sighting {
        uid: 7,
        ..left(57_980)
    };
    assert_eq!(tracker.look(3.0, &[learned]).len(), 1);
    assert_eq!(ends(&tracker), expected);
}

#[test]
fn the_programs_own_socket_is_never_told() {
    let mut tracker = tracker();
    tracker.look(0.0, &[]);
    tracker.begin(instant(1.0));
    tracker.see(&listener(1, 3000));
    tracker.end(&Gaps::default(), |_| HashSet::new());
    let (slot, _) = tracker.sought()[0];
    tracker.disregard(slot);
    assert_eq!(
        told(&tracker.tell(moment(1.0), |_| None)),
        Vec::<String>::new()
    );
    assert_eq!(tracker.all(), []);
    assert_eq!(
        tracker.look(2.0, &[listener(1, 3000)]),
        Vec::<String>::new()
    );
    assert_eq!(tracker.look(3.0, &[]), Vec::<String>::new());
    // One that was told before it was known to be the program's own goes without a trace.
    tracker.look(4.0, &[listener(2, 3000)]);
    let (slot, _) = tracker.sought()[0];
    tracker.disregard(slot);
    assert_eq!(told(&tracker.tell(moment(4.0), |_| None)), ["closed 2"]);
}

#[test]
fn a_better_description_reaches_every_socket_of_the_process() {
    let (before, after) = (process(7, "sh").build(), process(7, "node").build());
    let mut tracker = tracker();
    tracker.look(
        0.0,
        &[listener(1, 3000), listener(2, 3001), listener(3, 3002)],
    );
    for (slot, socket) in tracker.sought() {
        if socket.cookie != [3, 0] {
            tracker.own(slot, &Owners::Known([before.clone()].into()));
        }
    }
    tracker.tell(moment(0.0), |_| None);
    tracker.describe(&after);
    assert_eq!(
        told(&tracker.tell(moment(0.0), |_| None)),
        ["refreshed 127.0.0.1:3000", "refreshed 127.0.0.1:3001"]
    );
    assert_eq!(tracker.owners_of(1), Owners::Known([after].into()));
}

#[test]
fn only_what_no_look_ever_had_has_passed() {
    let (known, waits) = (connection(1, 3000, 50000), connection(2, 3000, 50001));
    let (brief, late) = (connection(3, 3000, 50002), connection(4, 3000, 50003));
    let server = process(7, "node").build();
    let mut tracker = tracker();
    tracker.look(0.0, &[listener(9, 3000), known, waits, late]);
    let (slot, _) = tracker.sought()[0];
    tracker.own(slot, &Owners::Known([server.clone()].into()));
    tracker.tell(moment(0.0), |_| None);
    let still = Sighting {
        state: Some(State::TimeWait),
        mark: 0,
        ..waits
    };
    // `late` is gone from this look already, but its end is told only beside the next one.
    let gone = [known, waits, brief, brief];
    let told = tracker.look_with(1.0, &[listener(9, 3000), still], &Gaps::default(), &gone);
    assert_eq!(
        told,
        [
            "changed 127.0.0.1:3000",
            "closed 1",
            "closed 4",
            "passed 127.0.0.1:3000"
        ]
    );
    let told = tracker.look_with(2.0, &[listener(9, 3000), still], &Gaps::default(), &[late]);
    assert_eq!(told, Vec::<String>::new());
}

/// Nobody had asked for its cookie before, so it waits under another.
#[test]
fn what_a_look_first_sees_waiting_after_its_end_has_not_passed() {
    let (waits, brief) = (connection(1, 3000, 50000), connection(2, 3000, 50001));
    for state in [State::TimeWait, State::FinWait2] {
        let left = Sighting {
            state: Some(state),
            mark: 0,
            ..connection(3, 3000, 50000)
        };
        let mut tracker = tracker();
        tracker.look(0.0, &[]);
        let told = tracker.look_with(1.0, &[left], &Gaps::default(), &[waits]);
        assert_eq!(told, ["opened 127.0.0.1:3000"]);
        let told = tracker.look_with(2.0, &[left], &Gaps::default(), &[waits, brief]);
        assert_eq!(told, ["passed 127.0.0.1:3000"]);
    }
}

#[test]
fn what_passed_has_the_holder_of_the_listener_that_accepted_it() {
    let server = process(7, "node").build();
    let mut tracker = tracker();
    tracker.look(0.0, &[listener(9, 3000)]);
    let (slot, _) = tracker.sought()[0];
    tracker.own(slot, &Owners::Known([server.clone()].into()));
    tracker.begin(instant(1.0));
    tracker.see(&listener(9, 3000));
    tracker.end(&Gaps::default(), |_| HashSet::new());
    tracker.pass(vec![connection(1, 3000, 50000), connection(2, 50000, 3000)]);
    let list = tracker.tell(moment(1.0), |_| None).list;
    let passed: Vec<(Side, Owners)> = list
        .into_iter()
        .filter_map(|change| match change {
            Change::Passed(endpoint) => Some((endpoint.relation.side, endpoint.socket.owners)),
            _ => None,
        })
        .collect();
    let known = Owners::Known([server].into());
    assert_eq!(
        passed,
        [(Side::Server, known), (Side::Client, Owners::None)]
    );
}

#[test]
fn records_that_churn_has_scattered_are_put_in_order_and_stay_what_they_are() {
    let at = |cookie: u32| listener(cookie, u16::try_from(cookie % 50_000 + 1).expect("a port"));
    let mut tracker = tracker();
    let mut sockets: Vec<Sighting> = (1..=800).map(at).collect();
    // Every second look then finds no socket whose holder is sought.
    tracker.look(0.0, &sockets);
    tracker.look(0.0, &sockets);
    let mut leaps = Vec::new();
    for look in 1..=130_u32 {
        // Some go, as many come, and the kernel puts them elsewhere among the others.
        for turn in 0..50 {
            sockets.remove(turn * 13);
            let place = (turn * 7 + usize::try_from(look).expect("small") * 31) % sockets.len();
            let number = u32::try_from(turn).expect("small");
            sockets.insert(place, at(1_000 * look + number));
        }
        let told = tracker.look(f64::from(look) * 10.0, &sockets);
        tracker.sought();
        let count = |word: &str| told.iter().filter(|line| line.starts_with(word)).count();
        assert_eq!(count("opened"), count("closed"), "{look}");
        assert_eq!(
            tracker.look(f64::from(look) * 10.0, &sockets),
            Vec::<String>::new()
        );
        leaps.push(tracker.book.leaps);
    }
    let most = leaps.iter().copied().max().expect("looks");
    assert!(leaps[129] < most / 2, "{leaps:?}");
    let mut cookies: Vec<[u32; 2]> = tracker.each().map(|(_, one, _)| one.cookie).collect();
    let mut expected: Vec<[u32; 2]> = sockets.iter().map(|one| one.cookie).collect();
    cookies.sort_unstable();
    expected.sort_unstable();
    assert_eq!(cookies, expected);
}

/// With its share of the index a socket must take no more than 130 bytes, its edge to a process included.
#[test]
fn a_record_stays_small() {
    assert!(
        size_of::<record::Record>() <= 92,
        "{}",
        size_of::<record::Record>()
    );
}
