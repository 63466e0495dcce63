//! Scenarios: what happens, moment by moment, and what is said at its end.

mod unread;

use super::*;
use crate::model::endpoint::{Endpoint, Owners, Socket, State};
use crate::model::freeing::{
    Attempt, BindOutcome, BindTrial, Circumstances, Conduct, Hindrance, Kind, OrderId, Question,
    Reaction, Target, Targets, ask,
};
use crate::model::process::{Condition, Process, ProcessId};
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use std::sync::Arc;
use std::time::Duration;

/// An order to end the topmost holders of these sockets, sent at second 0; the first socket is the row's.
#[derive(Clone)]
struct Story {
    freeing: Freeing,
    steps: Vec<Step>,
    endings: Vec<ProcessId>,
    conduct: Vec<(ProcessId, Conduct)>,
    parents: Vec<Arc<Process>>,
}

impl Story {
    fn asked(sockets: Vec<SocketBuilder>) -> Self {
        let table: Vec<Endpoint> = sockets.into_iter().map(SocketBuilder::endpoint).collect();
        let all: Vec<&Endpoint> = table.iter().collect();
        let circumstances = Circumstances {
            me: Some(1000),
            is_root: false,
            host: "here".to_owned(),
            lineage: Vec::new(),
            executable: None,
            row_is_meant: false,
            is_gone: false,
            now: moment(0.0),
            state_since: None,
        };
        let Question::Free(proposal) = ask(all[0], &all, &circumstances) else {
            panic!("nothing is asked");
        };
        let order = proposal.confirm(Targets::Topmost, Signal::Terminate, instant(0.0));
        Self {
            steps: vec![Step::Send(vec![order.clone()])],
            freeing: Freeing::new(order, Terms::default()),
            endings: Vec::new(),
            conduct: Vec::new(),
            parents: Vec::new(),
        }
    }

    fn sent(sockets: Vec<SocketBuilder>) -> Self {
        Self::asked(sockets).dispatched(0.0, &[])
    }

    fn under(mut self, terms: Terms) -> Self {
        self.freeing.terms = terms;
        self
    }

    fn dispatched(self, at: f64, woken: &[&Arc<Process>]) -> Self {
        let sending = Sending::Sent {
            sockets: Vec::new(),
            woken: woken.iter().map(|process| process.id).collect(),
            missed: Vec::new(),
        };
        let order = self.freeing.order().id();
        self.on(Happening::Sent(Dispatch {
            order,
            at: instant(at),
            sending,
        }))
    }

    fn not_sent(self, hindrance: Hindrance) -> Self {
        let sending = Sending::NotSent(hindrance);
        let order = self.freeing.order().id();
        self.on(Happening::Sent(Dispatch {
            order,
            at: instant(0.0),
            sending,
        }))
    }

    fn on(mut self, happening: Happening) -> Self {
        self.steps = self.freeing.on(happening);
        self
    }

    fn ended(mut self, process: &Arc<Process>) -> Self {
        self.endings.push(process.id);
        self.conduct.retain(|(of, _)| *of != process.id);
        self
    }

    fn conduct(
        mut self,
        of: &Arc<Process>,
        reaction: Reaction,
        condition: Option<Condition>,
    ) -> Self {
        self.conduct = vec![(
            of.id,
            Conduct {
                reaction,
                condition,
            },
        )];
        self
    }

    fn parent(mut self, parent: &Arc<Process>) -> Self {
        self.parents.push(Arc::clone(parent));
        self
    }

    fn sees(self, at: f64, sockets: Vec<SocketBuilder>) -> Self {
        let look = Look {
            order: self.freeing.order().id(),
            at: instant(at),
            sockets: sockets.into_iter().map(SocketBuilder::build).collect(),
            ended: self.endings.clone(),
            problems: Vec::new(),
            conduct: self.conduct.clone(),
            parents: self.parents.clone(),
            units: Vec::new(),
        };
        self.on(Happening::Looked(look))
    }

    /// A bind of every address that was asked for, with and without SO_REUSEADDR.
    fn binds(self, with: &BindOutcome, without: &BindOutcome) -> Self {
        let [Step::TryBind(_, addresses)] = self.steps.as_slice() else {
            panic!("no bind is wanted: {:?}", self.steps);
        };
        let attempts = addresses.iter().map(|address| Attempt {
            address: *address,
            with_reuse: Some(with.clone()),
            without_reuse: without.clone(),
        });
        let trial = BindTrial {
            order: self.freeing.order().id(),
            at: instant(0.0),
            attempts: attempts.collect(),
            localhost: vec!["::1".parse().expect("an address")],
        };
        self.on(Happening::Bound(trial))
    }

