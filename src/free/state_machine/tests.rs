//! Scenarios: what happens, moment by moment, and what is said at its end.

mod unread;

use super::*;
use crate::free::testing::{event, not_sent, plan, probed, sent};
use crate::free::{
    BlockedBy, ExecResult, Protected, RequestId, SignalDisposition, SignalError, SignalState,
    Target, TargetSet, VerdictClass,
};
use crate::model::port::BindOutcome;
use crate::model::process::{Manager, ProcessId, ProcessState, Unit};
use crate::model::snapshot::Problem;
use crate::model::socket::{Family, Protocol, State};
use crate::model::testing::{SocketBuilder, instant, process, socket};
use crate::wording;
use VerdictClass::{Free, Held, NothingSent, Taken};

/// A request to stop the topmost owners of these sockets, confirmed at second 0; the first socket is the row's.
#[derive(Clone)]
struct Story {
    machine: FreeMachine,
    /// The commands that followed the last event.
    commands: Vec<ExecCommand>,
    /// What the next poll shows besides its sockets.
    poll: PortSnapshot,
}

impl Story {
    fn asked(sockets: Vec<SocketBuilder>) -> Self {
        let request = plan(sockets).confirm(TargetSet::Topmost, Signal::Terminate, instant(0.0));
        Self {
            commands: vec![ExecCommand::Send(vec![request.clone()])],
            machine: FreeMachine::new(request, Timeouts::default()),
            poll: PortSnapshot::default(),
        }
    }

    fn sent(sockets: Vec<SocketBuilder>) -> Self {
        Self::asked(sockets).sends(0.0)
    }

    /// node has got its signal and ended, and a poll sees these sockets.
    fn of_ended_node(at: f64, left: Vec<SocketBuilder>) -> Self {
        Self::sent(held()).ended(&node()).sees(at, left)
    }

    fn under(mut self, timeouts: Timeouts) -> Self {
        self.machine.timeouts = timeouts;
        self
    }

    fn id(&self) -> RequestId {
        self.machine.request().id()
    }

    fn on(mut self, at: f64, result: ExecResult) -> Self {
        self.commands = self.machine.on(event(self.id(), at, result));
        self
    }

    fn sends(self, at: f64) -> Self {
        self.on(at, sent(Vec::new()))
    }

    fn does_not_send(self, error: SignalError) -> Self {
        self.on(0.0, not_sent(error))
    }

    fn ended(mut self, process: &Arc<Process>) -> Self {
        self.poll.ended.push(process.id);
        self.poll.signal_state.retain(|(of, _)| *of != process.id);
        self
    }

    fn signal_state(
        mut self,
        of: &Arc<Process>,
        disposition: SignalDisposition,
        process_state: Option<ProcessState>,
    ) -> Self {
        let state = SignalState {
            disposition,
            blocked_by: BlockedBy::NotFirst,
            is_pending: false,
            tracer: None,
            process_state,
        };
        self.poll.signal_state = vec![(of.id, state)];
        self
    }

    fn parent(mut self, parent: &Arc<Process>) -> Self {
        self.poll.parents.push(Arc::clone(parent));
        self
    }

    fn unit(mut self, of: &Arc<Process>, unit: Unit) -> Self {
        self.poll.units.push((of.id, unit));
        self
    }

    fn sees(self, at: f64, sockets: Vec<SocketBuilder>) -> Self {
        let poll = PortSnapshot {
            sockets: sockets.into_iter().map(SocketBuilder::build).collect(),
            ..self.poll.clone()
        };
        self.on(at, ExecResult::Polled(poll))
    }

    /// Binds every address that was asked for, with and without SO_REUSEADDR.
    fn binds(self, with: &BindOutcome, without: &BindOutcome) -> Self {
        let [ExecCommand::TryBind(_, addresses)] = self.commands.as_slice() else {
            panic!("no bind is wanted: {:?}", self.commands);
        };
        let result = probed(addresses, with, without);
        self.on(0.0, result)
    }

    /// These outcomes on the IPv4 addresses; every other one can be bound.
    fn binds_ipv4(self, with: &BindOutcome, without: &BindOutcome) -> Self {
        let [ExecCommand::TryBind(_, addresses)] = self.commands.as_slice() else {
            panic!("no bind is wanted: {:?}", self.commands);
        };
        let bound = BindOutcome::Bound;
        let mut result = probed(addresses, &bound, &bound);
        if let ExecResult::BindProbed(probe) = &mut result {
            for probe in &mut probe.binds.probes {
                if probe.address.is_ipv4() {
                    probe.with_reuseaddr = Some(with.clone());
                    probe.without_reuseaddr = without.clone();
                }
            }
        }
        self.on(0.0, result)
    }

