//! Looks at the sockets at a steady pace, on a thread of its own, and sends what changed.
//!
//! The thread alone owns the tracker. It never waits for the receiver: changes that cannot be sent are merged with later
//! ones. It ends when either end of its channels is gone.

use crate::model::Moment;
use crate::model::endpoint::Endpoint;
use crate::model::ports::EphemeralRange;
use crate::model::request::Request;
use crate::model::snapshot::Problem;
use crate::model::tracker::{Changes, Tracker};
use crate::os::processes::Processes;
use crate::os::sockets::Sockets;
use schedule::{Schedule, Step};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::Instant;
use tokio::sync::mpsc::error::TrySendError;

mod schedule;

/// The handle of the sampling thread, which ends when this is dropped.
pub struct Sampler {
    requests: Sender<Request>,
}

impl Sampler {
    /// Starts looking at once. Every look is sent, even one that changed nothing: what was taken when, and what could not
    /// be read, is news too. The channel should have room for one.
    pub fn start(
        first: Request,
        ephemeral: EphemeralRange,
        changes: tokio::sync::mpsc::Sender<Changes>,
    ) -> io::Result<Self> {
        let (requests, incoming) = channel();
        thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || {
                let mut eye = Eye::new(ephemeral);
                run(first, &incoming, &changes, || eye.look());
            })?;
        Ok(Self { requests })
    }

    /// Asks for another way to look; never blocks. Once the thread ended, which the receiver of the changes sees, it does
    /// nothing.
    pub fn request(&self, request: Request) {
        let _ = self.requests.send(request);
    }
}

/// What one look saw.
pub struct Look {
    pub taken: Moment,
    /// In no particular order.
    pub endpoints: Vec<Endpoint>,
    pub problems: Vec<Problem>,
}

/// Looks once, for whoever does not follow.
pub fn look_once(ephemeral: EphemeralRange) -> Look {
    let mut eye = Eye::new(ephemeral);
    let Changes {
        taken, problems, ..
    } = eye.look();
    let endpoints = eye.tracker.endpoints().values().cloned().collect();
    Look {
        taken,
        endpoints,
        problems,
    }
}

/// Everything a look needs and remembers.
pub struct Eye {
    tracker: Tracker,
    sockets: Sockets,
    processes: Processes,
}

impl Eye {
    pub fn new(ephemeral: EphemeralRange) -> Self {
        Self {
            tracker: Tracker::new(ephemeral),
            sockets: Sockets::new(),
            processes: Processes::new(),
        }
    }

    pub fn look(&mut self) -> Changes {
        let snapshot = self.sockets.look(&mut self.processes);
        self.tracker.absorb(snapshot)
    }
}

/// The life of the thread: until nobody asks or nobody listens any more.
fn run(
    first: Request,
    requests: &Receiver<Request>,
    changes: &tokio::sync::mpsc::Sender<Changes>,
    mut look: impl FnMut() -> Changes,
) {
    let mut schedule = Schedule::new(first);
    let mut unsent: Option<Changes> = None;
    while heed_all(requests, &mut schedule) {
        let now = Instant::now();
        match schedule.step(now, unsent.is_some()) {
            Step::Look => {
                schedule.looked(now);
                unsent = Some(added(unsent, look()));
            }
            Step::Wait(pause) => match requests.recv_timeout(pause) {
                Ok(request) => schedule.heed(request),
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
fn heed_all(requests: &Receiver<Request>, schedule: &mut Schedule) -> bool {
    loop {
        match requests.try_recv() {
            Ok(request) => schedule.heed(request),
            Err(TryRecvError::Empty) => return true,
            Err(TryRecvError::Disconnected) => return false,
        }
    }
}

fn added(unsent: Option<Changes>, later: Changes) -> Changes {
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
