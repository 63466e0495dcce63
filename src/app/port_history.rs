//! Past owners of ports: records them, inspects the exit status of the one on the screen, and copies its restart command.
//!
//! A past owner is the last one seen with the socket; its exit status is what an inspection found.

pub mod past_owners;

use crate::app::{App, Effect, PastOwner};
use crate::model::port::Port;
use crate::model::process::shell::restart_command;
use crate::model::process::{InspectRequest, Inspection, Process, ProcessId, Requester};
use crate::model::socket::{Endpoint, EndpointId, Owners};
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
            Some(row) => of(self.port_history.previous_owner(&row.endpoint)?),
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

    /// Asks what the owner of the current row, or the last owner of the port, is now: an exec since the last poll changes
    /// how it is started.
    pub(super) fn ask_for_restart(&mut self) {
        let process = match self.process_to_restart() {
            Ok(process) => Arc::clone(process),
            Err(why) => return self.notify(why),
        };
        // No row is meant: the answer is about the process.
        let endpoint = EndpointId::Cookie(0);
        let request = InspectRequest::new(Requester::Restart, endpoint, vec![process.id]);
        self.effects.push(Effect::Inspect(request));
        self.to_restart = Some(process);
    }

    /// Copies the command that restarts the process as it is now; as it was last known if it has ended.
    pub(super) fn copy_restart_command(&mut self, inspection: &Inspection) {
        let Some(known) = self.to_restart.take() else {
            return;
        };
        let process = inspection.described(known.id).unwrap_or(&known);
        match restart_command(process) {
            Ok(restart) => self.copy(restart),
            Err(why) => self.notify(no_restart_command(process, why)),
        }
    }

    fn process_to_restart(&self) -> Result<&Arc<Process>, String> {
        let socket = self.current_row().map(|row| &row.endpoint.socket);
        let filtered_port = self.listing.filter().query.sole_local_port();
        let (past, port) = match (socket, filtered_port) {
            // The kernel keeps the socket of a process that closed it.
            (Some(socket), _) if socket.owners == Owners::NoProcess => {
                let Port { protocol, number } = Port::of(socket);
                (self.port_history.last_owner(number, Some(protocol)), number)
            }
            (Some(socket), _) => return known_owner(&socket.owners, socket.port(), "owner"),
            (None, Some(port)) => (self.last_owner_of_filtered_port(), port),
            (None, None) => return Err(notice::NOTHING_TO_RESTART.to_owned()),
        };
        let past = past.ok_or_else(|| notice::no_past_owner(port))?;
        known_owner(&past.owners, port, "last owner")
    }
}

fn known_owner<'a>(owners: &'a Owners, port: u16, who: &str) -> Result<&'a Arc<Process>, String> {
    let owner = owners.first();
    owner.ok_or_else(|| notice::nothing_copied(who, port, owners))
}

#[cfg(test)]
mod tests;
