//! The executor of `model::freeing`: holds on to processes, signals them, watches the port and tries to bind it.
//!
//! It decides nothing: each [`Step`] is performed and what was found is sent back as a [`Happening`]. It must never
//! signal a process whose identity and socket it has not checked just before, and never block its caller: looks,
//! signals and binds happen on a thread of its own, which sleeps while there is nothing to watch.

mod bell;
mod checks;
mod conduct;
mod handle;
mod senses;
pub(in crate::os) mod trial;
mod watch;

use crate::model::endpoint::Socket;
use crate::model::freeing::{Dispatch, Happening, Hindrance, Order, Sending, Step};
use crate::model::process::ProcessId;
use bell::Bell;
use handle::Handle;
pub use senses::Senses;
use std::io;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread;
use std::time::Instant;
use tokio::sync::mpsc::UnboundedSender;
use watch::Watch;

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
                own.belongs_to_this_thread();
                Worker::new(orders, own, senses(), results).run();
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

struct Worker {
    commands: Receiver<Command>,
    bell: Bell,
    senses: Senses,
    results: UnboundedSender<Happening>,
    handles: Vec<Handle>,
    order: Option<Order>,
    /// What the port of the order had just before it was sent.
    sockets: Vec<Socket>,
    watch: Option<Watch>,
}

/// Why the thread ends: nobody commands it, or nobody listens to it.
struct Abandoned;

impl Worker {
    fn new(
        commands: Receiver<Command>,
        bell: Bell,
        senses: Senses,
        results: UnboundedSender<Happening>,
    ) -> Self {
        Self {
            commands,
            bell,
            senses,
            results,
            handles: Vec::new(),
            order: None,
            sockets: Vec::new(),
            watch: None,
        }
    }

    fn run(mut self) {
        while self.turn().is_ok() {}
    }

    fn turn(&mut self) -> Result<(), Abandoned> {
        if self.watch.is_none() {
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
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        if let Some(look) = watch.look(&mut self.senses, &self.handles) {
            self.results
                .send(Happening::Looked(look))
                .map_err(|_| Abandoned)?;
        }
        self.bell
            .wait(watch.still_running(&self.handles), watch.pause());
        Ok(())
    }

    fn obey(&mut self, command: Command) -> Result<(), Abandoned> {
        match command {
            Command::Hold(processes) => {
                self.release();
                let start_time = self.senses.start_time;
                self.handles = processes
                    .into_iter()
                    .map(|process| Handle::open(process, start_time))
                    .collect();
                Ok(())
            }
            Command::Release => {
                self.release();
                Ok(())
            }
            Command::Perform(step) => self.perform(step),
        }
    }

    fn release(&mut self) {
        self.handles.clear();
        self.order = None;
        self.watch = None;
        (self.senses.rest)();
    }

    fn perform(&mut self, step: Step) -> Result<(), Abandoned> {
        let happening = match step {
            Step::Send(order) => {
                let sending = self.send(&order);
                let dispatch = Dispatch {
                    order: order.id(),
                    at: Instant::now(),
                    sending,
                };
                self.order = Some(order);
                Happening::Sent(dispatch)
            }
            Step::Watch => {
                let order = self.order.clone();
                self.watch = order.map(|order| Watch::new(order, self.sockets.clone()));
                return Ok(());
            }
            Step::TryBind(addresses) => {
                let Some(order) = &self.order else {
                    return Ok(());
                };
                Happening::Bound(trial::run(order, &addresses))
            }
            Step::StopWatching => {
                self.watch = None;
                return Ok(());
            }
        };
        self.results.send(happening).map_err(|_| Abandoned)
    }

    /// Signals every target, or none if one of them is not what was confirmed.
    fn send(&mut self, order: &Order) -> Sending {
        let start_time = self.senses.start_time;
        for target in order.targets() {
            if !self.handles.iter().any(|handle| handle.id() == target.id()) {
                self.handles.push(Handle::open(target.id(), start_time));
            }
        }
        let snapshot = (self.senses.look)(order.port());
        if let Err(hindrance) = checks::all(order, &self.handles, &snapshot, start_time) {
            return Sending::NotSent(hindrance);
        }
        let (mut woken, mut missed) = (Vec::new(), Vec::new());
        for target in order.targets() {
            let handle = self.handles.iter().find(|one| one.id() == target.id());
            let Some(handle) = handle else { continue };
            match checks::signal(handle, &target.process, order.signal()) {
                Ok(checks::Given::Signal) => {}
                Ok(checks::Given::SignalAndContinue) => woken.push(target.id()),
                Err(hindrance) => missed.push(hindrance),
            }
        }
        self.sockets = watch::of_port(order, snapshot.sockets);
        sending(order, &self.sockets, woken, missed)
    }
}

/// Where every single target was missed, nothing was sent after all.
fn sending(
    order: &Order,
    sockets: &[Socket],
    woken: Vec<ProcessId>,
    mut missed: Vec<Hindrance>,
) -> Sending {
    if missed.len() == order.targets().len() && !missed.is_empty() {
        return Sending::NotSent(missed.swap_remove(0));
    }
    Sending::Sent {
        sockets: sockets.to_vec(),
        woken,
        missed,
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
