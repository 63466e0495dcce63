//! Which process gets which signal, and which gets none.

use super::{
    Batch, Freeing, PortSnapshot, ProbeBackend, SHORT, Sleeper, confirmed, describe, executor,
    has_verdict, is_running, listener, plan, signal, socket_of, state, unread, wait_for_sleep,
    wait_until_suspended,
};
use crate::free::testing::event;
use crate::free::{
    ExecCommand, ExecResult, KillPlan, KillRequest, Protected, SendOutcome, SignalDisposition,
    SignalError, TargetSet, Timeouts,
};
use crate::model::process::{Pid, Process, ProcessTree, Signal, StartTime};
use crate::model::socket::{EndpointId, Owners, Protocol, Socket};
use crate::model::testing::process_tree;
use crate::os::free::Executor;
use crate::os::free::signal_state::signal_state;
use crate::os::testing::confined::{enter_namespace, is_confined, sleep_in_the_place_of};
use crate::os::testing::requirements::skipped;
use crate::os::testing::{SocketHolder, shell, sleeper, until};
use rustix::process::Signal as Sent;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sends requests in one command and returns their outcomes.
fn sent(executor: &mut Executor, requests: Vec<KillRequest>) -> Vec<SendOutcome> {
    let events = executor.perform(ExecCommand::Send(requests)).into_iter();
    let outcomes = events.map(|event| match event.result {
        ExecResult::SignalsSent(outcome) => outcome,
        other => panic!("an answer to what was sent: {other:?}"),
    });
    outcomes.collect()
}

/// Returns why nothing is sent for a request.
#[track_caller]
fn signal_error(executor: &mut Executor, request: KillRequest) -> SignalError {
    match sent(executor, vec![request]).as_slice() {
        [SendOutcome::NotSent(error)] => error.clone(),
        other => panic!("nothing is to be sent: {other:?}"),
    }
}

fn are_sent(outcomes: &[SendOutcome]) -> Vec<bool> {
    let outcomes = outcomes.iter();
    let missed = outcomes.map(|outcome| match outcome {
        SendOutcome::Sent { missed, .. } => missed.is_empty(),
        SendOutcome::NotSent(_) => false,
    });
    missed.collect()
}

fn owned_by(socket: &Socket, owner: &Arc<Process>) -> Socket {
    Socket {
        owners: Owners::Known([Arc::clone(owner)].into()),
        ..socket.clone()
    }
}

#[test]
fn a_reused_pid_is_not_signaled() {
    let held = Sleeper::new("");
    let mut stale = Process::clone(&describe(held.pid()));
    stale.id.start = StartTime(stale.id.start.0 - 1);
    let stale = Arc::new(stale);
    let request = confirmed(owned_by(&held.socket, &stale), Signal::Terminate);
    let error = signal_error(&mut executor(), request);
    assert_eq!(error, SignalError::PidReused(stale));
    assert!(is_running(held.pid()));
}

/// Both keep pid, start time and socket.
#[test]
fn a_target_that_executed_another_program_is_not_signaled() {
    for (script, now) in [
        ("exec sleep 60", "sleep"),
        // What it runs outlives it, but only for a second.
        ("exec sh -c 'while :; do sleep 1; done'", "sh"),
    ] {
        let (listener, local) = listener();
        let held = shell(listener, &format!("kill -STOP $$; {script}"), 0);
        wait_until_suspended(held.pid());
        let before = describe(held.pid());
        let socket = socket_of(local, &[held.pid()]);
        let request = confirmed(socket.clone(), Signal::Terminate);
        signal(held.pid(), Sent::CONT);
        let after = until("its exec", || {
            let describe = || (ProbeBackend::of_system(None).describe)(held.pid());
            let now = describe()?;
            let has_arguments = !now.command.is_empty() && now.command != before.command;
            // The kernel sets the addresses of a program after its arguments, and it sleeps only once both are there.
            let has_execed = has_arguments && state(held.pid()) == Some('S');
            has_execed.then(describe).flatten()
        });
        let error = signal_error(&mut executor(), request);
        let SignalError::ProgramChanged(was, is) = error else {
            panic!("{error:?}")
        };
        assert_eq!((was, is.exec), (before, after.exec));
        assert_eq!(is.name, now.into());
        assert!(is_running(held.pid()));
        // Asked about again, it is what it is now.
        let request = confirmed(owned_by(&socket, &after), Signal::Kill);
        assert_eq!(are_sent(&sent(&mut executor(), vec![request])), [true]);
    }
}

#[test]
fn a_target_that_has_exited_is_reported_as_such() {
    let mut held = Sleeper::new("");
    let process = describe(held.pid());
    held.holder.end();
    let request = confirmed(held.socket.clone(), Signal::Terminate);
    let error = signal_error(&mut executor(), request);
    assert_eq!(error, SignalError::AlreadyExited(process));
}

