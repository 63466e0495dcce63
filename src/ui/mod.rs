//! Draws the app into a buffer.
//!
//! Borrows the state and changes nothing: it does not sort, filter, fetch or remember. Colors come from [`theme`] by
//! role, the layout of the screen from [`ScreenLayout`], sentences from [`wording`](crate::wording).
//!
//! ```text
//! portmon build-07        LISTEN 10  UDP 1  CONN 5  ! exposed 2       2 new   live · every 1 s    header
//!  l listening  c connected [d dynamic] 32768+  e exposed  m mine  a all  PORT ^ 16/16    header
//!    PORT LOCAL        STATE    PID PROCESS      AGE WHAT                                 table
//!    3000 127.0.0.1    LISTEN  4242 node         ≤2h next dev · ~/code/shop               table
//! / 300                                                    2 owners hidden · 213 remote: a  status
//! / filter   x free port   Enter details   s sort   ? help   q quit                       status
//! ```

pub mod theme;

mod ascii;
mod details;
mod dialogs;
mod header;
mod labeled_text;
mod status;
mod table;
mod truncate;

#[cfg(test)]
mod tests;

use crate::app::panes::screen_layout::{DetailsPlacement, MIN_SIZE, is_too_small};
use crate::app::{App, Overlay};
use crate::ui::dialogs::{check_dialog, frame, free_dialog, help};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::widgets::{Paragraph, Widget, Wrap};
use theme::Theme;

/// Draws the whole screen and returns where the terminal's cursor belongs, if anywhere.
pub fn draw(app: &App, buffer: &mut Buffer) -> Option<Position> {
    let theme = Theme::of(app);
    let area = buffer.area;
    let cursor = if is_too_small((area.width, area.height)) {
        draw_too_small(area, buffer);
        None
    } else {
        draw_screen(app, theme, buffer)
    };
    if app.settings.is_ascii {
        ascii::flatten(buffer);
    }
    cursor
}

fn draw_screen(app: &App, theme: &Theme, buffer: &mut Buffer) -> Option<Position> {
    let layout = app.layout();
    let line = Constraint::Length(1);
    let optional_line = Constraint::Length(u16::from(!layout.is_short));
    let [header, chips, body, status, footer] = Layout::vertical([
        line,
        optional_line,
        Constraint::Fill(1),
        optional_line,
        line,
    ])
    .areas(buffer.area);
    if layout.is_short {
        header::draw_compact(app, theme, header, buffer);
    } else {
        header::draw(app, theme, header, buffer);
        header::draw_chips(app, theme, chips, buffer);
    }
    let [table, details] = match layout.details {
        DetailsPlacement::Closed => [body, Rect::ZERO],
        DetailsPlacement::Full => [Rect::ZERO, body],
        DetailsPlacement::Below(high) => {
            Layout::vertical([Constraint::Fill(1), Constraint::Length(high)]).areas(body)
        }
        DetailsPlacement::Right(wide) => {
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(wide)]).areas(body)
        }
    };
    if !table.is_empty() {
        table::draw(app, theme, table, buffer);
    }
    if !details.is_empty() {
        details::draw(app, theme, details, buffer);
    }
    let cursor = if layout.is_short {
        status::draw_compact(app, theme, footer, buffer)
    } else {
        status::draw_footer(app, theme, footer, buffer);
        status::draw(app, theme, status, buffer)
    };
    let below_header = body.union(footer);
    status::draw_long_notice(app, theme, below_header, buffer);
    draw_overlay(app, theme, buffer);
    // A dialog takes the keys, so the cursor of a filter line under it would mislead.
    cursor.filter(|_| matches!(app.overlay, Overlay::None))
}

/// True if a dialog that asks names everyone whom it would stop, and where none asks.
pub fn shows_all_targets(app: &App) -> bool {
    match &app.overlay {
        Overlay::Freeing(dialog) => free_dialog::shows_all_targets(app, dialog),
        Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Check(_) => true,
    }
}

fn draw_overlay(app: &App, theme: &Theme, buffer: &mut Buffer) {
    match &app.overlay {
        Overlay::None => {}
        Overlay::Help(scroll) => help::draw(app, *scroll, theme, buffer),
        Overlay::Menu(menu) => frame::draw_menu(menu, theme, buffer),
        Overlay::Freeing(dialog) => free_dialog::draw(app, dialog, theme, buffer),
        Overlay::Check(dialog) => check_dialog::draw(app, dialog, theme, buffer),
    }
}

fn draw_too_small(area: Rect, buffer: &mut Buffer) {
    let (width, height) = MIN_SIZE;
    let text = format!(
        "terminal too small: {}x{}, needs {width}x{height}",
        area.width, area.height
    );
    let text = Paragraph::new(text).wrap(Wrap { trim: true });
    text.render(area, buffer);
}
