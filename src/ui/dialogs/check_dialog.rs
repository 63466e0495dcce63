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
//! │ c connect (may use up a one-shot server)   Esc close                       │
//! └────────────────────────────────────────────────────────────────────────────┘
//! ```

use crate::app::App;
use crate::app::keymap::{CheckCommand, KeyCommand, TextCommand, key_of};
use crate::app::overlay::check_dialog::CheckDialog;
use crate::check::CheckReport;
use crate::ui::dialogs::frame;
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::theme::{Role, Theme};
use crate::wording::check as wording;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

const WIDTH: u16 = 78;
const SHORT_HEIGHT: u16 = 9;

const NO_LABELS: LabelColumn = LabelColumn {
    width: 0,
    role: Role::Plain,
};
const BULLETS: LabelColumn = LabelColumn {
    width: 2,
    role: Role::Plain,
};

/// The frame and the line of keys.
const FIXED: u16 = 3;

pub fn draw(app: &App, dialog: &CheckDialog, theme: &Theme, buffer: &mut Buffer) {
    let screen = buffer.area;
    let width = WIDTH.min(screen.width);
    let lines = lines(dialog, usize::from(width).saturating_sub(4), theme);
    let most = if app.layout().is_low {
        SHORT_HEIGHT.min(screen.height)
    } else {
        screen.height
    };
    // The blank lines go first where it does not fit.
    let fits = lines.len() <= usize::from(most.saturating_sub(FIXED));
    let lines: Vec<Line> = lines
        .into_iter()
        .filter(|line| fits || line.width() > 0)
        .collect();
    let count = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let high = count.saturating_add(FIXED).min(most);
    let title = format!("Why {}", dialog.request.spec);
    let area = frame::open(&title, width, high, theme, buffer);
    let [text, keys] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    let hidden = labeled_text::draw(lines, dialog.scroll, text, buffer);
    draw_keys(dialog, hidden, theme, keys, buffer);
}

fn lines(dialog: &CheckDialog, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(report) = &dialog.report {
        lines.extend(report_lines(report, width, theme));
    }
    if dialog.is_pending {
        let text = wording::pending(&dialog.request);
        lines.push(Line::styled(text, theme.style(Role::Dim)));
    }
    lines
}

fn report_lines(report: &CheckReport, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let verdict = if report.is_free {
        Role::Good
    } else {
        Role::Error
    };
    let headline = LabeledText::new("", wording::headline(report)).role(verdict);
    let mut lines = NO_LABELS.lines(&[headline], width, theme);
    lines.push(Line::default());
    // The connects were requested last, so they come first: on a low screen the rest is scrolled to.
    for part in [
        wording::connect_lines(report),
        wording::reason_lines(report),
    ] {
        if !part.is_empty() {
            let items: Vec<_> = part
                .into_iter()
                .map(|text| LabeledText::new("·", text))
                .collect();
            lines.extend(BULLETS.lines(&items, width, theme));
            lines.push(Line::default());
        }
    }
    lines.push(Line::styled(
        wording::binds_line(report),
        theme.style(Role::Dim),
    ));
    lines
}

/// Draws the keys that fit, the most needed first. `hidden` is the number of lines below.
fn draw_keys(dialog: &CheckDialog, hidden: usize, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let connect = dialog.can_connect().then(|| {
        let key = key_of(KeyCommand::Check(CheckCommand::Connect));
        (key, " connect (may use up a one-shot server)".to_owned())
    });
    let key = |command| key_of(KeyCommand::Text(command));
    let scroll = format!("{} {}", key(TextCommand::Up), key(TextCommand::Down));
    let more = (hidden > 0).then(|| (scroll, format!(" {hidden} more")));
    let close = Some((key(TextCommand::Close), " close".to_owned()));
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