    fn bound(self) -> Self {
        self.binds(&BindOutcome::Bound, &BindOutcome::Bound)
    }

    fn insists(mut self, at: f64) -> Self {
        let order = self.freeing.insist(instant(at)).expect("it is offered");
        self.steps = vec![Step::Send(vec![order])];
        self
    }

    fn id(&self) -> OrderId {
        self.freeing.order().id()
    }

    fn words(&self) -> String {
        let verdict = self.freeing.verdict();
        verdict.map_or_else(String::new, ToString::to_string)
    }

    fn kind(&self) -> Option<Kind> {
        self.freeing.verdict().map(Verdict::kind)
    }
}

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn listener(of: &Arc<Process>) -> SocketBuilder {
    socket("127.0.0.1:3000").owner(of)
}

fn time_wait(peer: u16) -> SocketBuilder {
    let connection = socket("127.0.0.1:3000").to(&format!("127.0.0.1:{peer}"));
    connection.state(State::TimeWait).without_owner()
}

#[test]
fn a_port_is_free_when_nothing_holds_it_and_a_bind_says_so_and_counts_after_two_seconds() {
    let node = node();
    let story = Story::asked(vec![listener(&node)]);
    assert!(matches!(story.steps.as_slice(), [Step::Send(_)]));
    let story = story.dispatched(0.0, &[]);
    assert_eq!(story.steps, [Step::Watch(story.id())]);
    let story = story.sees(0.4, vec![listener(&node)]);
    assert_eq!((story.words(), &story.steps), (String::new(), &vec![]));
    let story = story.ended(&node).sees(0.8, vec![]);
    let addresses = ["0.0.0.0:3000", "127.0.0.1:3000", "[::]:3000", "[::1]:3000"];
    let addresses = addresses.map(|address| address.parse().expect("an address"));
    assert_eq!(story.steps, [Step::TryBind(story.id(), addresses.to_vec())]);
    let story = story.bound();
    let said = ":3000 is free. node 4242 ended 0.8 s after SIGTERM.";
    assert_eq!(
        (story.words().as_str(), story.kind()),
        (said, Some(Kind::Free))
    );
    let story = story.sees(2.7, vec![]);
    assert_eq!((story.freeing.is_settled(), &story.steps), (false, &vec![]));
    let story = story.sees(2.9, vec![]);
    assert_eq!(story.steps, [Step::StopWatching(story.id())]);
    assert_eq!(
        (story.words().as_str(), story.freeing.is_settled()),
        (said, true)
    );
}

#[test]
fn every_way_to_be_free_is_told_as_it_was_seen() {
    let (node, other) = (node(), process(4300, "node").build());
    let twins = || vec![listener(&node).mark(1), listener(&other).mark(2)];
    let cases = [
        (
            Story::sent(vec![listener(&node)]).sees(0.3, vec![]).bound(),
            ":3000 is free. node 4242 let go of it 0.3 s after SIGTERM.",
        ),
        (
            Story::sent(twins())
                .ended(&node)
                .ended(&other)
                .sees(0.04, vec![])
                .bound(),
            ":3000 is free. node 4242 and node 4300 ended 40 ms after SIGTERM.",
        ),
        (
            Story::sent(twins()).ended(&node).sees(0.5, vec![]).bound(),
            ":3000 is free. node 4242 ended 0.5 s after SIGTERM. node 4300 let go of it 0.5 s after SIGTERM.",
        ),
        (
            Story::asked(vec![listener(&node)])
                .dispatched(0.0, &[&node])
                .ended(&node)
                .sees(0.2, vec![])
                .bound(),
            ":3000 is free. node 4242 ended 0.2 s after SIGTERM. node 4242 was stopped, so SIGCONT followed.",
        ),
        (
            Story::sent(vec![listener(&node)])
                .ended(&node)
                .sees(0.2, vec![])
                .binds(&BindOutcome::Denied, &BindOutcome::Denied),
            ":3000 is free. node 4242 ended 0.2 s after SIGTERM. A bind was not allowed to this user, so only the table says so.",
        ),
    ];
    for (story, said) in cases {
        assert_eq!(
            (story.words().as_str(), story.kind()),
            (said, Some(Kind::Free))
        );
    }
}

