//! The executor's access to the machine, which tests replace.

use crate::model::port::{EphemeralRange, Port};
use crate::model::process::{Pid, Process, ProcessId, Unit};
use crate::model::snapshot::Snapshot;
use crate::model::socket::SocketSource;
use crate::os::poller::SocketPoller;
use crate::os::processes::{Processes, stat};
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::os::supervisors;
use std::collections::HashSet;
use std::sync::Arc;

/// Reads sockets and their owners; sockets of tables that could not be read are left out.
pub type SocketReader = Box<dyn FnMut() -> Snapshot>;

type OpenReader = dyn Fn(&[u16]) -> SocketReader;

/// Functions that read the machine, called on the executor's thread only.
pub struct ProbeBackend {
    /// Source of the sockets; `None` for the best one of this system.
    pub source: Option<SocketSource>,
    /// Opens a reader of the sockets with these local ports.
    pub open_reader: Box<OpenReader>,
    /// Describes a process, to name the parent of an owner.
    pub describe: Box<dyn FnMut(Pid) -> Option<Arc<Process>>>,
    /// Returns the systemd unit of a process, by its control group.
    pub unit: fn(&Process) -> Option<Unit>,
    /// True if its engine answers that it has left over this proxy, which holds this port.
    pub is_left_over: fn(&Process, Port) -> bool,
    /// Returns the process that has this pid now.
    pub process_id: fn(Pid) -> Option<ProcessId>,
}

impl ProbeBackend {
    /// The machine itself.
    pub fn of_system(source: Option<SocketSource>) -> Self {
        let mut processes = Processes::default();
        Self {
            source,
            open_reader: Box::new(move |ports| {
                let mut poller = poller_of(ports, source);
                Box::new(move || snapshot(&mut poller))
            }),
            describe: Box::new(move |pid| processes.describe(&HashSet::from([pid])).remove(&pid)),
            unit: |process| supervisors::of(process).unit,
            is_left_over: |process, port| supervisors::left_over_from(process, port).is_some(),
            process_id: stat::process_id,
        }
    }
}

fn poller_of(ports: &[u16], source: Option<SocketSource>) -> SocketPoller {
    let request = DumpRequest {
        scope: DumpScope::Local(ports.to_vec()),
        with_bound: true,
    };
    // Only the role of a socket in its connection depends on the range, and a snapshot has no roles.
    SocketPoller::new(EphemeralRange::IANA, source, request)
}

fn snapshot(poller: &mut SocketPoller) -> Snapshot {
    let changes = poller.poll_uncached();
    let endpoints = poller.endpoints().into_iter();
    Snapshot {
        taken: changes.taken,
        took: changes.took,
        sockets: endpoints.map(|endpoint| endpoint.socket).collect(),
        problems: changes.problems,
    }
    .without_unread()
}
