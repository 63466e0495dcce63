//! The buttons of the dialog, their keys, and what they change.

use super::confirm_prompt::ConfirmPrompt;
use crate::app::keymap::key_commands;
use crate::free::TargetSet;
use crate::model::process::{SIGNALS, Signal};

key_commands! {
    pub enum Button {
        Cancel,
        Confirm,
        /// All owners instead of the topmost, or back.
        All,
        /// Their process group, or back.
        Group,
        /// The parent instead of the owner; again for the next one up.
        Parent,
        /// Shows the signals.
        SignalMenu,
        ChooseSignal(Signal),
        Copy,
        GoTo,
        /// Sends the signal that is offered after another one failed.
        Escalate(Signal),
    }
}

/// Returns the buttons beside Cancel.
pub(super) fn available_buttons(prompt: &ConfirmPrompt) -> Vec<Button> {
    if prompt.is_choosing_signal {
        return SIGNALS.iter().copied().map(Button::ChooseSignal).collect();
    }
    [
        (Button::Confirm, !prompt.is_truncated),
        (Button::All, prompt.has_more_than_topmost()),
        (Button::Group, prompt.has_group()),
        (Button::Parent, prompt.has_parents()),
        (Button::SignalMenu, SIGNALS.len() > 1),
        (Button::Copy, prompt.preview().stop_command.is_some()),
    ]
    .into_iter()
    .filter_map(|(button, is_offered)| is_offered.then_some(button))
    .collect()
}

/// Applies a button to the question; returns false if it is no button of a question.
pub(super) fn apply_button(prompt: &mut ConfirmPrompt, button: Button) -> bool {
    match button {
        Button::All => prompt.set_targets(TargetSet::All),
        Button::Group => prompt.set_targets(TargetSet::Group),
        Button::Parent => {
            let next = prompt.next_parent();
            prompt.set_targets(next.unwrap_or(TargetSet::Topmost));
        }
        Button::SignalMenu => prompt.is_choosing_signal = true,
        Button::ChooseSignal(signal) => {
            prompt.signal = signal;
            prompt.is_choosing_signal = false;
        }
        Button::Cancel | Button::Confirm | Button::Copy | Button::GoTo | Button::Escalate(_) => {
            return false;
        }
    }
    true
}
