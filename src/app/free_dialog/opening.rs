//! Opens, updates and closes the dialog.
//!
//! Only a key opens it; an update asks about the same rows.

use crate::app::free_dialog::{ConfirmPrompt, DialogPhase, FreeDialog};
use crate::app::input::is_unfinished;
use crate::app::screen_layout::ScreenLayout;
use crate::app::{App, Effect, Overlay};
use crate::free::{Explanation, FreeContext, KillPlan, Obstacle, PlanResult, plan_row};
use crate::model::endpoint::{Endpoint, EndpointId};
use crate::model::inspection::{InspectRequest, Requester};
use crate::model::process::ProcessId;
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
            let freeings = batch.machines().iter();
            let ports: Vec<String> = freeings.map(|freeing| freeing.port().to_string()).collect();
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

    /// Asks again while an owner is pending or nobody could answer yet, but replaces the dialog only if the question has
    /// changed.
    pub(in crate::app) fn ask_again(&mut self) -> Vec<Effect> {
        let Overlay::Freeing(dialog) = &self.overlay else {
            return Vec::new();
        };
        let is_answered = dialog.batch().is_some();
        let is_open = !is_answered && (dialog.is_waiting() || !dialog.was_shown_armed);
        if !is_open {
            return Vec::new();
        }
        let rows = dialog.rows.iter();
        let rows: Vec<&Row> = rows.filter_map(|id| self.listing.row_of(*id)).collect();
        let Some((again, effects)) = self.question_about(&rows) else {
            return Vec::new();
        };
        if again.question_key == dialog.question_key {
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
            .map(|row| plan_row(&row.endpoint, &table, &self.context(row)));
        let phase = DialogPhase::from_questions(questions.collect())?;
        Some(FreeDialog::open(rows, phase))
    }

    fn context(&self, row: &Row) -> FreeContext<'_> {
        let meant = self.listing.filter().query.sole_local_port();
        FreeContext {
            filter_names_port: meant == Some(row.endpoint.socket.port()),
            is_gone: row.is_closed(),
            state_since: Some(row.endpoint.state_since),
            ..FreeContext::new(&self.environment, self.moment())
        }
    }

    /// Closes the dialog. A freeing continues in the background, and its verdict becomes a notice.
    pub(in crate::app) fn close_dialog(&mut self) -> Vec<Effect> {
        let context = self
            .settings
            .display_context(&self.environment, self.moment());
        self.listing.thaw(self.now, &context);
        self.sampling.poll_now();
        let Overlay::Freeing(dialog) = std::mem::replace(&mut self.overlay, Overlay::None) else {
            return Vec::new();
        };
        if matches!(dialog.phase, DialogPhase::Confirming(_)) {
            // A key that was meant to confirm and did not must not pass for one that did.
            self.notify("cancelled; nothing was sent");
        }
        match dialog.into_batch() {
            Some(batch) if is_unfinished(&batch) => {
                self.background = Some(batch);
                Vec::new()
            }
            _ => vec![Effect::Release],
        }
    }
}

impl FreeDialog {
    /// Returns the dialog about these rows, and the effects that inspect what it needs.
    fn open(rows: &[&Row], phase: DialogPhase) -> (Self, Vec<Effect>) {
        let rows: Vec<EndpointId> = rows.iter().map(|row| row.endpoint.id()).collect();
        let subject = rows.first().and_then(|row| phase.subject(*row));
        let held = match &phase {
            DialogPhase::Confirming(prompt) => Some(Effect::Hold(prompt.process_ids())),
            DialogPhase::Explaining(_) | DialogPhase::Running(_) => None,
        };
        let effects = held
            .into_iter()
            .chain(subject.clone().map(Effect::Inspect))
            .collect();
        let dialog = Self {
            rows,
            since: None,
            is_shown_armed: false,
            was_shown_armed: false,
            question_key: QuestionKey::of(&phase),
            focus: 0,
            phase,
            subject,
            inspection: None,
        };
        (dialog, effects)
    }

    fn is_waiting(&self) -> bool {
        match &self.phase {
            DialogPhase::Explaining(explanation) => {
                matches!(explanation.obstacle, Obstacle::Pending(_))
            }
            DialogPhase::Confirming(_) | DialogPhase::Running(_) => false,
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
                    let is_same =
                        |one: &KillPlan| (one.protocol, one.port) == (new.protocol, new.port);
                    if !plans.iter().any(is_same) {
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
    fn subject(&self, row: EndpointId) -> Option<InspectRequest> {
        let mut ports = Vec::new();
        let (processes, port, unused_near) = match self {
            Self::Confirming(prompt) => {
                let port = prompt.single().map(KillPlan::to_port);
                let several = prompt.plans.iter().filter(|_| port.is_none());
                ports.extend(several.flat_map(|one| {
                    let holders = one.process_ids().into_iter();
                    holders.map(|holder| (holder, one.to_port()))
                }));
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
                    skipped: prompt.skipped.clone(),
                    explanation: None,
                }
            }
            DialogPhase::Explaining(explanation) => Self {
                explanation: Some(explanation.clone()),
                ..Self::default()
            },
            DialogPhase::Running(_) => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests;
