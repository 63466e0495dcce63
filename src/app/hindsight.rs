//! What the app makes of who held a port before: it feeds the memory, asks what became of an owner that is on the screen,
//! and copies the command that starts it again.
//!
//! Nothing here is concluded: an owner is who was last seen to hold the socket, and its fate what was found out about it.

use crate::app::aftermath::Freed;
use crate::app::menu::Clip;
use crate::app::{App, Effect, Overlay};
use crate::model::endpoint::{Endpoint, EndpointId, Owners};
use crate::model::freeing::{Batch, Ending, Freeing, How, Kind, Terms};
use crate::model::inspection::{Asker, Inspection, Subject};
use crate::model::memory::{Fate, Past};
use crate::model::process::{Process, ProcessId};
use crate::model::shell::restart;
use crate::model::tracker::{Change, Changes};
use crate::table::row::Row;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Reading it.
impl App {
    /// Who held the port last that the whole filter is about; digits that are still typed may be all of it.
    pub fn last_of_meant_port(&self) -> Option<&Past> {
        let query = &self.listing.filter().query;
        let typed = || query.meant_digits().filter(|_| self.filter_box.is_typing());
        let port = query.meant_local_port().or_else(typed)?;
        self.memory.last(port, query.meant_protocol())
    }

    /// Who had the port of this row before it.
    pub fn before(&self, row: &Row) -> Option<&Past> {
        let is_standing = row.endpoint.socket.is_standing();
        is_standing
            .then(|| self.memory.before(&row.endpoint))
            .flatten()
    }

    pub fn fate(&self, process: &Process) -> Fate {
        self.memory.fate(process.id)
    }

    /// The past owner of which the screen tells, and a socket it had.
    fn shown_past(&self) -> Option<(EndpointId, ProcessId)> {
        let of = |past: &Past| Some((past.id, past.owners.first()?.id));
        match self.current() {
            None => of(self.last_of_meant_port()?),
            Some(_) if !self.details.is_open => None,
            Some(row) if row.is_gone() => {
                let owner = row.endpoint.socket.owners.first()?;
                Some((row.endpoint.id(), owner.id))
            }
            Some(row) => of(self.before(row)?),
        }
    }
}

/// Feeding it.
impl App {
    /// Takes note of the sockets that a look no longer shows, as they were last known: in the table, or by what a pause or
    /// a dialog keeps from it.
    pub(super) fn remember(&mut self, changes: &Changes) {
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
                Change::Passed(endpoint) => Some(endpoint),
                _ => change.gone().and_then(|gone| known.get(&gone).copied()),
            };
            if let Some(endpoint) = closed {
                self.memory.close(endpoint, changes.taken.instant);
            }
        }
    }

    /// Takes note of what a freeing has found out: who ended by its signal, and that its port is free for good.
    pub(super) fn learn_from_freeing(&mut self) {
        let Some(batch) = self.batch_under_way() else {
            return;
        };
        let ended = |ending: Ending| {
            let (_, signal) = ending.after.filter(|_| ending.how == How::Ended)?;
            Some((ending.process.id, Fate::EndedBy(signal)))
        };
        let endings = batch.freeings().iter().flat_map(Freeing::endings);
        let ended: Vec<(ProcessId, Fate)> = endings.filter_map(ended).collect();
        let is_freed = |freeing: &&Freeing| {
            let verdict = freeing.verdict();
            freeing.is_settled() && verdict.is_some_and(|verdict| verdict.kind() == Kind::Free)
        };
        // It settles once it has been free for so long.
        let since = self.now.checked_sub(Terms::default().settle);
        let freed = batch.freeings().iter().filter(is_freed);
        let freed: Vec<Freed> = freed
            .map(|freeing| Freed {
                order: freeing.order().id(),
                port: freeing.port(),
                since: since.unwrap_or(self.now),
            })
            .collect();
        for (process, fate) in ended {
            self.memory.learn(process, fate);
        }
        for freed in freed {
            self.watch_on(freed);
        }
    }

    /// What is under way, in a dialog or after it.
    pub(super) fn batch_under_way(&self) -> Option<&Batch> {
        let in_dialog = match &self.overlay {
            Overlay::Freeing(dialog) => dialog.batch(),
            Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Why(_) => None,
        };
        self.background.as_deref().or(in_dialog)
    }

    /// Asks what became of the past owner that is shown, with each look until it is known to have ended.
    pub(super) fn ask_about_the_past(&mut self) -> Option<Effect> {
        let shown = self.shown_past();
        let shown = shown.filter(|(_, process)| !self.memory.fate(*process).is_final());
        let asked = shown.map(|(_, process)| (process, self.sampling.last));
        if asked == self.asked_past {
            return None;
        }
        self.asked_past = asked;
        let (endpoint, process) = shown?;
        Some(Effect::Inspect(Subject {
            asker: Asker::Memory,
            endpoint,
            processes: vec![process],
            port: None,
            ports: Vec::new(),
            unused_near: None,
        }))
    }

    pub(super) fn learn_fates(&mut self, inspection: &Inspection) {
        if inspection.subject.asker == Asker::Memory {
            for (process, fate) in &inspection.fates {
                self.memory.learn(*process, *fate);
            }
        }
    }
}

/// Starting it again.
impl App {
    /// Copies the command that starts the current row's holder again, or whoever held the port last.
    pub(super) fn copy_restart(&mut self) -> Vec<Effect> {
        let found = self.to_start_again().and_then(|process| {
            let restart = restart(process).map_err(|unknown| unknown.to_string())?;
            Ok(Clip::masked(restart.command, &restart.shown))
        });
        match found {
            Ok(clip) => self.copy(clip),
            Err(why) => {
                self.say(why);
                Vec::new()
            }
        }
    }

    fn to_start_again(&self) -> Result<&Arc<Process>, String> {
        let query = &self.listing.filter().query;
        match (self.current(), query.meant_local_port()) {
            (Some(row), _) => {
                let socket = &row.endpoint.socket;
                let last = || self.memory.last(socket.port(), Some(socket.protocol));
                match &socket.owners {
                    // What the kernel alone still keeps was some process's.
                    Owners::None => past_owner(last(), socket.port()),
                    owners => known_owner(owners, &format!("who holds :{}", socket.port())),
                }
            }
            (None, Some(port)) => past_owner(self.last_of_meant_port(), port),
            (None, None) => Err("no row whose command could be copied".to_owned()),
        }
    }
}

fn past_owner(past: Option<&Past>, port: u16) -> Result<&Arc<Process>, String> {
    let past = past.ok_or_else(|| format!("nobody was seen to hold :{port}"))?;
    known_owner(&past.owners, &format!("who held :{port} last"))
}

fn known_owner<'a>(owners: &'a Owners, who: &str) -> Result<&'a Arc<Process>, String> {
    let why = match owners {
        Owners::Known(holders) => match holders.first() {
            Some(first) => return Ok(first),
            None => "is not known",
        },
        Owners::Sought => "was not found yet",
        Owners::Hidden => "may not be seen",
        Owners::None => "is no process",
    };
    Err(format!("{who} {why}, so nothing was copied"))
}

#[cfg(test)]
mod tests;
