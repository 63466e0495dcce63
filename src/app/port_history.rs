//! What the app makes of who held a port before: it feeds the memory, asks what became of an owner that is on the screen,
//! and copies the command that starts it again.
//!
//! Nothing here is concluded: an owner is who was last seen to hold the socket, and its fate what was found out about it.

use crate::app::menu::ClipboardText;
use crate::app::{App, Effect, Overlay};
use crate::free::{Batch, FreeMachine, ReleaseKind, RequestId, TargetOutcome};
use crate::model::endpoint::{Endpoint, EndpointId, Owners};
use crate::model::history::{ExitStatus, PastOwner};
use crate::model::inspection::{InspectRequest, Inspection, Requester};
use crate::model::process::{Process, ProcessId};
use crate::model::shell::restart_command;
use crate::table::row::Row;
use crate::tracker::{Change, Changes};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Reading it.
impl App {
    /// Who held the port last that the whole filter is about; digits that are still typed may be all of it.
    pub fn last_owner_of_filtered_port(&self) -> Option<&PastOwner> {
        let query = &self.listing.filter().query;
        let typed = || query.sole_digits().filter(|_| self.filter_box.is_typing());
        let port = query.sole_local_port().or_else(typed)?;
        self.memory.last_owner(port, query.sole_protocol())
    }

    /// Who had the port of this row before it.
    pub fn previous_owner(&self, row: &Row) -> Option<&PastOwner> {
        let holds_port = row.endpoint.socket.holds_port();
        holds_port
            .then(|| self.memory.previous_owner(&row.endpoint))
            .flatten()
    }

    pub fn exit_status(&self, process: &Process) -> ExitStatus {
        self.memory.exit_status(process.id)
    }

    /// The past owner of which the screen tells, and a socket it had.
    fn shown_past_owner(&self) -> Option<(EndpointId, ProcessId)> {
        let of = |past: &PastOwner| Some((past.id, past.owners.first()?.id));
        match self.current_row() {
            None => of(self.last_owner_of_filtered_port()?),
            Some(_) if !self.details.is_open => None,
            Some(row) if row.is_closed() => {
                let owner = row.endpoint.socket.owners.first()?;
                Some((row.endpoint.id(), owner.id))
            }
            Some(row) => of(self.previous_owner(row)?),
        }
    }
}

/// Feeding it.
impl App {
    /// Takes note of the sockets that a look no longer shows, as they were last known: in the table, or by what a pause or
    /// a dialog keeps from it.
    pub(super) fn record_closed(&mut self, changes: &Changes) {
        let gone: HashSet<EndpointId> = changes.list.iter().filter_map(Change::gone).collect();
        let rows = gone.iter().filter_map(|id| self.listing.row_of(*id));
        let mut known: HashMap<EndpointId, &Endpoint> =
            rows.map(|row| (row.endpoint.id(), &row.endpoint)).collect();
        if !gone.is_empty() {
            let held = self.listing.held_back().iter();
            let held = held.chain(self.sampling.held_back());
            let later = held.filter_map(Change::endpoint);
            known.extend(
                later
                    .map(|endpoint| (endpoint.id(), endpoint))
                    .filter(|(id, _)| gone.contains(id)),
            );
        }
        for change in &changes.list {
            let closed = match change {
                // It opened and closed between two looks.
                Change::ShortLived(endpoint) => Some(endpoint),
                _ => change.gone().and_then(|gone| known.get(&gone).copied()),
            };
            if let Some(endpoint) = closed {
                self.memory.record_close(endpoint, changes.taken.instant);
            }
        }
    }

    /// Records who ended by a signal of the running batch, and watches the ports that are free for good; `known` are the
    /// requests of those that were so before.
    pub(super) fn record_freeing_results(&mut self, known: &[RequestId]) {
        let Some(batch) = self.running_batch() else {
            return;
        };
        let ended = |outcome: TargetOutcome| {
            let (_, signal) = outcome
                .after
                .filter(|_| outcome.how == ReleaseKind::Ended)?;
            Some((outcome.process.id, ExitStatus::EndedBy(signal)))
        };
        let outcomes = batch.machines().iter().flat_map(FreeMachine::outcomes);
        let ended: Vec<(ProcessId, ExitStatus)> = outcomes.filter_map(ended).collect();
        let freed = batch.machines().iter().filter(|machine| {
            machine.is_watching_reuse() && !known.contains(&machine.request().id())
        });
        let freed: Vec<FreeMachine> = freed.cloned().collect();
        for (process, exit_status) in ended {
            self.memory.record_exit(process, exit_status);
        }
        for machine in freed {
            self.watch_freed_port(machine);
        }
    }

