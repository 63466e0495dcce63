use super::*;
use crate::model::port::EphemeralRange;
use crate::model::socket::Owners;
use crate::model::testing::{moment, socket};
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::tracker::Change;
use std::time::Duration;

const HOURLY: PollRequest = PollRequest::every(Duration::from_hours(1));

/// The result of a poll with these changes.
fn batch(number: f64, list: Vec<Change>) -> PollResult {
    PollResult {
        changes: Changes {
            taken: moment(number),
            took: Duration::ZERO,
            interval: Duration::ZERO,
            problems: Vec::new(),
            list,
            missed: false,
            stats: None,
        },
        has_more: false,
    }
}

#[test]
fn the_first_poll_is_sent_even_if_empty() {
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
fn unsent_changes_are_merged_with_later_ones() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let (requests, incoming) = channel();
    let (polled, polls) = channel();
    let thread = thread::spawn(move || {
        let mut count = 0_u16;
        run(HOURLY, &incoming, &sender, |_| {
            count += 1;
            polled.send(count).expect("the test still counts");
            let opened = socket(&format!("127.0.0.1:{count}")).endpoint();
            batch(f64::from(count), vec![Change::Opened(opened)])
        });
    });
    for poll in 1..=3 {
        assert_eq!(polls.recv(), Ok(poll));
        requests
            .send(PollRequest {
                poll_now: poll < 3,
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
fn the_thread_ends_when_the_receiver_is_gone() {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let (_requests, incoming) = channel();
    drop(receiver);
    run(HOURLY, &incoming, &sender, |_| batch(0.0, Vec::new()));
}

#[test]
fn the_rest_of_the_first_poll_follows_at_once() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let (requests, incoming) = channel();
    let thread = thread::spawn(move || {
        let mut parts = [true, false].into_iter();
        run(HOURLY, &incoming, &sender, |_| PollResult {
            has_more: parts.next().expect("no third part within an hour"),
            ..batch(0.0, Vec::new())
        });
    });
    let kept = [(); 2].map(|()| receiver.blocking_recv().map(|changes| changes.interval));
    assert_eq!(kept, [Some(HOURLY.interval); 2]);
    drop(requests);
    thread.join().expect("the thread ends by itself");
}

fn poller() -> SocketPoller {
    let request = DumpRequest {
        scope: DumpScope::All,
        with_bound: false,
    };
    SocketPoller::new(EphemeralRange::IANA, None, request)
}

#[test]
fn the_sampler_sends_sockets_before_their_owners() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let sampler = Sampler::start(HOURLY, poller, sender).expect("a thread");
    let first = receiver.blocking_recv().expect("a first poll");
    let is_unresolved = |change: &Change| match change {
        Change::Initial(endpoint) => {
            matches!(endpoint.socket.owners, Owners::Pending | Owners::NoProcess)
        }
        _ => false,
    };
    assert!(first.list.iter().all(is_unresolved));
    let second = receiver.blocking_recv().expect("the owners");
    let is_resolved = |change: &Change| match change {
        Change::Refreshed(endpoint) => endpoint.socket.owners != Owners::Pending,
        _ => true,
    };
    assert!(second.list.iter().all(is_resolved));
    sampler.request(PollRequest {
        poll_now: true,
        ..HOURLY
    });
    assert!(receiver.blocking_recv().is_some());
    drop(sampler);
    assert!(receiver.blocking_recv().is_none());
}
