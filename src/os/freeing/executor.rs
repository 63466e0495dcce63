//! Performs the steps of a freeing: holds on to processes, signals them, watches ports and tries to bind them.
//!
//! It decides nothing, and never signals a process whose identity and socket it has not checked just before.

use super::bell::Bell;
use super::checks;
use super::handle::Handle;
use super::senses::Senses;
use super::trial;
use super::watch::{Watch, of_port};
use crate::model::freeing::{
    Dispatch, Happening, Hindrance, Order, OrderId, Sending, Step, Target,
};
use crate::model::process::{Process, ProcessId};
use crate::model::provenance::Unit;
use crate::model::snapshot::Snapshot;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many times its own cost a look is followed by rest.
const REST: u32 = 3;

pub struct Executor {
    senses: Senses,
    bell: Bell,
    handles: Vec<Handle>,
    jobs: Vec<Job>,
    /// What the last round of looks took.
    cost: Duration,
}

/// One order on its way.
struct Job {
    order: Order,
    /// The units that the holders belonged to then; of those that have ended nobody could tell any more.
    units: Vec<(ProcessId, Unit)>,
    watch: Option<Watch>,
}

impl Executor {
    /// An executor that nobody wakes from another thread. An error means that the system gave no file descriptor.
    pub fn alone(senses: Senses) -> io::Result<Self> {
        Ok(Self::new(senses, Bell::new()?))
    }

    /// An executor of this thread, whose rests end when the bell rings.
    pub(super) fn new(senses: Senses, bell: Bell) -> Self {
        bell.belongs_to_this_thread();
        Self {
            senses,
            bell,
            handles: Vec::new(),
            jobs: Vec::new(),
            cost: Duration::ZERO,
        }
    }

    /// Takes hold of the processes a question is about, so that no other can be signalled in their place. To be called
    /// when the question opens; whatever was held before is let go.
    pub fn hold(&mut self, processes: &[ProcessId]) {
        self.release();
        for process in processes {
            self.take_hold(*process);
        }
    }

    /// Lets go of everything and stops watching: the question was cancelled or its verdict is closed.
    pub fn release(&mut self) {
        self.handles.clear();
        self.jobs.clear();
        (self.senses.rest)();
    }

    pub fn perform(&mut self, step: Step) -> Vec<Happening> {
        match step {
            Step::Send(orders) => self.send(orders),
            Step::Watch(order) => {
                if let Some(job) = self.job(order) {
                    job.watch = Some(Watch::new(job.order.clone(), job.units.clone()));
                }
                Vec::new()
            }
            Step::TryBind(order, addresses) => {
                let job = self.job(order);
                let trial = job.map(|job| trial::run(&job.order, &addresses));
                trial.map(Happening::Bound).into_iter().collect()
            }
            Step::StopWatching(order) => {
                if let Some(job) = self.job(order) {
                    job.watch = None;
                }
                Vec::new()
            }
        }
    }

    pub fn is_watching(&self) -> bool {
        self.jobs.iter().any(|job| job.watch.is_some())
    }

    /// Looks once at every port that is watched, and returns what is worth telling.
    pub fn look(&mut self) -> Vec<Happening> {
        let began = Instant::now();
        // Those that are settled too, so that the sight need not be opened anew.
        let ports = self.ports_with(&[]);
        let mut watches: Vec<&mut Watch> = self
            .jobs
            .iter_mut()
            .filter_map(|job| job.watch.as_mut())
            .collect();
        // Before the sockets: whoever has ended by now has closed what the table shows after it.
        for watch in &mut watches {
            watch.see_who_ended(&self.handles, self.senses.start_time);
        }
        let snapshot = (self.senses.look)(&ports);
        let looks = watches
            .into_iter()
            .filter_map(|watch| watch.look(&snapshot, &mut self.senses))
            .map(Happening::Looked)
            .collect();
        self.cost = began.elapsed();
        looks
    }

    /// Sleeps until the next look is due, a target ends, or the bell rings.
    pub fn rest(&self) {
        let watches = self.jobs.iter().filter_map(|job| job.watch.as_ref());
        let pause = watches.clone().map(Watch::interval).min();
        let pause = pause.unwrap_or_default().max(self.cost * REST);
        let running = watches.flat_map(|watch| watch.still_running(&self.handles));
        self.bell.wait(running, pause.saturating_sub(self.cost));
    }

