//! The help: every key and every word of the filter language, made from the tables that define them.

use crate::app::keymap::{BINDINGS, DIALOG_KEYS, FILTER_KEYS};
use crate::table::query::WORDS;
use crate::ui::popup;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

/// The marks and flags of the table, which no other place explains.
const SIGNS: [(&str, &str); 7] = [
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
    ("*", "all addresses of IPv6 and IPv4"),
];

pub fn draw(scroll: u16, theme: &Theme, buffer: &mut Buffer) {
    let lines = lines(theme);
    let wide = lines.iter().map(Line::width).max().unwrap_or(0) + 4;
    let high = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let wide = u16::try_from(wide).unwrap_or(u16::MAX);
    let area = popup::open(
        "Help · j k scroll, any other key closes",
        wide,
        high,
        theme,
        buffer,
    );
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

fn lines(theme: &Theme) -> Vec<Line<'static>> {
    let bindings = BINDINGS
        .iter()
        .map(|binding| (binding.keys_shown(), binding.about.to_owned()));
    let parts: [(&str, Vec<(String, String)>); 5] = [
        ("Keys", bindings.collect()),
        ("While typing a filter", owned(&FILTER_KEYS)),
        ("In the dialog", owned(&DIALOG_KEYS)),
        (
            "Words of a filter; blanks between words mean and",
            owned(WORDS),
        ),
        ("Signs in the table", owned(&SIGNS)),
    ];
    let mut lines = Vec::new();
    for (title, entries) in parts {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::styled(title, theme.style(Role::Heading)));
        lines.extend(
            entries
                .into_iter()
                .map(|(left, right)| entry(&left, &right, theme)),
        );
    }
    lines
}

fn owned(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries
        .iter()
        .map(|(left, right)| ((*left).to_owned(), (*right).to_owned()))
        .collect()
}

fn entry(left: &str, right: &str, theme: &Theme) -> Line<'static> {
    let gap = " ".repeat(18_usize.saturating_sub(left.width()).max(1));
    Line::from(vec![
        Span::raw("  "),
        Span::styled(left.to_owned(), theme.style(Role::Key)),
        Span::raw(format!("{gap}{right}")),
    ])
}