    fn bound(self) -> Self {
        self.binds(&BindOutcome::Bound, &BindOutcome::Bound)
    }

    fn in_use(self) -> Self {
        self.binds(&BindOutcome::InUse, &BindOutcome::InUse)
    }

    fn escalates(mut self, at: f64) -> Self {
        let request = self.machine.escalate(instant(at)).expect("a signal");
        self.commands = vec![ExecCommand::Send(vec![request])];
        self
    }

    fn words(&self) -> String {
        let verdict = self.machine.verdict();
        verdict.map_or_else(String::new, wording::verdict)
    }

    fn class(&self) -> Option<VerdictClass> {
        Some(self.machine.verdict()?.kind.class())
    }

    /// Asserts the verdict.
    #[track_caller]
    fn says(self, class: VerdictClass, words: &str) -> Self {
        assert_eq!((self.words().as_str(), self.class()), (words, Some(class)));
        self
    }

    /// Asserts that there is no verdict and nothing to do.
    #[track_caller]
    fn waits(self) -> Self {
        assert_eq!((self.words().as_str(), &self.commands), ("", &vec![]));
        self
    }

    /// Asserts what is to be done.
    #[track_caller]
    fn wants(self, command: impl Fn(RequestId) -> ExecCommand) -> Self {
        assert_eq!(self.commands, [command(self.id())]);
        self
    }

    /// Asserts that nothing is to be done.
    #[track_caller]
    fn wants_nothing(self) -> Self {
        assert_eq!(self.commands, []);
        self
    }

    /// Asserts the signal that is offered.
    #[track_caller]
    fn offers(self, signal: Option<Signal>) -> Self {
        assert_eq!(self.machine.offer(), signal);
        self
    }

    /// Asserts whether the port is settled.
    #[track_caller]
    fn settled(self, expected: bool) -> Self {
        assert_eq!(self.machine.is_settled(), expected);
        self
    }

    /// Asserts whether a caller that waits no longer than the timeouts has its answer.
    #[track_caller]
    fn answered(self, expected: bool) -> Self {
        assert_eq!(self.machine.is_answered(), expected);
        self
    }

    /// Asserts which processes are sent which signal.
    #[track_caller]
    fn signals(self, signal: Signal, targets: &[ProcessId]) -> Self {
        let [ExecCommand::Send(requests)] = self.commands.as_slice() else {
            panic!("nothing is sent: {:?}", self.commands);
        };
        let sent = requests.iter().map(|request| {
            let targets: Vec<ProcessId> = request.targets().iter().map(Target::id).collect();
            (request.signal(), targets)
        });
        assert_eq!(sent.collect::<Vec<_>>(), [(signal, targets.to_vec())]);
        self
    }

    #[track_caller]
    fn progress(&self, at: f64, expected: &str) {
        let progress = self.machine.progress(instant(at));
        assert_eq!(wording::progress(&progress), expected);
    }
}

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn other() -> Arc<Process> {
    process(4300, "node").build()
}

fn listener(of: &Arc<Process>) -> SocketBuilder {
    socket("127.0.0.1:3000").owner(of)
}

/// node's listener.
fn held() -> Vec<SocketBuilder> {
    vec![listener(&node())]
}

/// The listeners of two processes on one port.
fn twins() -> Vec<SocketBuilder> {
    vec![
        listener(&node()).owner_hint(1),
        listener(&other()).owner_hint(2),
    ]
}

fn first_twin() -> Vec<SocketBuilder> {
    twins().into_iter().take(1).collect()
}

fn time_wait(peer: u16) -> SocketBuilder {
    let connection = socket("127.0.0.1:3000").to(&format!("127.0.0.1:{peer}"));
    connection.state(State::TimeWait).without_owner()
}