/// A process that is ending has closed its sockets before its end can be seen; it was once said to run on.
#[test]
fn whoever_let_go_of_the_port_is_said_to_run_on_or_to_have_ended_when_that_was_seen() {
    let node = node();
    let let_go = || Story::sent(vec![listener(&node)]).sees(0.3, vec![]).bound();
    let ended = let_go().ended(&node).sees(0.4, vec![]);
    assert_eq!(
        ended.words(),
        ":3000 is free. node 4242 ended 0.4 s after SIGTERM."
    );
    let runs_on = let_go().sees(2.3, vec![]);
    let said = ":3000 is free. node 4242 let go of it 0.3 s after SIGTERM and runs on.";
    assert_eq!(
        (runs_on.words().as_str(), runs_on.freeing.is_settled()),
        (said, true)
    );
}

#[test]
fn a_holder_that_cannot_be_seen_for_a_moment_has_not_let_go() {
    let node = node();
    let hidden = || socket("127.0.0.1:3000");
    let sought = || socket("127.0.0.1:3000").sought();
    let said = [hidden, sought].map(|unseen| {
        let story = Story::sent(vec![listener(&node)]).sees(0.3, vec![unseen()]);
        let story = story.conduct(&node, Reaction::Ignores, None);
        story.sees(1.0, vec![unseen()]).words()
    });
    let held = ":3000 is STILL HELD: node 4242 ignores SIGTERM. K sends SIGKILL";
    assert_eq!(said, [held, held]);
}

#[test]
fn what_has_not_ended_is_told_by_how_it_takes_the_signal() {
    use Condition::{Stopped, Traced, Uninterruptible};
    use Reaction::{Blocks, Default, Handles, Ignores};
    let held = ":3000 is STILL HELD: node 4242";
    let cases = [
        (Ignores, None, 0.9, None),
        (Ignores, None, 1.0, Some("ignores SIGTERM")),
        (Handles, None, 4.9, None),
        (
            Handles,
            None,
            5.0,
            Some("handles SIGTERM and is still shutting down"),
        ),
        (Blocks, None, 5.0, Some("blocks SIGTERM")),
        (Default, Some(Stopped), 5.0, Some("is stopped")),
        (Default, Some(Traced), 5.0, Some("is stopped by a debugger")),
        (
            Default,
            Some(Uninterruptible),
            5.0,
            Some("waits in the kernel (state D), which no signal interrupts"),
        ),
        (Default, None, 5.0, Some("has not ended 5 s after SIGTERM")),
    ];
    for (reaction, condition, at, said) in cases {
        let node = node();
        let story = Story::sent(vec![listener(&node)])
            .conduct(&node, reaction, condition)
            .sees(at, vec![listener(&node)]);
        let bare = story.freeing.verdict().map(Verdict::without_offer);
        assert_eq!(bare, said.map(|said| format!("{held} {said}")));
        let said = said.map_or_else(String::new, |said| {
            format!("{held} {said}. K sends SIGKILL")
        });
        assert_eq!(story.words(), said);
        assert_eq!(story.freeing.offer().is_some(), !said.is_empty());
    }
}

#[test]
fn a_process_that_ends_late_turns_still_held_into_free() {
    let node = node();
    let story = Story::sent(vec![listener(&node)]).sees(5.0, vec![listener(&node)]);
    assert_eq!(story.kind(), Some(Kind::Held));
    let story = story.ended(&node).sees(7.3, vec![]).bound();
    assert_eq!(
        story.words(),
        ":3000 is free. node 4242 ended 7.3 s after SIGTERM."
    );
}

#[test]
fn sigkill_is_sent_only_after_another_signal_failed_and_only_to_who_survived_it() {
    let (node, other) = (node(), process(4300, "node").build());
    let (first, second) = (|| listener(&node).mark(1), || listener(&other).mark(2));
    let mut early = Story::sent(vec![first(), second()]);
    assert_eq!(early.freeing.insist(instant(0.1)), None);
    let story = early.ended(&other).sees(5.0, vec![first()]).insists(6.0);
    let [Step::Send(orders)] = story.steps.as_slice() else {
        panic!("nothing is sent: {:?}", story.steps);
    };
    let order = &orders[0];
    let targets: Vec<_> = order.targets().iter().map(Target::id).collect();
    assert_eq!((order.signal(), targets), (Signal::Kill, vec![node.id]));
    assert_eq!(
        (story.words(), story.freeing.offer().is_some()),
        (String::new(), false)
    );
    let story = story.dispatched(6.0, &[]).sees(7.0, vec![first()]);
    assert_eq!(story.words(), "");
    let survivor = story.sees(11.0, vec![first()]);
    let said = ":3000 is STILL HELD: node 4300 ended, node 4242 has not ended 5 s after SIGKILL";
    assert_eq!(
        (
            survivor.words().as_str(),
            survivor.freeing.offer().is_some()
        ),
        (said, false)
    );
    let freed = survivor.ended(&node).sees(11.5, vec![]).bound();
    let said =
        ":3000 is free. node 4242 ended 5.5 s after SIGKILL. node 4300 ended 5.0 s after SIGTERM.";
    assert_eq!(freed.words(), said);
}

