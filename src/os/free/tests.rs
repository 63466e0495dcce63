//! Real child processes with real ports, from the row to the verdict.
#![cfg(target_os = "linux")]

mod candidates;
mod kill_requests;

use super::port_watch::PortWatch;
use super::process_handle::HandleError;
use super::target_handle::TargetHandle;
use super::*;
use crate::free::{
    Batch, ExecResult, FreeContext, FreeMachine, KillPlan, KillRequest, PortSnapshot, SignalError,
    TargetSet, Timeouts, plan_row,
};
use crate::model::process::{Manager, Pid, Process, ProcessState, Signal, Unit};
use crate::model::snapshot::{Problem, Snapshot};
use crate::model::socket::{Endpoint, Family, Protocol, Relation, Since, Socket, SocketRole};
use crate::model::testing::{environment, moment, snapshot};
use crate::os::testing::{SocketHolder, shell, until};
use crate::wording;
use rustix::process::{Signal as Sent, kill_process};
use signal_state::signal_state;
use std::collections::HashMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::iter;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Longer than any test takes; only a failing one reaches it.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Waits that are long enough to see what is tested.
const SHORT: Timeouts = Timeouts {
    wait_for_exit: Duration::from_millis(200),
    settle: Duration::from_millis(300),
    settle_beside_target: Duration::from_millis(300),
    force_after: None,
};

/// A listener on a port that no socket gets without asking for it: nothing else takes it once it is free.
fn listener() -> (TcpListener, SocketAddr) {
    let random =
        || 20_000 + u16::try_from(RandomState::new().hash_one(()) % 10_000).expect("small");
    let listener = iter::repeat_with(random)
        .take(1000)
        .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok())
        .expect("an unused port");
    let local = listener.local_addr().expect("an address");
    (listener, local)
}

/// A `sleep` that holds a listener.
struct Sleeper {
    holder: SocketHolder,
    socket: Socket,
}

impl Sleeper {
    /// sh runs `script` before it execs the sleep.
    fn new(script: &str) -> Self {
        let (listener, local) = listener();
        let holder = shell(listener, &format!("{script} exec sleep 60"), 0);
        wait_for_sleep(holder.pid());
        let socket = socket_of(local, &[holder.pid()]);
        Self { holder, socket }
    }

    fn pid(&self) -> Pid {
        self.holder.pid()
    }

    fn port(&self) -> u16 {
        self.socket.port()
    }

    fn suspend(&self) {
        signal(self.pid(), Sent::STOP);
        wait_until_suspended(self.pid());
    }
}

fn wait_until_suspended(pid: Pid) {
    until("a suspended process", || {
        let state = signal_state(pid, Signal::Terminate)?.process_state;
        (state == Some(ProcessState::Suspended)).then_some(())
    });
}

fn wait_for_sleep(pid: Pid) {
    until("a sleep", || {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (name == "sleep\n").then_some(())
    });
}

fn signal(pid: Pid, signal: Sent) {
    let pid = i32::try_from(pid.0).ok();
    let pid = pid.and_then(rustix::process::Pid::from_raw);
    kill_process(pid.expect("a pid"), signal).expect("it may be signaled");
}

/// Returns the state letter (proc_pid_stat(5)).
fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.chars().next()
}

/// True if it is running and not suspended.
fn is_running(pid: Pid) -> bool {
    state(pid).is_some_and(|letter| !"TZX".contains(letter))
}

/// Returns the socket that listens there, once exactly these processes own it.
fn socket_of(local: SocketAddr, owners: &[Pid]) -> Socket {
    let mut read = (ProbeBackend::of_system(None).open_reader)(&[local.port()]);
    until("the socket with its owners", || {
        let seen = read().sockets;
        let socket = seen.into_iter().find(|socket| socket.local == local)?;
        let known = socket.owners.known().iter();
        let mut pids: Vec<Pid> = known.map(|owner| owner.pid()).collect();
        pids.sort_unstable();
        (pids == owners).then_some(socket)
    })
}

fn describe(pid: Pid) -> Arc<Process> {
    (ProbeBackend::of_system(None).describe)(pid).expect("it is running")
}

