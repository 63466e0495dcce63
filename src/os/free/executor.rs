//! Performs the steps of a freeing: holds on to processes, signals them, watches ports and tries to bind them.
//!
//! It decides nothing, and never signals a process whose identity and socket it has not checked just before.

use super::checks;
use super::port_watch::{PortWatch, sockets_of_port};
use super::probe_backend::ProbeBackend;
use super::target_handle::TargetHandle;
use super::waker::Waker;
use crate::free::{
    BindProbe, ExecCommand, ExecEvent, KillRequest, RequestId, SendOutcome, SendReport,
    SignalError, Target,
};
use crate::model::process::{Process, ProcessId};
use crate::model::snapshot::Snapshot;
use crate::model::supervisor::Unit;
use crate::os::bind_probe;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many times its own cost a look is followed by rest.
const BACKOFF: u32 = 3;

pub struct Executor {
    backend: ProbeBackend,
    waker: Waker,
    handles: Vec<TargetHandle>,
    jobs: Vec<FreeJob>,
    /// What the last round of looks took.
    poll_took: Duration,
}

/// One order on its way.
struct FreeJob {
    request: KillRequest,
    /// The units that the holders belonged to then; of those that have ended nobody could tell any more.
    units: Vec<(ProcessId, Unit)>,
    watch: Option<PortWatch>,
}

impl Executor {
    /// An executor that nobody wakes from another thread. An error means that the system gave no file descriptor.
    pub fn new(backend: ProbeBackend) -> io::Result<Self> {
        Ok(Self::with_waker(backend, Waker::new()?))
    }

    /// An executor of this thread, whose rests end when the bell rings.
    pub(super) fn with_waker(backend: ProbeBackend, waker: Waker) -> Self {
        waker.set_current_thread();
        Self {
            backend,
            waker,
            handles: Vec::new(),
            jobs: Vec::new(),
            poll_took: Duration::ZERO,
        }
    }

    /// Takes hold of the processes a question is about, so that no other can be signalled in their place. To be called
    /// when the question opens; whatever was held before is let go.
    pub fn open_handles(&mut self, processes: &[ProcessId]) {
        self.release();
        for process in processes {
            self.open_handle(*process);
        }
    }

    /// Lets go of everything and stops watching: the question was cancelled or its verdict is closed.
    pub fn release(&mut self) {
        self.handles.clear();
        self.jobs.clear();
        (self.backend.close)();
    }