#[test]
fn a_sigkill_that_could_not_be_sent_says_so_and_the_port_stays_watched() {
    let node = node();
    let story = Story::sent(vec![listener(&node)])
        .sees(5.0, vec![listener(&node)])
        .insists(6.0)
        .not_sent(Hindrance::EndedMeanwhile(Arc::clone(&node)));
    assert_eq!(story.words(), "Nothing sent: node 4242 ended meanwhile.");
    assert_eq!(story.steps, [Step::Watch(story.id())]);
    let again = story.clone().sees(6.1, vec![listener(&node)]);
    assert_eq!(
        again.freeing.offer(),
        Some(Signal::Kill),
        "it may be tried again"
    );
    let story = story.ended(&node).sees(6.1, vec![]).bound();
    assert_eq!(
        story.words(),
        ":3000 is free. node 4242 ended 6.1 s after SIGTERM."
    );
}

/// An answer that came late was once taken for the next order's, so that nothing was sent and a signal was claimed.
#[test]
fn what_is_found_for_another_order_is_dropped() {
    let node = node();
    let story = || Story::asked(vec![listener(&node)]);
    let another = OrderId {
        at: instant(9.0),
        ..story().id()
    };
    let sending = Sending::Sent {
        sockets: Vec::new(),
        woken: Vec::new(),
        missed: Vec::new(),
    };
    let late = story().on(Happening::Sent(Dispatch {
        order: another,
        at: instant(0.1),
        sending,
    }));
    assert_eq!(late.steps, []);
    let answered = late.not_sent(Hindrance::EndedMeanwhile(Arc::clone(&node)));
    assert_eq!(answered.words(), "Nothing sent: node 4242 ended meanwhile.");

    let watched = story().dispatched(0.0, &[]);
    let nothing = Look {
        order: another,
        at: instant(0.2),
        sockets: Vec::new(),
        ended: Vec::new(),
        problems: Vec::new(),
        conduct: Vec::new(),
        parents: Vec::new(),
        units: Vec::new(),
    };
    assert_eq!(watched.on(Happening::Looked(nothing)).steps, []);

    let trying = story().dispatched(0.0, &[]).ended(&node).sees(0.3, vec![]);
    let trial = BindTrial {
        order: another,
        at: instant(0.3),
        attempts: Vec::new(),
        localhost: Vec::new(),
    };
    assert_eq!(trying.on(Happening::Bound(trial)).words(), "");
}

#[test]
fn a_sigkill_is_an_order_of_its_own() {
    let node = node();
    let story = Story::sent(vec![listener(&node)]).sees(5.0, vec![listener(&node)]);
    let first = story.freeing.order().id();
    let story = story.insists(6.0);
    let sending = Sending::Sent {
        sockets: Vec::new(),
        woken: Vec::new(),
        missed: Vec::new(),
    };
    let late = Dispatch {
        order: first,
        at: instant(6.0),
        sending,
    };
    assert_eq!(story.on(Happening::Sent(late)).steps, []);
}

#[test]
fn workers_that_keep_the_socket_of_an_ended_master_are_told() {
    let master = process(7001, "gunicorn").build();
    let [one, two] = [7003, 7004].map(|pid| process(pid, "gunicorn").parent(7001).build());
    // Once the master is gone, init has adopted its children.
    let [orphan, twin] = [7003, 7004].map(|pid| process(pid, "gunicorn").parent(1).build());
    let stranger = process(9, "ruby").build();
    let at = || socket("127.0.0.1:8000");
    let asked = || vec![at().owners(&[&master, &one, &two])];
    let all = || at().owners(&[&master, &one, &two]);
    let ended = || Story::sent(asked()).ended(&master).sees(0.5, vec![all()]);
    let cases = [
        (at().owners(&[&orphan, &twin]), 1.4, ""),
        (
            at().owners(&[&orphan, &twin]),
            1.5,
            ":8000 is STILL HELD: gunicorn 7001 ended, 2 workers keep the socket (7003 7004).",
        ),
        (
            at().owners(&[&orphan]),
            1.5,
            ":8000 is STILL HELD: gunicorn 7001 ended, 1 worker keeps the socket (7003).",
        ),
        (
            at().owners(&[&orphan, &stranger]),
            5.0,
            ":8000 is STILL HELD: gunicorn 7001 ended, gunicorn 7003 and ruby 9 keep the socket.",
        ),
    ];
    for (left, at, said) in cases {
        assert_eq!(ended().sees(at, vec![left]).words(), said);
    }
    let late = ended().sees(1.5, vec![all()]).sees(3.0, vec![]).bound();
    let said = ":8000 is free. gunicorn 7001 ended 0.5 s after SIGTERM.";
    assert_eq!(late.words(), said);
}