#[test]
fn a_port_is_free_after_a_bind_and_two_quiet_seconds() {
    let addresses = ["0.0.0.0:3000", "127.0.0.1:3000", "[::]:3000", "[::1]:3000"];
    let addresses = addresses.map(|address| address.parse().expect("an address"));
    let words = ":3000 is free. node 4242 ended 0.8 s after SIGTERM.";
    Story::asked(held())
        .signals(Signal::Terminate, &[node().id])
        .sends(0.0)
        .wants(ExecCommand::Watch)
        .sees(0.4, held())
        .waits()
        .ended(&node())
        .sees(0.8, vec![])
        .wants(|id| ExecCommand::TryBind(id, addresses.to_vec()))
        .bound()
        .says(Free, words)
        .sees(2.7, vec![])
        .settled(false)
        .wants_nothing()
        .sees(2.9, vec![])
        .wants(ExecCommand::StopWatching)
        .says(Free, words)
        .settled(true);
}

#[test]
fn each_way_to_become_free_is_reported_as_observed() {
    use BindOutcome::{NoSuchAddress, NotPermitted};
    let ended = || Story::of_ended_node(0.2, vec![]);
    let twins_sent = || Story::sent(twins()).ended(&node());
    let cases = [
        (
            Story::sent(held()).sees(0.3, vec![]).bound(),
            "node 4242 closed the port 0.3 s after SIGTERM.",
        ),
        (
            twins_sent().ended(&other()).sees(0.04, vec![]).bound(),
            "node 4242 and node 4300 ended 40 ms after SIGTERM.",
        ),
        (
            twins_sent().sees(0.5, vec![]).bound(),
            "node 4242 ended 0.5 s after SIGTERM. node 4300 closed the port 0.5 s after SIGTERM.",
        ),
        (
            Story::asked(held())
                .on(0.0, sent(vec![node().id]))
                .ended(&node())
                .sees(0.2, vec![])
                .bound(),
            "node 4242 ended 0.2 s after SIGTERM. node 4242 was suspended, so SIGCONT was sent too.",
        ),
        (
            ended().binds(&NotPermitted, &NotPermitted),
            "node 4242 ended 0.2 s after SIGTERM. You are not permitted to bind it, so this is known only from the socket tables.",
        ),
        (
            ended().binds(&NoSuchAddress, &NoSuchAddress),
            "node 4242 ended 0.2 s after SIGTERM. This machine has no such address, so this is known only from the socket tables.",
        ),
    ];
    for (story, words) in cases {
        story.says(Free, &format!(":3000 is free. {words}"));
    }
}

/// A process that is ending has closed its sockets before its end can be seen; it was once said to run on.
#[test]
fn closing_the_port_is_reported_apart_from_exiting() {
    let closed = || Story::sent(held()).sees(0.3, vec![]).bound();
    let words = ":3000 is free. node 4242 ended 0.4 s after SIGTERM.";
    closed().ended(&node()).sees(0.4, vec![]).says(Free, words);
    let words =
        ":3000 is free. node 4242 closed the port 0.3 s after SIGTERM and is still running.";
    closed().sees(2.3, vec![]).says(Free, words).settled(true);
}

#[test]
fn a_briefly_invisible_owner_still_holds_the_port() {
    let hidden = || vec![socket("127.0.0.1:3000")];
    let pending = || vec![socket("127.0.0.1:3000").pending()];
    for unseen in [hidden, pending] {
        Story::sent(held())
            .sees(0.3, unseen())
            .signal_state(&node(), SignalDisposition::Ignored, None)
            .sees(1.0, unseen())
            .says(Held, ":3000 is STILL HELD: node 4242 ignores SIGTERM");
    }
}

#[test]
fn a_surviving_process_is_reported_with_its_disposition() {
    use ProcessState::{Suspended, Traced, Uninterruptible};
    use SignalDisposition::{Caught, Default, Ignored};
    let story = |disposition, process_state, at| {
        let story = Story::sent(held()).signal_state(&node(), disposition, process_state);
        story.sees(at, held())
    };
    story(Caught, None, 4.9)
        .waits()
        .offers(None)
        .answered(false);
    let cases = [
        (Ignored, None, 0.1, "ignores SIGTERM"),
        (
            Caught,
            None,
            5.0,
            "handles SIGTERM and is still shutting down",
        ),
        (Default, Some(Suspended), 5.0, "is suspended"),
        (Default, Some(Traced), 5.0, "is stopped by a debugger"),
        (
            Default,
            Some(Uninterruptible),
            5.0,
            "is in uninterruptible sleep (state D)",
        ),
    ];
    for (disposition, process_state, at, words) in cases {
        let words = format!(":3000 is STILL HELD: node 4242 {words}");
        let story = story(disposition, process_state, at).says(Held, &words);
        story.offers(Some(Signal::Kill)).answered(true);
    }
}

