//! Opens, updates and closes the dialog.
//!
//! Only a key opens it; an update asks about the same rows.

use crate::app::overlay::free_dialog::{ConfirmPrompt, DialogPhase, FreeDialog};
use crate::app::overlay::freeing::is_unfinished;
use crate::app::panes::screen_layout::ScreenLayout;
use crate::app::{App, Effect, Overlay};
use crate::free::{Explanation, FreeContext, KillPlan, PlanResult, plan_row};
use crate::model::process::{InspectRequest, ProcessId, Requester};
use crate::model::socket::{Endpoint, EndpointId};
use crate::table::row::Row;

impl App {
    pub(in crate::app) fn ask_to_free(&mut self) -> Vec<Effect> {
        if self.settings.is_read_only {
            self.notify("read-only: nothing can be stopped");
            return Vec::new();
        }
        if ScreenLayout::is_too_small(self.size) {
            return Vec::new();
        }
        if let Some(batch) = &self.background {
            let ports: Vec<String> = batch
                .machines()
                .iter()
                .map(|machine| machine.port().to_string())
                .collect();
            self.notify(format!(
                "still freeing {}; the result will be shown here",
                ports.join(" ")
            ));
            return Vec::new();
        }
        let Some((dialog, effects)) = self.question() else {
            self.notify("no row to free");
            return Vec::new();
        };
        self.overlay = Overlay::Freeing(Box::new(dialog));
        self.listing.freeze();
        // Bound sockets are not part of every poll, and some may hold the port too.
        self.sampling.poll_now();
        effects
    }

    /// Returns the dialog about the visible marked rows, or about the row under the cursor.
    fn question(&self) -> Option<(FreeDialog, Vec<Effect>)> {
        let mut rows: Vec<&Row> = self.selection.marked_rows(&self.listing).collect();
        if rows.is_empty() {
            rows.extend(self.current_row());
        }
        self.question_about(&rows)
    }

    /// Asks again while an owner is pending or the buttons are not live yet, and replaces the dialog only if the question
    /// has changed.
    pub(in crate::app) fn ask_again(&mut self) -> Vec<Effect> {
        let Overlay::Freeing(dialog) = &self.overlay else {
            return Vec::new();
        };
        if dialog.batch().is_some() || dialog.was_shown_armed && !dialog.is_waiting() {
            return Vec::new();
        }
        let rows: Vec<&Row> = dialog
            .rows
            .iter()
            .filter_map(|id| self.listing.row_of(*id))
            .collect();
        let Some((again, effects)) = self.question_about(&rows) else {
            return Vec::new();
        };
        if again.question_key == dialog.question_key {
            self.update_others();
            return Vec::new();
        }
        self.overlay = Overlay::Freeing(Box::new(again));
        effects
    }

    /// Updates what else would close, until the dialog has been shown with live buttons.
    pub(in crate::app) fn update_others(&mut self) {
        let Overlay::Freeing(dialog) = &mut self.overlay else {
            return;
        };
        let is_frozen = dialog.was_shown_armed;
        if let (DialogPhase::Confirming(prompt), false) = (&mut dialog.phase, is_frozen) {
            let table: Vec<&Endpoint> = self
                .listing
                .endpoints()
                .chain(self.listing.waiting())
                .collect();
            for plan in &mut prompt.plans {
                plan.update_others(&table);
            }
        }
    }

    fn question_about(&self, rows: &[&Row]) -> Option<(FreeDialog, Vec<Effect>)> {
        let table: Vec<&Endpoint> = self
            .listing
            .endpoints()
            .chain(self.listing.waiting())
            .collect();
        let questions = rows
            .iter()
            .map(|row| plan_row(&row.endpoint, &table, &self.context(row)));
        let phase = DialogPhase::from_questions(questions.collect())?;
        Some(FreeDialog::open(rows, phase))
    }

    fn context(&self, row: &Row) -> FreeContext<'_> {
        let filtered_port = self.listing.filter().query.sole_local_port();
        FreeContext {
            filter_names_port: filtered_port == Some(row.endpoint.socket.port()),
            is_gone: row.is_closed(),
            state_since: Some(row.endpoint.state_since),
            ..FreeContext::new(&self.environment, self.moment())
        }
    }

    /// Closes the dialog. A freeing continues in the background, and its verdict becomes a notice.
    pub(in crate::app) fn close_dialog(&mut self) -> Vec<Effect> {
        self.thaw_listing();
        self.sampling.poll_now();
        let Overlay::Freeing(dialog) = std::mem::replace(&mut self.overlay, Overlay::None) else {
            return Vec::new();
        };
        if matches!(dialog.phase, DialogPhase::Confirming(_)) {
            // A key that cancels by mistake must not look as if it had confirmed.
            self.notify("cancelled; nothing was sent");
        }
        match dialog.into_batch() {
            Some(batch) if is_unfinished(&batch) => {
                self.background = Some(batch);
                Vec::new()
            }
            _ => vec![Effect::CloseHandles],
        }
    }
}

impl DialogPhase {
    /// Joins the plans of the rows, one for each port, with the explanations of those that have none.
    fn from_questions(questions: Vec<PlanResult>) -> Option<Self> {
        let (mut plans, mut explanations) = (Vec::<KillPlan>::new(), Vec::new());
        for question in questions {
            match question {
                Ok(new) => {
                    if plans.iter().all(|plan| plan.port != new.port) {
                        plans.push(new);
                    }
                }
                Err(explanation) => explanations.push(*explanation),
            }
        }
        if plans.is_empty() {
            return explanations
                .into_iter()
                .reduce(Explanation::and)
                .map(Self::Explaining);
        }
        Some(Self::Confirming(ConfirmPrompt::new(plans, explanations)))
    }

    /// Returns what must be inspected for it.
    pub fn subject(&self, row: EndpointId) -> Option<InspectRequest> {
        let mut ports = Vec::new();
        let (processes, port, unused_near) = match self {
            Self::Confirming(prompt) => {
                let port = prompt.single().map(|plan| plan.port);
                for plan in prompt.plans.iter().filter(|_| port.is_none()) {
                    let owners = plan.process_ids().into_iter();
                    ports.extend(owners.map(|owner| (owner, plan.port)));
                }
                (prompt.process_ids(), port, None)
            }
            Self::Explaining(explanation) => (
                explanation.process_ids(),
                explanation.supervised_port(),
                explanation.unused_near(),
            ),
            Self::Running(_) => return None,
        };
        let is_wanted = !processes.is_empty() || port.is_some() || unused_near.is_some();
        is_wanted.then_some(InspectRequest {
            requester: Requester::Dialog,
            endpoint: row,
            processes,
            port,
            ports,
            unused_near,
        })
    }
}

/// What a question is about before anything is inspected, so that asking again can tell whether it has changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct QuestionKey {
    sockets: Vec<EndpointId>,
    owners: Vec<ProcessId>,
    skipped: Vec<Explanation>,
    explanation: Option<Explanation>,
}

impl QuestionKey {
    pub fn of(phase: &DialogPhase) -> Self {
        match phase {
            DialogPhase::Confirming(prompt) => {
                let sockets = prompt.plans.iter().flat_map(|plan| &plan.sockets);
                Self {
                    sockets: sockets.map(|socket| socket.id).collect(),
                    owners: prompt.process_ids(),
                    skipped: prompt.skipped.iter().map(Explanation::timeless).collect(),
                    explanation: None,
                }
            }
            DialogPhase::Explaining(explanation) => Self {
                explanation: Some(explanation.timeless()),
                ..Self::default()
            },
            DialogPhase::Running(_) => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests;
