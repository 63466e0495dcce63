use super::*;
use crate::model::endpoint::EndpointId;
use crate::model::testing::{moment, socket};
use crate::model::tracker::Change;
use std::collections::HashSet;
use std::time::Duration;

const HOURLY: Request = Request::every(Duration::from_hours(1));

fn batch(number: f64, list: Vec<Change>) -> Changes {
    Changes {
        taken: moment(number),
        took: Duration::ZERO,
        interval: Duration::from_secs(1),
        missed: false,
        closeup: None,
        problems: Vec::new(),
        list,
    }
}

#[test]
fn the_first_look_is_sent_even_if_it_saw_nothing() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let (requests, incoming) = channel();
    let thread = thread::spawn(move || {
        run(HOURLY, &incoming, &sender, || batch(0.0, Vec::new()));
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
        run(HOURLY, &incoming, &sender, || {
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
    run(HOURLY, &incoming, &sender, || batch(0.0, Vec::new()));
}

#[test]
fn a_sampler_sends_what_the_machine_has() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let sampler = Sampler::start(HOURLY, EphemeralRange::IANA, sender).expect("a thread");
    let first = receiver.blocking_recv().expect("a first look");
    let is_found = |change: &Change| matches!(change, Change::Found(_));
    assert!(first.list.iter().all(is_found));
    sampler.request(Request {
        look_now: true,
        ..HOURLY
    });
    assert!(receiver.blocking_recv().is_some());
    drop(sampler);
    assert!(receiver.blocking_recv().is_none());
}

#[test]
fn one_look_gives_every_socket_once() {
    let look = look_once(EphemeralRange::IANA);
    let ids: HashSet<EndpointId> = look.endpoints.iter().map(Endpoint::id).collect();
    assert_eq!(ids.len(), look.endpoints.len());
}
