//! Opens, updates and closes the dialog.
//!
//! Only a key opens it; an update asks about the same rows.

use crate::app::overlay::free_dialog::{DialogPhase, FreeDialog};
use crate::app::overlay::freeing::{BackgroundFreeing, is_unfinished};
use crate::app::panes::screen_layout::ScreenLayout;
use crate::app::{App, Effect, Overlay};
use crate::free::{FreeContext, plan_row};
use crate::model::socket::Endpoint;
use crate::table::listing::Listing;
use crate::table::row::Row;
use crate::wording::screen::notice;

impl App {
    /// Asks about the marked rows in view, or about the row under the cursor.
    pub(in crate::app) fn ask_to_free(&mut self) -> Vec<Effect> {
        if self.settings.is_read_only {
            self.notify(notice::READ_ONLY_STOP);
            return Vec::new();
        }
        if ScreenLayout::is_too_small(self.size) {
            return Vec::new();
        }
        if let Some(background) = &self.background {
            self.notify(notice::still_freeing(&background.batch));
            return Vec::new();
        }
        let mut rows: Vec<&Row> = self.selection.marked_rows(&self.listing).collect();
        if rows.is_empty() {
            rows.extend(self.current_row());
        }
        let Some((dialog, effects)) = self.question_about(&rows) else {
            self.notify(notice::NOTHING_TO_FREE);
            return Vec::new();
        };
        self.overlay = Overlay::Freeing(Box::new(dialog));
        self.listing.freeze();
        // Bound sockets are not part of every poll, and some may hold the port too.
        self.sampling.poll_now();
        effects
    }

    /// Asks again while an owner is pending or the buttons are not live yet, and replaces the dialog only if the question
    /// has changed.
    pub(in crate::app) fn ask_again(&mut self) -> Vec<Effect> {
        let Some(dialog) = self.overlay.free_dialog() else {
            return Vec::new();
        };
        if dialog.phase.batch().is_some() || dialog.was_shown_armed && !dialog.is_waiting() {
            return Vec::new();
        }
        let rows = dialog.rows.iter();
        let rows: Vec<&Row> = rows.filter_map(|id| self.listing.row_of(*id)).collect();
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
        if let Some(dialog) = self.overlay.free_dialog_mut()
            && !dialog.was_shown_armed
            && let Some(prompt) = dialog.phase.prompt_mut()
        {
            prompt.update_others(&table(&self.listing));
        }
    }

    fn question_about(&self, rows: &[&Row]) -> Option<(FreeDialog, Vec<Effect>)> {
        let table = table(&self.listing);
        let plans = rows
            .iter()
            .map(|row| plan_row(&row.endpoint, &table, &self.context(row)));
        let phase = DialogPhase::from_plans(plans)?;
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
        let Overlay::Freeing(dialog) = std::mem::take(&mut self.overlay) else {
            return Vec::new();
        };
        if dialog.phase.prompt().is_some() {
            // A key that cancels by mistake must not look as if it had confirmed.
            self.notify(notice::CANCELLED);
        }
        match dialog.phase {
            DialogPhase::Running(batch) if is_unfinished(&batch) => {
                let reported = String::new();
                self.background = Some(BackgroundFreeing { batch, reported });
                // A port that is free but still watched has its verdict already.
                self.report_background()
            }
            DialogPhase::Confirming(_) | DialogPhase::Explaining(_) | DialogPhase::Running(_) => {
                vec![Effect::CloseHandles]
            }
        }
    }
}

/// Every endpoint, also of rows that a freeze of the table holds back.
fn table(listing: &Listing) -> Vec<&Endpoint> {
    listing.endpoints().chain(listing.waiting()).collect()
}

#[cfg(test)]
mod tests;
