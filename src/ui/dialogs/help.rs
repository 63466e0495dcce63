//! The help: every key, every word of the filter language and every sign, from the lists that define them.

use crate::app::App;
use crate::app::keymap::{BINDINGS, KeySection};
use crate::table::query::FILTER_SYNTAX;
use crate::ui::dialogs::frame;
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::text::Line;
use std::fmt::Display;

/// The signs of the table, which no other place explains.
const SYMBOLS: [(&str, &str); 8] = [
    (
        "+ ~ - ↻",
        "opened, changed, closed, replaced within the last 3 s",
    ),
    ("!", "reachable from the network"),
    (
        "2",
        "another process has the same port number on another local address",
    ),
    ("×5", "this many processes share the socket"),
    (
        "≤2h >9m",
        "at most as old as its process; older than portmon has watched it",
    ),
    ("- (root)", "owner hidden, its user known"),
    ("*:3000", "all addresses of IPv6 and IPv4"),
    ("* at the left", "marked, to be freed with the others"),
];

const KEYS: LabelColumn = LabelColumn {
    width: 20,
    role: Role::Key,
};

/// The width at which no line wraps.
const MAX_WIDTH: u16 = 110;

pub fn draw(app: &App, scroll: u16, theme: &Theme, buffer: &mut Buffer) {
    let width = buffer.area.width.min(MAX_WIDTH);
    let lines = lines(app, theme, usize::from(width).saturating_sub(4));
    let high = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let title = "Help · j k scroll, any other key closes";
    let area = frame::open(title, width, high, theme, buffer);
    labeled_text::draw(lines, scroll, area, buffer);
}

/// The help in lines; a read-only program does not mention keys that stop processes.
fn lines(app: &App, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let is_read_only = app.settings.is_read_only;
    let keys = BINDINGS
        .iter()
        .map(|section| (section.title, key_entries(section, is_read_only)));
    let sections = keys.chain([
        (
            "Filter: words separated by blanks must all match",
            entries(FILTER_SYNTAX),
        ),
        ("Signs in the table", entries(&SYMBOLS)),
    ]);
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

fn key_entries(section: &KeySection, is_read_only: bool) -> Vec<LabeledText> {
    section
        .bindings()
        .filter(|binding| !(is_read_only && binding.command.stops_processes()))
        .map(|binding| entry(binding.keys_label(), binding.about))
        .collect()
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