#[test]
fn only_the_service_that_had_the_port_before_is_said_to_be_brought_back_by_systemd() {
    use crate::model::provenance::{Manager, Unit};
    let node = node();
    let said = |parent: u32, before: &str, unit: &str| {
        let new = process(4250, "node").parent(parent).build();
        let story = Story::sent(vec![listener(&node)]).ended(&node);
        let look = Look {
            order: story.id(),
            at: instant(0.6),
            sockets: vec![listener(&new).mark(9).build()],
            ended: vec![node.id],
            problems: Vec::new(),
            conduct: Vec::new(),
            parents: vec![process(900, "systemd").build(), process(70, "sh").build()],
            units: [(node.id, before), (new.id, unit)]
                .map(|(of, name)| (of, Unit::new(name.into(), Manager::System)))
                .to_vec(),
        };
        story.on(Happening::Looked(look)).words()
    };
    let by_service = ":3000 is TAKEN AGAIN by node 4250, brought back by systemd: shop.service";
    let (shop, scope) = ("shop.service", "session-4.scope");
    assert_eq!(said(1, shop, shop), by_service);
    assert_eq!(said(900, shop, shop), by_service);
    assert_eq!(
        [
            said(70, shop, shop),
            said(1, scope, scope),
            said(1, scope, "cron.service"),
            said(900, scope, "cron.service"),
        ],
        [
            ":3000 is TAKEN AGAIN by node 4250, started by sh 70",
            ":3000 is TAKEN AGAIN by node 4250",
            ":3000 is TAKEN AGAIN by node 4250",
            ":3000 is TAKEN AGAIN by node 4250",
        ]
    );
}

#[test]
fn a_port_that_someone_takes_is_said_to_be_taken_again() {
    let python = process(4250, "python3").parent(4100).build();
    let supervisor = process(4100, "supervisor").build();
    let new = || socket("127.0.0.1:3000").mark(9).owner(&python);
    let node = node();
    let ended = || Story::sent(vec![listener(&node)]).ended(&node);
    let free = || ended().sees(0.2, vec![]).bound();
    let mut unseen = new().user(0, "root").build();
    unseen.owners = Owners::Hidden;
    let cases = [
        (
            free().parent(&supervisor).sees(0.6, vec![new()]),
            ":3000 was free for 0.4 s and is TAKEN AGAIN by python3 4250, started by supervisor 4100",
        ),
        (
            free().sees(0.6, vec![new()]),
            ":3000 was free for 0.4 s and is TAKEN AGAIN by python3 4250",
        ),
        (
            ended().sees(0.2, vec![new()]),
            ":3000 is TAKEN AGAIN by python3 4250",
        ),
        (
            ended().sees(0.2, vec![]).sees(0.25, vec![new()]),
            ":3000 was free for 50 ms and is TAKEN AGAIN by python3 4250",
        ),
        (
            see_raw(free(), 0.6, unseen),
            ":3000 was free for 0.4 s and is TAKEN AGAIN by a process of root that may not be seen",
        ),
    ];
    for (story, said) in cases {
        assert_eq!(
            (story.words().as_str(), story.kind()),
            (said, Some(Kind::Taken))
        );
        assert_eq!(
            (&story.steps, story.freeing.is_settled()),
            (&vec![Step::StopWatching(story.id())], true)
        );
    }
}

fn see_raw(story: Story, at: f64, socket: Socket) -> Story {
    let look = Look {
        order: story.freeing.order().id(),
        at: instant(at),
        sockets: vec![socket],
        ended: story.endings.clone(),
        problems: Vec::new(),
        conduct: Vec::new(),
        parents: Vec::new(),
        units: Vec::new(),
    };
    story.on(Happening::Looked(look))
}

