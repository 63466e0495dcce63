//! Performs the commands of `free` and returns what was found: [`ExecCommand`] in, [`ExecEvent`] out.
//!
//! The [`Executor`] works on the calling thread, for commands that wait anyway; the [`FreeWorker`] has one on a thread of
//! its own, for the monitor, whose loop must never wait. The thread sleeps while there is nothing to watch.

mod checks;
mod executor;
mod port_watch;
mod probe_backend;
pub(in crate::os) mod process_handle;
mod signal_state;
mod target_handle;
mod waker;

use crate::free::{ExecCommand, ExecEvent};
use crate::model::process::ProcessId;
use crate::os::processes::stat;
pub use executor::Executor;
pub use probe_backend::ProbeBackend;
use process_handle::{HandleError, ProcessHandle};
pub use signal_state::signal_state;
use std::io;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use target_handle::TargetHandle;
use tokio::sync::mpsc::UnboundedSender;
use waker::Waker;

/// Handle of the executor's thread, which ends when this is dropped.
pub struct FreeWorker {
    commands: Sender<WorkerCommand>,
    waker: Waker,
}

pub enum WorkerCommand {
    /// See [`Executor::open_handles`].
    OpenHandles(Vec<ProcessId>),
    Perform(ExecCommand),
    /// Close all handles and stop watching: the question was canceled or its verdict is closed.
    Release,
}

impl FreeWorker {
    /// Starts the thread, which sends what it finds to `results`. Fails if the system gives no thread or descriptor.
    pub fn start(
        results: UnboundedSender<ExecEvent>,
        backend: impl FnOnce() -> ProbeBackend + Send + 'static,
    ) -> io::Result<Self> {
        let (commands, requests) = channel();
        let waker = Waker::new()?;
        let own = waker.clone();
        thread::Builder::new()
            .name("free worker".to_owned())
            .spawn(move || run(&requests, Executor::with_waker(backend(), own), &results))?;
        Ok(Self { commands, waker })
    }

    /// Ignores a thread that has ended; the receiver of the results sees that.
    pub fn send(&self, command: WorkerCommand) {
        if self.commands.send(command).is_ok() {
            self.waker.wake();
        }
    }
}

/// True if this user may not signal the process; sends nothing.
pub fn is_denied(process: ProcessId) -> bool {
    let handle = TargetHandle::open(process, stat::process_id);
    let permission = handle.process().and_then(ProcessHandle::check_permission);
    permission == Err(HandleError::NotPermitted)
}

/// Performs commands, and polls while there is a port to watch, until a channel is closed.
fn run(
    commands: &Receiver<WorkerCommand>,
    mut executor: Executor,
    results: &UnboundedSender<ExecEvent>,
) {
    loop {
        let command = if executor.is_watching() {
            commands.try_recv()
        } else {
            commands.recv().map_err(|_| TryRecvError::Disconnected)
        };
        let is_poll = command.is_err();
        let events = match command {
            Ok(WorkerCommand::Perform(command)) => executor.perform(command),
            Ok(WorkerCommand::OpenHandles(processes)) => {
                executor.open_handles(&processes);
                Vec::new()
            }
            Ok(WorkerCommand::Release) => {
                executor.release();
                Vec::new()
            }
            Err(TryRecvError::Empty) => executor.poll(),
            Err(TryRecvError::Disconnected) => return,
        };
        for event in events {
            if results.send(event).is_err() {
                return;
            }
        }
        if is_poll {
            executor.wait();
        }
    }
}

#[cfg(test)]
mod tests;
