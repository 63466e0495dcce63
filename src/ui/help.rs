//! The help: every key and every word of the filter language, made from the tables that define them.

use crate::app::App;
use crate::app::keymap::{BINDINGS, DIALOG_KEYS, FILTER_KEYS};
use crate::table::query::FILTER_SYNTAX;
use crate::ui::dialog_frame;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

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

/// What the left column takes.
const KEY_WIDTH: usize = 20;

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
    let last = lines.len().saturating_sub(usize::from(area.height));
    let shown = lines.into_iter().skip(usize::from(scroll).min(last));
    for (y, line) in (area.top()..area.bottom()).zip(shown) {
        line.render(
            Rect {
                y,
                height: 1,
                ..area
            },
            buffer,
        );
    }
}

/// Keys that end something are not told where nothing may be ended.
fn lines(app: &App, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let is_read_only = app.settings.is_read_only;
    let bindings = BINDINGS
        .iter()
        .filter(|binding| !(is_read_only && binding.command.is_destructive()))
        .map(|binding| (binding.keys_label(), binding.about.to_owned()));
    let parts: [(&str, Vec<(String, String)>); 5] = [
        ("Keys", bindings.collect()),
        ("While typing a filter", owned(&FILTER_KEYS)),
        (
            "In the dialog that frees a port",
            owned(if is_read_only { &[] } else { &DIALOG_KEYS }),
        ),
        (
            "Words of a filter; blanks between words mean and",
            owned(FILTER_SYNTAX),
        ),
        ("Signs in the table", owned(&SYMBOLS)),
    ];
    let mut lines = Vec::new();
    for (title, entries) in parts {
        if entries.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(title, theme.style(Role::Heading)));
        for (left, right) in entries {
            lines.extend(entry(&left, &right, width, theme));
        }
    }
    lines
}

fn owned(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries
        .iter()
        .map(|(left, right)| ((*left).to_owned(), (*right).to_owned()))
        .collect()
}

/// A key or word and what it does; a long one has a line to itself.
fn entry(left: &str, right: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let key = Span::styled(format!("  {left}"), theme.style(Role::Key));
    let texts = truncate::wrap(right, width.saturating_sub(KEY_WIDTH).max(10));
    let indented = |text: String| Line::raw(format!("{}{text}", " ".repeat(KEY_WIDTH)));
    if key.width() >= KEY_WIDTH {
        let mut lines = vec![Line::from(key)];
        lines.extend(texts.into_iter().map(indented));
        return lines;
    }
    let gap = " ".repeat(KEY_WIDTH - key.width());
    let mut texts = texts.into_iter();
    let first = Line::from(vec![
        key,
        Span::raw(gap + &texts.next().unwrap_or_default()),
    ]);
    std::iter::once(first).chain(texts.map(indented)).collect()
}
