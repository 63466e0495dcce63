//! Draws the app into a buffer.
//!
//! Everything here borrows the state and changes nothing: it does not sort, filter, fetch or remember. Colours come
//! from [`theme`] by role, and the shape of the screen from [`ScreenLayout`].
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
mod past_owner;
mod status;
mod table;
mod truncate;

#[cfg(test)]
mod tests;

use crate::app::panes::screen_layout::{DetailsPlacement, MIN_SIZE, ScreenLayout};
use crate::app::{App, Overlay};
use crate::ui::dialogs::{check_dialog, frame, free_dialog, help};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget;
use theme::Theme;

/// Draws the whole screen and tells where the terminal's cursor belongs, if anywhere.
pub fn draw(app: &App, buffer: &mut Buffer) -> Option<Position> {
    let theme = Theme::of(app);
    let area = buffer.area;
    let cursor = if ScreenLayout::is_too_small((area.width, area.height)) {
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
    let chip_lines = u16::from(!layout.is_low);
    let [header, chips, headings, body, status, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(chip_lines),
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(chip_lines),
        Constraint::Length(1),
    ])
    .areas(buffer.area);
    let (table, details) = split_body(body, headings, layout.details);
    if layout.is_low {
        header::draw_compact(app, theme, header, buffer);
    } else {
        header::draw(app, theme, header, buffer);
        header::draw_chips(app, theme, chips, buffer);
    }
    if let Some([headings, rows]) = table {
        table::draw(app, theme, headings, rows, buffer);
    }
    if let Some(area) = details {
        details::draw(app, theme, area, buffer);
    }
    let cursor = if layout.is_low {
        status::draw_compact(app, theme, footer, buffer)
    } else {
        let _ = status::draw_footer(app, theme, footer, buffer);
        status::draw(app, theme, status, buffer)
    };
    let from_rows = Rect {
        height: buffer.area.bottom() - body.y,
        ..body
    };
    status::draw_long_notice(app, theme, from_rows, buffer);
    draw_overlay(app, theme, buffer);
    // A dialog takes the keys, so the cursor of a filter line under it would mislead.
    cursor.filter(|_| matches!(app.overlay, Overlay::None))
}

/// Whether a dialog that asks shows everyone whom it would end; true where none does.
pub fn shows_all_targets(app: &App) -> bool {
    match &app.overlay {
        Overlay::Freeing(dialog) => free_dialog::shows_all_targets(app, dialog),
        Overlay::None | Overlay::Help(_) | Overlay::Menu(_) | Overlay::Check(_) => true,
    }
}

/// The table's headings and rows, and the details, in what header and footer leave.
fn split_body(
    body: Rect,
    headings: Rect,
    place: DetailsPlacement,
) -> (Option<[Rect; 2]>, Option<Rect>) {
    match place {
        DetailsPlacement::Closed => (Some([headings, body]), None),
        DetailsPlacement::Full => (None, Some(headings.union(body))),
        DetailsPlacement::Below(high) => {
            let [rows, details] =
                Layout::vertical([Constraint::Fill(1), Constraint::Length(high)]).areas(body);
            (Some([headings, rows]), Some(details))
        }
        DetailsPlacement::Right(wide) => {
            let halves = Layout::horizontal([Constraint::Fill(1), Constraint::Length(wide)]);
            let [top, _] = halves.areas(headings);
            let [rows, _] = halves.areas(body);
            let [_, details] = halves.areas(headings.union(body));
            (Some([top, rows]), Some(details))
        }
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
    let words = format!(
        "terminal too small: {}x{}, needs {}x{}",
        area.width, area.height, MIN_SIZE.0, MIN_SIZE.1
    );
    let width = usize::from(area.width).max(1);
    let mut rest: Vec<char> = words.chars().collect();
    for y in area.top()..area.bottom() {
        let line: String = rest.drain(..width.min(rest.len())).collect();
        Line::raw(line).render(
            Rect {
                y,
                height: 1,
                ..area
            },
            buffer,
        );
    }
}
