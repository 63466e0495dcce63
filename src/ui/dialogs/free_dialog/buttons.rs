//! The buttons of the dialog: `[ Cancel ]   y stop it (SIGTERM)   a all 3 owners`, on as many lines as they need.

use crate::app::App;
use crate::app::overlay::free_dialog::FreeDialog;
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
        let words = button.label;
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
