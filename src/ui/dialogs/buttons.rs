//! The buttons of the dialog: `[ Cancel ]   y end it (SIGTERM)   a all 3`, on as many lines as they need.

use crate::app::App;
use crate::app::free_dialog::{Asking, Button, FreeDialog, Phase, letter_of};
use crate::model::freeing::{Signal, Targets};
use crate::model::text::escaped;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

/// The buttons by line, each with its place and its text.
pub fn laid_out(dialog: &FreeDialog, width: usize) -> Vec<Vec<(usize, String)>> {
    let mut lines: Vec<Vec<(usize, String)>> = vec![Vec::new()];
    let mut used = 0;
    for (place, button) in dialog.buttons().into_iter().enumerate() {
        let words = words_of(dialog, button);
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

/// Dim until they count.
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

fn words_of(dialog: &FreeDialog, button: Button) -> String {
    match (button, &dialog.phase) {
        (Button::Cancel, Phase::Asking(_) | Phase::Explaining(_)) => "Cancel".to_owned(),
        (Button::Cancel, Phase::Working(_)) => "Close".to_owned(),
        (Button::Copy, Phase::Explaining(explanation)) => copying(explanation.offer.as_deref()),
        (Button::Copy, Phase::Asking(asking)) => copying(asking.offer().as_deref()),
        (Button::GoTo, _) => "l go to the listener".to_owned(),
        (Button::Insist(signal @ Signal::Interrupt), _) => format!("I {signal}"),
        (Button::Insist(signal), _) => format!("K {signal}"),
        (button, Phase::Asking(asking)) => asked(asking, button),
        (_, Phase::Explaining(_) | Phase::Working(_)) => String::new(),
    }
}

fn copying(command: Option<&str>) -> String {
    format!("c copy: {}", escaped(command.unwrap_or_default()))
}

fn asked(asking: &Asking, button: Button) -> String {
    match button {
        Button::End => {
            let key = if asking.typing().is_none() { "y " } else { "" };
            format!("{key}{}", ending(asking))
        }
        Button::All if asking.targets == Targets::All => "a only the topmost".to_owned(),
        Button::All => format!("a all {}", count(asking, Targets::All)),
        Button::Group if asking.targets == Targets::Group => "g not the group".to_owned(),
        Button::Group => format!("g group of {}", count(asking, Targets::Group)),
        Button::Parent => match asking.next_parent() {
            Some(next) => format!("p {} instead", named(asking, next)),
            None => "p the holder again".to_owned(),
        },
        Button::Signals => "s signal".to_owned(),
        Button::Choose(signal) => {
            let name = signal.name();
            let short = name.strip_prefix("SIG").unwrap_or(name);
            format!("{} {short}", letter_of(signal))
        }
        Button::Cancel | Button::Copy | Button::GoTo | Button::Insist(_) => String::new(),
    }
}

/// `end it (SIGTERM)`; SIGCONT ends nothing.
fn ending(asking: &Asking) -> String {
    let signal = asking.signal;
    let many = count(asking, asking.targets);
    match (signal, many) {
        (Signal::Continue, _) => format!("send {signal}"),
        (_, 1) => format!("end it ({signal})"),
        (_, many) => format!("end {many} ({signal})"),
    }
}

/// How many processes would be signalled.
fn count(asking: &Asking, targets: Targets) -> usize {
    let proposals = asking.proposals.iter();
    let mut ids: Vec<_> = proposals
        .flat_map(|proposal| proposal.targets(targets))
        .map(|target| target.id())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

fn named(asking: &Asking, targets: Targets) -> String {
    let targets = asking.only().map(|proposal| proposal.targets(targets));
    let first = targets.and_then(|targets| targets.into_iter().next());
    first.map_or_else(String::new, |target| target.process.to_string())
}
