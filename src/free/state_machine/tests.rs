//! Scenarios: what happens, moment by moment, and what is said at its end.

mod unread;

use super::*;
use crate::free::{
    BindProbe, FreeContext, RequestId, SignalDisposition, SignalError, SignalState, Target,
    TargetSet, VerdictKind, plan_row,
};
use crate::model::port::{AddressProbe, BindOutcome};
use crate::model::process::{Process, ProcessId, ProcessState};
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, Family, Owners, Protocol, Socket, State};
use crate::model::testing::{SocketBuilder, environment, instant, moment, process, socket};
use crate::wording;
use std::sync::Arc;
use std::time::Duration;

/// An order to end the topmost holders of these sockets, sent at second 0; the first socket is the row's.
#[derive(Clone)]
struct Story {
    machine: FreeMachine,
    commands: Vec<ExecCommand>,
    outcomes: Vec<ProcessId>,
    signal_state: Vec<(ProcessId, SignalState)>,
    parents: Vec<Arc<Process>>,
}

impl Story {
    fn asked(sockets: Vec<SocketBuilder>) -> Self {
        let table: Vec<Endpoint> = sockets.into_iter().map(SocketBuilder::endpoint).collect();
        let all: Vec<&Endpoint> = table.iter().collect();
        let context = FreeContext::new(environment(|_| {}), moment(0.0));
        let Ok(plan) = plan_row(all[0], &all, &context) else {
            panic!("nothing is asked");
        };
        let request = plan.confirm(TargetSet::Topmost, Signal::Terminate, instant(0.0));
        Self {
            commands: vec![ExecCommand::Send(vec![request.clone()])],
            machine: FreeMachine::new(request, Timeouts::default()),
            outcomes: Vec::new(),
            signal_state: Vec::new(),
            parents: Vec::new(),
        }
    }

    fn sent(sockets: Vec<SocketBuilder>) -> Self {
        Self::asked(sockets).dispatched(0.0, &[])
    }

    fn under(mut self, timeouts: Timeouts) -> Self {
        self.machine.timeouts = timeouts;
        self
    }

    fn dispatched(self, at: f64, resumed: &[&Arc<Process>]) -> Self {
        let sending = SendOutcome::Sent {
            sockets: Vec::new(),
            resumed: resumed.iter().map(|process| process.id).collect(),
            missed: Vec::new(),
        };
        let request = self.machine.request().id();
        self.on(ExecEvent::SignalsSent(SendReport {
            request,
            at: instant(at),
            sending,
        }))
    }

    fn not_sent(self, error: SignalError) -> Self {
        let sending = SendOutcome::NotSent(error);
        let request = self.machine.request().id();
        self.on(ExecEvent::SignalsSent(SendReport {
            request,
            at: instant(0.0),
            sending,
        }))
    }

    fn on(mut self, event: ExecEvent) -> Self {
        self.commands = self.machine.on(event);
        self
    }

    fn ended(mut self, process: &Arc<Process>) -> Self {
        self.outcomes.push(process.id);
        self.signal_state.retain(|(of, _)| *of != process.id);
        self
    }

    fn signal_state(
        mut self,
        of: &Arc<Process>,
        disposition: SignalDisposition,
        process_state: Option<ProcessState>,
    ) -> Self {
        self.signal_state = vec![(
            of.id,
            SignalState {
                disposition,
                process_state,
            },
        )];
        self
    }

    fn parent(mut self, parent: &Arc<Process>) -> Self {
        self.parents.push(Arc::clone(parent));
        self
    }

    fn sees(self, at: f64, sockets: Vec<SocketBuilder>) -> Self {
        let look = PortSnapshot {
            request: self.machine.request().id(),
            at: instant(at),
            sockets: sockets.into_iter().map(SocketBuilder::build).collect(),
            ended: self.outcomes.clone(),
            problems: Vec::new(),
            signal_state: self.signal_state.clone(),
            parents: self.parents.clone(),
            units: Vec::new(),
        };
        self.on(ExecEvent::Polled(look))
    }

