//! Looks at the sockets at a steady pace, on a thread of its own, and sends what changed.
//!
//! It never waits for the receiver: changes that cannot be sent are merged with later ones. It ends when either end of
//! its channels is gone.

use crate::model::request::Request;
use crate::model::tracker::Changes;
use crate::os::eye::Eye;
use schedule::{Schedule, Step};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::error::TrySendError;

mod schedule;

pub use schedule::STRETCH;

/// The handle of the sampling thread, which ends when this is dropped.
pub struct Sampler {
    requests: Sender<Request>,
}

impl Sampler {
    /// Starts looking at once. Every look is sent, even one that changed nothing: what was taken when, and what could not
    /// be read, is news too. The channel should have room for one.
    pub fn start(
        first: Request,
        eye: impl FnOnce() -> Eye + Send + 'static,
        changes: tokio::sync::mpsc::Sender<Changes>,
    ) -> io::Result<Self> {
        let (requests, incoming) = channel();
        thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || {
                let mut stage = Stage::Sockets;
                let mut eye = eye();
                run(first, &incoming, &changes, |request| {
                    stage.look(&mut eye, request)
                });
            })?;
        Ok(Self { requests })
    }

    /// Asks for another way to look; never blocks. Once the thread ended, which the receiver of the changes sees, it does
    /// nothing.
    pub fn request(&self, request: Request) {
        let _ = self.requests.send(request);
    }
}

/// How far the first look has come: the sockets are sent before anybody is asked who holds them.
enum Stage {
    Sockets,
    Holders,
    Steady,
}

/// What a look gave, and whether the rest of it is to follow at once.
struct Part {
    changes: Changes,
    has_rest: bool,
}

impl Stage {
    fn look(&mut self, eye: &mut Eye, request: &Request) -> Part {
        if request.look_now {
            eye.ask_for_bound();
        }
        eye.focus_on(request.focus.as_ref());
        let (mut changes, next) = match self {
            Self::Sockets => (eye.glance(), Self::Holders),
            Self::Holders => (eye.seek(), Self::Steady),
            Self::Steady => (eye.look(), Self::Steady),
        };
        if matches!(self, Self::Holders) {
            // The first search for holders goes through every process, which no later look does.
            changes.took = Duration::ZERO;
        }
        *self = next;
        Part {
            changes,
            has_rest: matches!(self, Self::Holders),
        }
    }
}

/// The life of the thread: until nobody asks or nobody listens any more.
fn run(
    first: Request,
    requests: &Receiver<Request>,
    changes: &tokio::sync::mpsc::Sender<Changes>,
    mut look: impl FnMut(&Request) -> Part,
) {
    let mut schedule = Schedule::new(first);
    let mut unsent: Option<Changes> = None;
    while heed_all(requests, &mut schedule) {
        let now = Instant::now();
        match schedule.step(now, unsent.is_some()) {
            Step::Look => {
                let part = look(schedule.request());
                if !part.has_rest {
                    schedule.looked(now, part.changes.took);
                }
                let changes = Changes {
                    interval: schedule.interval(),
                    ..part.changes
                };
                unsent = Some(added(unsent, changes));
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
