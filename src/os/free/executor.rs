//! Performs the commands of a freeing: opens processes, signals them, watches ports and tries to bind them.
//!
//! It decides nothing, and never signals a process whose identity and socket it has not just verified.

use super::checks::{self, SentSignal};
use super::port_watch::{PortWatch, sockets_of};
use super::probe_backend::{ProbeBackend, SocketReader};
use super::target_handle::{TargetHandle, TargetHandles};
use super::waker::Waker;
use crate::free::{
    BindProbe, ExecCommand, ExecEvent, ExecResult, KillRequest, RequestId, SendOutcome, SignalError,
};
use crate::model::port::Port;
use crate::model::process::{Pid, Process, ProcessId, Unit};
use crate::model::snapshot::Snapshot;
use crate::model::socket::SocketSource;
use crate::os::bind_probe;
use crate::os::interfaces;
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pause after a poll, as a multiple of its duration.
const BACKOFF: u32 = 3;

pub struct Executor {
    backend: ProbeBackend,
    waker: Waker,
    handles: TargetHandles,
    watches: Vec<PortWatch>,
    /// The reader of the last ports.
    reader: Option<(Vec<u16>, SocketReader)>,
    /// Duration of the last poll.
    poll_took: Duration,
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
            handles: TargetHandles::new(),
            watches: Vec::new(),
            reader: None,
            poll_took: Duration::ZERO,
        }
    }

    /// Returns a function that ends [`wait`](Self::wait) from another thread.
    pub fn waker(&self) -> impl Fn() + Send + use<> {
        let waker = self.waker.clone();
        move || waker.wake()
    }

    /// Opens handles of the processes a question is about, so that no other can be signaled in their place. To be called
    /// when the question opens; closes all earlier handles.
    pub fn open_handles(&mut self, processes: &[ProcessId]) {
        self.release();
        for process in processes {
            self.open_handle(*process);
        }
    }

    fn open_handle(&mut self, process: ProcessId) {
        let handle = self.handles.entry(process);
        handle.or_insert_with(|| TargetHandle::open(process, self.backend.process_id));
    }

    /// Closes all handles and stops watching.
    pub fn release(&mut self) {
        self.handles.clear();
        self.watches.clear();
        self.reader = None;
    }

    pub fn perform(&mut self, command: ExecCommand) -> Vec<ExecEvent> {
        match command {
            ExecCommand::Send(requests) => return self.send(requests),
            ExecCommand::Watch(request) => self.watch(request).for_each(PortWatch::start),
            ExecCommand::StopWatching(request) => self.watch(request).for_each(PortWatch::stop),
            ExecCommand::TryBind(request, addresses) => {
                let ports = self.watch(request).map(|watch| watch.request.port());
                let ports: Vec<Port> = ports.collect();
                let source = self.backend.source;
                let probes = ports.iter().map(|port| probe(*port, &addresses, source));
                return probes.map(|probe| event(request, probe)).collect();
            }
        }
        Vec::new()
    }

    /// Returns the watch of a request, if no later one has replaced it.
    fn watch(&mut self, request: RequestId) -> impl Iterator<Item = &mut PortWatch> {
        let watches = self.watches.iter_mut();
        watches.filter(move |watch| watch.request.id() == request)
    }

    pub fn is_watching(&self) -> bool {
        self.watches.iter().any(PortWatch::is_active)
    }

    /// Polls every watched port once, and returns what is to be reported.
    pub fn poll(&mut self) -> Vec<ExecEvent> {
        let began = Instant::now();
        // Before the sockets: what has ended by now has no socket in the tables read after it.
        for watch in self.watches.iter_mut().filter(|watch| watch.is_active()) {
            watch.record_ended(&self.handles);
        }
        // Those that are not watched too, so that no other reader need be opened.
        let snapshot = self.read_sockets(self.ports_with(&[]));
        let watches = self.watches.iter_mut().filter(|watch| watch.is_active());
        let events = watches
            .filter_map(|watch| {
                let seen = watch.observe(&snapshot, &mut self.backend)?;
                Some(event(watch.request.id(), ExecResult::Polled(seen)))
            })
            .collect();
        self.poll_took = began.elapsed();
        events
    }

    /// Sleeps until the next poll is due, a target ends, or the waker is used.
    pub fn wait(&self) {
        let watches = self.watches.iter().filter(|watch| watch.is_active());
        let pause = watches.clone().filter_map(PortWatch::interval).min();
        let pause = pause.unwrap_or_default().max(self.poll_took * BACKOFF);
        let running: BTreeSet<ProcessId> = watches.flat_map(PortWatch::running_targets).collect();
        let handles = running.iter().filter_map(|id| self.handles.get(id));
        let processes = handles.filter_map(|handle| handle.process().ok());
        self.waker
            .wait(processes, pause.saturating_sub(self.poll_took));
    }

    /// Checks each request, and signals the targets of those that passed. Earlier requests for the same ports are no longer
    /// watched.
    fn send(&mut self, requests: Vec<KillRequest>) -> Vec<ExecEvent> {
        for target in requests.iter().flat_map(KillRequest::targets) {
            self.open_handle(target.id());
        }
        let snapshot = self.read_sockets(self.ports_with(&requests));
        let described = self.describe_targets(&requests);
        // All checks and units before the first signal: two requests may have the same process.
        let check = |request: KillRequest| {
            let checked = checks::check_targets(
                &request,
                &self.handles,
                &snapshot,
                &described,
                self.backend.is_left_over,
            );
            let units = self.units(&request);
            (request, checked, units)
        };
        let checked: Vec<_> = requests.into_iter().map(check).collect();
        let mut delivered = HashMap::new();
        let mut events = Vec::new();
        for (request, checked, units) in checked {
            let sending = match checked {
                Ok(failed) => self.signal(&request, failed, &snapshot, &mut delivered),
                Err(error) => SendOutcome::NotSent(error),
            };
            events.push(event(request.id(), ExecResult::SignalsSent(sending)));
            self.watches
                .retain(|watch| watch.request.port() != request.port());
            self.watches.push(PortWatch::new(request, units));
        }
        events
    }

    /// Describes the targets as they are now, without those that have ended.
    fn describe_targets(&mut self, requests: &[KillRequest]) -> Vec<Arc<Process>> {
        let targets = requests.iter().flat_map(KillRequest::targets);
        let pids: BTreeSet<Pid> = targets.map(|target| target.process.pid()).collect();
        let pids = pids.into_iter();
        pids.filter_map(&mut self.backend.describe).collect()
    }

    /// Returns the units of the owners, and those noted for the earlier request of the same port.
    fn units(&self, request: &KillRequest) -> Vec<(ProcessId, Unit)> {
        let unit = |owner: &Arc<Process>| Some((owner.id, (self.backend.unit)(owner)?));
        let units = request.owners().iter().filter_map(unit);
        let watches = self.watches.iter();
        let before = watches.filter(|watch| watch.request.port() == request.port());
        let before = before.flat_map(|watch| watch.units.iter().cloned());
        units.chain(before).collect()
    }

    /// Returns the ports of these and all earlier requests, each once: one poll reads them all.
    fn ports_with(&self, requests: &[KillRequest]) -> Vec<u16> {
        let earlier = self.watches.iter().map(|watch| &watch.request);
        let ports = earlier.chain(requests).map(|request| request.port().number);
        ports.collect::<BTreeSet<u16>>().into_iter().collect()
    }

    fn read_sockets(&mut self, ports: Vec<u16>) -> Snapshot {
        let fitting = self.reader.take().filter(|(of, _)| *of == ports);
        let (_, reader) = self.reader.insert(fitting.unwrap_or_else(|| {
            let reader = (self.backend.open_reader)(&ports);
            (ports, reader)
        }));
        reader()
    }

    /// Signals every target that passed its check, unless it was already signaled for another request of the same
    /// confirmation.
    fn signal(
        &self,
        request: &KillRequest,
        mut missed: HashMap<ProcessId, SignalError>,
        snapshot: &Snapshot,
        delivered: &mut HashMap<ProcessId, Result<SentSignal, SignalError>>,
    ) -> SendOutcome {
        let mut resumed = Vec::new();
        let mut states = HashMap::new();
        let targets = request.targets();
        for target in request.targets_by_age() {
            let id = target.id();
            if missed.contains_key(&id) {
                continue;
            }
            let signal = || checks::signal(target, request.signal(), &self.handles);
            match delivered.entry(id).or_insert_with(signal) {
                Ok(sent) => {
                    states.extend(sent.state.map(|state| (id, state)));
                    resumed.extend(sent.is_resumed.then_some(id));
                }
                Err(error) => drop(missed.insert(id, error.clone())),
            }
        }
        // If no target could be signaled, nothing was sent after all.
        if missed.len() == targets.len()
            && let Some(error) = targets.first().and_then(|one| missed.remove(&one.id()))
        {
            return SendOutcome::NotSent(error);
        }
        SendOutcome::Sent {
            sockets: sockets_of(request.port(), snapshot),
            resumed,
            missed,
            states,
        }
    }
}

fn event(request: RequestId, result: ExecResult) -> ExecEvent {
    let at = Instant::now();
    ExecEvent {
        request,
        at,
        result,
    }
}

/// Tries to bind the port on each address, without listening on it.
fn probe(port: Port, addresses: &[SocketAddr], source: Option<SocketSource>) -> ExecResult {
    ExecResult::BindProbed(BindProbe {
        binds: bind_probe::probe_all(port.protocol, addresses, source),
        localhost: interfaces::resolve_localhost(),
    })
}
