//! The buttons of the dialog: when each is offered, its label, and what it does. Their keys and help are in `keymap`.

use super::confirm_prompt::ConfirmPrompt;
use super::phase::DialogPhase;
use crate::app::keymap::{Button, KeyCommand, key_of};
use crate::free::{Batch, KillPlan, TargetChoice, TargetSet};
use crate::model::port::Port;
use crate::model::process::{SIGNALS, Signal};
use crate::model::socket::EndpointId;
use crate::model::text::escaped;
use crate::wording::{rest_with_parent, stop_rest};

#[derive(Debug)]
pub struct OfferedButton {
    /// The command whose key presses it; `None` if only Enter does.
    pub command: Option<KeyCommand>,
    /// What it does, with its key: `y stop it (SIGTERM)`.
    pub label: String,
    pub action: DialogAction,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogAction {
    Close,
    Copy(String),
    GoTo(EndpointId),
    /// Asks about these targets and this signal instead.
    Ask(TargetSet, Signal),
    ShowSignals,
    /// Asks about the ports that are not free after the verdict, beginning with these targets.
    AskNext(TargetChoice),
    /// Checks why a port cannot be used.
    Check(Port),
    /// Sends what the question asks about, or the signal that is offered after another failed.
    Send,
}

impl OfferedButton {
    fn new(command: Option<KeyCommand>, text: String, action: DialogAction) -> Self {
        let label = match command {
            Some(command) => format!("{} {text}", key_of(command)),
            None => text,
        };
        Self {
            command,
            label,
            action,
        }
    }
}

impl DialogPhase {
    /// Returns the buttons from left to right; the first one closes the dialog.
    pub fn buttons(&self) -> Vec<OfferedButton> {
        let prompt = self.prompt();
        let is_running = matches!(self, Self::Running(_));
        let close = if is_running { "Close" } else { "Cancel" };
        let close = OfferedButton::new(None, close.to_owned(), DialogAction::Close);
        let mut buttons = vec![close];
        if let Some(prompt) = prompt.filter(|prompt| prompt.is_choosing_signal) {
            buttons.extend(SIGNALS.iter().map(|signal| {
                let name = signal.name();
                let text = name.strip_prefix("SIG").unwrap_or(name).to_owned();
                let action = DialogAction::Ask(prompt.preview.targets, *signal);
                OfferedButton::new(Some(KeyCommand::Signal(*signal)), text, action)
            }));
            return buttons;
        }
        let must_type = prompt.is_some_and(|prompt| prompt.preview.confirmation.is_typed());
        buttons.extend(Button::ALL.iter().filter_map(|button| {
            let (text, action) = offer(self, *button)?;
            let has_key = !(must_type && *button == Button::Confirm);
            let command = has_key.then_some(KeyCommand::Button(*button));
            Some(OfferedButton::new(command, text, action))
        }));
        buttons
    }
}

/// Returns the text of a button and what it does, if it is offered.
fn offer(phase: &DialogPhase, button: Button) -> Option<(String, DialogAction)> {
    use Button::{All, Check, Confirm, Copy, GoTo, Group, Interrupt, Kill, Parent, Rest, Signals};
    use DialogPhase::{Confirming, Explaining, Running};
    match (button, phase) {
        (Confirm, Confirming(prompt)) => {
            (!prompt.is_truncated).then(|| (confirm_text(prompt), DialogAction::Send))
        }
        (All, Confirming(prompt)) => {
            let text = if prompt.preview.targets == TargetSet::All {
                "topmost only".to_owned()
            } else {
                format!("all {} owners", prompt.target_count(TargetSet::All))
            };
            let has_more = prompt.plans.iter().any(KillPlan::has_more_than_topmost);
            has_more.then(|| (text, toggle(prompt, TargetSet::All)))
        }
        (Group, Confirming(prompt)) => {
            let text = if prompt.preview.targets == TargetSet::Group {
                owners_only(prompt)
            } else {
                format!("group ({})", prompt.target_count(TargetSet::Group))
            };
            let has_group = prompt.single()?.has_group();
            has_group.then(|| (text, toggle(prompt, TargetSet::Group)))
        }
        (Parent, Confirming(prompt)) => parent_button(prompt),
        (Signals, Confirming(_)) => {
            (SIGNALS.len() > 1).then(|| ("signal".to_owned(), DialogAction::ShowSignals))
        }
        (GoTo, Explaining(explanation)) => {
            let listener = explanation.go_to()?;
            let text = "go to the listener".to_owned();
            Some((text, DialogAction::GoTo(listener)))
        }
        (Copy, Confirming(prompt)) => prompt.preview.stop_command.clone().map(copy),
        (Copy, Explaining(explanation)) => explanation.command().map(copy),
        (Rest | Group | Parent | Copy | Check, Running(batch)) => next_step(batch, button),
        (Kill, Running(batch)) => escalation(batch, Signal::Kill),
        (Interrupt, Running(batch)) => escalation(batch, Signal::Interrupt),
        (Confirm | Rest | All | Group | Parent | Signals | GoTo | Kill | Interrupt | Check, _) => {
            None
        }
    }
}

/// `stop it (SIGTERM)`; SIGCONT stops nothing.
fn confirm_text(prompt: &ConfirmPrompt) -> String {
    let signal = prompt.preview.signal;
    match (signal, prompt.target_count(prompt.preview.targets)) {
        (Signal::Continue, _) => format!("send {signal}"),
        _ if prompt.is_unproved() => format!("stop it ({signal})"),
        (_, 1) => format!("stop it ({signal})"),
        (_, many) => format!("stop {many} ({signal})"),
    }
}

fn owners_only(prompt: &ConfirmPrompt) -> String {
    let owners = prompt.target_count(TargetSet::Topmost);
    let noun = if owners == 1 { "owner" } else { "owners" };
    format!("{noun} only")
}

/// Asks about these targets, or about the topmost owners again.
fn toggle(prompt: &ConfirmPrompt, targets: TargetSet) -> DialogAction {
    let is_on = prompt.preview.targets == targets;
    let next = if is_on { TargetSet::Topmost } else { targets };
    DialogAction::Ask(next, prompt.preview.signal)
}

/// Adds one parent each time, and after the last one goes back to the owners.
fn parent_button(prompt: &ConfirmPrompt) -> Option<(String, DialogAction)> {
    let parents = prompt.single()?.parents();
    let first = *parents.first()?;
    let next = match prompt.preview.targets {
        TargetSet::WithAncestors(now) => {
            let mut rest = parents.into_iter().skip_while(|parent| parent.id != now);
            rest.nth(1)
        }
        TargetSet::Topmost | TargetSet::All | TargetSet::Group | TargetSet::Candidate(_) => {
            Some(first)
        }
    };
    let (text, targets) = match next {
        Some(next) => (format!("and {next}"), TargetSet::WithAncestors(next.id)),
        None => (owners_only(prompt), TargetSet::Topmost),
    };
    Some((text, DialogAction::Ask(targets, prompt.preview.signal)))
}

/// Returns what a button does once every port has a verdict and one of them is not free.
fn next_step(batch: &Batch, button: Button) -> Option<(String, DialogAction)> {
    let unfree = batch.unfree_ports();
    let first = unfree.first().filter(|_| batch.has_verdicts())?;
    let steps = batch.next_steps();
    let ask = |text: String, choice| {
        (!steps.rest.is_empty()).then_some((text, DialogAction::AskNext(choice)))
    };
    match button {
        Button::Rest if steps.rest.is_empty() && (steps.is_hidden || batch.has_sent_nothing()) => {
            let again = DialogAction::AskNext(TargetChoice::Topmost);
            Some(("ask again".to_owned(), again))
        }
        Button::Rest => ask(stop_rest(&steps), steps.rest_choice()),
        Button::Parent => {
            let text = rest_with_parent(&steps, steps.parent.as_ref()?);
            ask(text, TargetChoice::WithParent)
        }
        Button::Group if steps.has_group => ask("its group".to_owned(), TargetChoice::Group),
        Button::Copy => steps.stop_command.map(copy),
        Button::Check => Some(("why".to_owned(), DialogAction::Check(*first))),
        _ => None,
    }
}

fn copy(command: String) -> (String, DialogAction) {
    let text = format!("copy: {}", escaped(&command));
    (text, DialogAction::Copy(command))
}

fn escalation(batch: &Batch, signal: Signal) -> Option<(String, DialogAction)> {
    (batch.offer() == Some(signal)).then(|| (signal.to_string(), DialogAction::Send))
}