#[test]
fn a_worker_that_takes_the_socket_over_under_a_new_identity_takes_nothing_again() {
    let master = process(7001, "node").build();
    let worker = process(7003, "node").parent(7001).build();
    let story = Story::sent(vec![socket("127.0.0.1:3000").owners(&[&master, &worker])])
        .ended(&master)
        .sees(
            5.0,
            vec![socket("127.0.0.1:3000").mark(7003).owner(&worker)],
        );
    let said = ":3000 is STILL HELD: node 7001 ended, 1 worker keeps the socket (7003).";
    assert_eq!(story.words(), said);
}

#[test]
fn a_bind_that_fails_is_told_with_what_is_left_of_the_port() {
    let node = node();
    let ended = |left: Vec<SocketBuilder>| {
        Story::sent(vec![listener(&node)])
            .ended(&node)
            .sees(0.5, left)
    };
    let leftover = || socket("127.0.0.1:3000").to("127.0.0.1:9").owner(&node);
    let cases = [
        (
            ended(vec![time_wait(1), time_wait(2)]).binds(&BindOutcome::Bound, &BindOutcome::InUse),
            Kind::Free,
            "node 4242 ended, but :3000 can be bound only with SO_REUSEADDR (2 TIME_WAIT, last ends in at most 60 s)",
        ),
        (
            ended(vec![
                time_wait(1).waits_until(instant(9.0)),
                time_wait(2).waits_until(instant(48.2)),
            ])
            .binds(&BindOutcome::Bound, &BindOutcome::InUse),
            Kind::Free,
            "node 4242 ended, but :3000 can be bound only with SO_REUSEADDR (2 TIME_WAIT, last ends in 48 s)",
        ),
        (
            ended(vec![time_wait(1).waits_until(instant(48.2))])
                .binds(&BindOutcome::InUse, &BindOutcome::InUse),
            Kind::Held,
            "node 4242 ended, but :3000 cannot be bound for at most 48 s (tried with and without SO_REUSEADDR)",
        ),
        (
            ended(vec![time_wait(1)]).binds(&BindOutcome::InUse, &BindOutcome::InUse),
            Kind::Held,
            "node 4242 ended, but :3000 cannot be bound for at most 60 s (tried with and without SO_REUSEADDR)",
        ),
        (
            ended(vec![leftover(), time_wait(1)]).binds(&BindOutcome::InUse, &BindOutcome::InUse),
            Kind::Held,
            "node 4242 ended, but :3000 cannot be bound (tried with and without SO_REUSEADDR: 1 ESTABLISHED and 1 TIME_WAIT)",
        ),
        (
            ended(vec![]).binds(&BindOutcome::Failed("odd".to_owned()), &BindOutcome::InUse),
            Kind::Held,
            "node 4242 ended, but :3000 cannot be bound (tried with and without SO_REUSEADDR: odd)",
        ),
    ];
    for (story, kind, said) in cases {
        assert_eq!((story.words().as_str(), story.kind()), (said, Some(kind)));
    }
}

/// Its bind fails whatever the port does, and the port was once said not to be bindable for that.
#[test]
fn a_link_local_address_without_its_scope_is_not_bound() {
    let node = node();
    let wanted = |local: &str| {
        let story = Story::sent(vec![socket(local).owner(&node)])
            .ended(&node)
            .sees(0.5, vec![]);
        let [Step::TryBind(_, addresses)] = story.steps.as_slice() else {
            panic!("no bind is wanted: {:?}", story.steps);
        };
        addresses.contains(&local.parse().expect("an address"))
    };
    let cases = ["[fe80::1]:3000", "[fe80::1%2]:3000", "[fd00::1]:3000"];
    assert_eq!(cases.map(wanted), [false, true, true]);
}

#[test]
fn when_what_was_in_the_way_has_gone_the_bind_is_tried_once_more() {
    let node = node();
    let story = Story::sent(vec![listener(&node)])
        .ended(&node)
        .sees(0.5, vec![time_wait(1)])
        .binds(&BindOutcome::InUse, &BindOutcome::InUse)
        .sees(10.5, vec![time_wait(1)]);
    let said = "node 4242 ended, but :3000 cannot be bound for at most 50 s (tried with and without SO_REUSEADDR)";
    assert_eq!((story.words().as_str(), &story.steps), (said, &vec![]));
    let story = story.sees(60.0, vec![]).bound();
    assert_eq!(
        story.words(),
        ":3000 is free. node 4242 ended 0.5 s after SIGTERM."
    );
}