#[test]
fn an_ignored_signal_is_awaited_only_for_the_other_targets() {
    let ignores = |it: Story| it.signal_state(&node(), SignalDisposition::Ignored, None);
    let words = ":3000 is STILL HELD: node 4300 ended, node 4242 ignores SIGTERM";
    ignores(Story::sent(twins()))
        .sees(0.1, twins())
        .waits()
        .ended(&other())
        .sees(0.3, first_twin())
        .says(Held, words)
        .answered(true);
    let forced = Timeouts {
        force_after: Some(Duration::from_secs(2)),
        ..Timeouts::default()
    };
    let story = ignores(Story::sent(held()).under(forced)).sees(0.1, held());
    let story = story.waits().sees(2.0, held());
    story.signals(Signal::Kill, &[node().id]);
}

#[test]
fn a_late_exit_changes_still_held_to_free() {
    let words = ":3000 is STILL HELD: node 4242 has not ended 5 s after SIGTERM";
    let story = Story::sent(held()).sees(5.0, held()).says(Held, words);
    let words = ":3000 is free. node 4242 ended 7.3 s after SIGTERM.";
    let story = story.ended(&node()).sees(7.3, vec![]).bound();
    story.says(Free, words);
}

#[test]
fn sigkill_goes_only_to_survivors_of_another_signal() {
    let mut early = Story::sent(twins());
    assert_eq!(early.machine.escalate(instant(0.1)), None);
    let words = ":3000 is STILL HELD: node 4300 ended, node 4242 has not ended 5 s after SIGKILL";
    let story = early
        .ended(&other())
        .sees(5.0, first_twin())
        .escalates(6.0)
        .signals(Signal::Kill, &[node().id])
        .offers(None)
        .sends(6.0)
        .sees(7.0, first_twin())
        .waits()
        .sees(11.0, first_twin())
        .says(Held, words)
        .offers(None);
    let words =
        ":3000 is free. node 4242 ended 5.5 s after SIGKILL. node 4300 ended 5.0 s after SIGTERM.";
    let story = story.ended(&node()).sees(11.5, vec![]).bound();
    story.says(Free, words);
}

#[test]
fn a_failed_sigkill_is_reported_and_the_port_stays_watched() {
    let story = Story::sent(held())
        .sees(5.0, held())
        .escalates(6.0)
        .does_not_send(SignalError::AlreadyExited(node()))
        .says(NothingSent, "Nothing sent: node 4242 has already exited.")
        .wants(ExecCommand::Watch);
    let again = story.clone().sees(6.1, held());
    again.offers(Some(Signal::Kill));
    let words = ":3000 is free. node 4242 ended 6.1 s after SIGTERM.";
    let story = story.ended(&node()).sees(6.1, vec![]).bound();
    story.says(Free, words);
}

/// An answer that came late was once taken for the next order's, so that nothing was sent and a signal was claimed.
#[test]
fn results_for_another_request_are_dropped() {
    let dropped = |mut story: Story, result: ExecResult| {
        let another = RequestId {
            at: instant(9.0),
            ..story.id()
        };
        story.commands = story.machine.on(event(another, 0.3, result));
        story.wants_nothing()
    };
    let late = dropped(Story::asked(held()), sent(Vec::new()));
    late.does_not_send(SignalError::AlreadyExited(node()))
        .says(NothingSent, "Nothing sent: node 4242 has already exited.");
    let poll = ExecResult::Polled(PortSnapshot::default());
    dropped(Story::sent(held()), poll).waits();
    let bind = probed(&[], &BindOutcome::Bound, &BindOutcome::Bound);
    dropped(Story::of_ended_node(0.3, vec![]), bind).waits();
}

#[test]
fn a_sigkill_is_a_request_of_its_own() {
    let story = Story::sent(held()).sees(5.0, held());
    let first = story.id();
    let mut story = story.escalates(6.0);
    story.commands = story.machine.on(event(first, 6.0, sent(Vec::new())));
    story.wants_nothing();
}

