//! The executor's access to the machine, which tests replace.

use crate::model::port::EphemeralRange;
use crate::model::process::{Pid, Process, StartTime, Unit};
use crate::model::snapshot::Snapshot;
use crate::model::socket::SocketSource;
use crate::os::poller::SocketPoller;
use crate::os::processes::Processes;
use crate::os::processes::start_time;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::os::supervisors;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

type ReadSockets = dyn FnMut(&[u16]) -> Snapshot;

/// Functions that read the machine, called on the executor's thread only.
pub struct ProbeBackend {
    /// Reads the sockets with these local ports. Their owners are read in the same call; sockets of tables that could not
    /// be read are left out.
    pub read_sockets: Box<ReadSockets>,
    /// Closes what reading has opened; the next read opens it again.
    pub close: Box<dyn FnMut()>,
    /// Describes a process, to name the parent of an owner.
    pub describe: Box<dyn FnMut(Pid) -> Option<Arc<Process>>>,
    /// Returns the systemd unit of a process, by its control group.
    pub unit: fn(&Process) -> Option<Unit>,
    /// Reads the start time each time; `None` if there is no such process.
    pub start_time: fn(Pid) -> Option<StartTime>,
}

impl ProbeBackend {
    /// The machine itself, read by a poller of its own.
    pub fn of_system(source: Option<SocketSource>) -> Self {
        let open: Rc<RefCell<Option<PortPoller>>> = Rc::default();
        let closing = Rc::clone(&open);
        let mut processes = Processes::default();
        Self {
            read_sockets: Box::new(move |ports| {
                let mut open = open.borrow_mut();
                let port_poller = match open.take() {
                    Some(port_poller) if port_poller.ports == ports => port_poller,
                    _ => PortPoller::on(ports, source),
                };
                snapshot(&mut open.insert(port_poller).poller)
            }),
            close: Box::new(move || drop(closing.take())),
            describe: Box::new(move |pid| processes.describe(&HashSet::from([pid])).remove(&pid)),
            unit: |process| supervisors::of(process).unit,
            start_time: start_time::of_pid,
        }
    }
}

/// A poller of these ports only.
struct PortPoller {
    ports: Vec<u16>,
    poller: SocketPoller,
}

impl PortPoller {
    fn on(ports: &[u16], source: Option<SocketSource>) -> Self {
        let request = DumpRequest {
            scope: DumpScope::Local(ports.to_vec()),
            with_bound: true,
        };
        Self {
            ports: ports.to_vec(),
            // Only the role of a socket in its connection depends on the range, and a snapshot has no roles.
            poller: SocketPoller::new(EphemeralRange::IANA, source, request),
        }
    }
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
