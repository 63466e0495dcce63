//! The executor itself with the machine as it is: who gets which signal, and who gets none any more.

use super::proposal;
use crate::model::endpoint::{Owners, Socket};
use crate::model::freeing::{
    Batch, Freeing, Happening, Order, Proposal, Reaction, Sending, Signal, Step, Targets, Terms,
};
use crate::model::inspection::Kin;
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::provenance::Provenance;
use crate::os::freeing::conduct::conduct;
use crate::os::freeing::{Executor, Senses};
use crate::os::testing::confined::{
    end, enter_namespace, identity, is_confined, sleep_in_the_place_of, sleep_on,
};
use crate::os::testing::{Held, shell, until};
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
    Executor::alone(Senses::of_machine(None)).expect("a bell")
}

/// A listener, and where it is.
fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let local = listener.local_addr().expect("an address");
    (listener, local)
}

/// What listens there, once these and no others hold it.
fn socket_of(local: SocketAddr, holders: &[Pid]) -> Socket {
    let mut senses = Senses::of_machine(None);
    until("the socket with its holders", || {
        let seen = (senses.look)(&[local.port()]).sockets;
        let socket = seen.into_iter().find(|socket| socket.local == local)?;
        let mut pids: Vec<Pid> = { socket.owners.known().iter() }
            .map(|owner| owner.pid())
            .collect();
        pids.sort_unstable();
        (pids == holders).then_some(socket)
    })
}

fn described(pid: Pid) -> Arc<Process> {
    (Senses::of_machine(None).describe)(pid).expect("it runs")
}

fn confirmed(socket: Socket, signal: Signal) -> Order {
    proposal(socket).confirm(Targets::Topmost, signal, Instant::now())
}

/// What the executor says of orders that are sent at once.
fn sent(executor: &mut Executor, orders: Vec<Order>) -> Vec<Sending> {
    let happenings = executor.perform(Step::Send(orders)).into_iter();
    let sendings = happenings.map(|happening| match happening {
        Happening::Sent(dispatch) => dispatch.sending,
        other => panic!("an answer to what was sent: {other:?}"),
    });
    sendings.collect()
}

/// Why nothing was sent, in words.
fn hindrance(sendings: &[Sending]) -> String {
    match sendings {
        [Sending::NotSent(hindrance)] => hindrance.to_string(),
        other => panic!("nothing is to be sent: {other:?}"),
    }
}

