//! What the executor sees the machine with.

use crate::model::ports::EphemeralRange;
use crate::model::process::{Pid, Process, StartTime};
use crate::model::snapshot::Snapshot;
use crate::model::socket_source::SocketSource;
use crate::model::supervisor::Unit;
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

/// What the executor sees the machine with. It is made on the executor's own thread and stays there.
pub struct ProbeBackend {
    /// A fresh look at the sockets with these local ports, owners included; an owner must be one that was read for this
    /// very look. What stands in a table that could not be read is left out.
    pub read_sockets: Box<ReadSockets>,
    /// Gives back what looking has opened; a later look opens it again.
    pub close: Box<dyn FnMut()>,
    /// What is known of a process, to name who started it.
    pub describe: Box<dyn FnMut(Pid) -> Option<Arc<Process>>>,
    /// The unit of systemd that a process belongs to, as its control group tells.
    pub unit: fn(&Process) -> Option<Unit>,
    /// Read anew on every call; `None` if there is no such process.
    pub start_time: fn(Pid) -> Option<StartTime>,
}

impl ProbeBackend {
    /// The machine itself. Only the ports that are asked about are looked at, by an eye of its own that waits for nobody.
    pub fn of_system(source: Option<SocketSource>) -> Self {
        let open: Rc<RefCell<Option<PortPoller>>> = Rc::default();
        let closing = Rc::clone(&open);
        let mut processes = Processes::new();
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

/// An eye and the ports that it sees.
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
            // Nobody asks a snapshot which side of a connection a socket is, for which alone the range counts.
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
