//! What is said while socket tables cannot be read.

use super::*;
use BindOutcome::{Bound, InUse, NotPermitted};
use Family::{Ipv4, Ipv6};

const UNREAD: &str = "the socket tables could not be read: out of memory";

impl Story {
    /// A poll that cannot read the tables of these families, and sees these sockets in the others.
    fn fails_to_read(mut self, at: f64, families: &[Family], sockets: Vec<SocketBuilder>) -> Self {
        let problem = |family: &Family| Problem {
            protocol: Protocol::Tcp,
            family: *family,
            reason: "out of memory".to_owned(),
        };
        self.poll.problems = families.iter().map(problem).collect();
        let mut story = self.sees(at, sockets);
        story.poll.problems.clear();
        story
    }

    fn reads_nothing(self, at: f64) -> Self {
        self.fails_to_read(at, &[Ipv4, Ipv6], Vec::new())
    }
}

#[test]
fn without_readable_tables_a_bind_decides_and_no_owner_is_named() {
    let early = Story::sent(held()).ended(&node()).reads_nothing(0.3);
    let due = early.waits().reads_nothing(1.4);
    let unknown = "It is unknown whether :3000 is free: node 4242 ended;";
    let cases = [
        (
            (Bound, Bound, Free),
            format!(
                ":3000 is free. node 4242 ended 0.3 s after SIGTERM. Only a bind confirms this: {UNREAD}."
            ),
        ),
        (
            (InUse, InUse, Held),
            format!(
                ":3000 is not free, and its owner is unknown: node 4242 ended; a bind fails: address already in use; \
                 {UNREAD}"
            ),
        ),
        (
            (Bound, InUse, Held),
            format!("{unknown} it can be bound only with SO_REUSEADDR; {UNREAD}"),
        ),
        (
            (NotPermitted, NotPermitted, Held),
            format!("{unknown} you are not permitted to bind it; {UNREAD}"),
        ),
    ];
    for ((with, without, kind), words) in cases {
        let story = due.clone().binds(&with, &without).says(kind, &words);
        assert_eq!(story.machine.owners().len(), 0);
    }
}

#[test]
fn a_process_that_no_table_shows_has_not_let_go_of_the_port() {
    let story = Story::sent(held()).sees(0.1, held()).reads_nothing(0.5);
    assert_eq!(story.machine.outcomes(), []);
    let unknown = format!(
        ":3000 is not free, and its owner is unknown: node 4242 has not ended 5 s after SIGTERM; a bind fails: address \
         already in use; {UNREAD}"
    );
    let words = ":3000 is STILL HELD: node 4242 has not ended 5 s after SIGTERM";
    story
        .reads_nothing(2.0)
        .waits()
        .reads_nothing(5.0)
        .in_use()
        .says(Held, &unknown)
        .answered(true)
        .sees(5.3, held())
        .says(Held, words);
}

#[test]
fn what_one_table_shows_is_said_beside_what_could_not_be_read() {
    let worker = process(4243, "node").parent(4242).build();
    let left = || vec![listener(&worker)];
    Story::sent(vec![listener(&node()).owners(&[&node(), &worker])])
        .ended(&node())
        .fails_to_read(0.3, &[Ipv6], left())
        .fails_to_read(1.4, &[Ipv6], left())
        .says(
            Held,
            ":3000 is STILL HELD: node 4242 ended; node 4243 holds 127.0.0.1:3000; the tcp6 socket table could not \
             be read: out of memory",
        );
}

/// A free port that no table shows from before it settles.
fn unwatched() -> Story {
    let free = Story::of_ended_node(0.3, Vec::new()).bound();
    free.reads_nothing(2.4)
}

#[test]
fn a_free_port_that_no_table_watched_is_bound_once_more() {
    let stays = unwatched().bound().reads_nothing(2.5).settled(true);
    let kinds = [stays, unwatched().in_use()].map(|story| story.class());
    assert_eq!(kinds, [Some(Free), Some(Held)]);
}

#[test]
fn a_discarded_bind_is_no_proof_that_a_port_is_free() {
    let asked = unwatched();
    let bind = asked.commands.clone();
    let mut discarded = asked.clone().sees(2.45, Vec::new());
    discarded.commands = bind.clone();
    let again = discarded.in_use().reads_nothing(2.5);
    assert_eq!(again.commands, bind, "the earlier bind is too old");
    let stranger = process(5000, "vite").build();
    let words = ":3000 was free for 2.1 s and is TAKEN AGAIN by vite 5000";
    let taken = asked.sees(2.45, vec![listener(&stranger)]);
    taken.says(Taken, words);
}
