//! Real children that hold real ports, followed from the row to the verdict.

mod orders;

use super::handle::Handle;
use super::watch::Watch;
use super::*;
use crate::model::endpoint::{
    Endpoint, EndpointId, Owners, Protocol, Relation, Side, Since, Socket,
};
use crate::model::freeing::{
    Batch, Circumstances, Freeing, Hindrance, Proposal, Question, Signal, Targets, Terms, ask,
};
use crate::model::process::{Pid, Process, StartTime};
use crate::model::provenance::{Manager, Unit};
use crate::model::testing::{moment, process, snapshot};
use crate::os::testing::own_ip;
use std::collections::HashSet;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Child, Command as Program, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

/// Longer than anything here takes; only a failing test waits for it.
const BOUND: Duration = Duration::from_secs(30);

/// A child that holds a port, and is ended whatever becomes of the test.
struct Held {
    child: Child,
    process: Arc<Process>,
    local: SocketAddr,
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Held {
    /// A `sleep` with a listener as its stdin; `script` is what sh does before it becomes the sleep.
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

    fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its listener as a look shows it to the one who asks.
    fn socket(&self) -> Socket {
        let found = sockets(&[Arc::clone(&self.process)]);
        found
            .into_iter()
            .find(|one| one.local == self.local)
            .unwrap()
    }
}

fn wait_for(mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + BOUND;
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

/// The IPv4 listeners of this machine, with these processes as owners where they are.
fn sockets(family: &[Arc<Process>]) -> Vec<Socket> {
    let open: Vec<(&Arc<Process>, HashSet<String>)> = family
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
        .mark(mark)
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

/// The executor with the machine and its answers, and the order on its way.
struct Scene {
    freer: Freer,
    results: UnboundedReceiver<Happening>,
    batch: Batch,
}

impl Scene {
    /// Asks about this socket, confirms, and begins.
    fn begin(socket: Socket, family: Vec<Arc<Process>>) -> Self {
        let (sender, results) = unbounded_channel();
        let freer = Freer::start(sender, move || Senses {
            look: Box::new(move |_| {
                let mut snapshot = snapshot(0.0, Vec::new());
                snapshot.sockets = sockets(&family);
                snapshot
            }),
            rest: Box::new(|| ()),
            describe: Box::new(|_| None),
            unit: |_| None,
            start_time,
        })
        .unwrap();
        let proposal = proposal(socket);
        freer.hold(&proposal.process_ids());
        let order = proposal.confirm(Targets::Topmost, Signal::Terminate, Instant::now());
        let (batch, steps) = Batch::begin(vec![order], Terms::default());
        for step in steps {
            freer.perform(step);
        }
        Self {
            freer,
            results,
            batch,
        }
    }

    /// Lets happen what happens until there is what is waited for, and returns the words that are said then.
    async fn until(&mut self, is_there: impl Fn(&Freeing) -> bool) -> String {
        while !is_there(self.freeing()) {
            let happening = timeout(BOUND, self.results.recv()).await.unwrap().unwrap();
            for step in self.batch.on(happening) {
                self.freer.perform(step);
            }
        }
        self.freeing().verdict().unwrap().to_string()
    }

    fn freeing(&self) -> &Freeing {
        &self.batch.freeings()[0]
    }
}

fn proposal(socket: Socket) -> Proposal {
    let endpoint = Endpoint {
        since: Since::Before(Instant::now()),
        state_since: Instant::now(),
        relation: Relation {
            side: Side::Standing,
            is_local: true,
            peer: None,
            shares_number: false,
        },
        socket,
    };
    match ask(&endpoint, &[], &circumstances()) {
        Question::Free(proposal) => proposal,
        Question::Explain(explanation) => panic!("nothing is asked: {explanation:?}"),
    }
}

fn circumstances() -> Circumstances {
    Circumstances {
        me: None,
        is_root: false,
        host: "test".to_owned(),
        lineage: Vec::new(),
        executable: None,
        row_is_meant: false,
        is_gone: false,
        now: moment(0.0),
        state_since: None,
    }
}

#[tokio::test]
async fn a_process_that_ends_frees_its_port_and_no_other_process_is_touched() {
    let (held, mut bystander) = (Held::new(""), Held::new(""));
    let family = vec![Arc::clone(&held.process), Arc::clone(&bystander.process)];
    let mut scene = Scene::begin(held.socket(), family);
    let said = scene.until(Freeing::is_settled).await;
    let begins = format!(
        ":{} is free. sleep {} ended ",
        held.local.port(),
        held.pid()
    );
    assert!(said.starts_with(&begins), "{said}");
    assert!(said.ends_with("after SIGTERM."), "{said}");
    assert!(bystander.lives());
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_said_to_and_then_killed() {
    let mut held = Held::new("trap '' TERM;");
    let mut scene = Scene::begin(held.socket(), vec![Arc::clone(&held.process)]);
    let said = scene.until(|freeing| freeing.offer().is_some()).await;
    let (port, pid) = (held.local.port(), held.pid());
    let expected = format!(":{port} is STILL HELD: sleep {pid} ignores SIGTERM. K sends SIGKILL");
    assert_eq!(said, expected);
    assert!(held.lives());

    for step in scene.batch.insist(Instant::now()) {
        scene.freer.perform(step);
    }
    let said = scene.until(Freeing::is_settled).await;
    let begins = format!(":{port} is free. sleep {pid} ended ");
    assert!(said.starts_with(&begins), "{said}");
    assert!(said.ends_with("after SIGKILL."), "{said}");
}

#[tokio::test]
async fn a_stopped_process_is_woken_to_act_on_the_signal() {
    let held = Held::new("");
    let pid = i32::try_from(held.pid()).unwrap();
    let number = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(number, rustix::process::Signal::STOP).unwrap();
    let is_stopped = || {
        let conduct = conduct::conduct(held.process.pid(), Signal::Terminate);
        conduct.unwrap().condition == Some(crate::model::process::Condition::Stopped)
    };
    wait_for(is_stopped);
    let mut scene = Scene::begin(held.socket(), vec![Arc::clone(&held.process)]);
    let said = scene.until(|freeing| freeing.verdict().is_some()).await;
    let ends = format!("sleep {pid} was stopped, so SIGCONT followed.");
    assert!(said.ends_with(&ends), "{said}");
}

#[tokio::test]
async fn a_pid_that_another_process_has_by_now_gets_no_signal() {
    let mut held = Held::new("");
    let mut stale = Process::clone(&held.process);
    stale.id.start = StartTime(stale.id.start.0 - 1);
    let stale = Arc::new(stale);
    let mut socket = held.socket();
    socket.owners = Owners::Known([Arc::clone(&stale)].into());
    let mut scene = Scene::begin(socket, vec![stale]);
    let said = scene.until(Freeing::is_settled).await;
    let pid = held.pid();
    let expected =
        format!("Nothing sent: sleep {pid} ended meanwhile, and pid {pid} is another process now.");
    assert_eq!(said, expected);
    assert!(held.lives());
}

#[tokio::test]
async fn a_process_that_has_ended_meanwhile_is_said_to() {
    let mut held = Held::new("");
    let socket = held.socket();
    held.child.kill().unwrap();
    held.child.wait().unwrap();
    let mut scene = Scene::begin(socket, vec![Arc::clone(&held.process)]);
    let said = scene.until(Freeing::is_settled).await;
    assert_eq!(
        said,
        format!("Nothing sent: sleep {} ended meanwhile.", held.pid())
    );
}

#[tokio::test]
async fn a_process_that_holds_another_socket_than_the_shown_one_gets_no_signal() {
    let mut held = Held::new("");
    let mut socket = held.socket();
    socket.id = EndpointId::Standing {
        protocol: Protocol::Tcp,
        local: held.local,
        mark: 0,
        ordinal: 0,
    };
    let mut scene = Scene::begin(socket, vec![Arc::clone(&held.process)]);
    let said = scene.until(Freeing::is_settled).await;
    let pid = held.pid();
    let expected = format!("Nothing sent: sleep {pid} no longer holds the socket you were shown.");
    assert_eq!(said, expected);
    assert!(held.lives());
}

#[tokio::test]
async fn portmon_is_refused_even_if_its_lineage_was_not_given() {
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let pid = std::process::id();
    let start = start_time(Pid(pid)).unwrap();
    let own = process(pid, "portmon").with(|process| process.id.start = start);
    let own = own.build();
    let local = listening.local_addr().unwrap();
    let found = sockets(&[Arc::clone(&own)]);
    let socket = found.into_iter().find(|one| one.local == local).unwrap();
    let mut scene = Scene::begin(socket, vec![own]);
    let said = scene.until(Freeing::is_settled).await;
    assert_eq!(
        said,
        format!("Nothing sent: portmon {pid} is this portmon.")
    );
}

#[test]
fn a_bind_tells_a_free_port_from_a_held_one() {
    use crate::model::freeing::BindOutcome::{Bound, InUse};
    // Where nobody else takes a port that was just given back.
    let own = SocketAddr::from((own_ip(87), 0));
    let listening = TcpListener::bind(own).unwrap();
    let held = listening.local_addr().unwrap();
    let free = TcpListener::bind(own).unwrap().local_addr().unwrap();
    let outcomes = [held, free].map(|address| {
        let attempt = trial::attempt(Protocol::Tcp, address);
        (attempt.with_reuse, attempt.without_reuse)
    });
    assert_eq!(outcomes, [(Some(InUse), InUse), (Some(Bound), Bound)]);
}

#[test]
fn a_table_that_cannot_be_read_is_not_an_empty_one() {
    let held = Held::new("");
    let socket = held.socket();
    let order = proposal(socket).confirm(Targets::Topmost, Signal::Terminate, Instant::now());
    let mut senses = Senses {
        look: Box::new(|_| {
            let mut unread = snapshot(0.0, Vec::new());
            unread.problems.push(crate::model::snapshot::Problem {
                protocol: Protocol::Tcp,
                family: crate::model::address::Family::Ipv4,
                reason: "out of memory".to_owned(),
            });
            unread
        }),
        rest: Box::new(|| ()),
        describe: Box::new(|_| None),
        unit: |_| None,
        start_time,
    };
    let unread = (senses.look)(&[order.port()]);
    let handle = Handle::open(held.process.id, start_time);
    let mut watch = Watch::new(order.clone(), Vec::new());
    let look = watch.look(&unread, &mut senses).unwrap();
    assert_eq!(
        (look.sockets, look.problems),
        (Vec::new(), unread.problems.clone())
    );
    assert_eq!(
        checks::all(&order, &[handle], &unread, start_time),
        Err(Hindrance::Blind("tcp4 sockets: out of memory".to_owned()))
    );
}

/// The unit of whoever runs.
fn unit(of: &Process) -> Option<Unit> {
    let is_it = start_time(of.pid()) == Some(of.id.start);
    is_it.then(|| Unit::new("shop.service".into(), Manager::System))
}

#[test]
fn the_service_of_a_holder_is_known_when_the_holder_is_gone() {
    let mut held = Held::new("");
    let family = vec![Arc::clone(&held.process)];
    let mut executor = Executor::alone(Senses {
        look: Box::new(move |_| {
            let mut snapshot = snapshot(0.0, Vec::new());
            snapshot.sockets = sockets(&family);
            snapshot
        }),
        rest: Box::new(|| ()),
        describe: Box::new(|_| None),
        unit,
        start_time,
    })
    .unwrap();
    let proposal = proposal(held.socket());
    executor.hold(&proposal.process_ids());
    let order = proposal.confirm(Targets::Topmost, Signal::Terminate, Instant::now());
    executor.perform(Step::Send(vec![order.clone()]));
    wait_for(|| !held.lives());
    executor.perform(Step::Watch(order.id()));
    let looks = executor.look();
    let [Happening::Looked(look)] = looks.as_slice() else {
        panic!("one look: {looks:?}");
    };
    let known: Vec<_> = look
        .units
        .iter()
        .map(|(of, unit)| (*of, unit.name.raw().into_owned()))
        .collect();
    assert_eq!(known, [(held.process.id, "shop.service".to_owned())]);
}
