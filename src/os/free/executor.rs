//! Performs the commands of a freeing: opens processes, signals them, watches ports and tries to bind them.
//!
//! It decides nothing, and never signals a process whose identity and socket it has not just verified.

use super::checks;
use super::port_watch::{PortWatch, sockets_of_port};
use super::probe_backend::ProbeBackend;
use super::target_handle::TargetHandle;
use super::waker::Waker;
use crate::free::{
    BindProbe, ExecCommand, ExecEvent, KillRequest, RequestId, SendOutcome, SendReport,
    SignalError, Target,
};
use crate::model::process::{Process, ProcessId, Unit};
use crate::model::snapshot::Snapshot;
use crate::os::bind_probe;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rest after a poll, as a multiple of the time the poll took.
const BACKOFF: u32 = 3;

pub struct Executor {
    backend: ProbeBackend,
    waker: Waker,
    handles: Vec<TargetHandle>,
    jobs: Vec<FreeJob>,
    /// Duration of the last poll.
    poll_took: Duration,
}

/// A request that was performed, until another one for its port replaces it.
struct FreeJob {
    request: KillRequest,
    /// The units of the owners at that time; they cannot be read once the owners have ended.
    units: Vec<(ProcessId, Unit)>,
    watch: Option<PortWatch>,
}

impl Executor {
    /// Returns an executor that no other thread wakes. Fails if the system gives no descriptor.
    pub fn new(backend: ProbeBackend) -> io::Result<Self> {
        Ok(Self::with_waker(backend, Waker::new()?))
    }

    /// Returns an executor of the current thread, woken by `waker`.
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

    /// Opens handles of the processes a question is about; see
    /// [`FreeWorker::open_handles`](super::FreeWorker::open_handles).
    pub fn open_handles(&mut self, processes: &[ProcessId]) {
        self.release();
        for process in processes {
            self.open_handle(*process);
        }
    }

    /// Closes all handles and stops watching.
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

    /// Polls every watched port once, and returns what is to be reported.
    pub fn poll(&mut self) -> Vec<ExecEvent> {
        let began = Instant::now();
        // Of requests that are not watched too, so that the poller need not be opened again.
        let ports = self.ports_with(&[]);
        let mut watches: Vec<&mut PortWatch> = self
            .jobs
            .iter_mut()
            .filter_map(|job| job.watch.as_mut())
            .collect();
        // Before the sockets: what has ended by now has no socket in the tables read after it.
        for watch in &mut watches {
            watch.record_ended(&self.handles, self.backend.start_time);
        }
        let snapshot = (self.backend.read_sockets)(&ports);
        let events = watches
            .into_iter()
            .filter_map(|watch| watch.observe(&snapshot, &mut self.backend))
            .map(ExecEvent::Polled)
            .collect();
        self.poll_took = began.elapsed();
        events
    }

    /// Sleeps until the next poll is due, a target ends, or the waker is used.
    pub fn wait(&self) {
        let watches = self.jobs.iter().filter_map(|job| job.watch.as_ref());
        let pause = watches.clone().map(PortWatch::interval).min();
        let pause = pause.unwrap_or_default().max(self.poll_took * BACKOFF);
        let running = watches.flat_map(|watch| watch.still_running(&self.handles));
        let running = running.filter_map(|handle| handle.process().ok());
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

    /// Checks each request, and signals the targets of those that passed. Earlier requests for the same ports are no longer
    /// watched.
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
        // All units before the first signal: two requests may have the same process.
        let units: Vec<Vec<_>> = requests.iter().map(|request| self.units(request)).collect();
        let mut delivered = HashMap::new();
        let mut events = Vec::new();
        for ((request, checked), units) in requests.into_iter().zip(checked).zip(units) {
            let sending = match checked {
                Ok(failed) => self.signal(&request, failed, &snapshot, &mut delivered),
                Err(error) => SendOutcome::NotSent(error),
            };
            events.push(ExecEvent::SignalsSent(SendReport {
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
        events
    }

    /// Returns the units of the owners, and those noted for the earlier request of the same port.
    fn units(&self, request: &KillRequest) -> Vec<(ProcessId, Unit)> {
        let unit = |owner: &Arc<Process>| Some((owner.id, (self.backend.unit)(owner)?));
        let before = self.jobs.iter().filter(|job| job.has_same_port(request));
        let before = before.flat_map(|job| job.units.iter().cloned());
        request
            .owners()
            .iter()
            .filter_map(unit)
            .chain(before)
            .collect()
    }

    /// Returns the ports of these and all earlier requests, each once: one poll reads them all.
    fn ports_with(&self, requests: &[KillRequest]) -> Vec<u16> {
        let all = self.jobs.iter().map(|job| &job.request).chain(requests);
        let mut ports: Vec<u16> = all.map(|request| request.port().number).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// Signals every target that passed its check, unless it was already signalled for another request of the same
    /// confirmation.
    fn signal(
        &self,
        request: &KillRequest,
        mut missed: Vec<SignalError>,
        snapshot: &Snapshot,
        delivered: &mut HashMap<ProcessId, Result<bool, SignalError>>,
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
                Ok(true) => resumed.push(target.id()),
                Ok(false) => {}
                Err(error) => missed.push(error.clone()),
            }
        }
        // If no target could be signalled, nothing was sent after all.
        if missed.len() == request.targets().len() && !missed.is_empty() {
            return SendOutcome::NotSent(missed.swap_remove(0));
        }
        SendOutcome::Sent {
            sockets: sockets_of_port(request, snapshot),
            resumed,
            missed,
        }
    }

    /// Signals a target; true if it was resumed.
    fn signal_once(&self, request: &KillRequest, target: &Target) -> Result<bool, SignalError> {
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
        probes: bind_probe::probe_all(request.port().protocol, addresses),
        localhost: bind_probe::resolve_localhost(),
    }
}

impl FreeJob {
    /// Whether a new request is about the same port and so replaces it.
    fn has_same_port(&self, request: &KillRequest) -> bool {
        self.request.port() == request.port()
    }
}