#[test]
fn a_bind_that_fails_for_no_visible_reason_is_tried_again_every_few_seconds() {
    let (node, refused) = (node(), BindOutcome::InUse);
    let story = Story::sent(vec![listener(&node)])
        .ended(&node)
        .sees(0.5, vec![])
        .binds(&refused, &refused)
        .sees(5.4, vec![]);
    assert_eq!(story.steps, []);
    let story = story.sees(5.5, vec![]).binds(&refused, &refused);
    assert_eq!(story.kind(), Some(Kind::Held));
    let story = story.sees(10.5, vec![]).bound();
    let said = ":3000 is free. node 4242 ended 0.5 s after SIGTERM.";
    assert_eq!(story.words(), said);
}

#[test]
fn an_address_that_others_hold_is_told_beside_the_one_that_is_free() {
    let old = process(3977, "vite").build();
    let new = process(9120, "vite").build();
    let kept = || socket("[::1]:5173").owner(&new);
    // The other holder could not be seen when it was asked.
    let hidden = || socket("[::1]:5173").user(0, "root");
    let story = Story::sent(vec![socket("127.0.0.1:5173").owner(&old), hidden()])
        .ended(&old)
        .sees(0.5, vec![kept()]);
    let address = "127.0.0.1:5173".parse().expect("an address");
    assert_eq!(story.steps, [Step::TryBind(story.id(), vec![address])]);
    let said =
        "127.0.0.1:5173 is free, ::1:5173 is not: vite 9120 holds it. localhost reaches ::1 first";
    let free = story.bound();
    assert_eq!(
        (free.words().as_str(), free.kind()),
        (said, Some(Kind::Held))
    );
    let later = free.sees(1.0, vec![kept()]);
    assert_eq!((later.words().as_str(), &later.steps), (said, &vec![]));
    let refuted = Story::sent(vec![socket("127.0.0.1:5173").owner(&old), hidden()])
        .ended(&old)
        .sees(0.5, vec![kept()])
        .binds(&BindOutcome::InUse, &BindOutcome::InUse)
        .sees(1.0, vec![kept()]);
    let said = ":5173 is STILL HELD: vite 3977 ended, vite 9120 keeps the socket.";
    assert_eq!((refuted.words().as_str(), &refuted.steps), (said, &vec![]));
}

#[test]
fn when_nothing_was_sent_that_is_the_verdict() {
    use super::super::Refusal;
    let node = node();
    let it = || Arc::clone(&node);
    let cases = [
        (Hindrance::EndedMeanwhile(it()), "node 4242 ended meanwhile"),
        (
            Hindrance::PidReused(it()),
            "node 4242 ended meanwhile, and pid 4242 is another process now",
        ),
        (
            Hindrance::LetGo(it()),
            "node 4242 no longer holds the socket you were shown",
        ),
        (
            Hindrance::NotPermitted(it()),
            "you are not permitted to end node 4242",
        ),
        (
            Hindrance::Refused(it(), Refusal::Ancestor),
            "node 4242 runs this portmon, which would end with it",
        ),
        (
            Hindrance::Failed(it(), "odd".to_owned()),
            "node 4242 could not be signalled: odd",
        ),
        (
            Hindrance::Blind("tcp4 sockets: odd".to_owned()),
            "the sockets could not be read: tcp4 sockets: odd",
        ),
    ];
    for (hindrance, said) in cases {
        let story = Story::asked(vec![listener(&node)]).not_sent(hindrance);
        assert_eq!(story.words(), format!("Nothing sent: {said}."));
        assert_eq!(story.kind(), Some(Kind::Nothing));
        assert!(story.freeing.is_settled());
    }
}

#[test]
fn progress_says_what_is_waited_for() {
    let node = node();
    let story = Story::asked(vec![listener(&node)]);
    let at = instant(0.9);
    assert_eq!(story.freeing.progress(at), "sending SIGTERM to node 4242");
    let story = story.dispatched(0.0, &[]).sees(0.5, vec![listener(&node)]);
    let said = "SIGTERM sent to node 4242 0.9 s ago; watching :3000";
    assert_eq!(story.freeing.progress(at), said);
    let [one, two] = [7003, 7004].map(|pid| process(pid, "node").parent(4242).build());
    let kept = |by: &[&Arc<Process>]| {
        let story = Story::sent(vec![socket("127.0.0.1:3000").owners(&[&node, &one, &two])]);
        let kept = story
            .ended(&node)
            .sees(0.3, vec![socket("127.0.0.1:3000").owners(by)]);
        kept.freeing.progress(at)
    };
    let ended = "node 4242 ended 0.3 s after SIGTERM";
    assert_eq!(
        [kept(&[&one, &two]), kept(&[&two])],
        [
            format!("{ended}; 2 others still hold :3000"),
            format!("{ended}; node 7004 still holds :3000"),
        ]
    );
    let story = story.ended(&node).sees(0.6, vec![]);
    let said = "nothing holds :3000 any more; trying to bind it";
    assert_eq!(story.freeing.progress(at), said);
}

