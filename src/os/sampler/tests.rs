use super::*;
use crate::model::endpoint::Owners;
use crate::model::ports::EphemeralRange;
use crate::model::testing::{moment, socket};
use crate::model::tracker::Change;
use crate::os::sockets::{Demand, Extent};
use std::time::Duration;

const HOURLY: Request = Request::every(Duration::from_hours(1));

/// A whole look that told this.
fn batch(number: f64, list: Vec<Change>) -> Part {
    Part {
        changes: Changes {
            taken: moment(number),
            took: Duration::ZERO,
            interval: Duration::ZERO,
            problems: Vec::new(),
            list,
            missed: false,
            closeup: None,
        },
        has_rest: false,
    }
}

#[test]
fn the_first_look_is_sent_even_if_it_saw_nothing() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let (requests, incoming) = channel();
    let thread = thread::spawn(move || {
        run(HOURLY, &incoming, &sender, |_| batch(0.0, Vec::new()));
    });
    let first = receiver.blocking_recv().expect("a first batch");
    assert_eq!((first.taken, first.list), (moment(0.0), Vec::new()));
    drop(requests);
    thread.join().expect("the thread ends by itself");
    assert!(receiver.blocking_recv().is_none());
}

#[test]
fn what_could_not_be_sent_is_merged_with_what_came_later() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let (requests, incoming) = channel();
    let (looked, looks) = channel();
    let thread = thread::spawn(move || {
        let mut count = 0_u16;
        run(HOURLY, &incoming, &sender, |_| {
            count += 1;
            looked.send(count).expect("the test still counts");
            let opened = socket(&format!("127.0.0.1:{count}")).endpoint();
            batch(f64::from(count), vec![Change::Opened(opened)])
        });
    });
    for look in 1..=3 {
        assert_eq!(looks.recv(), Ok(look));
        requests
            .send(Request {
                look_now: look < 3,
                ..HOURLY
            })
            .expect("the thread still listens");
    }
    let ports = |changes: Option<Changes>| -> Vec<String> {
        let list = changes.map(|changes| changes.list).unwrap_or_default();
        list.iter()
            .map(|change| format!("{:?}", change.id()))
            .collect()
    };
    let first = ports(receiver.blocking_recv());
    let second = ports(receiver.blocking_recv());
    assert_eq!((first.len(), second.len()), (1, 2));
    drop(requests);
    thread.join().expect("the thread ends by itself");
}

#[test]
fn the_thread_ends_when_nobody_listens() {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let (_requests, incoming) = channel();
    drop(receiver);
    run(HOURLY, &incoming, &sender, |_| batch(0.0, Vec::new()));
}

#[test]
fn the_rest_of_a_look_follows_at_once() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let (requests, incoming) = channel();
    let thread = thread::spawn(move || {
        let mut parts = [true, false].into_iter();
        run(HOURLY, &incoming, &sender, |_| Part {
            has_rest: parts.next().expect("no third part within an hour"),
            ..batch(0.0, Vec::new())
        });
    });
    let kept = [(); 2].map(|()| receiver.blocking_recv().map(|changes| changes.interval));
    assert_eq!(kept, [Some(HOURLY.interval); 2]);
    drop(requests);
    thread.join().expect("the thread ends by itself");
}

fn eye() -> Eye {
    let demand = Demand {
        extent: Extent::Everything,
        with_bound: false,
    };
    Eye::new(EphemeralRange::IANA, None, demand)
}

#[test]
fn a_sampler_sends_sockets_before_anybody_is_asked_who_holds_them() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let sampler = Sampler::start(HOURLY, eye, sender).expect("a thread");
    let first = receiver.blocking_recv().expect("a first look");
    let is_unasked = |change: &Change| match change {
        Change::Found(endpoint) => {
            matches!(endpoint.socket.owners, Owners::Sought | Owners::None)
        }
        _ => false,
    };
    assert!(first.list.iter().all(is_unasked));
    let second = receiver.blocking_recv().expect("who holds them");
    let is_learned = |change: &Change| match change {
        Change::Refreshed(endpoint) => endpoint.socket.owners != Owners::Sought,
        _ => true,
    };
    assert!(second.list.iter().all(is_learned));
    sampler.request(Request {
        look_now: true,
        ..HOURLY
    });
    assert!(receiver.blocking_recv().is_some());
    drop(sampler);
    assert!(receiver.blocking_recv().is_none());
}
