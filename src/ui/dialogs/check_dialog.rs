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
//! │ c connect (may end a one-shot server)   Esc close                       │
//! └────────────────────────────────────────────────────────────────────────────┘
//! ```

use crate::app::App;
use crate::app::keymap::{CheckCommand, TextCommand, key_of};
use crate::app::overlay::check_dialog::CheckDialog;
use crate::check::CheckReport;
use crate::model::port::Availability;
use crate::ui::dialogs::frame::{self, FRAME, dialog_size};
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate::cells;
use crate::wording::check as wording;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

const NO_LABELS: LabelColumn = LabelColumn {
    width: 0,
    role: Role::Plain,
};
const BULLETS: LabelColumn = LabelColumn {
    width: 2,
    role: Role::Plain,
};

/// The frame and the line of keys.
const FIXED: u16 = FRAME.1 + 1;

pub fn draw(app: &App, dialog: &CheckDialog, theme: &Theme, buffer: &mut Buffer) {
    let (width, most) = dialog_size(app);
    let mut lines = lines(dialog, usize::from(width.saturating_sub(FRAME.0)), theme);
    // The blank lines go first where it does not fit.
    if lines.len() > usize::from(most.saturating_sub(FIXED)) {
        lines.retain(|line| line.width() > 0);
    }
    let height = cells(lines.len()).saturating_add(FIXED).min(most);
    let title = format!("Why {}", dialog.request.spec);
    let area = frame::open(&title, width, height, theme, buffer);
    let [text, keys] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(area);
    let hidden = labeled_text::draw(lines, dialog.scroll, text, buffer);
    draw_keys(dialog, hidden, theme, keys, buffer);
}

fn lines(dialog: &CheckDialog, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let report = dialog.report.iter();
    let mut lines: Vec<Line> = report
        .flat_map(|report| report_lines(report, width, theme))
        .collect();
    if dialog.is_pending() {
        lines.push(
            theme
                .span(Role::Dim, wording::pending(&dialog.request))
                .into(),
        );
    }
    lines
}

fn report_lines(report: &CheckReport, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let verdict = match &report.availability {
        Availability::Usable | Availability::OnlyWithReuseAddr | Availability::NotPermitted => {
            Role::Good
        }
        Availability::Unknown(_) => Role::Warning,
        Availability::NoSuchAddress | Availability::Held(_) => Role::Error,
    };
    let headline = LabeledText::new("", wording::headline(report)).role(verdict);
    let mut lines = NO_LABELS.lines(&[headline], width, theme);
    // The connects were requested last, so they come first: on a short screen the rest is scrolled to.
    for part in [
        wording::connect_lines(report),
        wording::reason_lines(report),
    ] {
        if !part.is_empty() {
            let items = part.into_iter().map(|text| LabeledText::new("·", text));
            lines.push(Line::default());
            lines.extend(BULLETS.lines(&items.collect::<Vec<_>>(), width, theme));
        }
    }
    lines.push(Line::default());
    lines.push(theme.span(Role::Dim, wording::binds_line(report)).into());
    lines
}

/// Draws the keys that fit, the most needed first. `hidden` is the number of lines below.
fn draw_keys(dialog: &CheckDialog, hidden: usize, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let [up, down, close] = [TextCommand::Up, TextCommand::Down, TextCommand::Close].map(key_of);
    let scroll = format!("{up} {down}");
    let more = (hidden > 0).then(|| (scroll, format!(" {hidden} more")));
    let connect = dialog.can_connect().then(|| {
        let key = key_of(CheckCommand::Connect);
        (key, " connect (may end a one-shot server)".to_owned())
    });
    let close = Some((close, " close".to_owned()));
    let mut line = Line::default();
    for (key, words) in [more, connect, close].into_iter().flatten() {
        if line.width() + key.width() + words.width() <= usize::from(area.width) {
            line.extend([theme.span(Role::Key, key), words.into(), "   ".into()]);
        }
    }
    line.render(area, buffer);
}
