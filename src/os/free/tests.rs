//! Real child processes with real ports, from the row to the verdict.
#![cfg(target_os = "linux")]

mod kill_requests;

use super::port_watch::PortWatch;
use super::target_handle::TargetHandle;
use super::*;
use crate::free::{
    Batch, FreeContext, FreeMachine, KillPlan, SignalError, TargetSet, Timeouts, plan_row,
};
use crate::model::process::{Manager, Pid, Process, Signal, StartTime, Unit};
use crate::model::socket::{
    Endpoint, EndpointId, Owners, Protocol, Relation, Since, Socket, SocketRole,
};
use crate::model::testing::{environment, moment, process, snapshot};
use crate::os::testing::own_ip;
use crate::wording;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, Command as Program, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Longer than any test takes; only a failing one reaches it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A child that holds a port, killed when the test ends.
struct TestChild {
    child: Child,
    process: Arc<Process>,
    local: SocketAddr,
}

impl Drop for TestChild {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl TestChild {
    /// A `sleep` with a listener as its stdin; sh runs `script` before it execs the sleep.
    fn new(script: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let child = Program::new("sh")
            .args(["-c", &format!("{script} exec sleep 60")])
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .spawn()
            .unwrap();
        let pid = child.id();
        wait_for(|| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap() == "sleep\n");
        let start = start_time(Pid(pid)).unwrap();
        let process = process(pid, "sleep").with(|process| process.id.start = start);
        Self {
            child,
            process: process.build(),
            local,
        }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its listener as the table shows it.
    fn socket(&self) -> Socket {
        let found = sockets(&[Arc::clone(&self.process)]);
        found
            .into_iter()
            .find(|one| one.local == self.local)
            .unwrap()
    }
}

fn wait_for(mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !is_there() {
        assert!(Instant::now() < deadline, "it never came");
        thread::yield_now();
    }
}

/// Field 22 of `/proc/PID/stat`, after the name, which may hold blanks.
fn start_time(pid: Pid) -> Option<StartTime> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields
        .split_whitespace()
        .nth(19)?
        .parse()
        .ok()
        .map(StartTime)
}

/// The IPv4 listeners of this machine, with those of these processes that own them.
fn sockets(owners: &[Arc<Process>]) -> Vec<Socket> {
    let open: Vec<(&Arc<Process>, HashSet<String>)> = owners
        .iter()
        .map(|process| (process, inodes(process.pid())))
        .collect();
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[3] == "0A")
        .map(|row| {
            let owners: Vec<Arc<Process>> = open
                .iter()
                .filter(|(_, inodes)| inodes.contains(&format!("socket:[{}]", row[9])))
                .map(|(process, _)| Arc::clone(process))
                .collect();
            listener(address(row[1]), row[9].parse().unwrap(), owners)
        })
        .collect()
}

fn listener(local: SocketAddr, mark: u64, owners: Vec<Arc<Process>>) -> Socket {
    let mut socket = crate::model::testing::socket(&local.to_string())
        .owner_hint(mark)
        .build();
    if !owners.is_empty() {
        socket.owners = Owners::Known(owners.into());
    }
    socket
}

/// `0100007F:1F90` is 127.0.0.1:8080: the address in the byte order of the machine.
fn address(hex: &str) -> SocketAddr {
    let (ip, port) = hex.split_once(':').unwrap();
    let ip = u32::from_str_radix(ip, 16).unwrap().to_ne_bytes();
    (ip, u16::from_str_radix(port, 16).unwrap()).into()
}

fn inodes(pid: Pid) -> HashSet<String> {
    let Ok(fds) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return HashSet::new();
    };
    fds.flatten()
        .filter_map(|fd| fs::read_link(fd.path()).ok())
        .map(|link| link.to_string_lossy().into_owned())
        .collect()
}

/// A freeing in progress: the executor, its events and the state machine.
struct WorkerFixture {
    free_worker: FreeWorker,
    results: UnboundedReceiver<ExecEvent>,
    batch: Batch,
}

impl WorkerFixture {
    /// Plans, confirms and begins to free this socket.
    fn begin(socket: Socket, owners: Vec<Arc<Process>>) -> Self {
        let (sender, results) = unbounded_channel();
        let free_worker = FreeWorker::start(sender, move || ProbeBackend {
            read_sockets: Box::new(move |_| {
                let mut snapshot = snapshot(0.0, Vec::new());
                snapshot.sockets = sockets(&owners);
                snapshot
            }),
            close: Box::new(|| ()),
            describe: Box::new(|_| None),
            unit: |_| None,
            start_time,
        })
        .unwrap();
        let plan = plan(socket);
        free_worker.send(WorkerCommand::OpenHandles(plan.process_ids()));
        let request = plan.confirm(TargetSet::Topmost, Signal::Terminate, Instant::now());
        let (batch, commands) = Batch::begin(vec![request], Timeouts::default());
        for command in commands {
            free_worker.send(WorkerCommand::Perform(command));
        }
        Self {
            free_worker,
            results,
            batch,
        }
    }