#[test]
fn workers_that_keep_the_socket_of_a_dead_master_are_named() {
    let master = process(7001, "gunicorn").build();
    let [one, two] = [7003, 7004].map(|pid| process(pid, "gunicorn").parent(7001).build());
    // Once the master is gone, init has adopted its children.
    let [orphan, twin] = [7003, 7004].map(|pid| process(pid, "gunicorn").parent(1).build());
    let stranger = process(9, "ruby").build();
    let held_by = |owners: &[&Arc<Process>]| vec![socket("127.0.0.1:8000").owners(owners)];
    let all = || held_by(&[&master, &one, &two]);
    let ended = || Story::sent(all()).ended(&master).sees(0.5, all());
    ended().sees(1.4, held_by(&[&orphan, &twin])).waits();
    let cases = [
        (
            held_by(&[&orphan, &twin]),
            1.5,
            "2 workers keep the socket (7003 7004).",
        ),
        (
            held_by(&[&orphan]),
            1.5,
            "1 worker keeps the socket (7003).",
        ),
        (
            held_by(&[&orphan, &stranger]),
            5.0,
            "gunicorn 7003 and ruby 9 keep the socket.",
        ),
    ];
    for (left, at, words) in cases {
        let words = format!(":8000 is STILL HELD: gunicorn 7001 ended, {words}");
        ended().sees(at, left).says(Held, &words);
    }
    let late = ended().sees(1.5, all()).sees(3.0, vec![]).bound();
    late.says(
        Free,
        ":8000 is free. gunicorn 7001 ended 0.5 s after SIGTERM.",
    );
}

#[test]
fn only_the_previous_service_counts_as_restarted_by_systemd() {
    let (shop, scope, cron) = ("shop.service", "session-4.scope", "cron.service");
    let restarted = ", restarted by systemd: shop.service";
    let started = ", started by systemd: shop.service";
    let cases = [
        ((1, shop, shop, false), restarted),
        ((900, shop, shop, false), restarted),
        ((1, shop, shop, true), restarted),
        ((1, scope, shop, true), started),
        ((70, shop, shop, false), ", started by sh 70"),
        ((1, scope, scope, false), ""),
        ((1, scope, cron, false), ""),
        ((900, scope, cron, false), ""),
    ];
    for ((parent, before, after, is_main), words) in cases {
        let new = process(4250, "node").parent(parent).build();
        let unit = |name: &str| Unit::new(name.into(), Manager::System);
        let mut after = unit(after);
        after.main = is_main.then_some(new.pid());
        Story::sent(held())
            .ended(&node())
            .parent(&process(900, "systemd").build())
            .parent(&process(70, "sh").build())
            .unit(&node(), unit(before))
            .unit(&new, after)
            .sees(0.6, vec![listener(&new).owner_hint(9)])
            .says(Taken, &format!(":3000 is TAKEN AGAIN by node 4250{words}"));
    }
}

#[test]
fn a_port_bound_by_a_newcomer_is_taken_again() {
    let python = process(4250, "python3").parent(4100).build();
    let supervisor = process(4100, "supervisor").build();
    let place = || socket("127.0.0.1:3000").owner_hint(9);
    let new = || vec![place().owner(&python)];
    let free = || Story::of_ended_node(0.2, vec![]).bound();
    let cases = [
        (
            free().parent(&supervisor).sees(0.6, new()),
            ":3000 was free for 0.4 s and is TAKEN AGAIN by python3 4250, started by supervisor 4100",
        ),
        (
            free().sees(0.6, new()),
            ":3000 was free for 0.4 s and is TAKEN AGAIN by python3 4250",
        ),
        (
            Story::of_ended_node(0.2, new()),
            ":3000 is TAKEN AGAIN by python3 4250",
        ),
        (
            Story::of_ended_node(0.2, vec![]).sees(0.25, new()),
            ":3000 was free for 50 ms and is TAKEN AGAIN by python3 4250",
        ),
        (
            free().sees(0.6, vec![place().user(0, "root")]),
            ":3000 was free for 0.4 s and is TAKEN AGAIN by a hidden process of root",
        ),
    ];
    for (story, words) in cases {
        let story = story.says(Taken, words).wants(ExecCommand::StopWatching);
        story.settled(true);
    }
}

#[test]
fn a_worker_that_inherits_the_socket_is_not_a_newcomer() {
    let master = process(7001, "node").build();
    let worker = process(7003, "node").parent(7001).build();
    let shared = socket("127.0.0.1:3000").owners(&[&master, &worker]);
    Story::sent(vec![shared])
        .ended(&master)
        .sees(5.0, vec![listener(&worker).owner_hint(7003)])
        .says(
            Held,
            ":3000 is STILL HELD: node 7001 ended, 1 worker keeps the socket (7003).",
        );
}

