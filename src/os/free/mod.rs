//! Frees ports as `free` says: each [`ExecCommand`] is performed and what was found comes back as a [`ExecEvent`].
//!
//! The [`Executor`] does it on whatever thread calls it, for commands that wait anyway; the [`FreeWorker`] has one on a thread
//! of its own, for the monitor, whose loop must never wait. It sleeps while there is nothing to watch.

mod checks;
mod executor;
mod port_watch;
mod probe_backend;
mod signal_state;
mod target_handle;
mod waker;

use crate::free::{ExecCommand, ExecEvent};
use crate::model::process::ProcessId;
use crate::os::processes::start_time;
pub use executor::Executor;
pub use probe_backend::ProbeBackend;
use std::io;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use target_handle::{HandleError, TargetHandle};
use tokio::sync::mpsc::UnboundedSender;
use waker::Waker;

/// The handle to the executor's thread. When it is dropped the thread ends.
pub struct FreeWorker {
    commands: Sender<WorkerCommand>,
    waker: Waker,
}

enum WorkerCommand {
    OpenHandles(Vec<ProcessId>),
    Perform(ExecCommand),
    Release,
}

impl FreeWorker {
    /// Starts the thread; what it finds goes into `results`. An error means that the system gave no thread.
    pub fn start(
        results: UnboundedSender<ExecEvent>,
        backend: impl FnOnce() -> ProbeBackend + Send + 'static,
    ) -> io::Result<Self> {
        let (commands, requests) = channel();
        let waker = Waker::new()?;
        let own = waker.clone();
        thread::Builder::new()
            .name("freer".to_owned())
            .spawn(move || {
                let worker = WorkerThread {
                    commands: requests,
                    executor: Executor::with_waker(backend(), own),
                    results,
                };
                worker.run();
            })?;
        Ok(Self { commands, waker })
    }

    /// Takes hold of the processes a question is about, so that no other can be signalled in their place. To be called
    /// when the question opens; whatever was held before is let go.
    pub fn open_handles(&self, processes: &[ProcessId]) {
        self.send(WorkerCommand::OpenHandles(processes.to_vec()));
    }

    pub fn perform(&self, command: ExecCommand) {
        self.send(WorkerCommand::Perform(command));
    }

    /// Lets go of everything and stops watching: the question was cancelled or its verdict is closed.
    pub fn release(&self) {
        self.send(WorkerCommand::Release);
    }

    /// A thread that is gone has nothing to be told; its end shows as the end of the results.
    fn send(&self, command: WorkerCommand) {
        if self.commands.send(command).is_ok() {
            self.waker.wake();
        }
    }
}

/// Whether the system says that this user may not signal the process; nothing is sent to find out.
pub fn is_denied(process: ProcessId) -> bool {
    let handle = TargetHandle::open(process, start_time::of_pid);
    handle.check_permission() == Err(HandleError::NotPermitted)
}

/// Why the thread ends: nobody commands it, or nobody listens to it.
struct ChannelClosed;

struct WorkerThread {
    commands: Receiver<WorkerCommand>,
    executor: Executor,
    results: UnboundedSender<ExecEvent>,
}

impl WorkerThread {
    fn run(mut self) {
        while self.run_once().is_ok() {}
    }

    fn run_once(&mut self) -> Result<(), ChannelClosed> {
        if !self.executor.is_watching() {
            let command = self.commands.recv().map_err(|_| ChannelClosed)?;
            return self.handle(command);
        }
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.handle(command)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(ChannelClosed),
            }
        }
        let happenings = self.executor.poll();
        self.report(happenings)?;
        self.executor.wait();
        Ok(())
    }

    fn handle(&mut self, command: WorkerCommand) -> Result<(), ChannelClosed> {
        match command {
            WorkerCommand::OpenHandles(processes) => self.executor.open_handles(&processes),
            WorkerCommand::Release => self.executor.release(),
            WorkerCommand::Perform(command) => {
                let happenings = self.executor.perform(command);
                self.report(happenings)?;
            }
        }
        Ok(())
    }

    fn report(&self, happenings: Vec<ExecEvent>) -> Result<(), ChannelClosed> {
        let mut happenings = happenings.into_iter();
        happenings.try_for_each(|event| self.results.send(event).map_err(|_| ChannelClosed))
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