    /// Handles events until the condition holds, and returns the verdict's sentence.
    async fn until(&mut self, is_there: impl Fn(&FreeMachine) -> bool) -> String {
        while !is_there(self.freeing()) {
            let event = timeout(TIMEOUT, self.results.recv())
                .await
                .unwrap()
                .unwrap();
            for command in self.batch.on(event) {
                self.free_worker.send(WorkerCommand::Perform(command));
            }
        }
        wording::verdict(self.freeing().verdict().unwrap())
    }

    fn freeing(&self) -> &FreeMachine {
        &self.batch.machines()[0]
    }
}

fn plan(socket: Socket) -> KillPlan {
    let endpoint = Endpoint {
        since: Since::Before(Instant::now()),
        state_since: Instant::now(),
        relation: Relation {
            role: SocketRole::Unconnected,
            is_local: true,
            peer: None,
            shares_port: false,
        },
        socket,
    };
    match plan_row(&endpoint, &[], &context()) {
        Ok(plan) => plan,
        Err(explanation) => panic!("nothing is asked: {explanation:?}"),
    }
}

fn context() -> FreeContext<'static> {
    FreeContext::new(environment(|it| it.uid = None), moment(0.0))
}

#[tokio::test]
async fn only_the_target_is_signalled_and_its_port_is_freed() {
    let (held, mut bystander) = (TestChild::new(""), TestChild::new(""));
    let owners = vec![Arc::clone(&held.process), Arc::clone(&bystander.process)];
    let mut fixture = WorkerFixture::begin(held.socket(), owners);
    let said = fixture.until(FreeMachine::is_settled).await;
    let begins = format!(
        ":{} is free. sleep {} ended ",
        held.local.port(),
        held.pid()
    );
    assert!(said.starts_with(&begins), "{said}");
    assert!(said.ends_with("after SIGTERM."), "{said}");
    assert!(bystander.is_running());
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_reported_then_killed() {
    let mut held = TestChild::new("trap '' TERM;");
    let mut fixture = WorkerFixture::begin(held.socket(), vec![Arc::clone(&held.process)]);
    let said = fixture.until(|freeing| freeing.offer().is_some()).await;
    let (port, pid) = (held.local.port(), held.pid());
    let expected = format!(":{port} is STILL HELD: sleep {pid} ignores SIGTERM");
    assert_eq!(said, expected);
    assert!(held.is_running());

    for command in fixture.batch.escalate(Instant::now()) {
        fixture.free_worker.send(WorkerCommand::Perform(command));
    }
    let said = fixture.until(FreeMachine::is_settled).await;
    let begins = format!(":{port} is free. sleep {pid} ended ");
    assert!(said.starts_with(&begins), "{said}");
    assert!(said.ends_with("after SIGKILL."), "{said}");
}

#[tokio::test]
async fn a_suspended_process_is_resumed_to_handle_the_signal() {
    let held = TestChild::new("");
    let pid = i32::try_from(held.pid()).unwrap();
    let number = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(number, rustix::process::Signal::STOP).unwrap();
    let is_stopped = || {
        let conduct = signal_state::signal_state(held.process.pid(), Signal::Terminate);
        conduct.unwrap().process_state == Some(crate::model::process::ProcessState::Suspended)
    };
    wait_for(is_stopped);
    let mut fixture = WorkerFixture::begin(held.socket(), vec![Arc::clone(&held.process)]);
    let said = fixture.until(|freeing| freeing.verdict().is_some()).await;
    let ends = format!("sleep {pid} was suspended, so SIGCONT was sent too.");
    assert!(said.ends_with(&ends), "{said}");
}

#[tokio::test]
async fn a_reused_pid_is_not_signalled() {
    let mut held = TestChild::new("");
    let mut stale = Process::clone(&held.process);
    stale.id.start = StartTime(stale.id.start.0 - 1);
    let stale = Arc::new(stale);
    let mut socket = held.socket();
    socket.owners = Owners::Known([Arc::clone(&stale)].into());
    let mut fixture = WorkerFixture::begin(socket, vec![stale]);
    let said = fixture.until(FreeMachine::is_settled).await;
    let pid = held.pid();
    let expected =
        format!("Nothing sent: sleep {pid} has exited, and pid {pid} is now another process.");
    assert_eq!(said, expected);
    assert!(held.is_running());
}

#[tokio::test]
async fn a_target_that_has_exited_is_reported_as_such() {
    let mut held = TestChild::new("");
    let socket = held.socket();
    held.child.kill().unwrap();
    held.child.wait().unwrap();
    let mut fixture = WorkerFixture::begin(socket, vec![Arc::clone(&held.process)]);
    let said = fixture.until(FreeMachine::is_settled).await;
    assert_eq!(
        said,
        format!("Nothing sent: sleep {} has already exited.", held.pid())
    );
}

#[tokio::test]
async fn a_process_that_owns_a_different_socket_is_not_signalled() {
    let mut held = TestChild::new("");
    let mut socket = held.socket();
    socket.id = EndpointId::Unconnected {
        protocol: Protocol::Tcp,
        local: held.local,
        owner_hint: None,
        ordinal: 0,
    };
    let mut fixture = WorkerFixture::begin(socket, vec![Arc::clone(&held.process)]);
    let said = fixture.until(FreeMachine::is_settled).await;
    let pid = held.pid();
    let expected = format!("Nothing sent: sleep {pid} no longer holds the socket that was shown.");
    assert_eq!(said, expected);
    assert!(held.is_running());
}

#[tokio::test]
async fn portmon_itself_is_always_protected() {
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let pid = std::process::id();
    let start = start_time(Pid(pid)).unwrap();
    let own = process(pid, "portmon").with(|process| process.id.start = start);
    let own = own.build();
    let local = listening.local_addr().unwrap();
    let found = sockets(&[Arc::clone(&own)]);
    let socket = found.into_iter().find(|one| one.local == local).unwrap();
    let mut fixture = WorkerFixture::begin(socket, vec![own]);
    let said = fixture.until(FreeMachine::is_settled).await;
    assert_eq!(
        said,
        format!("Nothing sent: portmon {pid} is portmon itself.")
    );
}

#[test]
fn a_bind_distinguishes_a_free_port_from_a_used_one() {
    use crate::model::port::BindOutcome::{Bound, InUse};
    // On this address nobody else takes a port that was just closed.
    let own = SocketAddr::from((own_ip(87), 0));
    let listening = TcpListener::bind(own).unwrap();
    let held = listening.local_addr().unwrap();
    let free = TcpListener::bind(own).unwrap().local_addr().unwrap();
    let outcomes = [held, free].map(|address| {
        let probe = crate::os::bind_probe::probe(Protocol::Tcp, address);
        (probe.with_reuseaddr, probe.without_reuseaddr)
    });
    assert_eq!(outcomes, [(Some(InUse), InUse), (Some(Bound), Bound)]);
}

#[test]
fn an_unreadable_table_is_not_an_empty_one() {
    let held = TestChild::new("");
    let socket = held.socket();
    let request = plan(socket).confirm(TargetSet::Topmost, Signal::Terminate, Instant::now());
    let mut backend = ProbeBackend {
        read_sockets: Box::new(|_| {
            let mut unread = snapshot(0.0, Vec::new());
            unread.problems.push(crate::model::snapshot::Problem {
                protocol: Protocol::Tcp,
                family: crate::model::socket::Family::Ipv4,
                reason: "out of memory".to_owned(),
            });
            unread
        }),
        close: Box::new(|| ()),
        describe: Box::new(|_| None),
        unit: |_| None,
        start_time,
    };
    let unread = (backend.read_sockets)(&[request.port().number]);
    let id = held.process.id;
    let handles = HashMap::from([(id, TargetHandle::open(id, start_time))]);
    let mut watch = PortWatch::new(request.clone(), Vec::new());
    let look = watch.observe(&unread, &mut backend).unwrap();
    assert_eq!(
        (look.sockets, look.problems),
        (Vec::new(), unread.problems.clone())
    );
    assert_eq!(
        checks::check_targets(&request, &handles, &unread),
        Err(SignalError::TablesUnread(unread.problems[0].clone()))
    );
}

/// Returns a unit for a process that runs.
fn unit(of: &Process) -> Option<Unit> {
    let is_it = start_time(of.pid()) == Some(of.id.start);
    is_it.then(|| Unit::new("shop.service".into(), Manager::System))
}

#[test]
fn the_unit_of_an_owner_is_known_after_its_exit() {
    let mut held = TestChild::new("");
    let owners = vec![Arc::clone(&held.process)];
    let mut executor = Executor::new(ProbeBackend {
        read_sockets: Box::new(move |_| {
            let mut snapshot = snapshot(0.0, Vec::new());
            snapshot.sockets = sockets(&owners);
            snapshot
        }),
        close: Box::new(|| ()),
        describe: Box::new(|_| None),
        unit,
        start_time,
    })
    .unwrap();
    let plan = plan(held.socket());
    executor.open_handles(&plan.process_ids());
    let request = plan.confirm(TargetSet::Topmost, Signal::Terminate, Instant::now());
    executor.perform(ExecCommand::Send(vec![request.clone()]));
    wait_for(|| !held.is_running());
    executor.perform(ExecCommand::Watch(request.id()));
    let looks = executor.poll();
    let [ExecEvent::Polled(look)] = looks.as_slice() else {
        panic!("one look: {looks:?}");
    };
    let known: Vec<_> = look
        .units
        .iter()
        .map(|(of, unit)| (*of, unit.name.raw().into_owned()))
        .collect();
    assert_eq!(known, [(held.process.id, "shop.service".to_owned())]);
}
