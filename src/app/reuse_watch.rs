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

#[derive(Debug, Default)]
pub struct ReuseWatch {
    watched: Vec<FreeMachine>,
    /// What the last notice says, which an inspection may complete.
    reported: Option<ReportedReuse>,
}

#[derive(Debug)]
struct ReportedReuse {
    machines: Vec<FreeMachine>,
    request: InspectRequest,
}

impl ReuseWatch {
    /// Watches a port that is free for good, in place of an earlier watch of the same port.
    fn watch(&mut self, machine: FreeMachine) {
        self.watched.retain(|known| known.port() != machine.port());
        self.watched.push(machine);
    }

    /// Passes a poll on to the watched ports.
    pub fn apply_changes(&mut self, changes: &Changes) {
        for machine in &mut self.watched {
            let each = changes.list.iter().flat_map(table_changes);
            machine.on_table_changes(changes.taken.instant, each, &changes.problems);
        }
        self.watched.retain(FreeMachine::is_watching_reuse);
    }
}

fn table_changes(change: &Change) -> impl Iterator<Item = TableChange<'_>> {
    let is_there = !matches!(change, Change::ShortLived(_));
    let open = change.endpoint().filter(|_| is_there);
    let closed = change.gone().map(TableChange::Closed).into_iter();
    closed.chain(open.map(|endpoint| TableChange::Open(&endpoint.socket)))
}

impl App {
    /// Watches a port whose freeing has settled.
    pub(super) fn watch_freed_port(&mut self, mut machine: FreeMachine) {
        // The table may already show what came after the last poll of the executor.
        let has_come = |endpoint: &&Endpoint| match (endpoint.since, machine.free_since()) {
            (Since::Opened(at), Some(free_since)) => at >= free_since,
            (Since::Before(_), _) | (_, None) => false,
        };
        let endpoints = self.listing.endpoints().chain(self.listing.waiting());
        let come: Vec<&Endpoint> = endpoints.filter(has_come).collect();
        let open = come.iter().map(|one| TableChange::Open(&one.socket));
        machine.on_table_changes(self.now, open, &[]);
        self.reuse_watch.watch(machine);
    }

    /// Says which freed ports were taken again, and asks who started the new owner.
    pub(super) fn report_reuse(&mut self) -> Option<Effect> {
        let dialog = self.overlay.free_dialog();
        if dialog.is_some_and(|dialog| !dialog.phase.batch().is_some_and(Batch::is_settled)) {
            return None;
        }
        let now = self.now;
        let is_taken = |machine: &mut FreeMachine| machine.taken_again_verdict(now).is_some();
        let machines: Vec<FreeMachine> =
            self.reuse_watch.watched.extract_if(.., is_taken).collect();
        let last = machines.last()?;
        let request = inspect_request(last);
        self.notice = Some(Notice {
            is_reuse: true,
            ..Notice::persistent(notice::verdicts(&machines))
        });
        self.reuse_watch.reported = request
            .clone()
            .map(|request| ReportedReuse { machines, request });
        request.map(Effect::Inspect)
    }

    /// Completes the notice with who started the new owner.
    pub(super) fn complete_reuse_report(&mut self, inspection: &Inspection) {
        let is_answer = |reported: &mut ReportedReuse| reported.request == inspection.request;
        let Some(mut reported) = self.reuse_watch.reported.take_if(is_answer) else {
            return;
        };
        if let (Some(last), Some(tree)) = (reported.machines.last_mut(), inspection.trees.first()) {
            last.add_starter(tree);
        }
        if let Some(notice) = self.notice.as_mut().filter(|notice| notice.is_reuse) {
            notice.text = notice::verdicts(&reported.machines);
        }
    }
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
