//! `portmon wait`: polls one port until it listens or is free, or until the timeout.
//!
//! It connects only for `--http`, and binds only where no socket holds the port any more: either would disturb a server that
//! starts.

mod http;

use super::warn;
use super::{address, port};
use crate::check::{HttpPath, Reached, Until, WaitTarget};
use crate::cli::values::{source, timeout};
use crate::free::BIND_RETRY;
use crate::model::port::{AddressSpec, Availability, EphemeralRange, PortEvidence, PortSpec};
use crate::model::snapshot::Problem;
use crate::model::socket::{Protocol, Socket, SocketSource};
use crate::os::bind_probe;
use crate::os::poller::SocketPoller;
use crate::os::processes::pid_namespace;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::wording::check::{http as http_wording, wait as wording};
use anyhow::bail;
use clap::Args;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Wait until a port is listening, answers HTTP or is free
#[derive(Args)]
#[command(after_help = "\
Examples:
  portmon wait 3000 --timeout 30   until a server listens, at most 30 s
  portmon wait 3000 --http=/health until it answers GET /health with 2xx or 3xx
  portmon wait 3000 --free         until the port can be used

Exit status:
  0    the port is listening (with --free: free; with --http: answers)
  124  timed out
  2    error")]
pub struct WaitArgs {
    /// Port: 3000, 3000/udp, 127.0.0.1:3000, localhost:3000
    #[arg(value_parser = port)]
    port: PortSpec,
    /// Wait for the port to be free instead of listening
    #[arg(long)]
    free: bool,
    /// Wait for a plain HTTP answer of 2xx or 3xx to GET PATH (default: /)
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "/",
        value_parser = http_path, conflicts_with = "free")]
    http: Option<HttpPath>,
    /// Consider only this local address (a listener on all addresses counts too)
    #[arg(long, value_parser = address)]
    address: Option<AddressSpec>,
    /// Give up after this many seconds, 0 to 86400
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = timeout)]
    pub timeout: Option<Duration>,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

impl WaitArgs {
    pub fn target(&self) -> anyhow::Result<WaitTarget> {
        let mut spec = self.port;
        if let Some(address) = self.address {
            if !spec.address.is_any() && spec.address != address {
                let address = address.without_brackets();
                bail!(
                    "{spec} and --address {address} give different addresses: use only one of them"
                );
            }
            spec.address = address;
        }
        let until = if self.free {
            Until::Free
        } else {
            Until::Listening
        };
        Ok(WaitTarget { spec, until })
    }
}

fn http_path(text: &str) -> Result<HttpPath, String> {
    text.parse().map_err(|_| http_wording::not_a_path(text))
}

/// Exit code after a timeout, as in timeout(1).
const TIMED_OUT: u8 = 124;

/// Shortest time between two polls.
const MIN_PAUSE: Duration = Duration::from_millis(50);

/// Pause between two polls as a multiple of the time that a poll takes.
const PAUSE_FACTOR: u32 = 20;

/// Waits; prints the result on standard output, or after a timeout what is there instead on standard error.
pub fn run(options: &WaitArgs) -> anyhow::Result<u8> {
    if let Some(path) = &options.http {
        return http::run(options, path);
    }
    let target = &options.target()?;
    announce(&wording::announcement(target));
    super::warn_about_pids(pid_namespace::problem());
    let mut waiter = PortWaiter::new(target, options.source);
    match repeat(options.timeout, Duration::MAX, || waiter.poll()) {
        Ok((reached, after)) => {
            super::print_line(&wording::reached(target, &reached, after)).map(|()| 0)
        }
        Err(after) => {
            warn(&waiter.timeout_message(after));
            Ok(TIMED_OUT)
        }
    }
}

/// Says at a terminal what is waited for. Standard error may be closed, which does not end the wait.
fn announce(text: &str) {
    if io::stderr().is_terminal() {
        let _ = writeln!(io::stderr(), "{text} (Ctrl-C to stop)");
    }
}

/// Repeats an attempt until it finds something, which is returned with the time it took. The error is the time after which
/// the wait ended.
fn repeat<T>(
    timeout: Option<Duration>,
    max_pause: Duration,
    mut attempt: impl FnMut() -> Option<T>,
) -> Result<(T, Duration), Duration> {
    let start = Instant::now();
    loop {
        let began = Instant::now();
        if let Some(found) = attempt() {
            return Ok((found, start.elapsed()));
        }
        let elapsed = start.elapsed();
        let left = timeout.map(|most| most.saturating_sub(elapsed));
        if left == Some(Duration::ZERO) {
            return Err(elapsed);
        }
        let pause = MIN_PAUSE.max(began.elapsed() * PAUSE_FACTOR).min(max_pause);
        std::thread::sleep(left.map_or(pause, |left| left.min(pause)));
    }
}

