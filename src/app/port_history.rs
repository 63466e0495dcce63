//! Past owners of ports: records them, inspects the exit status of the one on the screen, and copies its restart command.
//!
//! A past owner is the last one seen with the socket; its exit status is what an inspection found.

pub mod past_owners;

use crate::app::overlay::menu::ClipboardText;
use crate::app::{App, Effect, PastOwner};
use crate::model::process::shell::restart_command;
use crate::model::process::{ExitStatus, InspectRequest, Process, ProcessId, Requester};
use crate::model::socket::{Endpoint, EndpointId, Owners};
use crate::table::row::Row;
use crate::tracker::{Change, Changes};
use crate::wording::no_restart_command;
use crate::wording::screen::notice;
use std::collections::HashMap;
use std::sync::Arc;

impl App {
    /// Returns the last owner of the only port that the filter names; typed digits count as a port.
    pub fn last_owner_of_filtered_port(&self) -> Option<&PastOwner> {
        let query = &self.listing.filter().query;
        let typed = || query.sole_digits().filter(|_| self.filter_box.is_typing());
        let port = query.sole_local_port().or_else(typed)?;
        self.port_history.last_owner(port, query.sole_protocol())
    }

    /// Returns the owner of the row's port before this row.
    pub fn previous_owner(&self, row: &Row) -> Option<&PastOwner> {
        if !row.endpoint.socket.holds_port() {
            return None;
        }
        self.port_history.previous_owner(&row.endpoint)
    }

    pub fn exit_status(&self, process: &Process) -> ExitStatus {
        self.port_history.exit_status(process.id)
    }

    /// Returns the past owner on the screen, and a socket that it had.
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

    /// Records the closed sockets of a poll, as last known from the table or from changes that a pause or a dialog defers.
    pub(super) fn record_closed(&mut self, changes: &Changes) {
        let deferred = self.listing.deferred().iter();
        let deferred: HashMap<EndpointId, &Endpoint> = deferred
            .chain(self.sampling.deferred())
            .filter_map(Change::endpoint)
            .map(|endpoint| (endpoint.id(), endpoint))
            .collect();
        let last_known = |id: EndpointId| {
            let deferred = deferred.get(&id).copied();
            deferred.or_else(|| Some(&self.listing.row_of(id)?.endpoint))
        };
        for change in &changes.list {
            let closed = match change {
                // It opened and closed between two polls.
                Change::ShortLived(endpoint) => Some(endpoint),
                _ => change.gone().and_then(last_known),
            };
            if let Some(endpoint) = closed {
                self.port_history
                    .record_close(endpoint, changes.taken.instant);
            }
        }
    }

    /// Requests the exit status of the past owner on the screen, after each poll until it is final.
    pub(super) fn inspect_past_owner(&mut self) {
        let shown = self
            .shown_past_owner()
            .filter(|(_, process)| !self.port_history.exit_status(*process).is_final());
        let asked = shown.map(|(_, process)| (process, self.sampling.last_poll));
        if asked == self.inspected_past_owner {
            return;
        }
        self.inspected_past_owner = asked;
        let request = shown.map(|(endpoint, process)| {
            InspectRequest::new(Requester::History, endpoint, vec![process])
        });
        self.effects.extend(request.map(Effect::Inspect));
    }

    /// Copies the command that restarts the owner of the current row, or the last owner of the port.
    pub(super) fn copy_restart_command(&mut self) {
        let found = self.process_to_restart().and_then(|process| {
            let restart = restart_command(process);
            let restart = restart.map_err(|why| no_restart_command(process, why))?;
            Ok(ClipboardText::masked(restart.command, &restart.shown))
        });
        match found {
            Ok(clip) => self.copy(clip),
            Err(why) => self.notify(why),
        }
    }

    fn process_to_restart(&self) -> Result<&Arc<Process>, String> {
        let query = &self.listing.filter().query;
        match (self.current_row(), query.sole_local_port()) {
            (Some(row), _) => {
                let socket = &row.endpoint.socket;
                let last = || {
                    self.port_history
                        .last_owner(socket.port(), Some(socket.protocol))
                };
                match &socket.owners {
                    // The kernel keeps the socket of a process that closed it.
                    Owners::NoProcess => past_owner(last(), socket.port()),
                    owners => known_owner(owners, socket.port(), "owner"),
                }
            }
            (None, Some(port)) => past_owner(self.last_owner_of_filtered_port(), port),
            (None, None) => Err(notice::NOTHING_TO_RESTART.to_owned()),
        }
    }
}

fn past_owner(past: Option<&PastOwner>, port: u16) -> Result<&Arc<Process>, String> {
    let past = past.ok_or_else(|| notice::no_past_owner(port))?;
    known_owner(&past.owners, port, "last owner")
}

fn known_owner<'a>(owners: &'a Owners, port: u16, who: &str) -> Result<&'a Arc<Process>, String> {
    let owner = owners.first();
    owner.ok_or_else(|| notice::nothing_copied(who, port, owners))
}

#[cfg(test)]
mod tests;
