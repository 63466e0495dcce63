//! The details of the row under the cursor: whether they are open, how far they are scrolled, and the inspection.

use crate::model::port::Port;
use crate::model::process::{CandidateQuery, InspectRequest, Inspection, ProcessId, Requester};
use crate::model::socket::{EndpointId, Focus};
use crate::table::row::Row;
use std::time::{Duration, Instant};

mod stats_history;

pub use stats_history::StatsHistory;

/// How long candidates are shown before they are looked for again, which reads every process.
const CANDIDATES_AGE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub struct Details {
    pub is_open: bool,
    pub scroll: u16,
    /// The last request, so that each is made once.
    requested: Option<InspectRequest>,
    requested_at: Option<Instant>,
    inspection: Option<Inspection>,
    /// Stats of the row from the last polls.
    pub stats_history: StatsHistory,
}

impl Details {
    pub fn toggle(&mut self) {
        self.is_open = !self.is_open;
        self.stats_history.clear();
        (self.scroll, self.requested, self.inspection) = (0, None, None);
    }

    /// Returns the row to poll stats for.
    pub fn focus(&self, row: Option<&Row>) -> Option<Focus> {
        self.inspected_row(row).map(|row| Focus {
            endpoint: row.endpoint.id(),
            processes: owner_ids(row),
        })
    }

    fn inspected_row<'a>(&self, row: Option<&'a Row>) -> Option<&'a Row> {
        row.filter(|row| self.is_open && !row.is_closed())
    }

    /// Returns the request for this row, unless it was made already or the details are closed. Candidates are looked for again
    /// after a while, since they may have ended.
    pub fn next_request(&mut self, row: Option<&Row>, now: Instant) -> Option<InspectRequest> {
        let row = self.inspected_row(row)?;
        let socket = &row.endpoint.socket;
        let request = InspectRequest {
            port: socket.holds_port().then(|| Port::of(socket)),
            unowned: CandidateQuery::of(&row.endpoint).into_iter().collect(),
            ..InspectRequest::new(Requester::Details, row.endpoint.id(), owner_ids(row))
        };
        let last = self.requested.as_ref();
        let asked = self.requested_at;
        let is_recent = asked.is_some_and(|at| now.saturating_duration_since(at) < CANDIDATES_AGE);
        if last == Some(&request) && (request.unowned.is_empty() || is_recent) {
            return None;
        }
        if last.is_none_or(|last| last.endpoint != request.endpoint) {
            self.scroll = 0;
            self.inspection = None;
        }
        self.requested = Some(request.clone());
        self.requested_at = Some(now);
        Some(request)
    }

    /// Returns the inspection of this endpoint, once it is done.
    pub fn inspection(&self, of: EndpointId) -> Option<&Inspection> {
        self.inspection
            .as_ref()
            .filter(|inspection| inspection.request.endpoint == of)
    }

    pub fn apply_inspection(&mut self, inspection: Inspection) {
        if self.requested.as_ref() == Some(&inspection.request) {
            self.inspection = Some(inspection);
        }
    }
}

fn owner_ids(row: &Row) -> Vec<ProcessId> {
    let owners = row.endpoint.socket.owners.known();
    owners.iter().map(|process| process.id).collect()
}
