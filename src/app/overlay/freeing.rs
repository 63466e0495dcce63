//! Frees ports: opens, updates and closes the dialog; after that was closed, the freeing continues in the background.
//!
//! Only a key opens the dialog; an update asks about the same rows.

mod inspected;

use crate::app::keymap::Chord;
use crate::app::notice::Notice;
use crate::app::overlay::free_dialog::{DialogAction, DialogPhase, FreeDialog, Subject};
use crate::app::panes::screen_layout::is_too_small;
use crate::app::{App, Effect, Overlay};
use crate::free::{
    Batch, ExecEvent, FreeContext, NextSteps, PlanResult, TargetChoice, VerdictClass, plan_port,
    plan_row,
};
use crate::model::port::{Port, PortSpec};
use crate::model::process::{ProcessId, Signal};
use crate::model::socket::Endpoint;
use crate::table::row::Row;
use crate::wording::screen::notice;

impl App {
    /// Asks about the marked rows in view, or about the row under the cursor.
    pub(in crate::app) fn ask_to_free(&mut self) {
        if self.settings.is_read_only {
            return self.notify(notice::READ_ONLY_STOP);
        }
        if is_too_small(self.size) {
            return;
        }
        if let Some(batch) = &self.background {
            return self.notify(notice::still_freeing(batch));
        }
        let mut rows: Vec<&Row> = self.selection.marked_rows(&self.listing).collect();
        if rows.is_empty() {
            rows.extend(self.current_row());
        }
        let rows = rows.iter().map(|row| row.endpoint.id()).collect();
        self.ask_about(Subject::Rows(rows));
    }

    fn ask_about(&mut self, subject: Subject) {
        let Some(dialog) = self.question_about(subject.clone(), &[]) else {
            return self.notify(match subject {
                Subject::Ports(ports, _) if !ports.is_empty() => notice::no_longer_held(&ports),
                Subject::Rows(_) | Subject::Ports(..) => notice::NOTHING_TO_FREE.to_owned(),
            });
        };
        self.show(dialog);
        self.listing.freeze();
        // Bound sockets are not part of every poll, and some may hold the port too.
        self.sampling.wants_poll = true;
    }

    /// Asks about the ports that the dialog's verdict is about and that are not free, whatever holds them now.
    fn ask_next(&mut self, choice: TargetChoice) {
        let dialog = self.overlay.free_dialog();
        let batch = dialog.and_then(|dialog| dialog.phase.batch());
        let ports = batch.map(Batch::unfree_ports).unwrap_or_default();
        let ports = ports.into_iter().map(spec_of).collect();
        self.close_dialog();
        self.ask_about(Subject::Ports(ports, choice));
    }

    /// Asks again while an owner is pending or the buttons are not live yet, and replaces the dialog only if the question
    /// has changed.
    pub(in crate::app) fn ask_again(&mut self) {
        let Some(dialog) = self.overlay.free_dialog() else {
            return;
        };
        if !dialog.may_change() {
            return;
        }
        match self.question_about(dialog.subject.clone(), &dialog.left_over) {
            Some(again) if again.question_key != dialog.question_key => self.show(again),
            Some(_) => self.update_others(),
            None => {}
        }
    }

    fn show(&mut self, dialog: FreeDialog) {
        if let Some(prompt) = dialog.phase.prompt() {
            let owners = prompt.process_ids();
            self.effects.push(Effect::OpenHandles(owners));
        }
        let request = dialog.inspect_request.clone();
        self.effects.extend(request.map(Effect::Inspect));
        self.overlay = Overlay::Freeing(Box::new(dialog));
    }

    /// Updates what else would close, until the dialog has been shown with live buttons.
    pub(in crate::app) fn update_others(&mut self) {
        let table: Vec<&Endpoint> = self.listing.all_endpoints().collect();
        if let Some(dialog) = self.overlay.free_dialog_mut()
            && !dialog.was_shown_armed
            && let Some(prompt) = dialog.phase.prompt_mut()
        {
            prompt.update_others(&table);
        }
    }

    fn question_about(&self, subject: Subject, left_over: &[ProcessId]) -> Option<FreeDialog> {
        let table: Vec<&Endpoint> = self.listing.all_endpoints().collect();
        let (plans, choice): (Vec<PlanResult>, TargetChoice) = match &subject {
            Subject::Rows(ids) => {
                let rows = ids.iter().filter_map(|id| self.listing.row_of(*id));
                let plan =
                    |row: &Row| plan_row(&row.endpoint, &table, &self.context(row, left_over));
                (rows.map(plan).collect(), TargetChoice::Topmost)
            }
            Subject::Ports(ports, choice) => {
                let context = FreeContext {
                    left_over,
                    ..FreeContext::new(&self.environment, self.moment())
                };
                let plan = |spec: &PortSpec| plan_port(*spec, &table, &context);
                (ports.iter().filter_map(plan).collect(), *choice)
            }
        };
        let first = match &subject {
            Subject::Rows(ids) => ids
                .iter()
                .find(|id| self.listing.row_of(**id).is_some())
                .copied(),
            Subject::Ports(ports, _) => {
                let mut sockets = table.iter().map(|endpoint| &endpoint.socket);
                let on_port = sockets.find(|socket| ports.iter().any(|port| port.matches(socket)));
                on_port.map(|socket| socket.id)
            }
        };
        let phase = DialogPhase::from_plans(plans, choice)?;
        let mut dialog = FreeDialog::new(subject, first, phase);
        dialog.left_over = left_over.to_vec();
        Some(dialog)
    }