#[test]
fn the_main_process_of_postgres_is_offered_a_fast_shutdown_before_sigkill() {
    let main = process(812, "postgres").command("/usr/lib/postgresql/16/bin/postgres -D data");
    let main = main.build();
    let held = || vec![listener(&main)];
    let story = Story::sent(held())
        .conduct(&main, Reaction::Handles, None)
        .sees(5.0, held());
    assert_eq!(
        (story.words().as_str(), story.freeing.offer()),
        (
            ":3000 is STILL HELD: postgres 812 handles SIGTERM and is still shutting down. \
             I sends SIGINT (a fast shutdown, which sends its clients away)",
            Some(Signal::Interrupt)
        )
    );
    let story = story.insists(6.0).dispatched(6.0, &[]).sees(11.0, held());
    assert_eq!(
        (story.words().as_str(), story.freeing.offer()),
        (
            ":3000 is STILL HELD: postgres 812 handles SIGINT and is still shutting down. K sends SIGKILL",
            Some(Signal::Kill)
        )
    );
}

#[test]
fn a_worker_of_postgres_is_offered_sigkill_at_once() {
    let worker = process(815, "postgres").with(|process| {
        process.command = vec!["postgres: checkpointer".into()];
    });
    let worker = worker.build();
    let story = Story::sent(vec![listener(&worker)]).sees(5.0, vec![listener(&worker)]);
    assert_eq!(story.freeing.offer(), Some(Signal::Kill));
}

#[test]
fn terms_say_how_long_a_process_is_waited_for_and_a_free_port_watched() {
    let node = node();
    let held = || vec![listener(&node)];
    let story = Story::asked(held()).under(Terms {
        patience: Duration::from_secs(1),
        settle: Duration::ZERO,
        force_after: None,
    });
    let early = story.dispatched(0.0, &[]).sees(0.9, held());
    assert_eq!(
        (early.words().as_str(), early.freeing.is_told()),
        ("", false)
    );
    let late = early.sees(1.0, held());
    assert_eq!(
        (late.kind(), late.freeing.is_told()),
        (Some(Kind::Held), true)
    );
    let free = late.ended(&node).sees(1.5, vec![]).bound();
    assert_eq!(
        (free.kind(), free.freeing.is_told()),
        (Some(Kind::Free), false)
    );
    let settled = free.sees(1.5, vec![]);
    assert_eq!(
        (settled.freeing.is_told(), settled.freeing.is_settled()),
        (true, true)
    );
}

#[test]
fn what_has_not_ended_in_time_gets_sigkill_once_and_without_being_asked_about() {
    let (node, other) = (node(), process(4300, "node").build());
    let (first, second) = (|| listener(&node).mark(1), || listener(&other).mark(2));
    let story = Story::asked(vec![first(), second()]).under(Terms {
        force_after: Some(Duration::from_secs(3)),
        ..Terms::default()
    });
    let story = story
        .dispatched(0.0, &[])
        .ended(&other)
        .sees(2.9, vec![first()]);
    assert_eq!((story.words().as_str(), &story.steps), ("", &vec![]));
    let story = story.sees(3.0, vec![first()]);
    let [Step::Send(orders)] = story.steps.as_slice() else {
        panic!("nothing is sent: {:?}", story.steps);
    };
    let sent: Vec<_> = orders
        .iter()
        .map(|order| (order.signal(), order.targets()))
        .collect();
    let survivor = Target {
        process: Arc::clone(&node),
        sockets: vec![first().build().id],
    };
    assert_eq!(sent, [(Signal::Kill, &[survivor][..])]);

    let story = story.dispatched(3.0, &[]).sees(7.9, vec![first()]);
    assert_eq!((story.words().as_str(), &story.steps), ("", &vec![]));
    let story = story.sees(8.0, vec![first()]);
    let said = ":3000 is STILL HELD: node 4300 ended, node 4242 has not ended 5 s after SIGKILL";
    assert_eq!(
        (story.words().as_str(), story.freeing.offer()),
        (said, None)
    );
}
