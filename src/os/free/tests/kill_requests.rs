//! The executor on the real machine: which process gets which signal, and which gets none.

use super::plan;
use super::wording;
use crate::free::{
    Batch, ExecCommand, ExecEvent, FreeMachine, KillPlan, KillRequest, SendOutcome,
    SignalDisposition, TargetSet, Timeouts,
};
use crate::model::process::{Pid, Process, ProcessId, ProcessTree, Signal, Supervisor};
use crate::model::socket::{Owners, Socket};
use crate::os::free::signal_state::signal_state;
use crate::os::free::{Executor, ProbeBackend};
use crate::os::testing::confined::{
    end, enter_namespace, is_confined, process_id, sleep_in_the_place_of, sleep_on,
};
use crate::os::testing::requirements::skipped;
use crate::os::testing::{SocketHolder, shell, until};
use rustix::process::{Signal as Sent, kill_process};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn executor() -> Executor {
    Executor::new(ProbeBackend::of_system(None)).expect("a descriptor")
}

/// A listener, and where it is.
fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let local = listener.local_addr().expect("an address");
    (listener, local)
}

/// Returns the socket that listens there, once exactly these processes own it.
fn socket_of(local: SocketAddr, owners: &[Pid]) -> Socket {
    let mut backend = ProbeBackend::of_system(None);
    until("the socket with its owners", || {
        let seen = (backend.read_sockets)(&[local.port()]).sockets;
        let socket = seen.into_iter().find(|socket| socket.local == local)?;
        let mut pids: Vec<Pid> = { socket.owners.known().iter() }
            .map(|owner| owner.pid())
            .collect();
        pids.sort_unstable();
        (pids == owners).then_some(socket)
    })
}

fn describe(pid: Pid) -> Arc<Process> {
    (ProbeBackend::of_system(None).describe)(pid).expect("it runs")
}

fn confirmed(socket: Socket, signal: Signal) -> KillRequest {
    plan(socket).confirm(TargetSet::Topmost, signal, Instant::now())
}

/// Sends requests in one command and returns their outcomes.
fn sent(executor: &mut Executor, requests: Vec<KillRequest>) -> Vec<SendOutcome> {
    let happenings = executor.perform(ExecCommand::Send(requests)).into_iter();
    let sendings = happenings.map(|event| match event {
        ExecEvent::SignalsSent(dispatch) => dispatch.sending,
        other => panic!("an answer to what was sent: {other:?}"),
    });
    sendings.collect()
}

/// Returns the sentence on why nothing was sent.
fn signal_error(sendings: &[SendOutcome]) -> String {
    match sendings {
        [SendOutcome::NotSent(error)] => wording::signal_error(error),
        other => panic!("nothing is to be sent: {other:?}"),
    }
}

/// Handles events until the condition holds, and returns the verdict's sentence.
fn run_until(
    request: KillRequest,
    timeouts: Timeouts,
    is_there: impl Fn(&FreeMachine) -> bool,
) -> String {
    let mut executor = executor();
    let (mut batch, mut commands) = Batch::begin(vec![request], timeouts);
    until("the verdict", || {
        for command in std::mem::take(&mut commands) {
            for event in executor.perform(command) {
                commands.extend(batch.on(event));
            }
        }
        let freeing = batch.machines().first()?;
        if is_there(freeing) {
            return freeing.verdict().map(wording::verdict);
        }
        if commands.is_empty() {
            executor.wait();
            for event in executor.poll() {
                commands.extend(batch.on(event));
            }
        }
        None
    })
}

fn signal(pid: Pid, signal: Sent) {
    let pid = i32::try_from(pid.0).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    kill_process(pid.expect("a pid"), signal).expect("it may be signalled");
}

/// Returns the state letter (proc_pid_stat(5)).
fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.chars().next()
}

fn wait_for_sleep(pid: Pid) {
    until("a sleep", || {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name == "sleep\n").then_some(())
    });
}

/// Whether it runs and is not suspended.
fn is_running(pid: Pid) -> bool {
    state(pid).is_some_and(|letter| !"TZX".contains(letter))
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
        end(&mut self.child);
    }
}

#[test]
fn an_owner_of_two_ports_gets_one_signal_for_both() {
    let mut logger = SignalLogger::new();
    let pid = logger.pid();
    let sockets = logger.locals.map(|local| socket_of(local, &[pid]));
    let requests = sockets.map(|socket| confirmed(socket, Signal::Terminate));
    let sendings = sent(&mut executor(), requests.to_vec());
    let are_sent = sendings
        .iter()
        .all(|one| matches!(one, SendOutcome::Sent { .. }));
    assert!(are_sent && sendings.len() == 2, "{sendings:?}");
    assert_eq!(logger.line(), "TERM");
    // A second SIGTERM would have been handled before this.
    signal(pid, Sent::USR1);
    assert_eq!(logger.line(), "USR1");
}

#[test]
fn a_process_that_catches_sighup_is_reported_as_such() {
    let conduct = signal_state(Pid(std::process::id()), Signal::HangUp);
    if conduct.is_some_and(|state| state.disposition == SignalDisposition::Ignored) {
        // A shell cannot trap a signal that was ignored when it started (POSIX, trap).
        skipped("SIGHUP was ignored when the test started");
        return;
    }
    let logger = SignalLogger::new();
    let pid = logger.pid();
    let [local, _] = logger.locals;
    let request = confirmed(socket_of(local, &[pid]), Signal::HangUp);
    let timeouts = Timeouts {
        wait_for_exit: Duration::from_millis(200),
        ..Timeouts::default()
    };
    let said = run_until(request, timeouts, |freeing| freeing.verdict().is_some());
    let expected = format!(
        ":{} is STILL HELD: sh {pid} handles SIGHUP, which may not end it",
        local.port()
    );
    assert_eq!(said, expected);
}