/// Lets happen what happens until there is what is waited for, and returns the words that are said then.
fn followed(order: Order, terms: Terms, is_there: impl Fn(&Freeing) -> bool) -> String {
    let mut executor = executor();
    let (mut batch, mut steps) = Batch::begin(vec![order], terms);
    until("the verdict", || {
        for step in std::mem::take(&mut steps) {
            for happening in executor.perform(step) {
                steps.extend(batch.on(happening));
            }
        }
        let freeing = batch.freeings().first()?;
        if is_there(freeing) {
            return freeing.verdict().map(ToString::to_string);
        }
        if steps.is_empty() {
            executor.rest();
            for happening in executor.look() {
                steps.extend(batch.on(happening));
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

/// The letter of its state (proc_pid_stat(5)).
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

/// Whether it runs, and is not stopped.
fn lives(pid: Pid) -> bool {
    state(pid).is_some_and(|letter| !"TZX".contains(letter))
}

/// A shell that holds two listeners and writes a line for every SIGTERM and SIGUSR1; SIGHUP does nothing to it.
struct Counting {
    child: Child,
    lines: BufReader<UnixStream>,
    locals: [SocketAddr; 2],
}

impl Counting {
    fn new() -> Self {
        let ((one, first), (other, second)) = (listener(), listener());
        let (leash, collar) = UnixStream::pair().expect("a leash");
        leash.set_read_timeout(Some(super::BOUND)).expect("a bound");
        // A signal ends the waiting for a line, and so does the end of this test.
        let script =
            "trap 'echo TERM >&0' TERM; trap : HUP; trap 'echo USR1 >&0' USR1; echo ready >&0
            for time in 1 2 3 4 5; do read -r line; done";
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(OwnedFd::from(collar))
            .stdout(OwnedFd::from(one))
            .stderr(OwnedFd::from(other))
            .spawn()
            .expect("sh runs");
        let mut counting = Self {
            child,
            lines: BufReader::new(leash),
            locals: [first, second],
        };
        assert_eq!(counting.line(), "ready");
        counting
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

impl Drop for Counting {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

#[test]
fn a_process_that_holds_two_ports_gets_one_signal_for_both() {
    let mut counting = Counting::new();
    let pid = counting.pid();
    let sockets = counting.locals.map(|local| socket_of(local, &[pid]));
    let orders = sockets.map(|socket| confirmed(socket, Signal::Terminate));
    let sendings = sent(&mut executor(), orders.to_vec());
    let are_sent = sendings
        .iter()
        .all(|one| matches!(one, Sending::Sent { .. }));
    assert!(are_sent && sendings.len() == 2, "{sendings:?}");
    assert_eq!(counting.line(), "TERM");
    // A second one would have been taken before this.
    signal(pid, Sent::USR1);
    assert_eq!(counting.line(), "USR1");
}

#[test]
fn a_process_that_handles_sighup_is_said_to_have_no_need_to_end() {
    let conduct = conduct(Pid(std::process::id()), Signal::HangUp);
    if conduct.is_some_and(|conduct| conduct.reaction == Reaction::Ignores) {
        // A shell cannot handle what was ignored when it started (POSIX, trap).
        eprintln!("skipped: whoever runs this test has it ignore SIGHUP");
        return;
    }
    let counting = Counting::new();
    let pid = counting.pid();
    let [local, _] = counting.locals;
    let order = confirmed(socket_of(local, &[pid]), Signal::HangUp);
    let terms = Terms {
        patience: Duration::from_millis(200),
        ..Terms::default()
    };
    let said = followed(order, terms, |freeing| freeing.verdict().is_some());
    let expected = format!(
        ":{} is STILL HELD: sh {pid} handles SIGHUP, which need not end it. K sends SIGKILL",
        local.port()
    );
    assert_eq!(said, expected);
}

#[test]
fn what_ignores_sigterm_gets_sigkill_by_itself_where_that_was_agreed_on() {
    let (listener, local) = listener();
    let held = shell(listener, "trap '' TERM; exec sleep 60", 0);
    wait_for_sleep(held.pid());
    let order = confirmed(socket_of(local, &[held.pid()]), Signal::Terminate);
    let terms = Terms {
        force_after: Some(Duration::from_millis(200)),
        settle: Duration::ZERO,
        ..Terms::default()
    };
    let said = followed(order, terms, Freeing::is_settled);
    let begins = format!(":{} is free. sleep {} ended ", local.port(), held.pid());
    assert!(
        said.starts_with(&begins) && said.ends_with("after SIGKILL."),
        "{said}"
    );
}

#[test]
fn sigcont_wakes_a_stopped_process_and_ends_nothing() {
    let (listener, local) = listener();
    let held = shell(listener, "exec sleep 60", 0);
    let pid = held.pid();
    wait_for_sleep(pid);
    let order = confirmed(socket_of(local, &[pid]), Signal::Continue);
    signal(pid, Sent::STOP);
    until("a stopped process", || {
        (state(pid) == Some('T')).then_some(())
    });
    let said = followed(order, Terms::default(), |one| one.verdict().is_some());
    let begins = format!(":{} is STILL HELD: ", local.port());
    let ends = format!(" {pid} runs on after SIGCONT");
    assert!(said.starts_with(&begins) && said.ends_with(&ends), "{said}");
    assert!(lives(pid));
}

/// A process that holds nothing, and its child that holds a listener.
struct Family {
    parent: Held,
    local: SocketAddr,
}

impl Family {
    fn new() -> Self {
        let (listener, local) = listener();
        let script = "sleep 60 & echo $!; exec 3<&- </dev/null sleep 60";
        let parent = shell(listener, script, 1);
        // Neither is the shell any more that it was forked from.
        for pid in parent.all() {
            wait_for_sleep(pid);
        }
        Self { parent, local }
    }

    fn child(&self) -> Pid {
        self.parent.others()[0]
    }

    /// The question about the port, with who started the holder and who is of its group.
    fn proposal(&self) -> Proposal {
        let mut proposal = proposal(socket_of(self.local, &[self.child()]));
        let [child, parent] = [self.child(), self.parent.pid()].map(described);
        proposal.learn(&[Kin {
            process: child.id,
            ancestors: vec![Arc::clone(&parent)],
            descendants: Vec::new(),
            condition: None,
            group: vec![parent, child],
            restrictions: Vec::new(),
            provenance: Provenance::default(),
        }]);
        proposal
    }

    fn parent_id(&self) -> ProcessId {
        described(self.parent.pid()).id
    }

    /// The holder ends; its parent does not ask for its exit status.
    fn end_child(&self) {
        signal(self.child(), Sent::KILL);
        until("the end", || {
            (state(self.child()) == Some('Z')).then_some(())
        });
    }
}

#[test]
fn a_parent_is_ended_only_while_what_it_started_holds_the_port() {
    let mut family = Family::new();
    let targets = Targets::Parent(family.parent_id());
    let order = family
        .proposal()
        .confirm(targets, Signal::Terminate, Instant::now());
    let sendings = sent(&mut executor(), vec![order]);
    assert!(
        matches!(sendings.as_slice(), [Sending::Sent { .. }]),
        "{sendings:?}"
    );
    family.parent.wait();
    assert!(lives(family.child()), "its child lives on");
}

#[test]
fn a_parent_is_spared_once_what_it_started_has_ended() {
    let family = Family::new();
    let targets = Targets::Parent(family.parent_id());
    let proposal = family.proposal();
    let order = proposal.confirm(targets, Signal::Terminate, Instant::now());
    let mut executor = executor();
    executor.hold(&proposal.process_ids());
    family.end_child();
    let why = hindrance(&sent(&mut executor, vec![order]));
    assert_eq!(
        why,
        format!(
            "sleep {} no longer holds the socket you were shown",
            family.child()
        )
    );
    assert!(lives(family.parent.pid()));
}

#[test]
fn a_group_is_spared_once_its_holder_has_ended() {
    let family = Family::new();
    let proposal = family.proposal();
    let order = proposal.confirm(Targets::Group, Signal::Terminate, Instant::now());
    assert_eq!(order.targets().len(), 2);
    let mut executor = executor();
    executor.hold(&proposal.process_ids());
    family.end_child();
    let why = hindrance(&sent(&mut executor, vec![order]));
    assert_eq!(why, format!("sleep {} ended meanwhile", family.child()));
    assert!(lives(family.parent.pid()));
}

#[test]
fn who_got_the_pid_and_the_socket_of_a_target_is_spared() {
    enter_namespace("os::freeing::tests::orders::in_a_namespace");
}

#[test]
#[ignore = "only as another process, for the other tests"]
fn in_a_namespace() {
    if !is_confined() {
        return;
    }
    let (listener, local) = listener();
    let mut victim = sleep_on(listener.try_clone().expect("a copy"));
    let before = identity(&victim);
    let mut socket = socket_of(local, &[Pid(std::process::id()), before.pid]);
    // The test holds it too, and is nobody's target.
    socket.owners = Owners::Known([described(before.pid)].into());
    let order = confirmed(socket, Signal::Kill);
    for is_held in [true, false] {
        let mut executor = executor();
        if is_held {
            executor.hold(&[before]);
        }
        end(&mut victim);
        let mut successor = sleep_in_the_place_of(before, &listener);
        let why = hindrance(&sent(&mut executor, vec![order.clone()]));
        let expected = format!(
            "sleep {0} ended meanwhile, and pid {0} is another process now",
            before.pid
        );
        assert_eq!(why, expected, "{is_held}");
        assert!(lives(before.pid));
        end(&mut successor);
        if is_held {
            victim = sleep_on(listener.try_clone().expect("a copy"));
        }
    }
}
