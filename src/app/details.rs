//! The details of the row under the cursor: whether they are open, how far they are scrolled, and what was asked.

use crate::free::Port;
use crate::model::endpoint::EndpointId;
use crate::model::inspection::{InspectRequest, Inspection, Requester};
use crate::model::process::ProcessId;
use crate::model::stats::Focus;
use crate::table::row::Row;

mod stats_history;

pub use stats_history::StatsHistory;

#[derive(Debug, Default)]
pub struct Details {
    pub is_open: bool,
    pub scroll: u16,
    /// What was asked last, so that it is asked once.
    requested: Option<InspectRequest>,
    inspection: Option<Inspection>,
    /// What was found when this row was looked at closely.
    pub stats_history: StatsHistory,
}

impl Details {
    pub fn toggle(&mut self) {
        let mut stats_history = std::mem::take(&mut self.stats_history);
        stats_history.clear();
        *self = Self {
            is_open: !self.is_open,
            stats_history,
            ..Self::default()
        };
    }

    /// What is to be looked at closely while the cursor is on this row.
    pub fn focus(&self, row: Option<&Row>) -> Option<Focus> {
        self.inspected_row(row).map(|row| Focus {
            endpoint: row.endpoint.id(),
            processes: owner_ids(row),
        })
    }

    fn inspected_row<'a>(&self, row: Option<&'a Row>) -> Option<&'a Row> {
        row.filter(|row| self.is_open && !row.is_closed())
    }

    /// What to ask about this row, unless it is asked already or the details are closed.
    pub fn subject(&mut self, row: Option<&Row>) -> Option<InspectRequest> {
        let row = self.inspected_row(row)?;
        let subject = InspectRequest {
            requester: Requester::Details,
            endpoint: row.endpoint.id(),
            processes: owner_ids(row),
            port: bound_port(row),
            ports: Vec::new(),
            unused_near: None,
        };
        if self.requested.as_ref() == Some(&subject) {
            return None;
        }
        if self
            .requested
            .as_ref()
            .is_none_or(|requested| requested.endpoint != subject.endpoint)
        {
            self.scroll = 0;
            self.inspection = None;
        }
        self.requested = Some(subject.clone());
        Some(subject)
    }

    /// The answer about this row, once it is there.
    pub fn inspection(&self, of: EndpointId) -> Option<&Inspection> {
        self.inspection
            .as_ref()
            .filter(|answer| answer.request.endpoint == of)
    }

    pub fn apply_inspection(&mut self, inspection: Inspection) {
        if self.requested.as_ref() == Some(&inspection.request) {
            self.inspection = Some(inspection);
        }
    }
}

/// The port that the row holds for itself and not for one connection.
fn bound_port(row: &Row) -> Option<Port> {
    let socket = &row.endpoint.socket;
    socket.holds_port().then(|| Port {
        protocol: socket.protocol,
        number: socket.port(),
    })
}

fn owner_ids(row: &Row) -> Vec<ProcessId> {
    let holders = row.endpoint.socket.owners.known();
    holders.iter().map(|process| process.id).collect()
}
