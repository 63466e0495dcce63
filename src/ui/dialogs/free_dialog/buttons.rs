//! The buttons of the dialog: `[ Cancel ]   y stop it (SIGTERM)   a all 3 owners`, on as many lines as they need.

use crate::app::App;
use crate::app::overlay::free_dialog::FreeDialog;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

/// Returns the buttons by line, each with its position and its text.
pub fn layout_lines(dialog: &FreeDialog, width: usize) -> Vec<Vec<(usize, String)>> {
    let mut lines: Vec<Vec<(usize, String)>> = vec![Vec::new()];
    let mut used = 0;
    for (place, button) in dialog.phase.buttons().into_iter().enumerate() {
        let label = button.label;
        let text = if place == dialog.focus {
            format!("[ {label} ] ")
        } else {
            format!("  {label}   ")
        };
        used += text.width();
        match lines.last_mut() {
            Some(line) if used <= width || line.is_empty() => line.push((place, text)),
            _ => {
                used = text.width();
                lines.push(vec![(place, text)]);
            }
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
    for (row, line) in area.rows().zip(lines) {
        let spans = line.iter().map(|(place, text)| {
            let role = match (is_armed, *place == dialog.focus) {
                (false, _) => Role::Dim,
                (true, true) => Role::Active,
                (true, false) => Role::Plain,
            };
            theme.span(role, text)
        });
        spans.collect::<Line>().render(row, buffer);
    }
}
