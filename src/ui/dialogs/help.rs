//! The help: every key, every word of the filter language and every sign, from the lists that define them.

use crate::app::App;
use crate::app::keymap::{BINDINGS, TextCommand, key_of};
use crate::table::query::FILTER_SYNTAX;
use crate::ui::dialogs::frame::{self, FRAME};
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::status::offered_bindings;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate::cells;
use ratatui::buffer::Buffer;
use ratatui::text::Line;
use std::fmt::Display;

/// The signs of the table, which no other place explains.
const SYMBOLS: [(&str, &str); 9] = [
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
        "age: at most 2 h (that of its process); more than 9 min (already open when portmon started)",
    ),
    ("- (root)", "owner not found, but its user is known"),
    (
        "- (WireGuard)",
        "no owner found: probably the kernel itself",
    ),
    ("*:3000", "all IPv4 and IPv6 addresses"),
    ("* at the left", "marked; x frees all marked rows"),
];

const KEYS: LabelColumn = LabelColumn {
    width: 20,
    role: Role::Key,
};

/// The width at which no line wraps.
const MAX_WIDTH: u16 = 110;

pub fn draw(app: &App, scroll: u16, theme: &Theme, buffer: &mut Buffer) {
    let width = buffer.area.width.min(MAX_WIDTH);
    let lines = lines(app, theme, usize::from(width.saturating_sub(FRAME.0)));
    let height = cells(lines.len()).saturating_add(FRAME.1);
    let [up, down, close] = [TextCommand::Up, TextCommand::Down, TextCommand::Close].map(key_of);
    let title = format!("Help · {up} {down} scroll · {close} close");
    let area = frame::open(&title, width, height, theme, buffer);
    labeled_text::draw(lines, scroll, area, buffer);
}

/// The help in lines; a read-only program does not mention keys that stop processes.
fn lines(app: &App, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let keys = BINDINGS.iter().map(|section| {
        let bindings = offered_bindings(app, section.context);
        let entries = bindings.map(|binding| entry(binding.keys_label(), binding.about));
        (section.title, entries.collect())
    });
    let others = [
        (
            "Filter (rows must match every word; several ports are alternatives)",
            FILTER_SYNTAX,
        ),
        ("Signs in the table", &SYMBOLS),
    ];
    let others = others.map(|(title, entries)| {
        (
            title,
            entries
                .iter()
                .map(|(sign, about)| entry(sign, about))
                .collect(),
        )
    });
    let mut lines = Vec::new();
    for (title, entries) in keys.chain(others) {
        let entries: Vec<LabeledText> = entries;
        if entries.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(theme.span(Role::Heading, title).into());
        lines.extend(KEYS.lines(&entries, width, theme));
    }
    lines
}

fn entry(keys: impl Display, about: &str) -> LabeledText {
    LabeledText::new(format!("  {keys}"), about)
}
