//! What an inspection changes about the question: the dialog may ask about candidates, or about a proxy that is left over.

use crate::app::overlay::free_dialog::DialogPhase;
use crate::app::{App, Effect};
use crate::free::KillPlan;
use crate::model::process::Inspection;
use crate::model::socket::Endpoint;

impl App {
    /// Applies an inspection to the dialog. Where the owner is hidden, it may turn the explanation into a question about
    /// candidates.
    pub(in crate::app) fn apply_dialog_inspection(&mut self, inspection: Inspection) {
        let plan = self.plan_of_candidates(&inspection);
        let self_pids = &self.environment.self_pids;
        if let Some(dialog) = self.overlay.free_dialog_mut() {
            if let Some(plan) = plan {
                self.effects.push(Effect::OpenHandles(plan.process_ids()));
                dialog.ask_about_candidates(plan);
            }
            dialog.apply_inspection(inspection, self_pids);
        }
        self.ask_about_left_over();
        self.update_others();
    }

    fn plan_of_candidates(&self, inspection: &Inspection) -> Option<KillPlan> {
        let dialog = self.overlay.free_dialog()?;
        let DialogPhase::Explaining(explanation) = &dialog.phase else {
            return None;
        };
        if !dialog.has_requested(inspection) || !explanation.others.is_empty() {
            return None;
        }
        let table: Vec<&Endpoint> = self.listing.all_endpoints().collect();
        let (candidates, trees) = (&inspection.candidates, &inspection.trees);
        KillPlan::of_candidates(explanation, candidates, trees, &table, &self.environment)
    }

    /// Asks about the same rows again once an engine has answered that it has left their port proxies over.
    fn ask_about_left_over(&mut self) {
        let Some(dialog) = self.overlay.free_dialog() else {
            return;
        };
        let left_over = dialog.found_left_over();
        if left_over.is_empty() {
            return;
        }
        if let Some(again) = self.question_about(dialog.subject.clone(), &left_over)
            && again.phase.prompt().is_some()
        {
            self.show(again);
        }
    }
}