    /// A bind of every address that was asked for, with and without SO_REUSEADDR.
    fn binds(self, with: &BindOutcome, without: &BindOutcome) -> Self {
        let [ExecCommand::TryBind(_, addresses)] = self.commands.as_slice() else {
            panic!("no bind is wanted: {:?}", self.commands);
        };
        let probes = addresses.iter().map(|address| AddressProbe {
            address: *address,
            with_reuseaddr: Some(with.clone()),
            without_reuseaddr: without.clone(),
        });
        let probe = BindProbe {
            request: self.machine.request().id(),
            probes: probes.collect(),
            localhost: vec!["::1".parse().expect("an address")],
        };
        self.on(ExecEvent::BindProbed(probe))
    }

    fn bound(self) -> Self {
        self.binds(&BindOutcome::Bound, &BindOutcome::Bound)
    }

    fn insists(mut self, at: f64) -> Self {
        let request = self.machine.escalate(instant(at)).expect("it is offered");
        self.commands = vec![ExecCommand::Send(vec![request])];
        self
    }

    fn id(&self) -> RequestId {
        self.machine.request().id()
    }

    fn words(&self) -> String {
        let verdict = self.machine.verdict();
        verdict.map_or_else(String::new, wording::verdict)
    }

    fn kind(&self) -> Option<VerdictKind> {
        self.machine.verdict().map(Verdict::kind)
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
fn a_port_is_free_after_a_bind_and_two_quiet_seconds() {
    let node = node();
    let story = Story::asked(vec![listener(&node)]);
    assert!(matches!(story.commands.as_slice(), [ExecCommand::Send(_)]));
    let story = story.dispatched(0.0, &[]);
    assert_eq!(story.commands, [ExecCommand::Watch(story.id())]);
    let story = story.sees(0.4, vec![listener(&node)]);
    assert_eq!((story.words(), &story.commands), (String::new(), &vec![]));
    let story = story.ended(&node).sees(0.8, vec![]);
    let addresses = ["0.0.0.0:3000", "127.0.0.1:3000", "[::]:3000", "[::1]:3000"];
    let addresses = addresses.map(|address| address.parse().expect("an address"));
    assert_eq!(
        story.commands,
        [ExecCommand::TryBind(story.id(), addresses.to_vec())]
    );
    let story = story.bound();
    let said = ":3000 is free. node 4242 ended 0.8 s after SIGTERM.";
    assert_eq!(
        (story.words().as_str(), story.kind()),
        (said, Some(VerdictKind::Free))
    );
    let story = story.sees(2.7, vec![]);
    assert_eq!(
        (story.machine.is_settled(), &story.commands),
        (false, &vec![])
    );
    let story = story.sees(2.9, vec![]);
    assert_eq!(story.commands, [ExecCommand::StopWatching(story.id())]);
    assert_eq!(
        (story.words().as_str(), story.machine.is_settled()),
        (said, true)
    );
}

#[test]
fn each_way_to_become_free_is_reported_as_observed() {
    let (node, other) = (node(), process(4300, "node").build());
    let twins = || {
        vec![
            listener(&node).owner_hint(1),
            listener(&other).owner_hint(2),
        ]
    };
    let cases = [
        (
            Story::sent(vec![listener(&node)]).sees(0.3, vec![]).bound(),
            ":3000 is free. node 4242 closed the port 0.3 s after SIGTERM.",
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
            ":3000 is free. node 4242 ended 0.5 s after SIGTERM. node 4300 closed the port 0.5 s after SIGTERM.",
        ),
        (
            Story::asked(vec![listener(&node)])
                .dispatched(0.0, &[&node])
                .ended(&node)
                .sees(0.2, vec![])
                .bound(),
            ":3000 is free. node 4242 ended 0.2 s after SIGTERM. node 4242 was suspended, so SIGCONT was sent too.",
        ),
        (
            Story::sent(vec![listener(&node)])
                .ended(&node)
                .sees(0.2, vec![])
                .binds(&BindOutcome::NotPermitted, &BindOutcome::NotPermitted),
            ":3000 is free. node 4242 ended 0.2 s after SIGTERM. You are not permitted to bind it, so only the socket tables show this.",
        ),
        (
            Story::sent(vec![listener(&node)])
                .ended(&node)
                .sees(0.2, vec![])
                .binds(&BindOutcome::NoSuchAddress, &BindOutcome::NoSuchAddress),
            ":3000 is free. node 4242 ended 0.2 s after SIGTERM. This machine has no such address to bind, so only the socket tables show this.",
        ),
    ];
    for (story, said) in cases {
        assert_eq!(
            (story.words().as_str(), story.kind()),
            (said, Some(VerdictKind::Free))
        );
    }
}

/// A process that is ending has closed its sockets before its end can be seen; it was once said to run on.
#[test]
fn closing_the_port_is_reported_apart_from_exiting() {
    let node = node();
    let let_go = || Story::sent(vec![listener(&node)]).sees(0.3, vec![]).bound();
    let ended = let_go().ended(&node).sees(0.4, vec![]);
    assert_eq!(
        ended.words(),
        ":3000 is free. node 4242 ended 0.4 s after SIGTERM."
    );
    let runs_on = let_go().sees(2.3, vec![]);
    let said = ":3000 is free. node 4242 closed the port 0.3 s after SIGTERM and is still running.";
    assert_eq!(
        (runs_on.words().as_str(), runs_on.machine.is_settled()),
        (said, true)
    );
}

#[test]
fn a_briefly_invisible_owner_still_holds_the_port() {
    let node = node();
    let hidden = || socket("127.0.0.1:3000");
    let pending = || socket("127.0.0.1:3000").pending();
    let said = [hidden, pending].map(|unseen| {
        let story = Story::sent(vec![listener(&node)]).sees(0.3, vec![unseen()]);
        let story = story.signal_state(&node, SignalDisposition::Ignored, None);
        story.sees(1.0, vec![unseen()]).words()
    });
    let held = ":3000 is STILL HELD: node 4242 ignores SIGTERM";
    assert_eq!(said, [held, held]);
}

#[test]
fn a_surviving_process_is_reported_with_its_disposition() {
    use ProcessState::{Suspended, Traced, Uninterruptible};
    use SignalDisposition::{Blocked, Caught, Default, Ignored};
    let held = ":3000 is STILL HELD: node 4242";
    let cases = [
        (Ignored, None, 0.9, None),
        (Ignored, None, 1.0, Some("ignores SIGTERM")),
        (Caught, None, 4.9, None),
        (
            Caught,
            None,
            5.0,
            Some("handles SIGTERM and is still shutting down"),
        ),
        (Blocked, None, 5.0, Some("blocks SIGTERM")),
        (Default, Some(Suspended), 5.0, Some("is suspended")),
        (Default, Some(Traced), 5.0, Some("is stopped by a debugger")),
        (
            Default,
            Some(Uninterruptible),
            5.0,
            Some("is in uninterruptible sleep (state D)"),
        ),
        (Default, None, 5.0, Some("has not ended 5 s after SIGTERM")),
    ];
    for (disposition, process_state, at, said) in cases {
        let node = node();
        let story = Story::sent(vec![listener(&node)])
            .signal_state(&node, disposition, process_state)
            .sees(at, vec![listener(&node)]);
        let said = said.map_or_else(String::new, |said| format!("{held} {said}"));
        assert_eq!(story.words(), said);
        assert_eq!(story.machine.offer().is_some(), !said.is_empty());
    }
}

#[test]
fn a_late_exit_changes_still_held_to_free() {
    let node = node();
    let story = Story::sent(vec![listener(&node)]).sees(5.0, vec![listener(&node)]);
    assert_eq!(story.kind(), Some(VerdictKind::Held));
    let story = story.ended(&node).sees(7.3, vec![]).bound();
    assert_eq!(
        story.words(),
        ":3000 is free. node 4242 ended 7.3 s after SIGTERM."
    );
}

#[test]
fn sigkill_goes_only_to_survivors_of_another_signal() {
    let (node, other) = (node(), process(4300, "node").build());
    let (first, second) = (
        || listener(&node).owner_hint(1),
        || listener(&other).owner_hint(2),
    );
    let mut early = Story::sent(vec![first(), second()]);
    assert_eq!(early.machine.escalate(instant(0.1)), None);
    let story = early.ended(&other).sees(5.0, vec![first()]).insists(6.0);
    let [ExecCommand::Send(requests)] = story.commands.as_slice() else {
        panic!("nothing is sent: {:?}", story.commands);
    };
    let request = &requests[0];
    let targets: Vec<_> = request.targets().iter().map(Target::id).collect();
    assert_eq!((request.signal(), targets), (Signal::Kill, vec![node.id]));
    assert_eq!(
        (story.words(), story.machine.offer().is_some()),
        (String::new(), false)
    );
    let story = story.dispatched(6.0, &[]).sees(7.0, vec![first()]);
    assert_eq!(story.words(), "");
    let survivor = story.sees(11.0, vec![first()]);
    let said = ":3000 is STILL HELD: node 4300 ended, node 4242 has not ended 5 s after SIGKILL";
    assert_eq!(
        (
            survivor.words().as_str(),
            survivor.machine.offer().is_some()
        ),
        (said, false)
    );
    let freed = survivor.ended(&node).sees(11.5, vec![]).bound();
    let said =
        ":3000 is free. node 4242 ended 5.5 s after SIGKILL. node 4300 ended 5.0 s after SIGTERM.";
    assert_eq!(freed.words(), said);
}

#[test]
fn a_failed_sigkill_is_reported_and_the_port_stays_watched() {
    let node = node();
    let story = Story::sent(vec![listener(&node)])
        .sees(5.0, vec![listener(&node)])
        .insists(6.0)
        .not_sent(SignalError::AlreadyExited(Arc::clone(&node)));
    assert_eq!(story.words(), "Nothing sent: node 4242 has already exited.");
    assert_eq!(story.commands, [ExecCommand::Watch(story.id())]);
    let again = story.clone().sees(6.1, vec![listener(&node)]);
    assert_eq!(
        again.machine.offer(),
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
fn results_for_another_request_are_dropped() {
    let node = node();
    let story = || Story::asked(vec![listener(&node)]);
    let another = RequestId {
        at: instant(9.0),
        ..story().id()
    };
    let sending = SendOutcome::Sent {
        sockets: Vec::new(),
        resumed: Vec::new(),
        missed: Vec::new(),
    };
    let late = story().on(ExecEvent::SignalsSent(SendReport {
        request: another,
        at: instant(0.1),
        sending,
    }));
    assert_eq!(late.commands, []);
    let answered = late.not_sent(SignalError::AlreadyExited(Arc::clone(&node)));
    assert_eq!(
        answered.words(),
        "Nothing sent: node 4242 has already exited."
    );

    let watched = story().dispatched(0.0, &[]);
    let nothing = PortSnapshot {
        request: another,
        at: instant(0.2),
        sockets: Vec::new(),
        ended: Vec::new(),
        problems: Vec::new(),
        signal_state: Vec::new(),
        parents: Vec::new(),
        units: Vec::new(),
    };
    assert_eq!(watched.on(ExecEvent::Polled(nothing)).commands, []);

    let trying = story().dispatched(0.0, &[]).ended(&node).sees(0.3, vec![]);
    let probe = BindProbe {
        request: another,
        probes: Vec::new(),
        localhost: Vec::new(),
    };
    assert_eq!(trying.on(ExecEvent::BindProbed(probe)).words(), "");
}

#[test]
fn a_sigkill_is_a_request_of_its_own() {
    let node = node();
    let story = Story::sent(vec![listener(&node)]).sees(5.0, vec![listener(&node)]);
    let first = story.machine.request().id();
    let story = story.insists(6.0);
    let sending = SendOutcome::Sent {
        sockets: Vec::new(),
        resumed: Vec::new(),
        missed: Vec::new(),
    };
    let late = SendReport {
        request: first,
        at: instant(6.0),
        sending,
    };
    assert_eq!(story.on(ExecEvent::SignalsSent(late)).commands, []);
}

#[test]
fn workers_that_keep_the_socket_of_a_dead_master_are_named() {
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
fn only_the_previous_service_counts_as_restarted_by_systemd() {
    use crate::model::process::{Manager, Unit};
    let named = |name: &str| Unit::new(name.into(), Manager::System);
    let node = node();
    let said_of = |parent: u32, before: &str, mut unit: Unit, is_main: bool| {
        let new = process(4250, "node").parent(parent).build();
        unit.main = is_main.then_some(new.pid());
        let story = Story::sent(vec![listener(&node)]).ended(&node);
        let look = PortSnapshot {
            request: story.id(),
            at: instant(0.6),
            sockets: vec![listener(&new).owner_hint(9).build()],
            ended: vec![node.id],
            problems: Vec::new(),
            signal_state: Vec::new(),
            parents: vec![process(900, "systemd").build(), process(70, "sh").build()],
            units: vec![(node.id, named(before)), (new.id, unit)],
        };
        story.on(ExecEvent::Polled(look)).words()
    };
    let said = |parent, before: &str, unit: &str| said_of(parent, before, named(unit), false);
    let by_service = ":3000 is TAKEN AGAIN by node 4250, restarted by systemd: shop.service";
    let (shop, scope) = ("shop.service", "session-4.scope");
    assert_eq!(said(1, shop, shop), by_service);
    assert_eq!(said(900, shop, shop), by_service);
    assert_eq!(said_of(1, shop, named(shop), true), by_service);
    assert_eq!(
        said_of(1, scope, named(shop), true),
        ":3000 is TAKEN AGAIN by node 4250, started by systemd: shop.service"
    );
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
fn a_port_bound_by_a_newcomer_is_taken_again() {
    let python = process(4250, "python3").parent(4100).build();
    let supervisor = process(4100, "supervisor").build();
    let new = || socket("127.0.0.1:3000").owner_hint(9).owner(&python);
    let node = node();
    let ended = || Story::sent(vec![listener(&node)]).ended(&node);
    let free = || ended().sees(0.2, vec![]).bound();
    let mut unseen = new().user(0, "root").build();
    unseen.owners = Owners::NoPermission;
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
            ":3000 was free for 0.4 s and is TAKEN AGAIN by a hidden process of root",
        ),
    ];
    for (story, said) in cases {
        assert_eq!(
            (story.words().as_str(), story.kind()),
            (said, Some(VerdictKind::Taken))
        );
        assert_eq!(
            (&story.commands, story.machine.is_settled()),
            (&vec![ExecCommand::StopWatching(story.id())], true)
        );
    }
}

fn see_raw(story: Story, at: f64, socket: Socket) -> Story {
    let look = PortSnapshot {
        request: story.machine.request().id(),
        at: instant(at),
        sockets: vec![socket],
        ended: story.outcomes.clone(),
        problems: Vec::new(),
        signal_state: Vec::new(),
        parents: Vec::new(),
        units: Vec::new(),
    };
    story.on(ExecEvent::Polled(look))
}

#[test]
fn a_worker_that_inherits_the_socket_is_not_a_newcomer() {
    let master = process(7001, "node").build();
    let worker = process(7003, "node").parent(7001).build();
    let story = Story::sent(vec![socket("127.0.0.1:3000").owners(&[&master, &worker])])
        .ended(&master)
        .sees(
            5.0,
            vec![socket("127.0.0.1:3000").owner_hint(7003).owner(&worker)],
        );
    let said = ":3000 is STILL HELD: node 7001 ended, 1 worker keeps the socket (7003).";
    assert_eq!(story.words(), said);
}

#[test]
fn a_failed_bind_is_reported_with_the_leftovers() {
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
            VerdictKind::Free,
            "node 4242 ended, but :3000 can be bound only with SO_REUSEADDR (2 TIME_WAIT, last ends in at most 60 s)",
        ),
        (
            ended(vec![
                time_wait(1).waits_until(instant(9.0)),
                time_wait(2).waits_until(instant(48.2)),
            ])
            .binds(&BindOutcome::Bound, &BindOutcome::InUse),
            VerdictKind::Free,
            "node 4242 ended, but :3000 can be bound only with SO_REUSEADDR (2 TIME_WAIT, last ends in 48 s)",
        ),
        (
            ended(vec![time_wait(1).waits_until(instant(48.2))])
                .binds(&BindOutcome::InUse, &BindOutcome::InUse),
            VerdictKind::Held,
            "node 4242 ended, but :3000 cannot be bound for at most 48 s (tried with and without SO_REUSEADDR)",
        ),
        (
            ended(vec![time_wait(1)]).binds(&BindOutcome::InUse, &BindOutcome::InUse),
            VerdictKind::Held,
            "node 4242 ended, but :3000 cannot be bound for at most 60 s (tried with and without SO_REUSEADDR)",
        ),
        (
            ended(vec![leftover(), time_wait(1)]).binds(&BindOutcome::InUse, &BindOutcome::InUse),
            VerdictKind::Held,
            "node 4242 ended, but :3000 cannot be bound (tried with and without SO_REUSEADDR: 1 ESTABLISHED and 1 TIME_WAIT)",
        ),
        (
            ended(vec![]).binds(&BindOutcome::Failed("odd".to_owned()), &BindOutcome::InUse),
            VerdictKind::Held,
            "node 4242 ended, but :3000 cannot be bound (tried with and without SO_REUSEADDR: odd)",
        ),
    ];
    for (story, kind, said) in cases {
        assert_eq!((story.words().as_str(), story.kind()), (said, Some(kind)));
    }
}

/// Its bind fails whatever the port does, and the port was once said not to be bindable for that.
#[test]
fn a_link_local_address_without_its_scope_is_not_probed() {
    let node = node();
    let wanted = |local: &str| {
        let story = Story::sent(vec![socket(local).owner(&node)])
            .ended(&node)
            .sees(0.5, vec![]);
        let [ExecCommand::TryBind(_, addresses)] = story.commands.as_slice() else {
            panic!("no bind is wanted: {:?}", story.commands);
        };
        addresses.contains(&local.parse().expect("an address"))
    };
    let cases = ["[fe80::1]:3000", "[fe80::1%2]:3000", "[fd00::1]:3000"];
    assert_eq!(cases.map(wanted), [false, true, true]);
}

#[test]
fn the_bind_is_retried_once_the_leftovers_are_gone() {
    let node = node();
    let story = Story::sent(vec![listener(&node)])
        .ended(&node)
        .sees(0.5, vec![time_wait(1)])
        .binds(&BindOutcome::InUse, &BindOutcome::InUse)
        .sees(10.5, vec![time_wait(1)]);
    let said = "node 4242 ended, but :3000 cannot be bound for at most 50 s (tried with and without SO_REUSEADDR)";
    assert_eq!((story.words().as_str(), &story.commands), (said, &vec![]));
    let story = story.sees(60.0, vec![]).bound();
    assert_eq!(
        story.words(),
        ":3000 is free. node 4242 ended 0.5 s after SIGTERM."
    );
}

#[test]
fn an_unexplained_bind_failure_is_retried_every_few_seconds() {
    let (node, protected) = (node(), BindOutcome::InUse);
    let story = Story::sent(vec![listener(&node)])
        .ended(&node)
        .sees(0.5, vec![])
        .binds(&protected, &protected)
        .sees(5.4, vec![]);
    assert_eq!(story.commands, []);
    let story = story.sees(5.5, vec![]).binds(&protected, &protected);
    assert_eq!(story.kind(), Some(VerdictKind::Held));
    let story = story.sees(10.5, vec![]).bound();
    let said = ":3000 is free. node 4242 ended 0.5 s after SIGTERM.";
    assert_eq!(story.words(), said);
}

#[test]
fn a_partly_free_port_names_free_and_held_addresses() {
    let old = process(3977, "vite").build();
    let new = process(9120, "vite").build();
    let kept = || socket("[::1]:5173").owner(&new);
    // The other holder could not be seen when it was asked.
    let hidden = || socket("[::1]:5173").user(0, "root");
    let story = Story::sent(vec![socket("127.0.0.1:5173").owner(&old), hidden()])
        .ended(&old)
        .sees(0.5, vec![kept()]);
    let address = "127.0.0.1:5173".parse().expect("an address");
    assert_eq!(
        story.commands,
        [ExecCommand::TryBind(story.id(), vec![address])]
    );
    let said = "127.0.0.1:5173 is free, [::1]:5173 is not: vite 9120 holds it. localhost reaches ::1 first";
    let free = story.bound();
    assert_eq!(
        (free.words().as_str(), free.kind()),
        (said, Some(VerdictKind::Held))
    );
    let later = free.sees(1.0, vec![kept()]);
    assert_eq!((later.words().as_str(), &later.commands), (said, &vec![]));
    let refuted = Story::sent(vec![socket("127.0.0.1:5173").owner(&old), hidden()])
        .ended(&old)
        .sees(0.5, vec![kept()])
        .binds(&BindOutcome::InUse, &BindOutcome::InUse)
        .sees(1.0, vec![kept()]);
    let said = ":5173 is STILL HELD: vite 3977 ended, vite 9120 keeps the socket.";
    assert_eq!(
        (refuted.words().as_str(), &refuted.commands),
        (said, &vec![])
    );
}

#[test]
fn nothing_sent_is_a_verdict() {
    use super::super::Protected;
    let node = node();
    let it = || Arc::clone(&node);
    let cases = [
        (
            SignalError::AlreadyExited(it()),
            "node 4242 has already exited",
        ),
        (
            SignalError::PidReused(it()),
            "node 4242 has exited, and pid 4242 is now another process",
        ),
        (
            SignalError::NotAnOwner(it()),
            "node 4242 no longer holds the socket that was shown",
        ),
        (
            SignalError::NotPermitted(it()),
            "you are not permitted to signal node 4242",
        ),
        (
            SignalError::Protected(it(), Protected::Ancestor),
            "node 4242 is an ancestor of portmon, which would end with it",
        ),
        (
            SignalError::Failed(it(), "odd".to_owned()),
            "node 4242 could not be signaled: odd",
        ),
        (
            SignalError::TablesUnread(Problem {
                protocol: Protocol::Tcp,
                family: Family::Ipv4,
                reason: "odd".to_owned(),
            }),
            "the table of tcp4 sockets could not be read: odd",
        ),
    ];
    for (error, said) in cases {
        let story = Story::asked(vec![listener(&node)]).not_sent(error);
        assert_eq!(story.words(), format!("Nothing sent: {said}."));
        assert_eq!(story.kind(), Some(VerdictKind::NothingSent));
        assert!(story.machine.is_settled());
    }
}

#[test]
fn progress_names_what_is_awaited() {
    let node = node();
    let story = Story::asked(vec![listener(&node)]);
    let at = instant(0.9);
    assert_eq!(
        wording::progress(&story.machine.progress(at)),
        "sending SIGTERM to node 4242"
    );
    let story = story.dispatched(0.0, &[]).sees(0.5, vec![listener(&node)]);
    let said = "SIGTERM sent to node 4242 0.9 s ago; watching :3000";
    assert_eq!(wording::progress(&story.machine.progress(at)), said);
    let [one, two] = [7003, 7004].map(|pid| process(pid, "node").parent(4242).build());
    let kept = |by: &[&Arc<Process>]| {
        let story = Story::sent(vec![socket("127.0.0.1:3000").owners(&[&node, &one, &two])]);
        let kept = story
            .ended(&node)
            .sees(0.3, vec![socket("127.0.0.1:3000").owners(by)]);
        wording::progress(&kept.machine.progress(at))
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
    let said = "nothing holds :3000 anymore; trying to bind it";
    assert_eq!(wording::progress(&story.machine.progress(at)), said);
}

#[test]
fn postgres_is_offered_sigint_before_sigkill() {
    let main = process(812, "postgres").command("/usr/lib/postgresql/16/bin/postgres -D data");
    let main = main.build();
    let held = || vec![listener(&main)];
    let story = Story::sent(held())
        .signal_state(&main, SignalDisposition::Caught, None)
        .sees(5.0, held());
    assert_eq!(
        (story.words().as_str(), story.machine.offer()),
        (
            ":3000 is STILL HELD: postgres 812 handles SIGTERM and is still shutting down",
            Some(Signal::Interrupt)
        )
    );
    let story = story.insists(6.0).dispatched(6.0, &[]).sees(11.0, held());
    assert_eq!(
        (story.words().as_str(), story.machine.offer()),
        (
            ":3000 is STILL HELD: postgres 812 handles SIGINT and is still shutting down",
            Some(Signal::Kill)
        )
    );
}

#[test]
fn a_postgres_worker_is_offered_sigkill_at_once() {
    let worker = process(815, "postgres").with(|process| {
        process.command = vec!["postgres: checkpointer".into()];
    });
    let worker = worker.build();
    let story = Story::sent(vec![listener(&worker)]).sees(5.0, vec![listener(&worker)]);
    assert_eq!(story.machine.offer(), Some(Signal::Kill));
}

#[test]
fn timeouts_limit_the_wait_for_exit_and_the_watch_after_it() {
    let node = node();
    let held = || vec![listener(&node)];
    let story = Story::asked(held()).under(Timeouts {
        wait_for_exit: Duration::from_secs(1),
        settle: Duration::ZERO,
        force_after: None,
    });
    let early = story.dispatched(0.0, &[]).sees(0.9, held());
    assert_eq!(
        (early.words().as_str(), early.machine.is_answered()),
        ("", false)
    );
    let late = early.sees(1.0, held());
    assert_eq!(
        (late.kind(), late.machine.is_answered()),
        (Some(VerdictKind::Held), true)
    );
    let free = late.ended(&node).sees(1.5, vec![]).bound();
    assert_eq!(
        (free.kind(), free.machine.is_answered()),
        (Some(VerdictKind::Free), false)
    );
    let settled = free.sees(1.5, vec![]);
    assert_eq!(
        (settled.machine.is_answered(), settled.machine.is_settled()),
        (true, true)
    );
}

#[test]
fn a_process_past_its_deadline_gets_sigkill_once_unasked() {
    let (node, other) = (node(), process(4300, "node").build());
    let (first, second) = (
        || listener(&node).owner_hint(1),
        || listener(&other).owner_hint(2),
    );
    let story = Story::asked(vec![first(), second()]).under(Timeouts {
        force_after: Some(Duration::from_secs(3)),
        ..Timeouts::default()
    });
    let story = story
        .dispatched(0.0, &[])
        .ended(&other)
        .sees(2.9, vec![first()]);
    assert_eq!((story.words().as_str(), &story.commands), ("", &vec![]));
    let story = story.sees(3.0, vec![first()]);
    let [ExecCommand::Send(requests)] = story.commands.as_slice() else {
        panic!("nothing is sent: {:?}", story.commands);
    };
    let sent: Vec<_> = requests
        .iter()
        .map(|request| (request.signal(), request.targets()))
        .collect();
    let survivor = Target {
        process: Arc::clone(&node),
        sockets: vec![first().build().id],
    };
    assert_eq!(sent, [(Signal::Kill, &[survivor][..])]);

    let story = story.dispatched(3.0, &[]).sees(7.9, vec![first()]);
    assert_eq!((story.words().as_str(), &story.commands), ("", &vec![]));
    let story = story.sees(8.0, vec![first()]);
    let said = ":3000 is STILL HELD: node 4300 ended, node 4242 has not ended 5 s after SIGKILL";
    assert_eq!(
        (story.words().as_str(), story.machine.offer()),
        (said, None)
    );
}
