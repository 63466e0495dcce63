//! Answers what is only asked about one row at a time, on a thread of its own: it costs a walk over every process.
//!
//! Only the latest question of each asker counts: whoever moved on does not want the earlier answer.

use crate::model::history::ExitStatus;
use crate::model::inspection::{InspectRequest, Inspection, ProcessTree, Requester};
use crate::model::process::ProcessId;
use crate::model::supervisor::Supervisor;
use crate::os::free::process_handle::is_unused;
use crate::os::processes::Processes;
use crate::os::processes::start_time;
use crate::os::supervisors::SupervisorLookup;
use crate::os::{bind_probe, environment, sockets};
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// The handle of the inspecting thread, which ends when this is dropped or the answers have no receiver.
pub struct Inspector {
    requests: Sender<InspectRequest>,
}

impl Inspector {
    pub fn start(results: tokio::sync::mpsc::Sender<Inspection>) -> io::Result<Self> {
        let (requests, incoming) = channel::<InspectRequest>();
        thread::Builder::new()
            .name("inspector".to_owned())
            .spawn(move || {
                let mut processes = Processes::new();
                while let Ok(request) = incoming.recv() {
                    for request in latest(request, incoming.try_iter()) {
                        let answer = inspect(request, &mut processes);
                        if results.blocking_send(answer).is_err() {
                            return;
                        }
                    }
                }
            })?;
        Ok(Self { requests })
    }

    /// Asks; never blocks. Once the thread ended, which the receiver of the answers sees, it does nothing.
    pub fn inspect(&self, request: InspectRequest) {
        let _ = self.requests.send(request);
    }
}

/// The last question of each asker.
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
        let held = sockets::bound_tcp_ports();
        bind_probe::unused_after(near, |port| held.contains(&port))
    });
    Inspection {
        trees: process_trees(&request, processes),
        exit_statuses: exit_statuses(&request.processes, processes),
        supervisor: supervisor_of_hidden(&request),
        request,
        addresses: environment::addresses(),
        unused,
    }
}

/// The memory asks again and again, and not for this walk over every process.
fn process_trees(request: &InspectRequest, processes: &mut Processes) -> Vec<ProcessTree> {
    match request.requester {
        Requester::Details | Requester::Dialog | Requester::ReuseWatch => {
            processes.process_trees(&request.processes, |process| request.port_of(process))
        }
        Requester::History => Vec::new(),
    }
}

fn exit_statuses(of: &[ProcessId], processes: &mut Processes) -> Vec<(ProcessId, ExitStatus)> {
    let described = processes.describe(&of.iter().map(|id| id.pid).collect());
    let is_there = |id: &ProcessId| described.get(&id.pid).is_some_and(|one| one.id == *id);
    of.iter()
        .map(|id| (*id, exit_status(*id, is_there(id))))
        .collect()
}

/// What became of a process. One that waits to be reaped (Z and X in proc_pid_stat(5)) has ended; on Windows one that
/// ended can still be opened while somebody holds a handle of it, but is described no more.
fn exit_status(id: ProcessId, is_described: bool) -> ExitStatus {
    match start_time::stat(id.pid).filter(|stat| stat.start == id.start) {
        Some(stat) if matches!(stat.state, Some('Z' | 'X')) => ExitStatus::Ended,
        Some(_) if is_described => ExitStatus::StillRunning,
        None if is_pid_reused(id) || is_unused(id.pid) => ExitStatus::Ended,
        Some(_) | None => ExitStatus::Unknown,
    }
}

/// Whether the pid has gone to another process.
fn is_pid_reused(id: ProcessId) -> bool {
    start_time::of_pid(id.pid).is_some_and(|start| start != id.start)
}

/// Of a port that nobody is seen to hold.
fn supervisor_of_hidden(request: &InspectRequest) -> Supervisor {
    let port = request.port.filter(|_| request.processes.is_empty());
    port.map_or_else(Supervisor::default, |port| {
        SupervisorLookup::begin().of_port(port)
    })
}

#[cfg(test)]
mod tests;
