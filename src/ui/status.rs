//! The last lines: the filter as it is typed or stands, notices, what is hidden, and the keys one needs first.

use crate::app::filter_box::FilterEditor;
use crate::app::keymap::BINDINGS;
use crate::app::notice::Notice;
use crate::app::sampling::Staleness;
use crate::app::{App, EventSource, Overlay};
use crate::model::text::escaped;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

/// `/ 300  unfinished: …                              2 owners hidden · 213 remote: a`
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let hidden = Line::styled(summary(app), theme.style(Role::Dim));
    let (left, cursor) = left_part(app, theme, area);
    let left_width = left.width();
    let width = u16::try_from(hidden.width()).unwrap_or(0);
    let room = area.width.saturating_sub(width + 1);
    // What a person types or must know goes before what is only good to know.
    if u16::try_from(left.width()).unwrap_or(u16::MAX) <= room {
        hidden.render(
            Rect {
                x: area.right().saturating_sub(width + 1),
                width,
                ..area
            },
            buffer,
        );
    }
    left.render(area, buffer);
    if left_width > usize::from(area.width) {
        buffer.set_stringn(
            area.right().saturating_sub(1),
            area.y,
            "…",
            1,
            theme.style(Role::Dim),
        );
    }
    cursor
}

/// A notice that needs more than its line goes on over the footer, so that a verdict is never cut.
pub fn draw_long_notice(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(notice) = app.notice.as_ref().filter(|_| !app.filter_box.is_typing()) else {
        return;
    };
    let width = usize::from(area.width).saturating_sub(2);
    let lines = truncate::wrap(&notice.text, width);
    if lines.len() < 2 {
        return;
    }
    let high = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .min(area.height);
    let area = Rect {
        y: area.bottom() - high,
        height: high,
        ..area
    };
    Clear.render(area, buffer);
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        buffer.set_stringn(area.x + 1, y, line, width, theme.style(role_of(notice)));
    }
}

fn role_of(notice: &Notice) -> Role {
    if notice.until.is_none() {
        Role::Active
    } else {
        Role::Plain
    }
}

/// On low screens the filter line or a notice takes the footer's place.
pub fn draw_low(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let is_needed = app.filter_box.is_typing()
        || app.notice.is_some()
        || app.sampling.staleness(app.now).is_some();
    if is_needed {
        return draw(app, theme, area, buffer);
    }
    let used = draw_footer(app, theme, area, buffer);
    let hidden = summary(app);
    let width = u16::try_from(hidden.chars().count()).unwrap_or(u16::MAX);
    if used.saturating_add(width).saturating_add(3) <= area.right() {
        let x = area.right() - width - 1;
        buffer.set_stringn(
            x,
            area.y,
            hidden,
            usize::from(width),
            theme.style(Role::Dim),
        );
    }
    None
}

/// `/ filter   x free port   Enter details   s sort   ? help   q quit`; tells how far it goes.
pub fn draw_footer(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> u16 {
    let hints: Vec<(String, &str)> = match &app.overlay {
        Overlay::None if app.filter_box.is_typing() => [
            ("Enter", "keep"),
            ("Esc", "restore"),
            ("↑↓", "move"),
            ("Ctrl-P", "earlier filters"),
        ]
        .map(|(key, does)| (key.to_owned(), does))
        .to_vec(),
        _ => BINDINGS
            .iter()
            .filter(|binding| !(app.settings.is_read_only && binding.command.is_destructive()))
            .filter_map(|binding| Some((binding.keys.first()?.to_string(), binding.hint?)))
            .collect(),
    };
    let mut x = area.x + 1;
    for (key, does) in hints {
        let hint = Line::from(vec![
            Span::styled(key, theme.style(Role::Key)),
            Span::raw(format!(" {does}")),
        ]);
        let width = u16::try_from(hint.width()).unwrap_or(u16::MAX);
        if x.saturating_add(width) > area.right() {
            break;
        }
        hint.render(Rect { x, width, ..area }, buffer);
        x += width + 3;
    }
    x
}

fn left_part<'a>(app: &'a App, theme: &Theme, area: Rect) -> (Line<'a>, Option<Position>) {
    if let Some(editor) = &app.filter_box.typed {
        return editor_part(editor, theme, area);
    }
    let line = if let Some(notice) = &app.notice {
        Line::styled(format!(" {}", notice.text), theme.style(role_of(notice)))
    } else if let Some(stale) = app.sampling.staleness(app.now) {
        Line::styled(stale_text(app, stale), theme.style(Role::Error))
    } else if app.filter_box.text.is_empty() {
        let problem = app
            .environment
            .pids_problem
            .as_ref()
            .map(|problem| wording::pids_problem(*problem))
            .map(|problem| Line::styled(format!(" {problem}"), theme.style(Role::Error)));
        problem.unwrap_or_default()
    } else {
        Line::from(vec![
            Span::styled(" / ", theme.style(Role::Key)),
            Span::styled(app.filter_box.shown(), theme.style(Role::Active)),
            Span::styled("  Esc clears", theme.style(Role::Dim)),
        ])
    };
    (line, None)
}

