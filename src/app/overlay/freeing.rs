//! A freeing in progress, in its dialog or in the background after that was closed.

use crate::app::notice::Notice;
use crate::app::overlay::free_dialog::DialogAction;
use crate::app::{App, Effect};
use crate::free::{Batch, ExecEvent, VerdictClass};
use crate::wording::screen::notice;

/// A freeing that continues after its dialog was closed.
#[derive(Debug)]
pub struct BackgroundFreeing {
    pub batch: Box<Batch>,
    /// The last notice about it.
    pub reported: String,
}

impl App {
    pub(in crate::app) fn on_freeing(&mut self, event: ExecEvent) -> Vec<Effect> {
        let had_verdict = self.has_verdict();
        let freed = self.freed_requests();
        let commands = match (&mut self.background, self.overlay.free_dialog_mut()) {
            (Some(background), _) => background.batch.on(event),
            (None, Some(dialog)) => dialog.on_exec_event(event),
            (None, None) => Vec::new(),
        };
        let mut effects: Vec<Effect> = commands.into_iter().map(Effect::Free).collect();
        if self.has_verdict() && !had_verdict {
            // The table beside the verdict must not lag behind it.
            self.sampling.poll_now();
        }
        self.record_freeing_results(&freed);
        effects.extend(self.report_background());
        effects
    }

    /// Ends the freeze of the table.
    pub(in crate::app) fn thaw_listing(&mut self) {
        let now = self.now;
        self.update_listing(|listing, context| listing.thaw(now, context));
    }

    fn has_verdict(&self) -> bool {
        self.running_batch().is_some_and(Batch::has_verdicts)
    }

    /// Shows the verdicts of a freeing whose dialog is closed, each time they change.
    pub(in crate::app) fn report_background(&mut self) -> Vec<Effect> {
        let Some(background) = &mut self.background else {
            return Vec::new();
        };
        let text = notice::verdicts(background.batch.machines());
        if text != background.reported {
            self.notice = Some(Notice::persistent(text.clone()));
            background.reported = text;
        }
        if is_unfinished(&background.batch) {
            return Vec::new();
        }
        self.background = None;
        vec![Effect::CloseHandles]
    }

    pub(in crate::app) fn on_dialog_action(&mut self, action: DialogAction) -> Vec<Effect> {
        match action {
            DialogAction::Nothing => Vec::new(),
            DialogAction::Execute(commands) => {
                // The target is fixed, so the table may change again.
                self.thaw_listing();
                commands.into_iter().map(Effect::Free).collect()
            }
            DialogAction::Copy(text) => self.copy(text),
            DialogAction::Close => self.close_dialog(),
            DialogAction::GoTo(id) => {
                let effects = self.close_dialog();
                self.reveal(id);
                effects
            }
        }
    }
}

/// True until each port has a verdict and each free port was watched for long enough.
pub(in crate::app) fn is_unfinished(batch: &Batch) -> bool {
    batch.machines().iter().any(|machine| {
        let verdict = machine.verdict();
        !machine.is_settled()
            && verdict.is_none_or(|verdict| verdict.kind.class() == VerdictClass::Free)
    })
}