#[test]
fn a_failed_bind_is_reported_with_the_leftovers() {
    use BindOutcome::{Bound, InUse};
    let ends = |peer, seconds| time_wait(peer).waits_until(instant(seconds));
    let connection = || socket("127.0.0.1:3000").to("127.0.0.1:9").owner(&node());
    let only = "can be bound only with SO_REUSEADDR";
    let cannot = "cannot be bound";
    let tried = "tried with and without SO_REUSEADDR";
    let cases = [
        (
            vec![time_wait(1), time_wait(2)],
            (Bound, Free),
            format!("{only} (2 TIME_WAIT, last ends in at most 60 s)"),
        ),
        (
            vec![ends(1, 9.0), ends(2, 48.2)],
            (Bound, Free),
            format!("{only} (2 TIME_WAIT, last ends in 48 s)"),
        ),
        (
            vec![ends(1, 48.2)],
            (InUse, Held),
            format!("{cannot} for at most 48 s ({tried})"),
        ),
        (
            vec![time_wait(1)],
            (InUse, Held),
            format!("{cannot} for at most 60 s ({tried})"),
        ),
        (
            vec![connection(), time_wait(1)],
            (InUse, Held),
            format!("{cannot} ({tried}: 1 ESTABLISHED and 1 TIME_WAIT)"),
        ),
        (vec![], (InUse, Held), format!("{cannot} ({tried})")),
    ];
    for (left, (with_reuseaddr, kind), words) in cases {
        let story = Story::of_ended_node(0.5, left).binds_ipv4(&with_reuseaddr, &InUse);
        story.says(kind, &format!("node 4242 ended, but :3000 {words}"));
    }
}

#[test]
fn a_bind_that_no_socket_explains_proves_nothing_free() {
    use BindOutcome::{Bound, Failed, InUse, NotPermitted};
    let odd = Failed("odd".to_owned());
    let cases = [
        (
            (Bound, InUse, true),
            ":3000 is STILL HELD: node 4242 ended, something not in any socket table holds it",
        ),
        (
            (Bound, InUse, false),
            ":3000 is STILL HELD: node 4242 ended, something that this socket source does not show (a bound socket) \
             holds it",
        ),
        (
            (odd.clone(), odd, true),
            "It is unknown whether :3000 is free: node 4242 ended; a bind fails: odd",
        ),
        (
            (NotPermitted, NotPermitted, false),
            "It is unknown whether :3000 is free: node 4242 ended; you are not permitted to bind it, and this socket \
             source does not show bound sockets",
        ),
    ];
    for ((with, without, shows_bound), words) in cases {
        let story = Story::of_ended_node(0.5, vec![]);
        let [ExecCommand::TryBind(_, addresses)] = story.commands.as_slice() else {
            panic!("no bind is wanted: {:?}", story.commands);
        };
        let mut result = probed(addresses, &with, &without);
        if let ExecResult::BindProbed(probe) = &mut result {
            probe.binds.shows_bound = shows_bound;
        }
        story.on(0.0, result).says(Held, words);
    }
}

/// Its bind fails whatever the port does, and the port was once said not to be bindable for that.
#[test]
fn a_link_local_address_without_its_scope_is_not_probed() {
    let is_probed = |local: &str| {
        let story = Story::sent(vec![socket(local).owner(&node())]);
        let story = story.ended(&node()).sees(0.5, vec![]);
        let [ExecCommand::TryBind(_, addresses)] = story.commands.as_slice() else {
            panic!("no bind is wanted: {:?}", story.commands);
        };
        addresses.contains(&local.parse().expect("an address"))
    };
    let cases = ["[fe80::1]:3000", "[fe80::1%2]:3000", "[fd00::1]:3000"];
    assert_eq!(cases.map(is_probed), [false, true, true]);
}

#[test]
fn the_bind_is_retried_once_the_leftovers_are_gone() {
    let words = "node 4242 ended, but :3000 cannot be bound for at most 50 s (tried with and without SO_REUSEADDR)";
    Story::of_ended_node(0.5, vec![time_wait(1)])
        .in_use()
        .sees(10.5, vec![time_wait(1)])
        .says(Held, words)
        .wants_nothing()
        .sees(60.0, vec![])
        .bound()
        .says(Free, ":3000 is free. node 4242 ended 0.5 s after SIGTERM.");
}

