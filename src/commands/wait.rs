//! `portmon wait`: looks at one port until it listens or is free, or the patience is over.
//!
//! It never connects, and binds only where nothing is in the way any more: either would disturb whoever is starting.

use super::warn;
use crate::cli::WaitOptions;
use crate::free::BIND_RETRY;
use crate::model::bind::BindResult;
use crate::model::endpoint::{Protocol, Socket};
use crate::model::ports::EphemeralRange;
use crate::model::snapshot::Problem;
use crate::model::socket_source::SocketSource;
use crate::os::poller::SocketPoller;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::os::{bind_probe, environment};
use crate::report::wait::{Until, WaitTarget};
use crate::wording;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// The exit code when the patience was over, as timeout(1) has it.
const TIMED_OUT: u8 = 124;

/// From one look to the next at best.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// How many times its own cost a look is followed by rest.
const REST_FACTOR: u32 = 20;

/// Waits, and says on standard output that it came, or on standard error what is there instead.
pub fn run(options: &WaitOptions) -> anyhow::Result<u8> {
    let target = &options.target;
    if io::stderr().is_terminal() {
        // Standard error may be closed; it is waited for nevertheless.
        let _ = writeln!(io::stderr(), "{} (Ctrl-C ends it)", target.announcement());
    }
    super::warn_about_pids(environment::pids_problem());
    let begun = Instant::now();
    let mut waiter = PortWaiter::new(target, options.source);
    loop {
        let looked = Instant::now();
        if waiter.is_reached() {
            let sockets = waiter.sockets_with_owners();
            let words = target.reached_message(&sockets, begun.elapsed());
            return super::print_line(&words).map(|()| 0);
        }
        let elapsed = begun.elapsed();
        if options.timeout.is_some_and(|timeout| timeout <= elapsed) {
            let words = waiter.timeout_message(options.source, elapsed);
            warn(&mut io::stderr(), &words);
            return Ok(TIMED_OUT);
        }
        let pause = MIN_PAUSE.max(looked.elapsed() * REST_FACTOR);
        let left = options
            .timeout
            .map(|timeout| timeout.saturating_sub(elapsed));
        std::thread::sleep(left.map_or(pause, |left| left.min(pause)));
    }
}

/// The look-out for one port.
struct PortWaiter<'a> {
    target: &'a WaitTarget,
    poller: SocketPoller,
    sockets: Vec<Socket>,
    /// What could not be read at the last look and was said.
    reported_problems: Vec<Problem>,
    /// The last bind, which failed.
    failed_bind: Option<FailedBind>,
}

struct FailedBind {
    at: Instant,
    result: BindResult,
    /// Whether sockets were there that may have been in its way.
    had_sockets: bool,
}

impl<'a> PortWaiter<'a> {
    fn new(target: &'a WaitTarget, source: Option<SocketSource>) -> Self {
        // Listeners stand in a table of their own, so a look at all of them is far cheaper than one at all sockets of
        // one port.
        let request = match (target.until, target.spec.protocol) {
            (Until::Listening, Protocol::Tcp) => DumpRequest {
                scope: DumpScope::Listening,
                with_bound: false,
            },
            (Until::Free, _) | (_, Protocol::Udp) => whole_port(target.spec.port),
        };
        Self {
            target,
            poller: poller(source, request),
            sockets: Vec::new(),
            reported_problems: Vec::new(),
            failed_bind: None,
        }
    }

    /// One look: whether what is waited for is there.
    fn is_reached(&mut self) -> bool {
        let changes = self.poller.poll_sockets();
        self.sockets = sockets(&mut self.poller, self.target);
        if changes.problems != self.reported_problems {
            for problem in &changes.problems {
                warn(&mut io::stderr(), &format!("could not be read: {problem}"));
            }
            self.reported_problems = changes.problems;
        }
        match self.target.until {
            Until::Listening => !self.target.listeners(&self.sockets).is_empty(),
            Until::Free => {
                let is_blind = self
                    .reported_problems
                    .iter()
                    .any(|problem| problem.protocol == self.target.spec.protocol);
                let is_held = !self.target.holders(&self.sockets).is_empty();
                if is_held {
                    self.failed_bind = None;
                }
                !is_blind && !is_held && self.can_be_bound()
            }
        }
    }

    /// Tries a bind, but not again and again: after one that failed only when what may have been in its way is gone, or
    /// after a while.
    fn can_be_bound(&mut self) -> bool {
        let is_due = self.failed_bind.as_ref().is_none_or(|failed_bind| {
            failed_bind.at.elapsed() >= BIND_RETRY
                || failed_bind.had_sockets && self.sockets.is_empty()
        });
        if !is_due {
            return false;
        }
        match probe(self.target) {
            Ok(()) => true,
            Err(result) => {
                self.failed_bind = Some(FailedBind {
                    at: Instant::now(),
                    result,
                    had_sockets: !self.sockets.is_empty(),
                });
                false
            }
        }
    }

    fn sockets_with_owners(&mut self) -> Vec<Socket> {
        if self.target.until == Until::Listening {
            self.poller.resolve_owners();
            self.sockets = sockets(&mut self.poller, self.target);
        }
        std::mem::take(&mut self.sockets)
    }

    /// What is there instead, from a look of its own: waiting for a listener sees nothing else.
    fn timeout_message(&self, source: Option<SocketSource>, elapsed: Duration) -> String {
        let mut poller = poller(source, whole_port(self.target.spec.port));
        let problems = poller.poll().problems;
        let sockets = sockets(&mut poller, self.target);
        let reason = self
            .failed_bind
            .as_ref()
            .map(|failed_bind| wording::bind_result(&failed_bind.result));
        self.target
            .timeout_message(&sockets, reason.as_deref(), &problems, elapsed)
    }
}

fn poller(source: Option<SocketSource>, request: DumpRequest) -> SocketPoller {
    // Only which side of a connection a socket is depends on the range, and that is not asked here.
    SocketPoller::new(EphemeralRange::IANA, source, request)
}

fn whole_port(port: u16) -> DumpRequest {
    DumpRequest {
        scope: DumpScope::Local(vec![port]),
        with_bound: true,
    }
}

fn sockets(poller: &mut SocketPoller, target: &WaitTarget) -> Vec<Socket> {
    let endpoints = poller.endpoints().into_iter();
    let mut sockets: Vec<Socket> = endpoints
        .map(|endpoint| endpoint.socket)
        .filter(|socket| target.spec.has_same_port(socket))
        .collect();
    sockets.sort_by_key(|socket| (socket.local, socket.id));
    sockets
}

/// Tries to bind the port; the error says why it cannot be bound. Who may not bind it has only the table to go by.
fn probe(target: &WaitTarget) -> Result<(), BindResult> {
    let probes = bind_probe::probe_port(target.spec);
    match BindResult::of(&probes) {
        BindResult::Usable | BindResult::OnlyWithReuse | BindResult::NotPermitted => Ok(()),
        result @ (BindResult::InUse | BindResult::NoSuchAddress | BindResult::Failed(_)) => {
            Err(result)
        }
    }
}
