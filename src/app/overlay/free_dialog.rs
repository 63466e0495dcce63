//! The dialog that frees a port: asks for confirmation and stays until there is a verdict.
//!
//! No key works before the dialog has been on the screen for [`CONFIRM_DELAY`] and was then drawn with live buttons, so that
//! keys typed ahead confirm nothing, even if a busy machine reads them late. Only Esc and Ctrl-C cancel at once; later any
//! key without a meaning cancels too.

mod buttons;
mod confirm_prompt;
mod keys;
mod phase;

pub use buttons::DialogAction;
pub use confirm_prompt::ConfirmPrompt;
pub use phase::DialogPhase;

use crate::free::{KillPlan, Obstacle, TargetChoice};
use crate::model::port::PortSpec;
use crate::model::process::{InspectRequest, Inspection, Pid, ProcessId};
use crate::model::socket::EndpointId;
use phase::QuestionKey;
use std::time::{Duration, Instant};

pub const CONFIRM_DELAY: Duration = Duration::from_millis(300);
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub struct FreeDialog {
    pub subject: Subject,
    /// When its buttons were first drawn.
    since: Option<Instant>,
    /// True if the screen shows them as live.
    is_shown_armed: bool,
    /// True if it ever did: from then on the question no longer changes.
    pub was_shown_armed: bool,
    pub question_key: QuestionKey,
    /// The button that Enter presses; the first one always cancels.
    pub focus: usize,
    pub phase: DialogPhase,
    /// Port proxies that their engine has left over, by the answer to an earlier question about these rows.
    pub left_over: Vec<ProcessId>,
    pub inspect_request: Option<InspectRequest>,
    /// Its answer, once there is one.
    pub inspection: Option<Inspection>,
}

/// What the dialog asks about, also when it asks again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The rows whose ports are to be freed.
    Rows(Vec<EndpointId>),
    /// Ports that were not free after a verdict, whatever holds them now, and the targets to begin with.
    Ports(Vec<PortSpec>, TargetChoice),
}

impl FreeDialog {
    /// Returns the dialog about a subject, of which `first` is the first socket.
    pub fn new(subject: Subject, first: Option<EndpointId>, phase: DialogPhase) -> Self {
        Self {
            since: None,
            is_shown_armed: false,
            was_shown_armed: false,
            question_key: phase.question_key(),
            focus: 0,
            inspect_request: first.and_then(|id| phase.inspect_request(id)),
            inspection: None,
            left_over: Vec::new(),
            subject,
            phase,
        }
    }

    /// Returns the sockets that it is about.
    pub fn sockets(&self) -> Vec<EndpointId> {
        let plans = self.phase.prompt().map(|prompt| prompt.plans.iter());
        let sockets = plans.into_iter().flatten().flat_map(|plan| &plan.sockets);
        let rows = match &self.subject {
            Subject::Rows(rows) => rows.iter().copied(),
            Subject::Ports(..) => [].iter().copied(),
        };
        rows.chain(sockets.map(|socket| socket.id)).collect()
    }

    /// Returns the protected owners that the inspection has shown to be left over by their engine.
    pub fn found_left_over(&self) -> Vec<ProcessId> {
        match (&self.phase, &self.inspection) {
            (DialogPhase::Explaining(explanation), Some(inspection)) => {
                explanation.left_over(&inspection.trees)
            }
            _ => Vec::new(),
        }
    }

    /// True until the buttons have been shown live, and while an owner is still looked up.
    pub fn may_change(&self) -> bool {
        match &self.phase {
            DialogPhase::Confirming(_) => !self.was_shown_armed,
            DialogPhase::Explaining(explanation) => {
                !self.was_shown_armed || matches!(explanation.obstacle, Obstacle::Pending(_))
            }
            DialogPhase::Running(_) => false,
        }
    }

    /// Notes that the buttons are on the screen `now`, as they were at the time of `state`, so that on a slow
    /// terminal no question can be answered before it is visible. If a target does not fit on the screen, nothing can be
    /// confirmed.
    pub fn on_drawn(&mut self, state: Instant, now: Instant, shows_all_targets: bool) {
        if let Some(prompt) = self.phase.prompt_mut() {
            prompt.is_truncated |= !shows_all_targets;
        }
        self.is_shown_armed = self.is_armed(state);
        self.was_shown_armed |= self.is_shown_armed;
        self.since.get_or_insert(now);
    }

    /// Disarms the buttons until the changed ones have been shown for the delay.
    pub fn disarm(&mut self) {
        (self.since, self.is_shown_armed, self.focus) = (None, false, 0);
    }

    pub fn is_armed(&self, now: Instant) -> bool {
        self.arms_at().is_some_and(|at| at <= now)
    }

    /// A question also waits for the inspection, which may show that nothing should be stopped.
    fn arms_at(&self) -> Option<Instant> {
        if self.phase.prompt().is_some() && self.inspection.is_none() {
            return None;
        }
        self.since.map(|since| since + CONFIRM_DELAY)
    }

    /// Returns when the buttons become live, or when to update the progress.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        if !self.is_armed(now) {
            return self.arms_at();
        }
        let batch = self.phase.batch()?;
        (!batch.has_verdicts()).then(|| now + PROGRESS_INTERVAL)
    }

    /// On another screen size every target may fit.
    pub fn resized(&mut self) {
        if let Some(prompt) = self.phase.prompt_mut() {
            prompt.is_truncated = false;
        }
        self.disarm();
    }

    /// True if the dialog asked for this inspection.
    pub fn has_requested(&self, inspection: &Inspection) -> bool {
        self.inspect_request.as_ref() == Some(&inspection.request)
    }

    /// Asks about candidates, where it explained that the owner is hidden.
    pub fn ask_about_candidates(&mut self, plan: KillPlan) {
        let prompt = ConfirmPrompt::new(vec![plan], Vec::new(), TargetChoice::Topmost);
        self.phase = DialogPhase::Confirming(Box::new(prompt));
        self.was_shown_armed = false;
        self.disarm();
    }

    /// Applies the inspection that this dialog asked for, and no other.
    pub fn apply_inspection(&mut self, inspection: Inspection, self_pids: &[Pid]) {
        if !self.has_requested(&inspection) {
            return;
        }
        match &mut self.phase {
            DialogPhase::Confirming(prompt) => {
                if let Some(explanation) = prompt.apply_inspection(&inspection) {
                    self.phase = DialogPhase::Explaining(explanation);
                    self.disarm();
                }
            }
            DialogPhase::Explaining(explanation) => {
                let before = explanation.command();
                explanation.add_candidates(&inspection.candidates, self_pids);
                explanation.add_supervisors(&inspection.supervisors());
                if explanation.command() != before {
                    self.disarm();
                }
            }
            DialogPhase::Running(_) => {}
        }
        self.inspection = Some(inspection);
    }
}

#[cfg(test)]
mod tests;