    fn job(&mut self, order: OrderId) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.order.id() == order)
    }

    fn take_hold(&mut self, process: ProcessId) {
        if !self.handles.iter().any(|handle| handle.id() == process) {
            let handle = Handle::open(process, self.senses.start_time);
            self.handles.push(handle);
        }
    }

    /// Checks each order, and signals the targets of those that passed. What has become of the orders before, of which
    /// these may be the continuation, is no longer told.
    fn send(&mut self, orders: Vec<Order>) -> Vec<Happening> {
        for target in orders.iter().flat_map(Order::targets) {
            self.take_hold(target.id());
        }
        let ports = self.ports_with(&orders);
        let snapshot = (self.senses.look)(&ports);
        let checked: Vec<Result<Vec<Hindrance>, Hindrance>> = orders
            .iter()
            .map(|order| checks::all(order, &self.handles, &snapshot, self.senses.start_time))
            .collect();
        // Of all of them before the first signal: two may be about the same process.
        let units: Vec<Vec<_>> = orders.iter().map(|order| self.units(order)).collect();
        let mut given = HashMap::new();
        let mut happenings = Vec::new();
        for ((order, checked), units) in orders.into_iter().zip(checked).zip(units) {
            let sending = match checked {
                Ok(hindered) => self.signal(&order, hindered, &snapshot, &mut given),
                Err(hindrance) => Sending::NotSent(hindrance),
            };
            happenings.push(Happening::Sent(Dispatch {
                order: order.id(),
                at: Instant::now(),
                sending,
            }));
            self.jobs.retain(|job| !job.is_before(&order));
            self.jobs.push(Job {
                order,
                units,
                watch: None,
            });
        }
        happenings
    }

    /// The units of the holders, and what was known of them when the order before this one was sent.
    fn units(&self, order: &Order) -> Vec<(ProcessId, Unit)> {
        let unit = |holder: &Arc<Process>| Some((holder.id, (self.senses.unit)(holder)?));
        let before = self.jobs.iter().filter(|job| job.is_before(order));
        let before = before.flat_map(|job| job.units.iter().cloned());
        order
            .holders()
            .iter()
            .filter_map(unit)
            .chain(before)
            .collect()
    }

    /// Those of these orders and of all before, each once: one look sees all of them.
    fn ports_with(&self, orders: &[Order]) -> Vec<u16> {
        let all = self.jobs.iter().map(|job| &job.order).chain(orders);
        let mut ports: Vec<u16> = all.map(Order::port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Signals every target that is not hindered and has not got this signal for another of the orders that were confirmed
    /// together.
    fn signal(
        &self,
        order: &Order,
        mut missed: Vec<Hindrance>,
        snapshot: &Snapshot,
        given: &mut HashMap<ProcessId, Result<checks::Given, Hindrance>>,
    ) -> Sending {
        let mut woken = Vec::new();
        let hindered: Vec<ProcessId> = missed
            .iter()
            .filter_map(|hindrance| Some(hindrance.process()?.id))
            .collect();
        for target in order.targets() {
            if hindered.contains(&target.id()) {
                continue;
            }
            let outcome = given
                .entry(target.id())
                .or_insert_with(|| self.signal_once(order, target));
            match outcome {
                Ok(checks::Given::Signal) => {}
                Ok(checks::Given::SignalAndContinue) => woken.push(target.id()),
                Err(hindrance) => missed.push(hindrance.clone()),
            }
        }
        // Where every single target was missed, nothing was sent after all.
        if missed.len() == order.targets().len() && !missed.is_empty() {
            return Sending::NotSent(missed.swap_remove(0));
        }
        Sending::Sent {
            sockets: of_port(order, snapshot),
            woken,
            missed,
        }
    }

    fn signal_once(&self, order: &Order, target: &Target) -> Result<checks::Given, Hindrance> {
        let handle = self.handles.iter().find(|one| one.id() == target.id());
        let process = &target.process;
        let handle = handle.ok_or_else(|| Hindrance::EndedMeanwhile(process.clone()))?;
        checks::signal(handle, process, order.signal())
    }
}

impl Job {
    /// Whether it is about the same port: a new order for it takes its place.
    fn is_before(&self, order: &Order) -> bool {
        (self.order.protocol(), self.order.port()) == (order.protocol(), order.port())
    }
}