/// The state of a wait for one port.
struct PortWaiter<'a> {
    target: &'a WaitTarget,
    source: Option<SocketSource>,
    poller: SocketPoller,
    /// The problems of the last poll, which were reported.
    problems: Vec<Problem>,
    failed_bind: Option<FailedBind>,
}

struct FailedBind {
    at: Instant,
    availability: Availability,
    /// True if there were connections that may have been the cause.
    had_sockets: bool,
}

impl<'a> PortWaiter<'a> {
    fn new(target: &'a WaitTarget, source: Option<SocketSource>) -> Self {
        // Listeners have a table of their own: polling all of them is far cheaper than polling all sockets of one port.
        let request = match (target.until, target.spec.protocol) {
            (Until::Listening, Protocol::Tcp) => DumpScope::Listening.without_bound(),
            (Until::Free, _) | (_, Protocol::Udp) => whole_port(target.spec.port),
        };
        Self {
            target,
            source,
            poller: poller(source, request),
            problems: Vec::new(),
            failed_bind: None,
        }
    }

    /// Polls once; returns what was found once the target is reached.
    fn poll(&mut self) -> Option<Reached> {
        let target = self.target;
        let problems = self.poller.poll_sockets().problems;
        if problems != self.problems {
            super::warn_about_problems(&problems);
            self.problems = problems;
        }
        let found = sockets(&mut self.poller, target);
        if target.until == Until::Listening {
            if target.listeners(&found).is_empty() || self.is_foreign() {
                return None;
            }
            self.poller.resolve_owners();
            return Some(Reached::Listening(sockets(&mut self.poller, target)));
        }
        if !target.blocking(&found).is_empty() {
            self.failed_bind = None;
            return None;
        }
        self.free(&found).map(Reached::Free)
    }

    /// True if this machine lacks the address now: no client reaches a listener on it, not even one on all addresses.
    fn is_foreign(&self) -> bool {
        let address = self.target.spec.address;
        address.ip().is_some() && bind_probe::is_foreign_address(address)
    }

    /// Tries to bind the port, which nothing is seen to hold, and judges it. After a failure it is tried again only once the
    /// connections that may have caused it are gone, or after a while.
    fn free(&mut self, found: &[Socket]) -> Option<Availability> {
        let has_sockets = !found.is_empty();
        if let Some(failed) = &self.failed_bind
            && failed.at.elapsed() < BIND_RETRY
            && (has_sockets || !failed.had_sockets)
        {
            return None;
        }
        let availability = Availability::of(&PortEvidence {
            spec: self.target.spec,
            sockets: &found.iter().collect::<Vec<_>>(),
            problems: &self.problems,
            binds: &bind_probe::probe_port(self.target.spec, self.source),
        });
        if availability.is_free() {
            return Some(availability);
        }
        self.failed_bind = Some(FailedBind {
            at: Instant::now(),
            availability,
            had_sockets: has_sockets,
        });
        None
    }

    /// Returns the message after a timeout. Polls all sockets of the port once, since a wait for a listener polls only
    /// listeners.
    fn timeout_message(&self, elapsed: Duration) -> String {
        let mut poller = poller(self.source, whole_port(self.target.spec.port));
        let problems = poller.poll().problems;
        let sockets = sockets(&mut poller, self.target);
        let failed_bind = self.failed_bind.as_ref().map(|failed| &failed.availability);
        let failed_bind = if self.is_foreign() {
            Some(&Availability::NoSuchAddress)
        } else {
            failed_bind
        };
        wording::timed_out(self.target, &sockets, failed_bind, &problems, elapsed)
    }
}

fn poller(source: Option<SocketSource>, request: DumpRequest) -> SocketPoller {
    // Only the roles of connections depend on the range, and they do not matter here.
    SocketPoller::new(EphemeralRange::IANA, source, request)
}

fn whole_port(port: u16) -> DumpRequest {
    DumpScope::Local(vec![port]).with_bound()
}

fn sockets(poller: &mut SocketPoller, target: &WaitTarget) -> Vec<Socket> {
    let endpoints = poller.endpoints().into_iter();
    let mut sockets: Vec<Socket> = endpoints.map(|endpoint| endpoint.socket).collect();
    sockets.retain(|socket| target.spec.has_same_port(socket));
    sockets.sort_by_key(|socket| (socket.local, socket.id));
    sockets
}
