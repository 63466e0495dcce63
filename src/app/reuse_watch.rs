//! Watch of freed ports: for ten minutes, ordinary polls show whether one is taken again, and a notice says so.
//!
//! The verdict is that of the port's [`FreeMachine`]. None is shown while a dialog asks something.

use crate::app::notice::Notice;
use crate::app::{App, Effect};
use crate::free::{Batch, FreeMachine, TableChange, VerdictKind};
use crate::model::process::{InspectRequest, Inspection, Requester};
use crate::model::socket::{Endpoint, Since};
use crate::tracker::{Change, Changes};
use crate::wording::screen::notice;

impl App {
    /// Watches a port that is free for good, in place of an earlier watch of the same port.
    pub(super) fn watch_freed_port(&mut self, mut machine: FreeMachine) {
        // The table may already show what came after the last poll of the executor.
        let free_since = machine.free_since();
        let has_come = |endpoint: &&Endpoint| match endpoint.since {
            Since::Opened(at) => free_since.is_some_and(|free_since| at >= free_since),
            Since::Initial(_) => false,
        };
        let endpoints = self.listing.all_endpoints().filter(has_come);
        let open = endpoints.map(|endpoint| TableChange::Open(&endpoint.socket));
        machine.on_table_changes(self.now, open, &[]);
        self.freed_ports.retain(|old| old.port() != machine.port());
        self.freed_ports.push(machine);
    }

    /// Passes a poll on to the watched ports.
    pub(super) fn update_reuse_watch(&mut self, changes: &Changes) {
        for machine in &mut self.freed_ports {
            let each = changes.list.iter().flat_map(table_changes);
            machine.on_table_changes(changes.taken.instant, each, &changes.problems);
        }
        self.freed_ports.retain(FreeMachine::is_watching_reuse);
    }

    /// Says which freed ports were taken again, and asks who started the new owner.
    pub(super) fn report_reuse(&mut self) {
        let dialog = self.overlay.free_dialog();
        if dialog.is_some_and(|dialog| !dialog.phase.batch().is_some_and(Batch::is_settled)) {
            return;
        }
        let now = self.now;
        let is_taken = |machine: &mut FreeMachine| machine.taken_again_verdict(now).is_some();
        let taken: Vec<FreeMachine> = self.freed_ports.extract_if(.., is_taken).collect();
        let Some(last) = taken.last() else {
            return;
        };
        let request = inspect_request(last);
        self.effects.extend(request.map(Effect::Inspect));
        self.notice = Some(Notice {
            text: notice::verdicts(&taken),
            until: None,
            taken_again: taken,
        });
    }

    /// Completes the notice with who started the new owner.
    pub(super) fn complete_reuse_report(&mut self, inspection: &Inspection) {
        if let Some(notice) = &mut self.notice
            && let Some(last) = notice.taken_again.last_mut()
            && inspect_request(last).as_ref() == Some(&inspection.request)
            && let Some(tree) = inspection.trees.first()
        {
            last.add_starter(tree);
            notice.text = notice::verdicts(&notice.taken_again);
        }
    }
}

fn table_changes(change: &Change) -> impl Iterator<Item = TableChange<'_>> {
    let is_there = !matches!(change, Change::ShortLived(_));
    let open = change.endpoint().filter(|_| is_there);
    let closed = change.gone().map(TableChange::Closed).into_iter();
    closed.chain(open.map(|endpoint| TableChange::Open(&endpoint.socket)))
}

/// Returns the request about the process that took the port, if that is known.
fn inspect_request(machine: &FreeMachine) -> Option<InspectRequest> {
    let VerdictKind::TakenAgain { by, .. } = &machine.verdict()?.kind else {
        return None;
    };
    let owner = by.owners.first()?.id;
    Some(InspectRequest::new(
        Requester::ReuseWatch,
        by.id,
        vec![owner],
    ))
}

#[cfg(test)]
mod tests;