#[test]
fn a_process_that_owns_a_different_socket_is_not_signaled() {
    let held = Sleeper::new("");
    let other = Socket {
        id: EndpointId::Unconnected {
            interface: 0,
            protocol: Protocol::Tcp,
            local: held.socket.local,
            owner_hint: None,
            ordinal: 0,
        },
        ..held.socket.clone()
    };
    let request = confirmed(other, Signal::Terminate);
    let error = signal_error(&mut executor(), request);
    assert_eq!(error, SignalError::NotAnOwner(describe(held.pid())));
    assert!(is_running(held.pid()));
}

#[test]
fn portmon_itself_is_always_protected() {
    let (listening, local) = listener();
    // Sockets that only portmon has are never listed.
    let other = sleeper(listening.try_clone().expect("a copy"));
    let own = describe(Pid(std::process::id()));
    let mut owners = [own.pid(), other.pid()];
    owners.sort_unstable();
    let socket = owned_by(&socket_of(local, &owners), &own);
    let error = signal_error(&mut executor(), confirmed(socket, Signal::Terminate));
    assert_eq!(error, SignalError::Protected(own, Protected::SelfPid));
}

/// A shell that holds two listeners and writes a line for each SIGTERM and SIGUSR1; it ignores SIGHUP.
struct SignalLogger {
    child: Child,
    lines: BufReader<UnixStream>,
    locals: [SocketAddr; 2],
}

impl SignalLogger {
    fn new() -> Self {
        let ((one, first), (other, second)) = (listener(), listener());
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        ours.set_read_timeout(Some(super::TIMEOUT))
            .expect("a timeout");
        // A signal or the end of this test ends the read.
        let script =
            "trap 'echo TERM >&0' TERM; trap : HUP; trap 'echo USR1 >&0' USR1; echo ready >&0
            for time in 1 2 3 4 5; do read -r line; done";
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(OwnedFd::from(theirs))
            .stdout(OwnedFd::from(one))
            .stderr(OwnedFd::from(other))
            .spawn()
            .expect("sh runs");
        let mut logger = Self {
            child,
            lines: BufReader::new(ours),
            locals: [first, second],
        };
        assert_eq!(logger.line(), "ready");
        logger
    }

    fn pid(&self) -> Pid {
        Pid(self.child.id())
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }
}

impl Drop for SignalLogger {
    fn drop(&mut self) {
        self.child.kill().expect("it may be killed");
        self.child.wait().expect("it ends");
    }
}

#[test]
fn an_owner_of_two_ports_gets_one_signal_for_both() {
    let mut logger = SignalLogger::new();
    let pid = logger.pid();
    let sockets = logger.locals.map(|local| socket_of(local, &[pid]));
    let requests = sockets.map(|socket| confirmed(socket, Signal::Terminate));
    let outcomes = sent(&mut executor(), requests.to_vec());
    assert_eq!(are_sent(&outcomes), [true, true], "{outcomes:?}");
    assert_eq!(logger.line(), "TERM");
    // A second SIGTERM would have been handled before this.
    signal(pid, Sent::USR1);
    assert_eq!(logger.line(), "USR1");
}

#[test]
fn a_process_that_catches_sighup_is_reported_as_such() {
    let own = signal_state(Pid(std::process::id()), Signal::HangUp);
    if own.is_some_and(|state| state.disposition == SignalDisposition::Ignored) {
        // A shell cannot trap a signal that was ignored when it started (POSIX, trap).
        skipped("SIGHUP was ignored when the test started");
        return;
    }
    let logger = SignalLogger::new();
    let (pid, [local, _]) = (logger.pid(), logger.locals);
    let request = confirmed(socket_of(local, &[pid]), Signal::HangUp);
    let said = Freeing::begin(request, SHORT).until(has_verdict);
    let port = local.port();
    let expected = format!(":{port} is STILL HELD: sh {pid} handles SIGHUP, which may not end it");
    assert_eq!(said, expected);
}

/// A process without sockets, and its child that holds a listener.
struct ParentAndChild {
    parent: SocketHolder,
    plan: KillPlan,
}

impl ParentAndChild {
    fn new() -> Self {
        let (listener, local) = listener();
        let script = "sleep 60 & echo $!; exec 3<&- </dev/null sleep 60";
        let parent = shell(listener, script, 1);
        // Until both have execed sleep.
        for pid in parent.all() {
            wait_for_sleep(pid);
        }
        let child = parent.others()[0];
        let mut plan = plan(socket_of(local, &[child]));
        let [child, above] = [child, parent.pid()].map(describe);
        plan.add_trees(&[ProcessTree {
            ancestors: vec![Arc::clone(&above)],
            group: vec![above, child.clone()],
            ..process_tree(child.id)
        }]);
        Self { parent, plan }
    }

    fn child(&self) -> Pid {
        self.parent.others()[0]
    }

    fn confirm(&self, targets: TargetSet) -> KillRequest {
        self.plan
            .confirm(targets, Signal::Terminate, Instant::now())
    }

    fn confirm_parent(&self) -> KillRequest {
        let parent = describe(self.parent.pid());
        self.confirm(TargetSet::WithAncestors(parent.id))
    }

