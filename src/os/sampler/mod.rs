//! Looks at the sockets at a steady pace, on a thread of its own, and sends what changed.
//!
//! It never waits for the receiver: changes that cannot be sent are merged with later ones. It ends when either end of
//! its channels is gone.

use crate::model::poll_request::PollRequest;
use crate::os::poller::SocketPoller;
use crate::tracker::Changes;
use schedule::{NextStep, Schedule};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TrySendError;

mod schedule;

pub use schedule::BACKOFF;

/// The handle of the sampling thread, which ends when this is dropped.
pub struct Sampler {
    requests: Sender<PollRequest>,
}

impl Sampler {
    /// Starts looking at once. Every look is sent, even one that changed nothing: what was taken when, and what could not
    /// be read, is news too. The channel should have room for one.
    pub fn start(
        first: PollRequest,
        poller: impl FnOnce() -> SocketPoller + Send + 'static,
        changes: tokio::sync::mpsc::Sender<Changes>,
    ) -> io::Result<Self> {
        let (requests, incoming) = channel();
        thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || {
                let mut phase = PollPhase::Sockets;
                let mut poller = poller();
                run(first, &incoming, &changes, |request| {
                    phase.poll(&mut poller, request)
                });
            })?;
        Ok(Self { requests })
    }

    /// Asks for another way to look; never blocks. Once the thread ended, which the receiver of the changes sees, it does
    /// nothing.
    pub fn request(&self, request: PollRequest) {
        let _ = self.requests.send(request);
    }
}

/// How far the first look has come: the sockets are sent before anybody is asked who holds them.
enum PollPhase {
    Sockets,
    Owners,
    Steady,
}

/// What a look gave, and whether the rest of it is to follow at once.
struct PollResult {
    changes: Changes,
    has_more: bool,
}

impl PollPhase {
    fn poll(&mut self, poller: &mut SocketPoller, request: &PollRequest) -> PollResult {
        if request.poll_now {
            poller.include_bound_next();
        }
        poller.focus_on(request.focus.as_ref());
        let (mut changes, next) = match self {
            Self::Sockets => (poller.poll_sockets(), Self::Owners),
            Self::Owners => (poller.resolve_owners(), Self::Steady),
            Self::Steady => (poller.poll(), Self::Steady),
        };
        if matches!(self, Self::Owners) {
            // The first search for holders goes through every process, which no later look does.
            changes.took = Duration::ZERO;
        }
        *self = next;
        PollResult {
            changes,
            has_more: matches!(self, Self::Owners),
        }
    }
}

/// The life of the thread: until nobody asks or nobody listens any more.
fn run(
    first: PollRequest,
    requests: &Receiver<PollRequest>,
    changes: &tokio::sync::mpsc::Sender<Changes>,
    mut poll: impl FnMut(&PollRequest) -> PollResult,
) {
    let mut schedule = Schedule::new(first);
    let mut unsent: Option<Changes> = None;
    while drain_requests(requests, &mut schedule) {
        let now = Instant::now();
        match schedule.next_step(now, unsent.is_some()) {
            NextStep::Poll => {
                let result = poll(schedule.request());
                if !result.has_more {
                    schedule.record_poll(now, result.changes.took);
                }
                let changes = Changes {
                    interval: schedule.interval(),
                    ..result.changes
                };
                unsent = Some(merged(unsent, changes));
            }
            NextStep::Wait(pause) => match requests.recv_timeout(pause) {
                Ok(request) => schedule.merge_request(request),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            },
        }
        if let Some(waiting) = unsent.take() {
            match changes.try_reserve() {
                Ok(permit) => permit.send(waiting),
                Err(TrySendError::Full(())) => unsent = Some(waiting),
                Err(TrySendError::Closed(())) => return,
            }
        }
    }
}

/// Takes in every request that is waiting; false when no more can come. Also needed when a look takes longer than the
/// interval, so that the thread never waits for a request.
fn drain_requests(requests: &Receiver<PollRequest>, schedule: &mut Schedule) -> bool {
    loop {
        match requests.try_recv() {
            Ok(request) => schedule.merge_request(request),
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Disconnected) => return false,
        }
    }
}

fn merged(unsent: Option<Changes>, later: Changes) -> Changes {
    match unsent {
        Some(mut unsent) => {
            unsent.merge(later);
            unsent
        }
        None => later,
    }
}

#[cfg(test)]
mod tests;