#[test]
fn sigkill_follows_an_ignored_sigterm_if_confirmed() {
    let (listener, local) = listener();
    let held = shell(listener, "trap '' TERM; exec sleep 60", 0);
    wait_for_sleep(held.pid());
    let request = confirmed(socket_of(local, &[held.pid()]), Signal::Terminate);
    let timeouts = Timeouts {
        force_after: Some(Duration::from_millis(200)),
        settle: Duration::from_millis(300),
        ..Timeouts::default()
    };
    let said = run_until(request, timeouts, FreeMachine::is_settled);
    let begins = format!(":{} is free. sleep {} ended ", local.port(), held.pid());
    assert!(
        said.starts_with(&begins) && said.ends_with("after SIGKILL."),
        "{said}"
    );
}

#[test]
fn sigcont_resumes_a_suspended_process() {
    let (listener, local) = listener();
    let held = shell(listener, "exec sleep 60", 0);
    let pid = held.pid();
    wait_for_sleep(pid);
    let request = confirmed(socket_of(local, &[pid]), Signal::Continue);
    signal(pid, Sent::STOP);
    until("a stopped process", || {
        (state(pid) == Some('T')).then_some(())
    });
    let said = run_until(request, Timeouts::default(), |one| one.verdict().is_some());
    let begins = format!(":{} is STILL HELD: ", local.port());
    let ends = format!(" {pid} keeps running after SIGCONT");
    assert!(said.starts_with(&begins) && said.ends_with(&ends), "{said}");
    assert!(is_running(pid));
}

/// A process without sockets, and its child that holds a listener.
struct ParentAndChild {
    parent: SocketHolder,
    local: SocketAddr,
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
        Self { parent, local }
    }

    fn child(&self) -> Pid {
        self.parent.others()[0]
    }

    /// Plans to free the port, with the owner's parent and group.
    fn plan(&self) -> KillPlan {
        let mut plan = plan(socket_of(self.local, &[self.child()]));
        let [child, parent] = [self.child(), self.parent.pid()].map(describe);
        plan.add_trees(&[ProcessTree {
            process: child.id,
            ancestors: vec![Arc::clone(&parent)],
            descendants: Vec::new(),
            process_state: None,
            group: vec![parent, child],
            restrictions: Vec::new(),
            supervisor: Supervisor::default(),
        }]);
        plan
    }

    fn parent_id(&self) -> ProcessId {
        describe(self.parent.pid()).id
    }

    /// Ends the owner, which its parent does not reap.
    fn end_child(&self) {
        signal(self.child(), Sent::KILL);
        until("the end", || {
            (state(self.child()) == Some('Z')).then_some(())
        });
    }
}

#[test]
fn a_parent_is_signalled_only_while_its_child_owns_the_port() {
    let mut family = ParentAndChild::new();
    let targets = TargetSet::Parent(family.parent_id());
    let request = family
        .plan()
        .confirm(targets, Signal::Terminate, Instant::now());
    let sendings = sent(&mut executor(), vec![request]);
    assert!(
        matches!(sendings.as_slice(), [SendOutcome::Sent { .. }]),
        "{sendings:?}"
    );
    family.parent.wait();
    assert!(is_running(family.child()), "its child lives on");
}

#[test]
fn a_parent_is_not_signalled_once_its_child_has_exited() {
    let family = ParentAndChild::new();
    let targets = TargetSet::Parent(family.parent_id());
    let plan = family.plan();
    let request = plan.confirm(targets, Signal::Terminate, Instant::now());
    let mut executor = executor();
    executor.open_handles(&plan.process_ids());
    family.end_child();
    let why = signal_error(&sent(&mut executor, vec![request]));
    assert_eq!(
        why,
        format!(
            "sleep {} no longer holds the socket that was shown",
            family.child()
        )
    );
    assert!(is_running(family.parent.pid()));
}

#[test]
fn a_group_is_not_signalled_once_its_owner_has_exited() {
    let family = ParentAndChild::new();
    let plan = family.plan();
    let request = plan.confirm(TargetSet::Group, Signal::Terminate, Instant::now());
    assert_eq!(request.targets().len(), 2);
    let mut executor = executor();
    executor.open_handles(&plan.process_ids());
    family.end_child();
    let why = signal_error(&sent(&mut executor, vec![request]));
    assert_eq!(why, format!("sleep {} has already exited", family.child()));
    assert!(is_running(family.parent.pid()));
}

#[test]
fn a_reused_pid_with_the_same_socket_is_not_signalled() {
    enter_namespace("os::free::tests::kill_requests::in_a_namespace");
}

#[test]
#[ignore = "runs in a process that another test starts"]
fn in_a_namespace() {
    if !is_confined() {
        return;
    }
    let (listener, local) = listener();
    let mut victim = sleep_on(listener.try_clone().expect("a copy"));
    let before = process_id(&victim);
    let mut socket = socket_of(local, &[Pid(std::process::id()), before.pid]);
    // The test holds it too, but is no target.
    socket.owners = Owners::Known([describe(before.pid)].into());
    let request = confirmed(socket, Signal::Kill);
    for is_held in [true, false] {
        let mut executor = executor();
        if is_held {
            executor.open_handles(&[before]);
        }
        end(&mut victim);
        let mut successor = sleep_in_the_place_of(before, &listener);
        let why = signal_error(&sent(&mut executor, vec![request.clone()]));
        let expected = format!(
            "sleep {0} has exited, and pid {0} is now another process",
            before.pid
        );
        assert_eq!(why, expected, "{is_held}");
        assert!(is_running(before.pid));
        end(&mut successor);
        if is_held {
            victim = sleep_on(listener.try_clone().expect("a copy"));
        }
    }
}
