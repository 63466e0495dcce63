//! The buttons of the dialog: `[ Cancel ]   y stop it (SIGTERM)   a all 3 owners`, on as many lines as they need.

use crate::app::App;
use crate::app::keymap::{FreeCommand, KeyCommand, key_of};
use crate::app::overlay::free_dialog::{Button, ConfirmPrompt, DialogPhase, FreeDialog};
use crate::free::TargetSet;
use crate::model::process::Signal;
use crate::model::text::escaped;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

/// Returns the buttons by line, each with its position and its text.
pub fn layout_lines(dialog: &FreeDialog, width: usize) -> Vec<Vec<(usize, String)>> {
    let mut lines: Vec<Vec<(usize, String)>> = vec![Vec::new()];
    let mut used = 0;
    for (place, button) in dialog.buttons().into_iter().enumerate() {
        let words = button_label(dialog, button);
        let text = if place == dialog.focus {
            format!("[ {words} ]")
        } else {
            format!("  {words}  ")
        };
        let needs = text.width() + 1;
        if used > 0 && used + needs > width {
            lines.push(Vec::new());
            used = 0;
        }
        used += needs;
        if let Some(line) = lines.last_mut() {
            line.push((place, text));
        }
    }
    lines
}

/// Draws the buttons, dimmed until they are armed.
pub fn draw(
    app: &App,
    dialog: &FreeDialog,
    lines: &[Vec<(usize, String)>],
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let is_armed = dialog.is_armed(app.now);
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        let mut spans = Vec::new();
        for (place, text) in line {
            let role = match (is_armed, *place == dialog.focus) {
                (false, _) => Role::Dim,
                (true, true) => Role::Active,
                (true, false) => Role::Plain,
            };
            spans.push(Span::styled(text.as_str(), theme.style(role)));
            spans.push(Span::raw(" "));
        }
        let row = Rect {
            y,
            height: 1,
            ..area
        };
        Line::from(spans).render(row, buffer);
    }
}

/// The key of a button and what it does.
fn button_label(dialog: &FreeDialog, button: Button) -> String {
    let text = button_text(dialog, button);
    let is_typed = match &dialog.phase {
        DialogPhase::Confirming(prompt) => prompt.typed_port().is_some(),
        DialogPhase::Explaining(_) | DialogPhase::Running(_) => false,
    };
    match key_of_button(button) {
        key if key.is_empty() || (is_typed && button == Button::Confirm) => text,
        key => format!("{key} {text}"),
    }
}

/// The letter that presses a button; Cancel has none.
pub fn key_of_button(button: Button) -> String {
    key_of(match button {
        Button::ChooseSignal(signal) => KeyCommand::Signal(signal),
        button => KeyCommand::Free(FreeCommand::Button(button)),
    })
}

fn button_text(dialog: &FreeDialog, button: Button) -> String {
    match (button, &dialog.phase) {
        (Button::Cancel, DialogPhase::Confirming(_) | DialogPhase::Explaining(_)) => {
            "Cancel".to_owned()
        }
        (Button::Cancel, DialogPhase::Running(_)) => "Close".to_owned(),
        (Button::Copy, DialogPhase::Explaining(explanation)) => {
            copy_text(explanation.command().as_deref())
        }
        (Button::Copy, DialogPhase::Confirming(prompt)) => {
            copy_text(prompt.preview().stop_command.as_deref())
        }
        (Button::GoTo, _) => "go to the listener".to_owned(),
        (Button::Escalate(signal), _) => signal.to_string(),
        (button, DialogPhase::Confirming(prompt)) => choice_text(prompt, button),
        (_, DialogPhase::Explaining(_) | DialogPhase::Running(_)) => String::new(),
    }
}

fn copy_text(command: Option<&str>) -> String {
    format!("copy: {}", escaped(command.unwrap_or_default()))
}

fn choice_text(prompt: &ConfirmPrompt, button: Button) -> String {
    match button {
        Button::Confirm => confirm_text(prompt),
        Button::All if prompt.targets == TargetSet::All => "topmost only".to_owned(),
        Button::All => format!("all {} owners", prompt.target_count(TargetSet::All)),
        Button::Group if prompt.targets == TargetSet::Group => {
            let count = prompt.target_count(TargetSet::Topmost);
            let owners = if count == 1 { "one process" } else { "owners" };
            format!("{owners} only")
        }
        Button::Group => format!("group ({})", prompt.target_count(TargetSet::Group)),
        Button::Parent => match prompt.next_parent() {
            Some(next) => format!("{} instead", target_name(prompt, next)),
            None => "owner only".to_owned(),
        },
        Button::SignalMenu => "signal".to_owned(),
        Button::ChooseSignal(signal) => {
            let name = signal.name();
            name.strip_prefix("SIG").unwrap_or(name).to_owned()
        }
        Button::Cancel | Button::Copy | Button::GoTo | Button::Escalate(_) => String::new(),
    }
}

/// `stop it (SIGTERM)`; SIGCONT stops nothing.
fn confirm_text(prompt: &ConfirmPrompt) -> String {
    let signal = prompt.signal;
    match (signal, prompt.target_count(prompt.targets)) {
        (Signal::Continue, _) => format!("send {signal}"),
        (_, 1) => format!("stop it ({signal})"),
        (_, many) => format!("stop {many} ({signal})"),
    }
}

fn target_name(prompt: &ConfirmPrompt, targets: TargetSet) -> String {
    let targets = prompt.single().map(|plan| plan.targets(targets));
    let first = targets.and_then(|targets| targets.into_iter().next());
    first.map_or_else(String::new, |target| target.process.to_string())
}