#[test]
fn an_unexplained_bind_failure_is_retried_every_few_seconds() {
    let words = "node 4242 ended, but :3000 cannot be bound (tried with and without SO_REUSEADDR)";
    Story::of_ended_node(0.5, vec![])
        .in_use()
        .sees(5.4, vec![])
        .wants_nothing()
        .sees(5.5, vec![])
        .in_use()
        .says(Held, words)
        .sees(10.5, vec![])
        .bound()
        .says(Free, ":3000 is free. node 4242 ended 0.5 s after SIGTERM.");
}

#[test]
fn a_partly_free_port_names_free_and_held_addresses() {
    let (old, new) = (process(3977, "vite").build(), process(9120, "vite").build());
    let kept = || vec![socket("[::1]:5173").owner(&new)];
    // The other owner was hidden when the question was asked.
    let hidden = socket("[::1]:5173").user(0, "root");
    let address = "127.0.0.1:5173".parse().expect("an address");
    let story = Story::sent(vec![socket("127.0.0.1:5173").owner(&old), hidden])
        .ended(&old)
        .sees(0.5, kept())
        .wants(|id| ExecCommand::TryBind(id, vec![address]));
    let words = "127.0.0.1:5173 is free, [::1]:5173 is not: vite 9120 holds it. localhost reaches ::1 first";
    let free = story.clone().bound().says(Held, words);
    free.sees(1.0, kept()).says(Held, words).wants_nothing();
    let words = ":5173 is STILL HELD: vite 3977 ended, vite 9120 keeps the socket.";
    let refuted = story.in_use().sees(1.0, kept());
    refuted.says(Held, words).wants_nothing();
}

#[test]
fn nothing_sent_is_a_verdict() {
    use SignalError::{
        AlreadyExited, Failed, NotAnOwner, NotPermitted, PidReused, ProgramChanged, TablesUnread,
    };
    let unread = Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        reason: "odd".to_owned(),
    };
    let cases = [
        (AlreadyExited(node()), "node 4242 has already exited"),
        (
            PidReused(node()),
            "node 4242 has exited, and pid 4242 is now another process",
        ),
        (
            ProgramChanged(node(), process(4242, "sleep").build()),
            "node 4242 is now sleep",
        ),
        (
            ProgramChanged(node(), process(4242, "node").command("node b.js").build()),
            "node 4242 is now another node: node b.js",
        ),
        (
            NotAnOwner(node()),
            "node 4242 no longer holds the socket that was shown",
        ),
        (
            NotPermitted(node()),
            "you are not permitted to signal node 4242",
        ),
        (
            SignalError::Protected(node(), Protected::Ancestor),
            "node 4242 is an ancestor of portmon, and stopping it could end portmon",
        ),
        (
            Failed(node(), "odd".to_owned()),
            "node 4242 could not be signaled: odd",
        ),
        (
            TablesUnread(unread),
            "the tcp4 socket table could not be read: odd",
        ),
    ];
    for (error, words) in cases {
        let story = Story::asked(held()).does_not_send(error);
        let story = story.says(NothingSent, &format!("Nothing sent: {words}."));
        story.settled(true);
    }
}

#[test]
fn another_program_is_asked_about_anew_and_gets_no_sigkill() {
    let changed = SignalError::ProgramChanged(node(), process(4242, "sleep").build());
    let words = ":3000 is STILL HELD: node 4242 is now sleep";
    let story = Story::sent(held())
        .sees(5.0, held())
        .offers(Some(Signal::Kill))
        .escalates(6.0)
        .on(6.0, not_sent(changed))
        .sees(6.1, held())
        .says(Held, words)
        .offers(None);
    let rest = NextSteps::after(&story.machine).rest;
    assert_eq!(rest, [node()]);
}

