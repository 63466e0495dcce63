//! The details of the row under the cursor: whether they are open, how far they are scrolled, and what was asked.

use crate::model::endpoint::EndpointId;
use crate::model::freeing::Port;
use crate::model::inspection::{Asker, Inspection, Subject};
use crate::model::process::ProcessId;
use crate::model::traffic::Focus;
use crate::table::row::Row;

mod closeups;

pub use closeups::Closeups;

#[derive(Debug, Default)]
pub struct Details {
    pub is_open: bool,
    pub scroll: u16,
    /// What was asked last, so that it is asked once.
    asked: Option<Subject>,
    answer: Option<Inspection>,
    /// What was found when this row was looked at closely.
    pub closeups: Closeups,
}

impl Details {
    pub fn toggle(&mut self) {
        let mut closeups = std::mem::take(&mut self.closeups);
        closeups.clear();
        *self = Self {
            is_open: !self.is_open,
            closeups,
            ..Self::default()
        };
    }

    /// What is to be looked at closely while the cursor is on this row.
    pub fn focus(&self, row: Option<&Row>) -> Option<Focus> {
        self.looked_at(row).map(|row| Focus {
            endpoint: row.endpoint.id(),
            processes: holders(row),
        })
    }

    fn looked_at<'a>(&self, row: Option<&'a Row>) -> Option<&'a Row> {
        row.filter(|row| self.is_open && !row.is_gone())
    }

    /// What to ask about this row, unless it is asked already or the details are closed.
    pub fn subject(&mut self, row: Option<&Row>) -> Option<Subject> {
        let row = self.looked_at(row)?;
        let subject = Subject {
            asker: Asker::Details,
            endpoint: row.endpoint.id(),
            processes: holders(row),
            port: held_port(row),
            ports: Vec::new(),
            unused_near: None,
        };
        if self.asked.as_ref() == Some(&subject) {
            return None;
        }
        if self
            .asked
            .as_ref()
            .is_none_or(|asked| asked.endpoint != subject.endpoint)
        {
            self.scroll = 0;
            self.answer = None;
        }
        self.asked = Some(subject.clone());
        Some(subject)
    }

    /// The answer about this row, once it is there.
    pub fn inspection(&self, of: EndpointId) -> Option<&Inspection> {
        self.answer
            .as_ref()
            .filter(|answer| answer.subject.endpoint == of)
    }

    pub fn take_in(&mut self, inspection: Inspection) {
        if self.asked.as_ref() == Some(&inspection.subject) {
            self.answer = Some(inspection);
        }
    }
}

/// The port that the row holds for itself and not for one connection.
fn held_port(row: &Row) -> Option<Port> {
    let socket = &row.endpoint.socket;
    socket.is_standing().then(|| Port {
        protocol: socket.protocol,
        number: socket.port(),
    })
}

fn holders(row: &Row) -> Vec<ProcessId> {
    let holders = row.endpoint.socket.owners.known();
    holders.iter().map(|process| process.id).collect()
}
