//! Sockets on the screen: their owners are verified and described anew as soon as one of them has run.

use super::SocketPoller;
use crate::model::process::ProcessId;
use crate::model::socket::EndpointId;
use crate::os::owners::InView;
use crate::os::processes::activity::{CpuTimes, READS_PER_POLL};
use crate::tracker::{SlotId, Tracker};
use std::collections::VecDeque;

#[derive(Default)]
pub struct SocketsInView {
    ids: Vec<EndpointId>,
    /// The slots of those that are open.
    slots: Vec<(EndpointId, SlotId)>,
    is_outdated: bool,
    cpu_times: CpuTimes,
    /// Owners that have run since they were described.
    to_describe: VecDeque<ProcessId>,
}

impl SocketsInView {
    pub fn set(&mut self, ids: &[EndpointId]) {
        if self.ids != ids {
            self.ids = ids.to_vec();
            self.is_outdated = true;
        }
    }

    /// Returns the sockets in view, and those of their owners that may have run since the last poll.
    pub fn update(&mut self, tracker: &Tracker) -> InView {
        let is_at = |(id, slot): &(EndpointId, SlotId)| tracker.id(*slot) == Some(*id);
        if self.is_outdated || !self.slots.iter().all(is_at) {
            self.slots = tracker.slots_of(&self.ids);
            self.is_outdated = false;
        }
        let slots = self.slots.iter().map(|(_, slot)| *slot);
        let mut owners: Vec<ProcessId> = Vec::new();
        for owner in slots.clone().filter_map(|slot| tracker.owners(slot)) {
            for process in owner.known() {
                if !owners.contains(&process.id) {
                    owners.push(process.id);
                }
            }
        }
        let active = self.cpu_times.active(&owners);
        self.to_describe.retain(|id| owners.contains(id));
        for id in &active {
            if !self.to_describe.contains(id) {
                self.to_describe.push_back(*id);
            }
        }
        let sockets = slots.filter_map(|slot| tracker.raw_socket(slot));
        InView {
            hints: sockets.filter_map(|socket| socket.owner_hint).collect(),
            active: active.into_iter().map(|id| id.pid).collect(),
        }
    }
}

impl SocketPoller {
    /// Describes the next owners in view that have run.
    pub(super) fn describe_in_view(&mut self) {
        for _ in 0..READS_PER_POLL {
            let Some(id) = self.in_view.to_describe.pop_front() else {
                return;
            };
            self.describe_again(id);
        }
    }

    /// Describes an owner as it is now.
    pub(super) fn describe_again(&mut self, id: ProcessId) {
        if let Some(process) = self.processes.reread(id) {
            self.tracker.describe(&process);
        }
    }
}
