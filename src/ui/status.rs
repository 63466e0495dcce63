//! The last lines: the filter or a notice, what the table does not show, and the most important keys.

use crate::app::keymap::{KeyCommand, KeyContext, TableCommand, bindings_in, chip_key, key_of};
use crate::app::notice::Notice;
use crate::app::panes::filter_box::FilterEditor;
use crate::app::sampling::Staleness;
use crate::app::{App, EventSource, Overlay};
use crate::model::text::escaped;
use crate::table::listing::Chip;
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
    let room = area.width.saturating_sub(width + 3);
    // The filter and notices are more important than the summary.
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

/// Draws a notice longer than its line over the footer, so that a verdict is never truncated.
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

/// Draws the last line of a low screen: the filter or a notice, else the footer.
pub fn draw_compact(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
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

/// Draws `/ filter   x free port   Enter details …` as far as it fits, and returns the column behind it.
pub fn draw_footer(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> u16 {
    let mut x = area.x + 1;
    for binding in contexts(app)
        .iter()
        .flat_map(|context| bindings_in(*context))
    {
        let is_offered = !(app.settings.is_read_only && binding.command.stops_processes());
        let (Some(key), Some(does)) = (binding.keys.first(), binding.hint) else {
            continue;
        };
        let hint = Line::from(vec![
            Span::styled(key.to_string(), theme.style(Role::Key)),
            Span::raw(format!(" {does}")),
        ]);
        let width = u16::try_from(hint.width()).unwrap_or(u16::MAX);
        if x.saturating_add(width) > area.right() {
            break;
        }
        if is_offered {
            hint.render(Rect { x, width, ..area }, buffer);
            x += width + 3;
        }
    }
    x
}

/// The contexts whose keys work now.
fn contexts(app: &App) -> &'static [KeyContext] {
    match &app.overlay {
        Overlay::None if app.filter_box.is_typing() => &[KeyContext::Filter],
        Overlay::None => &[KeyContext::Table],
        Overlay::Freeing(_) => &[KeyContext::FreeDialog],
        Overlay::Help(_) => &[KeyContext::Text],
        Overlay::Check(_) => &[KeyContext::CheckDialog, KeyContext::Text],
        Overlay::Menu(_) => &[],
    }
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
        let clear = key_of(KeyCommand::Table(TableCommand::Back));
        Line::from(vec![
            Span::styled(" / ", theme.style(Role::Key)),
            Span::styled(app.filter_box.shown(), theme.style(Role::Active)),
            Span::styled(format!("  {clear} clears"), theme.style(Role::Dim)),
        ])
    };
    (line, None)
}

/// The text being edited, with a parse error underlined and explained.
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
            let source = EventSource::Sockets.name();
            format!(" stale: {source} stopped; this is the last poll")
        }
        Staleness::Late(at) => format!(" stale: the last poll was {} ago", since(at)),
        Staleness::Unread(at) => {
            let problems = app.sampling.problems.iter();
            let reasons: Vec<String> = problems.map(ToString::to_string).collect();
            format!(" stale for {}: {}", since(at), reasons.join("; "))
        }
    }
}

/// `2 marked · x free · U unmark`, `2 of 5 marked in view · …`
fn marked(app: &App) -> Option<String> {
    let in_view = app.selection.marked_rows(&app.listing).count();
    let count = match app.selection.marked_count() {
        0 => return None,
        all if all == in_view => format!("{all} marked"),
        all => format!("{in_view} of {all} marked in view"),
    };
    let [free, unmark] = [TableCommand::Free, TableCommand::UnmarkAll]
        .map(|command| key_of(KeyCommand::Table(command)));
    Some(format!("{count} · {free} free · {unmark} unmark"))
}

/// `2 owners hidden (sudo shows them) · 213 remote: a`: what the table does not show, and how to see it.
fn summary(app: &App) -> String {
    let counts = app.listing.counts();
    let mut parts = Vec::new();
    if app.environment.pids_problem.is_some() {
        parts.push("pids of another namespace".to_owned());
    }
    parts.extend(
        app.sampling
            .backoff
            .map(|backoff| format!("slow: a poll takes {}", wording::interval(backoff.took))),
    );
    parts.extend(marked(app));
    parts.extend(wording::hidden_owners(
        counts.hidden_owners,
        app.environment.is_root,
    ));
    if counts.out_of_scope > 0 && !app.filter_box.chips.is_on(Chip::All) {
        parts.push(format!(
            "{} remote: {}",
            counts.out_of_scope,
            chip_key(Chip::All)
        ));
    }
    parts.join(" · ")
}
