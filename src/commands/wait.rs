//! `portmon wait`: looks at one port until it listens or is free, or the patience is over.
//!
//! It never connects, and binds only where nothing is in the way any more: either would disturb whoever is starting.

use super::complain;
use crate::cli::WaitOptions;
use crate::model::endpoint::{Protocol, Socket};
use crate::model::freeing::RETRY;
use crate::model::ports::EphemeralRange;
use crate::model::snapshot::Problem;
use crate::model::source::Source;
use crate::os::binding::{Reuse, everywhere, try_all};
use crate::os::eye::Eye;
use crate::os::machine;
use crate::os::sockets::{Demand, Extent};
use crate::report::wait::{Until, Waiting};
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// The exit code when the patience was over, as timeout(1) has it.
const TIMED_OUT: u8 = 124;

/// From one look to the next at best.
const BEST: Duration = Duration::from_millis(50);

/// How many times its own cost a look is followed by rest.
const REST: u32 = 20;

/// Waits, and says on standard output that it came, or on standard error what is there instead.
pub fn run(options: &WaitOptions) -> anyhow::Result<u8> {
    let waiting = &options.waiting;
    if io::stderr().is_terminal() {
        // Standard error may be closed; it is waited for nevertheless.
        let _ = writeln!(io::stderr(), "{} (Ctrl-C ends it)", waiting.announcement());
    }
    super::complain_of_pids(machine::pids_problem().as_ref());
    let begun = Instant::now();
    let mut watch = Watch::new(waiting, options.source);
    loop {
        let looked = Instant::now();
        if watch.has_come() {
            let sockets = watch.sockets_with_holders();
            let words = waiting.reached(&sockets, begun.elapsed());
            return super::print_line(&words).map(|()| 0);
        }
        let elapsed = begun.elapsed();
        if options.timeout.is_some_and(|timeout| timeout <= elapsed) {
            let words = watch.missed(options.source, elapsed);
            complain(&mut io::stderr(), &words);
            return Ok(TIMED_OUT);
        }
        let pause = BEST.max(looked.elapsed() * REST);
        let left = options
            .timeout
            .map(|timeout| timeout.saturating_sub(elapsed));
        std::thread::sleep(left.map_or(pause, |left| left.min(pause)));
    }
}

/// The look-out for one port.
struct Watch<'a> {
    waiting: &'a Waiting,
    eye: Eye,
    sockets: Vec<Socket>,
    /// What could not be read at the last look and was said.
    troubles: Vec<Problem>,
    /// The last bind, which failed.
    trial: Option<Trial>,
}

struct Trial {
    at: Instant,
    reason: String,
    /// Whether sockets were there that may have been in its way.
    had_sockets: bool,
}

impl<'a> Watch<'a> {
    fn new(waiting: &'a Waiting, source: Option<Source>) -> Self {
        // Listeners stand in a table of their own, so a look at all of them is far cheaper than one at all sockets of
        // one port.
        let demand = match (waiting.until, waiting.protocol) {
            (Until::Listening, Protocol::Tcp) => Demand {
                extent: Extent::Standing,
                with_bound: false,
            },
            (Until::Free, _) | (_, Protocol::Udp) => all_of(waiting.port),
        };
        Self {
            waiting,
            eye: eye(source, demand),
            sockets: Vec::new(),
            troubles: Vec::new(),
            trial: None,
        }
    }

    /// One look: whether what is waited for is there.
    fn has_come(&mut self) -> bool {
        let changes = self.eye.glance();
        self.sockets = sockets(&mut self.eye, self.waiting);
        if changes.problems != self.troubles {
            for problem in &changes.problems {
                complain(&mut io::stderr(), &format!("could not be read: {problem}"));
            }
            self.troubles = changes.problems;
        }
        match self.waiting.until {
            Until::Listening => !self.waiting.listeners(&self.sockets).is_empty(),
            Until::Free => {
                let is_blind = self
                    .troubles
                    .iter()
                    .any(|problem| problem.protocol == self.waiting.protocol);
                let is_held = !self.waiting.holders(&self.sockets).is_empty();
                if is_held {
                    self.trial = None;
                }
                !is_blind && !is_held && self.can_be_bound()
            }
        }
    }

    /// Tries a bind, but not again and again: after one that failed only when what may have been in its way is gone, or
    /// after a while.
    fn can_be_bound(&mut self) -> bool {
        let is_due = self.trial.as_ref().is_none_or(|trial| {
            trial.at.elapsed() >= RETRY || trial.had_sockets && self.sockets.is_empty()
        });
        if !is_due {
            return false;
        }
        match bind(self.waiting) {
            Ok(()) => true,
            Err(error) => {
                self.trial = Some(Trial {
                    at: Instant::now(),
                    reason: error.to_string(),
                    had_sockets: !self.sockets.is_empty(),
                });
                false
            }
        }
    }

    fn sockets_with_holders(&mut self) -> Vec<Socket> {
        if self.waiting.until == Until::Listening {
            self.eye.seek();
            self.sockets = sockets(&mut self.eye, self.waiting);
        }
        std::mem::take(&mut self.sockets)
    }

    /// What is there instead, from a look of its own: waiting for a listener sees nothing else.
    fn missed(&self, source: Option<Source>, elapsed: Duration) -> String {
        let mut eye = eye(source, all_of(self.waiting.port));
        let problems = eye.look().problems;
        let sockets = sockets(&mut eye, self.waiting);
        let reason = self.trial.as_ref().map(|trial| trial.reason.as_str());
        self.waiting.missed(&sockets, reason, &problems, elapsed)
    }
}

fn eye(source: Option<Source>, demand: Demand) -> Eye {
    // Only which side of a connection a socket is depends on the range, and that is not asked here.
    Eye::new(EphemeralRange::IANA, source, demand)
}

fn all_of(port: u16) -> Demand {
    Demand {
        extent: Extent::Local(vec![port]),
        with_bound: true,
    }
}

fn sockets(eye: &mut Eye, waiting: &Waiting) -> Vec<Socket> {
    let is_own =
        |socket: &Socket| (socket.protocol, socket.port()) == (waiting.protocol, waiting.port);
    let endpoints = eye.endpoints().into_iter();
    let mut sockets: Vec<Socket> = endpoints
        .map(|endpoint| endpoint.socket)
        .filter(is_own)
        .collect();
    sockets.sort_by_key(|socket| (socket.local, socket.id));
    sockets
}

/// Whoever may not bind a port below 1024 has only the table to go by.
fn bind(waiting: &Waiting) -> io::Result<()> {
    let addresses = match waiting.address {
        Some(address) => vec![SocketAddr::new(address, waiting.port)],
        None => everywhere(waiting.port).to_vec(),
    };
    // A UDP socket with SO_REUSEADDR binds beside another one.
    let reuse = match waiting.protocol {
        Protocol::Tcp => Reuse::Address,
        Protocol::Udp => Reuse::Nothing,
    };
    match try_all(waiting.protocol, &addresses, reuse) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && cfg!(unix) => Ok(()),
        outcome => outcome,
    }
}
