//! Frees ports as `model::freeing` says: each [`Step`] is performed and what was found comes back as a [`Happening`].
//!
//! The [`Executor`] does it on whatever thread calls it, for commands that wait anyway; the [`Freer`] has one on a thread
//! of its own, for the monitor, whose loop must never wait. It sleeps while there is nothing to watch.

mod bell;
mod checks;
mod conduct;
mod executor;
mod handle;
mod senses;
pub(in crate::os) mod trial;
mod watch;

use crate::model::freeing::{Happening, Step};
use crate::model::process::ProcessId;
use crate::os::identity;
use bell::Bell;
pub use executor::Executor;
use handle::{Handle, Lost};
pub use senses::Senses;
use std::io;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use tokio::sync::mpsc::UnboundedSender;

/// The handle to the executor's thread. When it is dropped the thread ends.
pub struct Freer {
    commands: Sender<Command>,
    bell: Bell,
}

enum Command {
    Hold(Vec<ProcessId>),
    Perform(Step),
    Release,
}

impl Freer {
    /// Starts the thread; what it finds goes into `results`. An error means that the system gave no thread.
    pub fn start(
        results: UnboundedSender<Happening>,
        senses: impl FnOnce() -> Senses + Send + 'static,
    ) -> io::Result<Self> {
        let (commands, orders) = channel();
        let bell = Bell::new()?;
        let own = bell.clone();
        thread::Builder::new()
            .name("freer".to_owned())
            .spawn(move || {
                let worker = Worker {
                    commands: orders,
                    executor: Executor::new(senses(), own),
                    results,
                };
                worker.run();
            })?;
        Ok(Self { commands, bell })
    }

    /// Takes hold of the processes a question is about, so that no other can be signalled in their place. To be called
    /// when the question opens; whatever was held before is let go.
    pub fn hold(&self, processes: &[ProcessId]) {
        self.command(Command::Hold(processes.to_vec()));
    }

    pub fn perform(&self, step: Step) {
        self.command(Command::Perform(step));
    }

    /// Lets go of everything and stops watching: the question was cancelled or its verdict is closed.
    pub fn release(&self) {
        self.command(Command::Release);
    }

    /// A thread that is gone has nothing to be told; its end shows as the end of the results.
    fn command(&self, command: Command) {
        if self.commands.send(command).is_ok() {
            self.bell.ring();
        }
    }
}

/// Whether the system says that this user may not signal the process; nothing is sent to find out.
pub fn is_denied(process: ProcessId) -> bool {
    let handle = Handle::open(process, identity::start_time);
    handle.permits() == Err(Lost::NotPermitted)
}

/// Why the thread ends: nobody commands it, or nobody listens to it.
struct Abandoned;

struct Worker {
    commands: Receiver<Command>,
    executor: Executor,
    results: UnboundedSender<Happening>,
}

impl Worker {
    fn run(mut self) {
        while self.turn().is_ok() {}
    }

    fn turn(&mut self) -> Result<(), Abandoned> {
        if !self.executor.is_watching() {
            let command = self.commands.recv().map_err(|_| Abandoned)?;
            return self.obey(command);
        }
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.obey(command)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(Abandoned),
            }
        }
        let happenings = self.executor.look();
        self.tell(happenings)?;
        self.executor.rest();
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<(), Abandoned> {
        match command {
            Command::Hold(processes) => self.executor.hold(&processes),
            Command::Release => self.executor.release(),
            Command::Perform(step) => {
                let happenings = self.executor.perform(step);
                self.tell(happenings)?;
            }
        }
        Ok(())
    }

    fn tell(&self, happenings: Vec<Happening>) -> Result<(), Abandoned> {
        let mut happenings = happenings.into_iter();
        happenings.try_for_each(|happening| self.results.send(happening).map_err(|_| Abandoned))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
