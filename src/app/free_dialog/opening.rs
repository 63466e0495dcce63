//! How the dialog comes, comes again once what it waited for is known, and goes.
//!
//! It never comes by itself: only a key opens it, and what takes its place asks about the same row.

use crate::app::frame::Frame;
use crate::app::free_dialog::matter::Matter;
use crate::app::free_dialog::{Asking, FreeDialog, Phase};
use crate::app::input::is_still_open;
use crate::app::{App, Effect, Overlay};
use crate::model::endpoint::{Endpoint, EndpointId};
use crate::model::freeing::{Barrier, Circumstances, Explanation, Proposal, Question, ask};
use crate::model::inspection::{Asker, Subject};
use crate::table::row::Row;

impl App {
    pub(in crate::app) fn ask_to_free(&mut self) -> Vec<Effect> {
        if self.setup.is_read_only {
            self.say("read-only: nothing is ended here");
            return Vec::new();
        }
        if Frame::is_too_small(self.size) {
            return Vec::new();
        }
        if let Some(batch) = &self.background {
            let freeings = batch.freeings().iter();
            let ports: Vec<String> = freeings.map(|freeing| freeing.port().to_string()).collect();
            self.say(format!(
                "still freeing {}; what comes of it is said here",
                ports.join(" ")
            ));
            return Vec::new();
        }
        let Some((dialog, effects)) = self.question() else {
            self.say("no row to free");
            return Vec::new();
        };
        self.overlay = Overlay::Freeing(Box::new(dialog));
        self.listing.freeze();
        // Bound sockets are looked at only now and then, and some may hold the port too.
        self.sampling.look_now();
        effects
    }

    /// The question about the marked rows in view, or about the row under the cursor.
    fn question(&self) -> Option<(FreeDialog, Vec<Effect>)> {
        let mut rows: Vec<&Row> = self.selection.marked_rows(&self.listing).collect();
        if rows.is_empty() {
            rows.extend(self.current());
        }
        self.question_about(&rows)
    }

    /// Asks a question again that waited until it is known who holds the port, or that nobody could answer yet; only if
    /// something else is to be said.
    pub(in crate::app) fn ask_again(&mut self) -> Vec<Effect> {
        let Overlay::Freeing(dialog) = &self.overlay else {
            return Vec::new();
        };
        let is_answered = dialog.batch().is_some();
        let is_open = !is_answered && (dialog.is_waiting() || !dialog.was_shown_live);
        if !is_open {
            return Vec::new();
        }
        let rows = dialog.rows.iter();
        let rows: Vec<&Row> = rows.filter_map(|id| self.listing.row_of(*id)).collect();
        let Some((again, effects)) = self.question_about(&rows) else {
            return Vec::new();
        };
        if again.subject_matter == dialog.subject_matter {
            return Vec::new();
        }
        self.overlay = Overlay::Freeing(Box::new(again));
        effects
    }

    fn question_about(&self, rows: &[&Row]) -> Option<(FreeDialog, Vec<Effect>)> {
        let table: Vec<&Endpoint> = self
            .listing
            .endpoints()
            .chain(self.listing.waiting())
            .collect();
        let questions = rows
            .iter()
            .map(|row| ask(&row.endpoint, &table, &self.circumstances(row)));
        let phase = Phase::asking(questions.collect())?;
        Some(FreeDialog::open(rows, phase))
    }

    fn circumstances(&self, row: &Row) -> Circumstances {
        let meant = self.listing.filter().query.meant_local_port();
        Circumstances {
            row_is_meant: meant == Some(row.endpoint.socket.port()),
            is_gone: row.is_gone(),
            state_since: Some(row.endpoint.state_since),
            ..self.setup.circumstances(self.moment())
        }
    }

    /// Takes the dialog away. What is under way goes on, and its verdict comes as a notice.
    pub(in crate::app) fn close_dialog(&mut self) -> Vec<Effect> {
        let around = self.setup.surroundings(self.moment());
        self.listing.thaw(self.now, &around);
        self.sampling.look_now();
        let Overlay::Freeing(dialog) = std::mem::replace(&mut self.overlay, Overlay::None) else {
            return Vec::new();
        };
        if matches!(dialog.phase, Phase::Asking(_)) {
            // A key that was meant as an answer and is none must not pass for one.
            self.say("cancelled; nothing was sent");
        }
        match dialog.into_batch() {
            Some(batch) if is_still_open(&batch) => {
                self.background = Some(batch);
                Vec::new()
            }
            _ => vec![Effect::LetGo],
        }
    }
}

impl FreeDialog {
    /// Asks about the ports of these rows, and what must be found out for it.
    fn open(rows: &[&Row], phase: Phase) -> (Self, Vec<Effect>) {
        let rows: Vec<EndpointId> = rows.iter().map(|row| row.endpoint.id()).collect();
        let subject = rows.first().and_then(|row| phase.subject(*row));
        let held = match &phase {
            Phase::Asking(asking) => Some(Effect::Hold(asking.process_ids())),
            Phase::Explaining(_) | Phase::Working(_) => None,
        };
        let effects = held
            .into_iter()
            .chain(subject.clone().map(Effect::Inspect))
            .collect();
        let dialog = Self {
            rows,
            since: None,
            is_shown_live: false,
            was_shown_live: false,
            subject_matter: Matter::of(&phase),
            focus: 0,
            phase,
            subject,
            inspection: None,
        };
        (dialog, effects)
    }

    fn is_waiting(&self) -> bool {
        match &self.phase {
            Phase::Explaining(explanation) => explanation.barrier == Barrier::Sought,
            Phase::Asking(_) | Phase::Working(_) => false,
        }
    }
}

impl Phase {
    /// What is asked of one row or several: whatever may be freed, once a port, and why the rest may not.
    fn asking(questions: Vec<Question>) -> Option<Self> {
        let (mut proposals, mut explanations) = (Vec::<Proposal>::new(), Vec::new());
        for question in questions {
            match question {
                Question::Free(new) => {
                    let is_same =
                        |one: &Proposal| (one.protocol, one.port) == (new.protocol, new.port);
                    if !proposals.iter().any(is_same) {
                        proposals.push(new);
                    }
                }
                Question::Explain(explanation) => explanations.push(explanation),
            }
        }
        if proposals.is_empty() {
            return explanations
                .into_iter()
                .reduce(Explanation::and)
                .map(Self::Explaining);
        }
        let left_out = explanations.iter().map(Explanation::in_short).collect();
        Some(Self::Asking(Asking::new(proposals, left_out)))
    }

    /// What must be found out for it.
    fn subject(&self, row: EndpointId) -> Option<Subject> {
        let mut ports = Vec::new();
        let (processes, port, unused_near) = match self {
            Self::Asking(asking) => {
                let port = asking.only().map(Proposal::place);
                let several = asking.proposals.iter().filter(|_| port.is_none());
                ports.extend(several.flat_map(|one| {
                    let holders = one.process_ids().into_iter();
                    holders.map(|holder| (holder, one.place()))
                }));
                (asking.process_ids(), port, None)
            }
            Self::Explaining(explanation) => (
                explanation.process_ids(),
                explanation.port,
                explanation.unused_near,
            ),
            Self::Working(_) => return None,
        };
        let is_wanted = !processes.is_empty() || port.is_some() || unused_near.is_some();
        is_wanted.then_some(Subject {
            asker: Asker::Dialog,
            endpoint: row,
            processes,
            port,
            ports,
            unused_near,
        })
    }
}

#[cfg(test)]
mod tests;
