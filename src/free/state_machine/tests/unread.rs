//! What is said while socket tables cannot be read.

use super::*;
use crate::model::socket::Family::{Ipv4, Ipv6};

const UNREAD: &str = "the socket tables could not be read: out of memory";

impl Story {
    /// A look that could not read the tables of these families, and saw these sockets in the others.
    fn reads_not(self, at: f64, families: &[Family], sockets: Vec<SocketBuilder>) -> Self {
        let problem = |family: &Family| Problem {
            protocol: Protocol::Tcp,
            family: *family,
            reason: "out of memory".to_owned(),
        };
        let look = PortSnapshot {
            request: self.id(),
            at: instant(at),
            sockets: sockets.into_iter().map(SocketBuilder::build).collect(),
            problems: families.iter().map(problem).collect(),
            ended: self.outcomes.clone(),
            signal_state: self.signal_state.clone(),
            parents: Vec::new(),
            units: Vec::new(),
        };
        self.on(ExecEvent::Polled(look))
    }

    fn reads_nothing(self, at: f64) -> Self {
        self.reads_not(at, &[Ipv4, Ipv6], Vec::new())
    }
}

#[test]
fn without_readable_tables_a_bind_decides_and_no_owner_is_named() {
    use BindOutcome::{Bound, InUse, NotPermitted};
    let node = node();
    let early = Story::sent(vec![listener(&node)])
        .ended(&node)
        .reads_nothing(0.3);
    assert_eq!(
        (early.words(), &early.commands),
        (String::new(), &Vec::new())
    );
    let due = early.reads_nothing(1.4);
    let said = |with: &BindOutcome, without: &BindOutcome| {
        let story = due.clone().binds(with, without);
        (story.words(), story.kind(), story.machine.owners().len())
    };
    assert_eq!(
        [
            said(&Bound, &Bound),
            said(&InUse, &InUse),
            said(&Bound, &InUse),
            said(&NotPermitted, &NotPermitted),
        ],
        [
            (
                format!(
                    ":3000 is free. node 4242 ended 0.3 s after SIGTERM. Only a bind shows this: {UNREAD}."
                ),
                Some(VerdictKind::Free),
                0
            ),
            (
                format!(
                    ":3000 is not free, and its owner is unknown: node 4242 ended, a bind fails: the address \
                     is in use, {UNREAD}"
                ),
                Some(VerdictKind::Held),
                0
            ),
            (
                format!(
                    "It is unknown whether :3000 is free: node 4242 ended, it can be bound only with SO_REUSEADDR, {UNREAD}"
                ),
                Some(VerdictKind::Held),
                0
            ),
            (
                format!(
                    "It is unknown whether :3000 is free: node 4242 ended, you are not permitted to bind it, {UNREAD}"
                ),
                Some(VerdictKind::Held),
                0
            ),
        ]
    );
}

#[test]
fn a_process_that_no_table_shows_has_not_let_go_of_the_port() {
    let node = node();
    let story = Story::sent(vec![listener(&node)])
        .sees(0.1, vec![listener(&node)])
        .reads_nothing(0.5);
    assert_eq!(story.machine.outcomes(), []);
    let waiting = story.reads_nothing(2.0);
    assert_eq!(waiting.commands, [], "as long as it may still end");
    let said = waiting
        .reads_nothing(5.0)
        .binds(&BindOutcome::InUse, &BindOutcome::InUse);
    assert_eq!(
        said.words(),
        format!(
            ":3000 is not free, and its owner is unknown: node 4242 has not ended 5 s after SIGTERM, a bind fails: \
             the address is in use, {UNREAD}"
        )
    );
    assert!(said.machine.is_answered());
    let read = said.sees(5.3, vec![listener(&node)]);
    assert_eq!(
        read.words(),
        ":3000 is STILL HELD: node 4242 has not ended 5 s after SIGTERM"
    );
}

#[test]
fn what_one_table_shows_is_said_beside_what_could_not_be_read() {
    let node = node();
    let worker = process(4243, "node").parent(4242).build();
    let both = vec![listener(&node).owners(&[&node, &worker])];
    let story = Story::sent(both).ended(&node);
    let said = story
        .reads_not(0.3, &[Ipv6], vec![listener(&worker)])
        .reads_not(1.4, &[Ipv6], vec![listener(&worker)]);
    assert_eq!(
        said.words(),
        ":3000 is STILL HELD: node 4242 ended, node 4243 holds 127.0.0.1:3000, the table of tcp6 sockets could not be \
         read: out of memory"
    );
}

#[test]
fn a_free_port_that_no_table_watched_is_bound_once_more() {
    let node = node();
    let free = || {
        let story = Story::sent(vec![listener(&node)]).ended(&node);
        story.sees(0.3, Vec::new()).bound().reads_nothing(2.4)
    };
    let stays = free().bound().reads_nothing(2.5);
    assert!(stays.machine.is_settled());
    assert_eq!(stays.kind(), Some(VerdictKind::Free));
    let taken = free().binds(&BindOutcome::InUse, &BindOutcome::InUse);
    assert_eq!(taken.kind(), Some(VerdictKind::Held), "{}", taken.words());
}

#[test]
fn a_discarded_bind_is_no_proof_that_a_port_is_free() {
    let (node, stranger) = (node(), process(5000, "vite").build());
    let asked = Story::sent(vec![listener(&node)])
        .ended(&node)
        .sees(0.3, Vec::new())
        .bound()
        .reads_nothing(2.4);
    let bind = asked.commands.clone();
    let mut discarded = asked.clone().sees(2.45, Vec::new());
    discarded.commands = bind.clone();
    let again = discarded
        .binds(&BindOutcome::InUse, &BindOutcome::InUse)
        .reads_nothing(2.5);
    assert_eq!(again.commands, bind, "the earlier bind is too old");
    let taken = asked.sees(2.45, vec![listener(&stranger)]);
    assert_eq!(taken.kind(), Some(VerdictKind::Taken), "{}", taken.words());
}