    pub fn perform(&mut self, command: ExecCommand) -> Vec<ExecEvent> {
        match command {
            ExecCommand::Send(requests) => self.send(requests),
            ExecCommand::Watch(request) => {
                if let Some(job) = self.job(request) {
                    job.watch = Some(PortWatch::new(job.request.clone(), job.units.clone()));
                }
                Vec::new()
            }
            ExecCommand::TryBind(request, addresses) => {
                let job = self.job(request);
                let probed = job.map(|job| probe(&job.request, &addresses));
                probed.map(ExecEvent::BindProbed).into_iter().collect()
            }
            ExecCommand::StopWatching(request) => {
                if let Some(job) = self.job(request) {
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
    pub fn poll(&mut self) -> Vec<ExecEvent> {
        let began = Instant::now();
        // Those that are settled too, so that the sight need not be opened anew.
        let ports = self.ports_with(&[]);
        let mut watches: Vec<&mut PortWatch> = self
            .jobs
            .iter_mut()
            .filter_map(|job| job.watch.as_mut())
            .collect();
        // Before the sockets: whoever has ended by now has closed what the table shows after it.
        for watch in &mut watches {
            watch.record_ended(&self.handles, self.backend.start_time);
        }
        let snapshot = (self.backend.read_sockets)(&ports);
        let looks = watches
            .into_iter()
            .filter_map(|watch| watch.observe(&snapshot, &mut self.backend))
            .map(ExecEvent::Polled)
            .collect();
        self.poll_took = began.elapsed();
        looks
    }

    /// Sleeps until the next look is due, a target ends, or the bell rings.
    pub fn wait(&self) {
        let watches = self.jobs.iter().filter_map(|job| job.watch.as_ref());
        let pause = watches.clone().map(PortWatch::interval).min();
        let pause = pause.unwrap_or_default().max(self.poll_took * BACKOFF);
        let running = watches.flat_map(|watch| watch.still_running(&self.handles));
        self.waker
            .wait(running, pause.saturating_sub(self.poll_took));
    }

    fn job(&mut self, request: RequestId) -> Option<&mut FreeJob> {
        self.jobs.iter_mut().find(|job| job.request.id() == request)
    }

    fn open_handle(&mut self, process: ProcessId) {
        if !self.handles.iter().any(|handle| handle.id() == process) {
            let handle = TargetHandle::open(process, self.backend.start_time);
            self.handles.push(handle);
        }
    }

    /// Checks each order, and signals the targets of those that passed. What has become of the orders before, of which
    /// these may be the continuation, is no longer told.
    fn send(&mut self, requests: Vec<KillRequest>) -> Vec<ExecEvent> {
        for target in requests.iter().flat_map(KillRequest::targets) {
            self.open_handle(target.id());
        }
        let ports = self.ports_with(&requests);
        let snapshot = (self.backend.read_sockets)(&ports);
        let checked: Vec<Result<Vec<SignalError>, SignalError>> = requests
            .iter()
            .map(|request| {
                checks::check_targets(request, &self.handles, &snapshot, self.backend.start_time)
            })
            .collect();
        // Of all of them before the first signal: two may be about the same process.
        let units: Vec<Vec<_>> = requests.iter().map(|request| self.units(request)).collect();
        let mut delivered = HashMap::new();
        let mut happenings = Vec::new();
        for ((request, checked), units) in requests.into_iter().zip(checked).zip(units) {
            let sending = match checked {
                Ok(failed) => self.signal(&request, failed, &snapshot, &mut delivered),
                Err(error) => SendOutcome::NotSent(error),
            };
            happenings.push(ExecEvent::SignalsSent(SendReport {
                request: request.id(),
                at: Instant::now(),
                sending,
            }));
            self.jobs.retain(|job| !job.has_same_port(&request));
            self.jobs.push(FreeJob {
                request,
                units,
                watch: None,
            });
        }
        happenings
    }

    /// The units of the holders, and what was known of them when the order before this one was sent.
    fn units(&self, request: &KillRequest) -> Vec<(ProcessId, Unit)> {
        let unit = |holder: &Arc<Process>| Some((holder.id, (self.backend.unit)(holder)?));
        let before = self.jobs.iter().filter(|job| job.has_same_port(request));
        let before = before.flat_map(|job| job.units.iter().cloned());
        request
            .owners()
            .iter()
            .filter_map(unit)
            .chain(before)
            .collect()
    }

    /// Those of these orders and of all before, each once: one look sees all of them.
    fn ports_with(&self, requests: &[KillRequest]) -> Vec<u16> {
        let all = self.jobs.iter().map(|job| &job.request).chain(requests);
        let mut ports: Vec<u16> = all.map(KillRequest::port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Signals every target that is not hindered and has not got this signal for another of the orders that were confirmed
    /// together.
    fn signal(
        &self,
        request: &KillRequest,
        mut missed: Vec<SignalError>,
        snapshot: &Snapshot,
        delivered: &mut HashMap<ProcessId, Result<checks::Delivery, SignalError>>,
    ) -> SendOutcome {
        let mut resumed = Vec::new();
        let failed: Vec<ProcessId> = missed
            .iter()
            .filter_map(|error| Some(error.process()?.id))
            .collect();
        for target in request.targets() {
            if failed.contains(&target.id()) {
                continue;
            }
            let outcome = delivered
                .entry(target.id())
                .or_insert_with(|| self.signal_once(request, target));
            match outcome {
                Ok(checks::Delivery::Signal) => {}
                Ok(checks::Delivery::SignalAndContinue) => resumed.push(target.id()),
                Err(error) => missed.push(error.clone()),
            }
        }
        // Where every single target was missed, nothing was sent after all.
        if missed.len() == request.targets().len() && !missed.is_empty() {
            return SendOutcome::NotSent(missed.swap_remove(0));
        }
        SendOutcome::Sent {
            sockets: sockets_of_port(request, snapshot),
            resumed,
            missed,
        }
    }

    fn signal_once(
        &self,
        request: &KillRequest,
        target: &Target,
    ) -> Result<checks::Delivery, SignalError> {
        let handle = self.handles.iter().find(|one| one.id() == target.id());
        let process = &target.process;
        let handle = handle.ok_or_else(|| SignalError::AlreadyExited(process.clone()))?;
        checks::signal(handle, process, request.signal())
    }
}

/// Tries to bind each address for this request, without listening on it.
fn probe(request: &KillRequest, addresses: &[SocketAddr]) -> BindProbe {
    BindProbe {
        request: request.id(),
        probes: bind_probe::probe_all(request.protocol(), addresses),
        localhost: bind_probe::resolve_localhost(),
        at: Instant::now(),
    }
}

impl FreeJob {
    /// Whether it is about the same port: a new order for it takes its place.
    fn has_same_port(&self, request: &KillRequest) -> bool {
        (self.request.protocol(), self.request.port()) == (request.protocol(), request.port())
    }
}
