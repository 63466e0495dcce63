//! What the executor sees the machine with.

use crate::model::ports::EphemeralRange;
use crate::model::process::{Pid, Process, StartTime};
use crate::model::provenance::Unit;
use crate::model::snapshot::Snapshot;
use crate::model::source::Source;
use crate::os::eye::Eye;
use crate::os::processes::Processes;
use crate::os::sockets::{Demand, Extent};
use crate::os::{identity, provenance};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

type Looking = dyn FnMut(&[u16]) -> Snapshot;

/// What the executor sees the machine with. It is made on the executor's own thread and stays there.
pub struct Senses {
    /// A fresh look at the sockets with these local ports, owners included; an owner must be one that was read for this
    /// very look. What stands in a table that could not be read is left out.
    pub look: Box<Looking>,
    /// Gives back what looking has opened; a later look opens it again.
    pub rest: Box<dyn FnMut()>,
    /// What is known of a process, to name who started it.
    pub describe: Box<dyn FnMut(Pid) -> Option<Arc<Process>>>,
    /// The unit of systemd that a process belongs to, as its control group tells.
    pub unit: fn(&Process) -> Option<Unit>,
    /// Read anew on every call; `None` if there is no such process.
    pub start_time: fn(Pid) -> Option<StartTime>,
}

impl Senses {
    /// The machine itself. Only the ports that are asked about are looked at, by an eye of its own that waits for nobody.
    pub fn of_machine(source: Option<Source>) -> Self {
        let open: Rc<RefCell<Option<Sight>>> = Rc::default();
        let closing = Rc::clone(&open);
        let mut processes = Processes::new();
        Self {
            look: Box::new(move |ports| {
                let mut open = open.borrow_mut();
                let sight = match open.take() {
                    Some(sight) if sight.ports == ports => sight,
                    _ => Sight::on(ports, source),
                };
                look(&mut open.insert(sight).eye)
            }),
            rest: Box::new(move || drop(closing.take())),
            describe: Box::new(move |pid| processes.describe(&HashSet::from([pid])).remove(&pid)),
            unit: |process| provenance::of(process).unit,
            start_time: identity::start_time,
        }
    }
}

/// An eye and the ports that it sees.
struct Sight {
    ports: Vec<u16>,
    eye: Eye,
}

impl Sight {
    fn on(ports: &[u16], source: Option<Source>) -> Self {
        let demand = Demand {
            extent: Extent::Local(ports.to_vec()),
            with_bound: true,
        };
        Self {
            ports: ports.to_vec(),
            // Nobody asks a snapshot which side of a connection a socket is, for which alone the range counts.
            eye: Eye::new(EphemeralRange::IANA, source, demand),
        }
    }
}

fn look(eye: &mut Eye) -> Snapshot {
    let changes = eye.look_closely();
    let endpoints = eye.endpoints().into_iter();
    Snapshot {
        taken: changes.taken,
        took: changes.took,
        sockets: endpoints.map(|endpoint| endpoint.socket).collect(),
        problems: changes.problems,
    }
    .without_unread()
}
