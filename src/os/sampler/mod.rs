//! The sampler thread: polls the sockets at an interval and sends the changes.
//!
//! It never blocks on the receiver: unsent changes are merged with later ones. It ends when either channel is closed.

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

/// Handle of the sampler thread, which ends when this is dropped.
pub struct Sampler {
    requests: Sender<PollRequest>,
}

impl Sampler {
    /// Starts the thread, which polls at once. Every poll is sent, even one without changes, because its time and problems
    /// are news too. The channel should hold at least one.
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

    /// Changes how to poll; never blocks. Does nothing once the thread has ended, which closes the changes channel.
    pub fn request(&self, request: PollRequest) {
        let _ = self.requests.send(request);
    }
}

/// Phase of the first poll: sockets are sent before their owners are looked up.
enum PollPhase {
    Sockets,
    Owners,
    Steady,
}

struct PollResult {
    changes: Changes,
    /// The rest of the poll is to follow at once.
    has_more: bool,
}

impl PollPhase {
    fn poll(&mut self, poller: &mut SocketPoller, request: &PollRequest) -> PollResult {
        if request.poll_now {
            poller.include_bound_next();
        }
        poller.set_in_view(&request.in_view);
        poller.focus_on(request.focus.as_ref());
        let (mut changes, next) = match self {
            Self::Sockets => (poller.poll_sockets(), Self::Owners),
            Self::Owners => (poller.resolve_owners(), Self::Steady),
            Self::Steady => (poller.poll(), Self::Steady),
        };
        if matches!(self, Self::Owners) {
            // The first lookup of owners scans every process, which no later poll does.
            changes.took = Duration::ZERO;
        }
        *self = next;
        PollResult {
            changes,
            has_more: matches!(self, Self::Owners),
        }
    }
}

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
                match &mut unsent {
                    Some(unsent) => unsent.merge(changes),
                    None => unsent = Some(changes),
                }
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

/// Receives every waiting request; false if the channel is closed. Needed because the thread never waits for one if a poll
/// takes longer than the interval.
fn drain_requests(requests: &Receiver<PollRequest>, schedule: &mut Schedule) -> bool {
    loop {
        match requests.try_recv() {
            Ok(request) => schedule.merge_request(request),
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Disconnected) => return false,
        }
    }
}

#[cfg(test)]
mod tests;