#[test]
fn progress_names_what_is_awaited() {
    let story = Story::asked(held());
    story.progress(0.9, "sending SIGTERM to node 4242");
    let story = story.sends(0.0).sees(0.5, held());
    story.progress(0.9, "SIGTERM sent to node 4242 0.9 s ago; watching :3000");
    let [one, two] = [7003, 7004].map(|pid| process(pid, "node").parent(4242).build());
    for (left, words) in [
        (&[&one, &two][..], "2 others still hold :3000"),
        (&[&two], "node 7004 still holds :3000"),
    ] {
        let held_by = |owners: &[&_]| vec![socket("127.0.0.1:3000").owners(owners)];
        let node = node();
        let story = Story::sent(held_by(&[&node, &one, &two])).ended(&node);
        let words = format!("node 4242 ended 0.3 s after SIGTERM; {words}");
        story.sees(0.3, held_by(left)).progress(0.9, &words);
    }
    let story = story.ended(&node()).sees(0.6, vec![]);
    story.progress(0.9, "nothing holds :3000 anymore; trying to bind it");
}

#[test]
fn progress_counts_down_until_a_free_port_settles() {
    let story = Story::of_ended_node(0.6, vec![]).bound();
    for (at, words) in [(0.6, "2 s"), (1.5, "2 s"), (1.6, "1 s"), (9.0, "1 s")] {
        story.progress(at, &format!("Watching for {words} more…"));
    }
    let settle = Duration::from_millis(4500);
    let story = story.under(Timeouts {
        settle,
        ..Timeouts::default()
    });
    story.progress(0.6, "Watching for 5 s more…");
}

#[test]
fn postgres_is_offered_sigint_before_sigkill() {
    let main = process(812, "postgres").command("/usr/lib/postgresql/16/bin/postgres -D data");
    let main = main.build();
    let held = || vec![listener(&main)];
    let begins = ":3000 is STILL HELD: postgres 812 handles";
    let ends = "and is still shutting down";
    Story::sent(held())
        .signal_state(&main, SignalDisposition::Caught, None)
        .sees(5.0, held())
        .says(Held, &format!("{begins} SIGTERM {ends}"))
        .offers(Some(Signal::Interrupt))
        .escalates(6.0)
        .sends(6.0)
        .sees(11.0, held())
        .says(Held, &format!("{begins} SIGINT {ends}"))
        .offers(Some(Signal::Kill));
}

#[test]
fn a_postgres_worker_is_offered_sigkill_at_once() {
    let worker = process(815, "postgres").with(|process| {
        process.command = vec!["postgres: checkpointer".into()];
    });
    let worker = worker.build();
    let story = Story::sent(vec![listener(&worker)]).sees(5.0, vec![listener(&worker)]);
    story.offers(Some(Signal::Kill));
}

#[test]
fn timeouts_limit_the_wait_for_exit_and_the_watch_after_it() {
    let held_words = ":3000 is STILL HELD: node 4242 has not ended 1 s after SIGTERM";
    let free_words = ":3000 is free. node 4242 ended 1.5 s after SIGTERM.";
    Story::asked(held())
        .under(Timeouts {
            wait_for_exit: Duration::from_secs(1),
            settle: Duration::ZERO,
            settle_beside_target: Duration::ZERO,
            force_after: None,
        })
        .sends(0.0)
        .sees(0.9, held())
        .waits()
        .answered(false)
        .sees(1.0, held())
        .says(Held, held_words)
        .answered(true)
        .ended(&node())
        .sees(1.5, vec![])
        .bound()
        .says(Free, free_words)
        .answered(false)
        .sees(1.5, vec![])
        .answered(true)
        .settled(true);
}

#[test]
fn a_port_is_watched_longer_while_its_target_still_runs() {
    Story::asked(held())
        .under(Timeouts {
            settle: Duration::ZERO,
            ..Timeouts::default()
        })
        .sends(0.0)
        .sees(1.0, vec![])
        .bound()
        .sees(2.9, vec![])
        .answered(false)
        .sees(3.0, vec![])
        .answered(true);
}

#[test]
fn a_process_past_its_deadline_gets_sigkill_once_unasked() {
    let words = ":3000 is STILL HELD: node 4300 ended, node 4242 has not ended 5 s after SIGKILL";
    Story::asked(twins())
        .under(Timeouts {
            force_after: Some(Duration::from_secs(3)),
            ..Timeouts::default()
        })
        .sends(0.0)
        .ended(&other())
        .sees(2.9, first_twin())
        .waits()
        .sees(3.0, first_twin())
        .signals(Signal::Kill, &[node().id])
        .sends(3.0)
        .sees(7.9, first_twin())
        .waits()
        .sees(8.0, first_twin())
        .says(Held, words)
        .offers(None);
}
