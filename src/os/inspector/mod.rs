//! The inspector thread: answers requests about one row, which take a scan of every process.
//!
//! Only the latest request of each requester is answered.

use crate::model::process::{
    ExitStatus, InspectRequest, Inspection, Process, ProcessId, ProcessTree, Requester,
    SocketCandidates, Supervisor,
};
use crate::os::free::process_handle::is_unused;
use crate::os::processes::{self, Processes, stat};
use crate::os::supervisors::SupervisorLookup;
use crate::os::{bind_probe, candidates, environment, sockets};
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// Handle of the inspector thread, which ends when this is dropped or the results channel is closed.
pub struct Inspector {
    requests: Sender<InspectRequest>,
}

impl Inspector {
    pub fn start(results: tokio::sync::mpsc::Sender<Inspection>) -> io::Result<Self> {
        let (requests, incoming) = channel::<InspectRequest>();
        thread::Builder::new()
            .name("inspector".to_owned())
            .spawn(move || {
                let mut processes = Processes::default();
                while let Ok(request) = incoming.recv() {
                    for request in latest(request, incoming.try_iter()) {
                        let inspection = inspect(request, &mut processes);
                        if results.blocking_send(inspection).is_err() {
                            return;
                        }
                    }
                }
            })?;
        Ok(Self { requests })
    }

    /// Sends a request; never blocks. Does nothing once the thread has ended, which closes the results channel.
    pub fn inspect(&self, request: InspectRequest) {
        let _ = self.requests.send(request);
    }
}

/// Returns the last request of each requester.
fn latest(
    first: InspectRequest,
    later: impl Iterator<Item = InspectRequest>,
) -> Vec<InspectRequest> {
    let mut latest = vec![first];
    for request in later {
        latest.retain(|earlier| earlier.requester != request.requester);
        latest.push(request);
    }
    latest
}

fn inspect(request: InspectRequest, processes: &mut Processes) -> Inspection {
    let unused = request.unused_near.and_then(|near| {
        let held = sockets::held_tcp_ports();
        bind_probe::unused_after(near, |port| held.contains(&port))
    });
    let candidates = candidates::find(&request.unowned, processes);
    let trees = process_trees(&request, &candidates, processes);
    let described = processes.describe_known(&request.processes);
    Inspection {
        trees,
        candidates,
        exit_statuses: exit_statuses(&request.processes, &described),
        described,
        supervisor: supervisor_of_hidden(&request),
        request,
        addresses: environment::addresses(),
        unused,
    }
}

/// None for the history, which asks often, and for a restart command: neither needs them.
fn process_trees(
    request: &InspectRequest,
    candidates: &[SocketCandidates],
    processes: &mut Processes,
) -> Vec<ProcessTree> {
    match request.requester {
        Requester::Details | Requester::Dialog | Requester::ReuseWatch => {
            let candidates = candidates.iter().flat_map(|one| &one.processes);
            let candidates: BTreeSet<ProcessId> = candidates.map(|process| process.id).collect();
            let all = request.processes.iter().copied().chain(candidates);
            let all: Vec<ProcessId> = all.collect();
            processes::process_trees(processes, &all, |id| request.port_of(id))
        }
        Requester::History | Requester::Restart => Vec::new(),
    }
}

fn exit_statuses(of: &[ProcessId], described: &[Arc<Process>]) -> Vec<(ProcessId, ExitStatus)> {
    of.iter()
        .map(|id| {
            let is_described = described.iter().any(|one| one.id == *id);
            (*id, exit_status(*id, is_described))
        })
        .collect()
}

/// A zombie (Z and X in proc_pid_stat(5)) has ended. On Windows an ended process can be opened while another has a handle of
/// it, but is not described any more.
fn exit_status(id: ProcessId, is_described: bool) -> ExitStatus {
    match stat::read(id.pid) {
        Some(stat) if stat.start != id.start => ExitStatus::Ended,
        Some(stat) if matches!(stat.state, Some('Z' | 'X')) => ExitStatus::Ended,
        Some(_) if is_described => ExitStatus::StillRunning,
        None if is_unused(id.pid) => ExitStatus::Ended,
        Some(_) | None => ExitStatus::Unknown,
    }
}

/// Supervisor of the port if its owner is hidden.
fn supervisor_of_hidden(request: &InspectRequest) -> Supervisor {
    let port = request.port.filter(|_| request.processes.is_empty());
    port.map_or_else(Supervisor::default, |port| {
        SupervisorLookup::begin().of_port(port)
    })
}

#[cfg(test)]
mod tests;
