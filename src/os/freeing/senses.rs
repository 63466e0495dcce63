//! What the executor sees the machine with.

use crate::model::ports::EphemeralRange;
use crate::model::process::{Pid, Process, StartTime};
use crate::model::snapshot::Snapshot;
use crate::model::source::Source;
use crate::os::eye::Eye;
use crate::os::identity;
use crate::os::processes::Processes;
use crate::os::sockets::{Demand, Extent};
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

/// What the executor sees the machine with. It is made on the executor's own thread and stays there.
pub struct Senses {
    /// A fresh look at the sockets with this local port, owners included; an owner must be one that was read for this
    /// very look.
    pub look: Box<dyn FnMut(u16) -> Snapshot>,
    /// Gives back what looking has opened; a later look opens it again.
    pub rest: Box<dyn FnMut()>,
    /// What is known of a process, to name who started it.
    pub describe: Box<dyn FnMut(Pid) -> Option<Arc<Process>>>,
    /// Read anew on every call; `None` if there is no such process.
    pub start_time: fn(Pid) -> Option<StartTime>,
}

impl Senses {
    /// The machine itself. Only the port that is asked about is looked at, by an eye of its own that waits for nobody.
    pub fn of_machine(source: Option<Source>) -> Self {
        let open: Rc<RefCell<Option<(u16, Eye)>>> = Rc::default();
        let closing = Rc::clone(&open);
        let mut processes = Processes::new();
        Self {
            look: Box::new(move |port| {
                let mut open = open.borrow_mut();
                let eye = match open.take() {
                    Some((at, eye)) if at == port => eye,
                    _ => eye_on(port, source),
                };
                let (_, eye) = open.insert((port, eye));
                look(eye)
            }),
            rest: Box::new(move || drop(closing.take())),
            describe: Box::new(move |pid| processes.describe(&HashSet::from([pid])).remove(&pid)),
            start_time: identity::start_time,
        }
    }
}

fn eye_on(port: u16, source: Option<Source>) -> Eye {
    let demand = Demand {
        extent: Extent::Local(port),
        with_bound: true,
    };
    // Nobody asks a snapshot which side of a connection a socket is, for which alone the range counts.
    Eye::new(EphemeralRange::IANA, source, demand)
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
}