    /// Returns the requests of the running batch whose port is free for good.
    pub(super) fn freed_requests(&self) -> Vec<RequestId> {
        let machines = self.running_batch().map_or(&[][..], Batch::machines);
        let freed = machines
            .iter()
            .filter(|machine| machine.is_watching_reuse());
        freed.map(|machine| machine.request().id()).collect()
    }

    /// What is under way, in a dialog or after it.
    pub(super) fn running_batch(&self) -> Option<&Batch> {
        let in_dialog = match &self.overlay {
            Overlay::Freeing(dialog) => dialog.batch(),
            Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Check(_) => None,
        };
        self.background.as_deref().or(in_dialog)
    }

    /// Asks what became of the past owner that is shown, with each look until it is known to have ended.
    pub(super) fn inspect_past_owner(&mut self) -> Option<Effect> {
        let shown = self.shown_past_owner();
        let shown = shown.filter(|(_, process)| !self.memory.exit_status(*process).is_final());
        let asked = shown.map(|(_, process)| (process, self.sampling.last_poll));
        if asked == self.inspected_past_owner {
            return None;
        }
        self.inspected_past_owner = asked;
        let (endpoint, process) = shown?;
        Some(Effect::Inspect(InspectRequest {
            requester: Requester::History,
            endpoint,
            processes: vec![process],
            port: None,
            ports: Vec::new(),
            unused_near: None,
        }))
    }

    pub(super) fn record_exit_statuses(&mut self, inspection: &Inspection) {
        if inspection.request.requester == Requester::History {
            for (process, exit_status) in &inspection.exit_statuses {
                self.memory.record_exit(*process, *exit_status);
            }
        }
    }
}

/// Starting it again.
impl App {
    /// Copies the command that starts the current row's holder again, or whoever held the port last.
    pub(super) fn copy_restart_command(&mut self) -> Vec<Effect> {
        let found = self.process_to_restart().and_then(|process| {
            let restart = restart_command(process).map_err(|unknown| unknown.to_string())?;
            Ok(ClipboardText::masked(restart.command, &restart.shown))
        });
        match found {
            Ok(clip) => self.copy(clip),
            Err(why) => {
                self.notify(why);
                Vec::new()
            }
        }
    }

    fn process_to_restart(&self) -> Result<&Arc<Process>, String> {
        let query = &self.listing.filter().query;
        match (self.current_row(), query.sole_local_port()) {
            (Some(row), _) => {
                let socket = &row.endpoint.socket;
                let last = || self.memory.last_owner(socket.port(), Some(socket.protocol));
                match &socket.owners {
                    // What the kernel alone still keeps was some process's.
                    Owners::NoProcess => past_owner(last(), socket.port()),
                    owners => known_owner(owners, &format!("who holds :{}", socket.port())),
                }
            }
            (None, Some(port)) => past_owner(self.last_owner_of_filtered_port(), port),
            (None, None) => Err("no row whose command could be copied".to_owned()),
        }
    }
}

fn past_owner(past: Option<&PastOwner>, port: u16) -> Result<&Arc<Process>, String> {
    let past = past.ok_or_else(|| format!("nobody was seen to hold :{port}"))?;
    known_owner(&past.owners, &format!("who held :{port} last"))
}

fn known_owner<'a>(owners: &'a Owners, who: &str) -> Result<&'a Arc<Process>, String> {
    let why = match owners {
        Owners::Known(holders) => match holders.first() {
            Some(first) => return Ok(first),
            None => "is not known",
        },
        Owners::Pending => "was not found yet",
        Owners::NoPermission => "may not be seen",
        Owners::NoProcess => "is no process",
    };
    Err(format!("{who} {why}, so nothing was copied"))
}

#[cfg(test)]
mod tests;