fn plan(socket: Socket) -> KillPlan {
    let row = Endpoint {
        since: Since::Initial(Instant::now()),
        state_since: Instant::now(),
        relation: Relation {
            role: SocketRole::Unconnected,
            is_local: true,
            peer: None,
            shares_port: false,
        },
        socket,
    };
    let context = FreeContext::new(environment(|it| it.uid = None), moment(0.0));
    plan_row(&row, &[], &context).expect("a plan")
}

fn confirmed(socket: Socket, signal: Signal) -> KillRequest {
    plan(socket).confirm(TargetSet::Topmost, signal, Instant::now())
}

fn executor() -> Executor {
    Executor::new(ProbeBackend::of_system(None)).expect("a descriptor")
}

/// A request that an executor of this thread performs.
struct Freeing {
    executor: Executor,
    batch: Batch,
    commands: Vec<ExecCommand>,
}

impl Freeing {
    fn begin(request: KillRequest, timeouts: Timeouts) -> Self {
        let (batch, commands) = Batch::begin(vec![request], timeouts);
        Self {
            executor: executor(),
            batch,
            commands,
        }
    }

    /// Handles events until the condition holds, and returns the verdict's sentence.
    fn until(&mut self, is_there: impl Fn(&FreeMachine) -> bool) -> String {
        until("the verdict", || {
            for command in std::mem::take(&mut self.commands) {
                for event in self.executor.perform(command) {
                    self.commands.extend(self.batch.on(event));
                }
            }
            let machine = &self.batch.machines()[0];
            if is_there(machine) {
                return machine.verdict().map(wording::verdict);
            }
            if self.commands.is_empty() {
                self.executor.wait();
                for event in self.executor.poll() {
                    self.commands.extend(self.batch.on(event));
                }
            }
            None
        })
    }
}

fn has_verdict(machine: &FreeMachine) -> bool {
    machine.verdict().is_some()
}

/// Asserts that a sentence begins and ends like this; between them is how long it took.
#[track_caller]
fn assert_ends(sentence: &str, begins: &str, ends: &str) {
    let is_it = sentence.starts_with(begins) && sentence.ends_with(ends);
    assert!(is_it, "{sentence}");
}

/// The worker's thread performs what the state machine asks for.
async fn run_worker(socket: Socket) -> String {
    let (sender, mut results): (_, UnboundedReceiver<ExecEvent>) = unbounded_channel();
    let worker = FreeWorker::start(sender, || ProbeBackend::of_system(None)).expect("a thread");
    let plan = plan(socket);
    worker.send(WorkerCommand::OpenHandles(plan.process_ids()));
    let request = plan.confirm(TargetSet::Topmost, Signal::Terminate, Instant::now());
    let (mut batch, mut commands) = Batch::begin(vec![request], SHORT);
    while !batch.is_settled() {
        for command in commands {
            worker.send(WorkerCommand::Perform(command));
        }
        let event = timeout(TIMEOUT, results.recv()).await;
        commands = batch.on(event.expect("in time").expect("an event"));
    }
    wording::verdict(batch.machines()[0].verdict().expect("a verdict"))
}

#[tokio::test]
async fn only_the_target_is_signaled_and_its_port_is_freed() {
    let (held, bystander) = (Sleeper::new(""), Sleeper::new(""));
    let said = run_worker(held.socket.clone()).await;
    let begins = format!(":{} is free. sleep {} ended ", held.port(), held.pid());
    assert_ends(&said, &begins, " after SIGTERM.");
    assert!(is_running(bystander.pid()));
}

#[test]
fn a_process_that_ignores_sigterm_is_reported_then_killed() {
    let held = Sleeper::new("trap '' TERM;");
    let request = confirmed(held.socket.clone(), Signal::Terminate);
    let mut freeing = Freeing::begin(request, SHORT);
    let said = freeing.until(|machine| machine.offer().is_some());
    let (port, pid) = (held.port(), held.pid());
    let expected = format!(":{port} is STILL HELD: sleep {pid} ignores SIGTERM");
    assert_eq!(said, expected);
    assert!(is_running(pid));

    freeing.commands = freeing.batch.escalate(Instant::now());
    let said = freeing.until(FreeMachine::is_settled);
    let begins = format!(":{port} is free. sleep {pid} ended ");
    assert_ends(&said, &begins, " after SIGKILL.");
}