    fn context<'a>(&'a self, row: &Row, left_over: &'a [ProcessId]) -> FreeContext<'a> {
        let filtered_port = self.listing.filter().query.sole_local_port();
        FreeContext {
            filter_names_port: filtered_port == Some(row.endpoint.socket.port()),
            left_over,
            is_gone: row.is_closed(),
            state_since: Some(row.endpoint.state_since),
            ..FreeContext::new(&self.environment, self.moment())
        }
    }

    pub(in crate::app) fn on_dialog_key(&mut self, chord: Chord) {
        use DialogAction::{Ask, AskNext, Check, Close, Copy, GoTo, Send, ShowSignals};
        let Some(dialog) = self.overlay.free_dialog_mut() else {
            return;
        };
        match dialog.on_key(chord) {
            None => {}
            Some(Close) => self.close_dialog(),
            Some(Copy(text)) => self.copy(text),
            Some(GoTo(id)) => {
                self.close_dialog();
                self.reveal(id);
            }
            Some(AskNext(choice)) => self.ask_next(choice),
            Some(Check(port)) => {
                self.close_dialog();
                self.check_port(spec_of(port));
            }
            Some(action @ (Ask(..) | ShowSignals | Send)) => {
                let commands = dialog.act(&action, self.now);
                if !commands.is_empty() {
                    // The target is fixed, so the table may change again.
                    self.thaw_listing();
                }
                self.effects.extend(commands.into_iter().map(Effect::Free));
            }
        }
    }

    /// Closes the dialog. A freeing continues in the background, and its verdict becomes a notice.
    pub(in crate::app) fn close_dialog(&mut self) {
        self.thaw_listing();
        self.sampling.wants_poll = true;
        let Overlay::Freeing(dialog) = std::mem::take(&mut self.overlay) else {
            return;
        };
        match dialog.phase {
            DialogPhase::Running(batch) if is_unfinished(&batch) => {
                self.background = Some(batch);
                // A port that is free but still watched has its verdict already.
                return self.report_background("");
            }
            // A key that cancels by mistake must not look as if it had confirmed.
            DialogPhase::Confirming(_) => self.notify(notice::CANCELED),
            DialogPhase::Explaining(_) | DialogPhase::Running(_) => {}
        }
        self.effects.push(Effect::CloseHandles);
    }

    /// Ends the freeze of the table.
    fn thaw_listing(&mut self) {
        let now = self.now;
        self.update_listing(|listing, context| listing.thaw(now, context));
    }

    pub(in crate::app) fn on_freeing(&mut self, event: ExecEvent) {
        let batch = match (&mut self.background, &mut self.overlay) {
            (Some(batch), _) => batch,
            (None, Overlay::Freeing(dialog)) => match &mut dialog.phase {
                DialogPhase::Running(batch) => batch,
                DialogPhase::Confirming(_) | DialogPhase::Explaining(_) => return,
            },
            (None, _) => return,
        };
        let before = batch.clone();
        let commands = batch.on(event);
        let after = batch.clone();
        self.effects.extend(commands.into_iter().map(Effect::Free));
        if after.has_verdicts() && !before.has_verdicts() {
            // The table beside the verdict must not lag behind it.
            self.sampling.wants_poll = true;
        }
        if let Some(dialog) = self.overlay.free_dialog_mut()
            && buttons_of(&before) != buttons_of(&after)
        {
            dialog.disarm();
        }
        for (old, machine) in before.machines().iter().zip(after.machines()) {
            self.port_history.record_outcomes(&machine.outcomes());
            if machine.is_watching_reuse() && !old.is_watching_reuse() {
                self.watch_freed_port(machine.clone());
            }
        }
        self.report_background(&notice::verdicts(before.machines()));
    }

    /// Shows the verdicts of a freeing in the background, unless they are those `reported` last.
    fn report_background(&mut self, reported: &str) {
        let Some(batch) = &self.background else {
            return;
        };
        let text = notice::verdicts(batch.machines());
        let is_unfinished = is_unfinished(batch);
        if text != reported {
            self.notice = Some(Notice::persistent(text));
        }
        if !is_unfinished {
            self.background = None;
            self.effects.push(Effect::CloseHandles);
        }
    }
}

/// The port on every address.
fn spec_of(port: Port) -> PortSpec {
    PortSpec {
        protocol: port.protocol,
        ..PortSpec::tcp(port.number)
    }
}

/// What the buttons of a running freeing depend on.
fn buttons_of(batch: &Batch) -> (bool, Option<Signal>, NextSteps, Vec<Port>) {
    (
        batch.has_verdicts(),
        batch.offer(),
        batch.next_steps(),
        batch.unfree_ports(),
    )
}

/// True until each port has a verdict and each free port was watched for long enough.
fn is_unfinished(batch: &Batch) -> bool {
    batch.machines().iter().any(|machine| {
        let verdict = machine.verdict();
        !machine.is_settled()
            && verdict.is_none_or(|verdict| verdict.kind.class() == VerdictClass::Free)
    })
}

#[cfg(test)]
mod tests;
