//! Sockets on the screen: their owners are verified and described anew as soon as one of them has run.

use super::SocketPoller;
use crate::model::process::ProcessId;
use crate::model::socket::EndpointId;
use crate::os::owners::InView;
use crate::os::processes::activity::{CpuTimes, READS_PER_POLL};
use crate::tracker::{SlotId, Tracker};
use hashbrown::HashMap;
use std::collections::VecDeque;

/// Polls between two descriptions of an owner that always runs.
const POLLS_PER_DESCRIPTION: u32 = 4;

/// Bound of the owners that one poll asks whether they have executed another program.
const MAX_ASKED: usize = 6;

#[derive(Default)]
pub struct SocketsInView {
    ids: Vec<EndpointId>,
    /// The slots of those that are open.
    slots: Vec<(EndpointId, SlotId)>,
    is_outdated: bool,
    cpu_times: CpuTimes,
    /// Owners that have run since they were described.
    to_describe: VecDeque<ProcessId>,
    /// Polls in which owners were described last.
    described: HashMap<ProcessId, u32>,
}

impl SocketsInView {
    pub fn set(&mut self, ids: &[EndpointId]) {
        if self.ids != ids {
            self.ids = ids.to_vec();
            self.is_outdated = true;
        }
    }

    /// True if the owner was not described in the last polls.
    fn is_due(&self, owner: ProcessId, polls: u32) -> bool {
        let described = self.described.get(&owner);
        described.is_none_or(|described| polls.wrapping_sub(*described) >= POLLS_PER_DESCRIPTION)
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
        if self.described.len() > owners.len() {
            self.described.retain(|id, _| owners.contains(id));
        }
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
    /// Describes the next owners in view that have run: at once after an exec, else every few polls, since a server that
    /// always runs seldom has a new title or directory.
    pub(super) fn describe_in_view(&mut self) {
        let mut reads = 0;
        for _ in 0..self.in_view.to_describe.len().min(MAX_ASKED) {
            let Some(id) = self.in_view.to_describe.pop_front() else {
                return;
            };
            let is_due = self.in_view.is_due(id, self.polls);
            if reads < READS_PER_POLL && (is_due || self.processes.has_execed(id)) {
                reads += 1;
                self.in_view.described.insert(id, self.polls);
                self.describe_again(id);
            } else {
                self.in_view.to_describe.push_back(id);
            }
        }
    }

    /// Describes an owner as it is now.
    pub(super) fn describe_again(&mut self, id: ProcessId) {
        if let Some(process) = self.processes.reread(id) {
            self.tracker.describe(&process);
        }
    }
}