/// The words being typed, with the place that is wrong underlined and what is wrong behind them.
fn editor_part<'a>(
    editor: &FilterEditor,
    theme: &Theme,
    area: Rect,
) -> (Line<'a>, Option<Position>) {
    let text = editor.input.value();
    let mut spans = vec![Span::styled(" / ", theme.style(Role::Key))];
    match &editor.parsed.error {
        Some(error) if !error.is_unfinished => {
            let part = |range: std::ops::Range<usize>| escaped(text.get(range).unwrap_or_default());
            spans.push(Span::raw(part(0..error.at.start)));
            spans.push(Span::styled(
                part(error.at.clone()),
                theme.style(Role::Fault),
            ));
            spans.push(Span::raw(part(error.at.end..text.len())));
            spans.push(Span::styled(
                format!("  {}", error.what),
                theme.style(Role::Error),
            ));
        }
        error => {
            spans.push(Span::raw(escaped(text)));
            let hint = error
                .as_ref()
                .map(|error| &error.what)
                .or(editor.parsed.hint.as_ref());
            spans
                .extend(hint.map(|hint| Span::styled(format!("  {hint}"), theme.style(Role::Dim))));
        }
    }
    let before: String = text.chars().take(editor.input.cursor()).collect();
    let x = 3 + Line::raw(escaped(&before)).width();
    let x = u16::try_from(x)
        .unwrap_or(u16::MAX)
        .min(area.width.saturating_sub(1));
    (
        Line::from(spans),
        Some(Position {
            x: area.x + x,
            y: area.y,
        }),
    )
}

fn stale_text(app: &App, stale: Staleness) -> String {
    let since = |at| wording::duration(app.now.saturating_duration_since(at));
    match stale {
        Staleness::Lost => {
            let what = EventSource::Sockets.name();
            format!(" stale: {what} ended; what is shown is the last that was seen")
        }
        Staleness::Late(at) => format!(" stale: the last look was {} ago", since(at)),
        Staleness::Unread(at) => {
            let reasons: Vec<String> = app
                .sampling
                .problems
                .iter()
                .map(ToString::to_string)
                .collect();
            format!(" stale for {}: {}", since(at), reasons.join("; "))
        }
    }
}

/// `2 marked: x U`, `2 of 5 marked in view: x U`
fn marked(app: &App) -> Option<String> {
    let in_view = app.selection.marked_rows(&app.listing).count();
    match app.selection.marked_count() {
        0 => None,
        all if all == in_view => Some(format!("{all} marked: x U")),
        all => Some(format!("{in_view} of {all} marked in view: x U")),
    }
}

/// `looking takes 420 ms: every 1.3 s · 2 owners hidden · 213 remote: a`: what the table does not show and how to see it.
fn summary(app: &App) -> String {
    let counts = app.listing.counts();
    let mut words = Vec::new();
    if app.environment.pids_problem.is_some() {
        words.push("pids of another namespace".to_owned());
    }
    words.extend(app.sampling.backoff.map(|backoff| {
        format!(
            "looking takes {}: every {}",
            wording::interval(backoff.took),
            wording::interval(backoff.interval)
        )
    }));
    words.extend(marked(app));
    match counts.hidden_owners {
        0 => {}
        1 => words.push("1 owner hidden".to_owned()),
        count => words.push(format!("{count} owners hidden")),
    }
    if counts.out_of_scope > 0 && !app.filter_box.chips.all {
        words.push(format!("{} remote: a", counts.out_of_scope));
    }
    words.join(" · ")
}