#[test]
fn sigkill_follows_an_ignored_sigterm_if_confirmed() {
    let held = Sleeper::new("trap '' TERM;");
    let timeouts = Timeouts {
        force_after: Some(Duration::from_millis(200)),
        ..SHORT
    };
    let request = confirmed(held.socket.clone(), Signal::Terminate);
    let said = Freeing::begin(request, timeouts).until(FreeMachine::is_settled);
    let begins = format!(":{} is free. sleep {} ended ", held.port(), held.pid());
    assert_ends(&said, &begins, " after SIGKILL.");
}

#[test]
fn a_suspended_process_is_resumed_to_handle_the_signal() {
    let held = Sleeper::new("");
    held.suspend();
    let request = confirmed(held.socket.clone(), Signal::Terminate);
    let said = Freeing::begin(request, Timeouts::default()).until(has_verdict);
    let pid = held.pid();
    let ends = format!(" sleep {pid} was suspended, so SIGCONT was sent too.");
    assert_ends(&said, &format!(":{} is free.", held.port()), &ends);
}

#[test]
fn sigcont_resumes_a_suspended_process() {
    let held = Sleeper::new("");
    held.suspend();
    let request = confirmed(held.socket.clone(), Signal::Continue);
    let said = Freeing::begin(request, SHORT).until(has_verdict);
    let (port, pid) = (held.port(), held.pid());
    let expected = format!(":{port} is STILL HELD: sleep {pid} keeps running after SIGCONT");
    assert_eq!(said, expected);
    assert!(is_running(pid));
}

/// A poll that could not read a table.
fn unread() -> Snapshot {
    let mut unread = snapshot(0.0, Vec::new());
    unread.problems.push(Problem {
        protocol: Protocol::Tcp,
        family: Family::Ipv4,
        reason: "out of memory".to_owned(),
    });
    unread
}

#[test]
fn an_unreadable_table_is_not_an_empty_one() {
    let held = Sleeper::new("");
    let request = confirmed(held.socket.clone(), Signal::Terminate);
    let unread = unread();
    let mut backend = ProbeBackend::of_system(None);
    let mut watch = PortWatch::new(request.clone(), Vec::new());
    let seen = watch.observe(&unread, &mut backend).expect("a report");
    let expected = (Vec::new(), unread.problems.clone());
    assert_eq!((seen.sockets, seen.problems), expected);
    let id = request.targets()[0].id();
    let handles = HashMap::from([(id, TargetHandle::open(id, backend.process_id))]);
    assert_eq!(
        checks::check_targets(&request, &handles, &unread, &[], |_, _| false),
        Err(SignalError::TablesUnread(unread.problems[0].clone()))
    );
}

#[test]
fn the_unit_of_an_owner_is_known_after_its_exit() {
    let mut held = Sleeper::new("");
    let mut executor = Executor::new(ProbeBackend {
        unit: |process| {
            let unit = Unit::new("shop.service".into(), Manager::System);
            is_running(process.pid()).then_some(unit)
        },
        ..ProbeBackend::of_system(None)
    })
    .expect("a descriptor");
    let request = confirmed(held.socket.clone(), Signal::Terminate);
    let (id, owner) = (request.id(), request.targets()[0].id());
    executor.perform(ExecCommand::Send(vec![request]));
    held.holder.wait();
    executor.perform(ExecCommand::Watch(id));
    let events = executor.poll();
    let units = events.iter().filter_map(|event| match &event.result {
        ExecResult::Polled(seen) => Some(&seen.units),
        _ => None,
    });
    let unit = Unit::new("shop.service".into(), Manager::System);
    assert_eq!(units.collect::<Vec<_>>(), [&vec![(owner, unit)]]);
}

#[test]
fn only_its_handle_tells_that_a_process_has_ended() {
    let child = Sleeper::new("");
    let id = describe(child.pid()).id;
    let handle = TargetHandle::open(id, |_| None);
    let unread = Err(HandleError::Failed("it could not be read".to_owned()));
    assert_eq!((handle.check(), handle.has_ended()), (unread, false));
    let handle = TargetHandle::open(id, ProbeBackend::of_system(None).process_id);
    assert_eq!(handle.check(), Ok(()));
    signal(child.pid(), Sent::KILL);
    until("its end", || handle.has_ended().then_some(()));
    assert_eq!(handle.check(), Err(HandleError::Ended));
}