    /// Ends the owner, which its parent does not reap, while its handle is open; returns why nothing is sent then.
    fn error_after_exit(&self, request: KillRequest) -> SignalError {
        let mut executor = executor();
        executor.open_handles(&self.plan.process_ids());
        signal(self.child(), Sent::KILL);
        until("the end", || {
            (state(self.child()) == Some('Z')).then_some(())
        });
        signal_error(&mut executor, request)
    }
}

#[test]
fn a_parent_and_its_child_are_signaled_together() {
    let mut family = ParentAndChild::new();
    let child = family.child();
    let outcomes = sent(&mut executor(), vec![family.confirm_parent()]);
    assert_eq!(are_sent(&outcomes), [true], "{outcomes:?}");
    family.parent.wait();
    until("the end", || (!is_running(child)).then_some(()));
}

#[test]
fn a_parent_is_not_signaled_once_its_child_has_exited() {
    let family = ParentAndChild::new();
    let child = Arc::clone(&family.plan.owners[0].process);
    let error = family.error_after_exit(family.confirm_parent());
    assert_eq!(error, SignalError::AlreadyExited(child));
    assert!(is_running(family.parent.pid()));
}

#[test]
fn a_group_is_not_signaled_once_its_owner_has_exited() {
    let family = ParentAndChild::new();
    let child = Arc::clone(&family.plan.owners[0].process);
    let request = family.confirm(TargetSet::Group);
    assert_eq!(request.targets().len(), 2);
    let error = family.error_after_exit(request);
    assert_eq!(error, SignalError::AlreadyExited(child));
    assert!(is_running(family.parent.pid()));
}

/// Returns the request that sends SIGKILL after this one, which has ended nothing.
fn repeat(request: KillRequest) -> KillRequest {
    let (id, sockets) = (request.id(), request.sockets().to_vec());
    let timeouts = Timeouts {
        wait_for_exit: Duration::ZERO,
        ..SHORT
    };
    let (mut batch, _) = Batch::begin(vec![request], timeouts);
    let poll = ExecResult::Polled(PortSnapshot {
        sockets,
        ..PortSnapshot::default()
    });
    for result in [crate::free::testing::sent(Vec::new()), poll] {
        batch.on(event(id, 0.0, result));
    }
    match batch.escalate(Instant::now()).as_slice() {
        [ExecCommand::Send(requests)] => requests[0].clone(),
        other => panic!("nothing is repeated: {other:?}"),
    }
}

/// Asserts that the process has got no other signal by ending it with one. Not with SIGINT: a job in the background of a
/// shell ignores that, and so do its children.
#[track_caller]
fn assert_unsignaled(holder: &mut SocketHolder) {
    signal(holder.pid(), Sent::ALARM);
    assert_eq!(holder.wait().signal(), Some(Sent::ALARM.as_raw()));
}

/// The SIGKILL was once sent, and reported as not sent.
#[test]
fn nothing_is_repeated_while_the_tables_are_unreadable() {
    let mut held = Sleeper::new("trap '' TERM;");
    let request = repeat(confirmed(held.socket.clone(), Signal::Terminate));
    let unread = unread();
    let problem = unread.problems[0].clone();
    let mut executor = Executor::new(ProbeBackend {
        open_reader: Box::new(move |_| {
            let unread = unread.clone();
            Box::new(move || unread.clone())
        }),
        ..ProbeBackend::of_system(None)
    })
    .expect("a descriptor");
    let error = signal_error(&mut executor, request);
    assert_eq!(error, SignalError::TablesUnread(problem));
    assert_unsignaled(&mut held.holder);
}

/// The error names the child, and the parent was once taken for one that had passed its check.
#[test]
fn no_repeat_is_sent_to_a_parent_whose_child_has_exited() {
    let mut family = ParentAndChild::new();
    let child = Arc::clone(&family.plan.owners[0].process);
    let error = family.error_after_exit(repeat(family.confirm_parent()));
    assert_eq!(error, SignalError::AlreadyExited(child));
    assert_unsignaled(&mut family.parent);
}

#[test]
fn a_reused_pid_with_the_same_socket_is_not_signaled() {
    enter_namespace(in_a_namespace);
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn in_a_namespace() {
    if !is_confined() {
        return;
    }
    let (listener, local) = listener();
    let mut victim = sleeper(listener.try_clone().expect("a copy"));
    let before = victim.process_id();
    let socket = socket_of(local, &[Pid(std::process::id()), before.pid]);
    // The test holds it too, but is no target.
    let process = describe(before.pid);
    let request = confirmed(owned_by(&socket, &process), Signal::Kill);
    for is_held in [true, false] {
        let mut executor = executor();
        if is_held {
            executor.open_handles(&[before]);
        }
        victim.end();
        let mut successor = sleep_in_the_place_of(before, &listener);
        let error = signal_error(&mut executor, request.clone());
        assert_eq!(
            error,
            SignalError::PidReused(Arc::clone(&process)),
            "{is_held}"
        );
        assert!(is_running(before.pid));
        successor.end();
        if is_held {
            victim = sleeper(listener.try_clone().expect("a copy"));
        }
    }
}
