//! Polls of a tracker for tests, without the steps of the sampler.

use crate::model::snapshot::Snapshot;
use crate::model::socket::{Endpoint, EndpointId, Interface};
use crate::model::testing::{moment, raw_socket};
use crate::model::text::SystemText;
use crate::tracker::{Change, Changes, SlotId, Tracker, UnreadTables};
use std::collections::HashMap;
use std::time::Duration;

impl Changes {
    /// Changes of a poll at this second, of one each second.
    pub fn at(seconds: f64, list: Vec<Change>) -> Self {
        Self {
            taken: moment(seconds),
            took: Duration::ZERO,
            interval: Duration::from_secs(1),
            problems: Vec::new(),
            list,
            missed: false,
            stats: None,
        }
    }
}

impl Tracker {
    /// Applies a whole poll, owners included, as the sampler does step by step.
    pub fn apply_snapshot(&mut self, snapshot: Snapshot) -> Changes {
        self.begin_poll(snapshot.taken.instant);
        for socket in &snapshot.sockets {
            self.observe(&raw_socket(socket));
            if let Some(interface) = &socket.interface {
                self.describe_interface(Interface::clone(interface));
            }
        }
        let unread = UnreadTables {
            problems: snapshot.problems.clone(),
            is_without_bound: false,
        };
        self.end_poll(&unread, |_| hashbrown::HashSet::new());
        let slots: HashMap<EndpointId, SlotId> = self
            .each()
            .map(|(slot, raw_socket, _)| (raw_socket.id(0), slot))
            .collect();
        let mut names: HashMap<u32, SystemText> = HashMap::new();
        for socket in &snapshot.sockets {
            if let Some(slot) = slots.get(&socket.id) {
                self.set_owners(*slot, &socket.owners);
            }
            names.extend(socket.uid.zip(socket.user.clone()));
        }
        let list = self.emit(snapshot.taken.instant, &mut |uid| names.get(&uid).cloned());
        Changes {
            taken: snapshot.taken,
            took: snapshot.took,
            problems: snapshot.problems,
            ..Changes::at(0.0, list)
        }
    }

    pub fn all(&self) -> Vec<Endpoint> {
        self.endpoints(&mut |_| None)
    }
}
