//! What a question offers, by which letter, and what it changes.

use super::asking::Asking;
use crate::model::freeing::{SIGNALS, Signal, Targets};

/// What can be pressed, in the dialog's last lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Button {
    Cancel,
    End,
    /// All holders instead of the topmost, or the other way round.
    All,
    /// Their process group, or the other way round.
    Group,
    /// Who started the holder instead of it; again for the one above.
    Parent,
    /// Shows the signals there are.
    Signals,
    Choose(Signal),
    Copy,
    GoTo,
    /// The signal that is offered where another one did not help.
    Insist(Signal),
}

/// What is offered beside Cancel.
pub(super) fn buttons_of(asking: &Asking) -> Vec<Button> {
    if asking.is_choosing {
        return SIGNALS.iter().copied().map(Button::Choose).collect();
    }
    let has_choice = SIGNALS.len() > 1;
    let offered = [
        (Button::End, !asking.is_cut),
        (Button::All, asking.has_more_than_topmost()),
        (Button::Group, asking.has_group()),
        (Button::Parent, asking.has_parents()),
        (Button::Signals, has_choice),
        (Button::Copy, asking.offer().is_some()),
    ];
    let offered = offered.into_iter().filter(|(_, is_offered)| *is_offered);
    offered.map(|(button, _)| button).collect()
}

pub(super) fn button_of_letter(letter: char) -> Option<Button> {
    Some(match letter {
        'y' => Button::End,
        'a' => Button::All,
        'g' => Button::Group,
        'p' => Button::Parent,
        's' => Button::Signals,
        'c' => Button::Copy,
        'l' => Button::GoTo,
        'I' => Button::Insist(Signal::Interrupt),
        'K' => Button::Insist(Signal::Kill),
        _ => return None,
    })
}

/// Changes what is asked; `false` for what is no button of a question.
pub(super) fn answer(asking: &mut Asking, button: Button) -> bool {
    match button {
        Button::All => asking.aim(Targets::All),
        Button::Group => asking.aim(Targets::Group),
        Button::Parent => {
            let next = asking.next_parent();
            asking.aim(next.unwrap_or(Targets::Topmost));
        }
        Button::Signals => asking.is_choosing = true,
        Button::Choose(signal) => {
            asking.signal = signal;
            asking.is_choosing = false;
        }
        Button::Cancel | Button::End | Button::Copy | Button::GoTo | Button::Insist(_) => {
            return false;
        }
    }
    true
}
