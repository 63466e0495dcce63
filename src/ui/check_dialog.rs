//! The check dialog: whether a port can be used, and why not.
//!
//! ```text
//! ┌ Why :3000 ─────────────────────────────────────────────────────────────────┐
//! │ HELD :3000 by node 4242 of dev on 0.0.0.0:3000                             │
//! │                                                                            │
//! │ · node 4242 of dev listens on 0.0.0.0:3000 (node server.js)                │
//! │ · only IPv4 is taken: ::1 and :: can be bound                              │
//! │                                                                            │
//! │ tested with 8 binds, each closed immediately                               │
//! │ c connect (may use up a one-shot server)   any other key closes            │
//! └────────────────────────────────────────────────────────────────────────────┘
//! ```

use crate::app::App;
use crate::app::overlay::check_dialog::CheckDialog;
use crate::check::CheckReport;
use crate::ui::dialog_frame;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording::check as wording;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

const WIDTH: u16 = 78;
const LOW_HEIGHT: u16 = 9;

/// The frame and the line of keys.
const FIXED: u16 = 3;

pub fn draw(app: &App, dialog: &CheckDialog, theme: &Theme, buffer: &mut Buffer) {
    let screen = buffer.area;
    let width = WIDTH.min(screen.width);
    let lines = lines(dialog, usize::from(width).saturating_sub(4));
    let most = if app.layout().is_low {
        LOW_HEIGHT.min(screen.height)
    } else {
        screen.height
    };
    // The blank lines go first where it does not fit.
    let fits = |lines: &[(String, Role)]| lines.len() <= usize::from(most.saturating_sub(FIXED));
    let lines: Vec<(String, Role)> = if fits(&lines) {
        lines
    } else {
        lines
            .into_iter()
            .filter(|(text, _)| !text.is_empty())
            .collect()
    };
    let count = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let high = count.saturating_add(FIXED).min(most);
    let title = format!("Why {}", dialog.request.spec);
    let area = dialog_frame::open(&title, width, high, theme, buffer);
    let room = area.height.saturating_sub(1);
    let hidden = count.saturating_sub(room);
    let scroll = dialog.scroll.min(hidden);
    let shown = lines.iter().skip(usize::from(scroll));
    for (y, (text, role)) in (area.top()..area.top() + room).zip(shown) {
        buffer.set_stringn(area.x, y, text, usize::from(area.width), theme.style(*role));
    }
    let keys = Rect {
        y: area.bottom().saturating_sub(1),
        height: 1,
        ..area
    };
    draw_keys(dialog, hidden - scroll, theme, keys, buffer);
}

fn lines(dialog: &CheckDialog, width: usize) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    if let Some(report) = &dialog.report {
        lines.extend(report_lines(report, width));
    }
    if dialog.is_pending {
        lines.push((wording::pending(&dialog.request), Role::Dim));
    }
    lines
}

fn report_lines(report: &CheckReport, width: usize) -> Vec<(String, Role)> {
    let blank = || (String::new(), Role::Plain);
    let verdict = if report.is_free {
        Role::Good
    } else {
        Role::Error
    };
    let headline = truncate::wrap(&wording::headline(report), width).into_iter();
    let mut lines: Vec<_> = headline.map(|line| (line, verdict)).collect();
    lines.push(blank());
    // The connects were requested last, so they come first: on a low screen the rest is scrolled to.
    for part in [
        wording::connect_lines(report),
        wording::reason_lines(report),
    ] {
        if !part.is_empty() {
            lines.extend(part.iter().flat_map(|text| item(text, width)));
            lines.push(blank());
        }
    }
    lines.push((wording::binds_line(report), Role::Dim));
    lines
}

/// A line with a bullet, wrapped below its own beginning.
fn item(text: &str, width: usize) -> Vec<(String, Role)> {
    let lines = truncate::wrap(text, width.saturating_sub(2)).into_iter();
    let bullets = std::iter::once("· ").chain(std::iter::repeat("  "));
    lines
        .zip(bullets)
        .map(|(line, bullet)| (format!("{bullet}{line}"), Role::Plain))
        .collect()
}

/// Draws the keys that fit, the most needed first. `hidden` is the number of lines below.
fn draw_keys(dialog: &CheckDialog, hidden: u16, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let connect = dialog
        .can_connect()
        .then_some(("c", " connect (may use up a one-shot server)".to_owned()));
    let more = (hidden > 0).then(|| ("j k", format!(" {hidden} more")));
    let close = Some(("Esc", " close".to_owned()));
    let mut room = usize::from(area.width);
    let mut spans = Vec::new();
    for (key, words) in [more, connect, close].into_iter().flatten() {
        let wide = key.width() + words.width();
        if wide > room {
            continue;
        }
        room = room.saturating_sub(wide + 3);
        spans.push(Span::styled(key, theme.style(Role::Key)));
        spans.push(Span::raw(words));
        spans.push(Span::raw("   "));
    }
    Line::from(spans).render(area, buffer);
}
