//! The help: every key and every word of the filter language, made from the tables that define them.

use crate::app::App;
use crate::app::keymap::{BINDINGS, DIALOG_KEYS, FILTER_KEYS};
use crate::table::query::FILTER_SYNTAX;
use crate::ui::dialog_frame;
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::text::Line;
use std::fmt::Display;

/// The marks and flags of the table, which no other place explains.
const SYMBOLS: [(&str, &str); 8] = [
    (
        "+ ~ - ↻",
        "new, changed, gone, replaced within the last 3 s",
    ),
    ("!", "others than this machine can reach it"),
    (
        "2",
        "another process has the same number on another local address",
    ),
    ("×5", "so many processes hold this one socket"),
    (
        "≤2h >9m",
        "not older than its process; older than it was watched",
    ),
    ("- (root)", "the owner may not be seen; its user is"),
    ("*:3000", "all addresses of IPv6 and IPv4"),
    ("* at the left", "marked, to be freed with the others"),
];

const KEYS: LabelColumn = LabelColumn {
    width: 20,
    role: Role::Key,
};

/// The width at which no line need be broken.
const MAX_WIDTH: u16 = 110;

pub fn draw(app: &App, scroll: u16, theme: &Theme, buffer: &mut Buffer) {
    let width = buffer.area.width.min(MAX_WIDTH);
    let lines = lines(app, theme, usize::from(width).saturating_sub(4));
    let high = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let title = "Help · j k scroll, any other key closes";
    let area = dialog_frame::open(title, width, high, theme, buffer);
    labeled_text::draw(lines, scroll, area, buffer);
}

/// Keys that end something are not told where nothing may be ended.
fn lines(app: &App, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let is_read_only = app.settings.is_read_only;
    let bindings = BINDINGS
        .iter()
        .filter(|binding| !(is_read_only && binding.command.is_destructive()))
        .map(|binding| entry(binding.keys_label(), binding.about));
    let sections = [
        ("Keys", bindings.collect()),
        ("While typing a filter", entries(&FILTER_KEYS)),
        (
            "In the dialog that frees a port",
            entries(if is_read_only { &[] } else { &DIALOG_KEYS }),
        ),
        (
            "Words of a filter; blanks between words mean and",
            entries(FILTER_SYNTAX),
        ),
        ("Signs in the table", entries(&SYMBOLS)),
    ];
    let mut lines = Vec::new();
    for (title, entries) in sections {
        if entries.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(title, theme.style(Role::Heading)));
        lines.extend(KEYS.lines(&entries, width, theme));
    }
    lines
}

fn entries(entries: &[(&str, &'static str)]) -> Vec<LabeledText> {
    entries
        .iter()
        .map(|(keys, does)| entry(keys, does))
        .collect()
}

fn entry(keys: impl Display, does: &str) -> LabeledText {
    LabeledText::new(format!("  {keys}"), does)
}
