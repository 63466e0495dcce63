//! The last lines: the filter or a notice, what the table does not show, and the most important keys.

use crate::app::keymap::{
    FreeDialogCommand, KeyBinding, KeyContext, TableCommand, bindings_in, chip_key, key_of,
};
use crate::app::notice::Notice;
use crate::app::panes::filter_box::FilterEditor;
use crate::app::sampling::Staleness;
use crate::app::{App, EventSource, Overlay};
use crate::model::text::escaped;
use crate::table::listing::Chip;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate::{self, cells};
use crate::wording::{self, screen};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Margin, Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget};
use unicode_width::UnicodeWidthStr;

/// `/ 300  unfinished: …                              2 owners hidden · 213 remote: a`
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let left = left_part(app, theme);
    draw_with_summary(app, theme, &left, area, buffer);
    if left.width() > usize::from(area.width) {
        let x = area.right().saturating_sub(1);
        buffer.set_string(x, area.y, "…", theme.style(Role::Dim));
    }
    let editor = app.filter_box.typed.as_ref()?;
    let typed = editor.input.value().chars().take(editor.input.cursor());
    let x = 3 + escaped(&typed.collect::<String>()).width();
    Some(Position {
        x: area.x + cells(x).min(area.width.saturating_sub(1)),
        y: area.y,
    })
}

/// Draws the last line of a short screen: the filter or a notice, else the footer.
pub fn draw_compact(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
    let is_stale = app.sampling.staleness(app.now).is_some();
    if app.filter_box.is_typing() || app.notice.is_some() || is_stale {
        return draw(app, theme, area, buffer);
    }
    let footer = footer(app, theme, area.width);
    draw_with_summary(app, theme, &footer, area, buffer);
    None
}

/// Draws the summary only beside a line that leaves room: the filter and notices are more important.
fn draw_with_summary(app: &App, theme: &Theme, left: &Line, area: Rect, buffer: &mut Buffer) {
    let summary = theme.span(Role::Dim, format!("{} ", summary(app)));
    if left.width() + summary.width() + 2 <= usize::from(area.width) {
        Line::from(summary).right_aligned().render(area, buffer);
    }
    left.render(area, buffer);
}

/// Draws a notice longer than its line over the footer, so that a verdict is never truncated.
pub fn draw_long_notice(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(notice) = app.notice.as_ref().filter(|_| !app.filter_box.is_typing()) else {
        return;
    };
    let lines = truncate::wrap(&notice.text, usize::from(area.width).saturating_sub(2));
    if lines.len() > 1 {
        let height = cells(lines.len()).min(area.height);
        let [_, area] =
            Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(area);
        let lines = lines
            .into_iter()
            .map(|line| theme.span(role_of(notice), line).into());
        Clear.render(area, buffer);
        let text = Paragraph::new(lines.collect::<Vec<Line>>());
        text.render(area.inner(Margin::new(1, 0)), buffer);
    }
}

fn role_of(notice: &Notice) -> Role {
    match notice.until {
        None => Role::Active,
        Some(_) => Role::Plain,
    }
}

/// Draws `/ filter   x free port   Enter details …`
pub fn draw_footer(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    footer(app, theme, area.width).render(area, buffer);
}

/// The most important keys, as many as fit.
fn footer(app: &App, theme: &Theme, width: u16) -> Line<'static> {
    let bindings = contexts(app)
        .iter()
        .flat_map(|context| offered_bindings(app, *context));
    let mut line = Line::default();
    for binding in bindings {
        let (Some(key), Some(hint)) = (binding.keys.first(), hint(app, binding)) else {
            continue;
        };
        let spans = [
            Span::raw(if line.spans.is_empty() { " " } else { "   " }),
            theme.span(Role::Key, key.to_string()),
            Span::raw(format!(" {hint}")),
        ];
        if line.width() + spans.iter().map(Span::width).sum::<usize>() > usize::from(width) {
            break;
        }
        line.extend(spans);
    }
    line
}

/// What the footer says about a key: once signals are sent, `Esc` cancels nothing.
fn hint(app: &App, binding: &KeyBinding) -> Option<&'static str> {
    let is_cancel = binding.command == FreeDialogCommand::Cancel.into();
    match &app.overlay {
        Overlay::Freeing(dialog) if is_cancel && dialog.phase.batch().is_some() => Some("close"),
        _ => binding.hint,
    }
}

/// The bindings of a context without those that a read-only program does not offer.
pub fn offered_bindings(
    app: &App,
    context: KeyContext,
) -> impl Iterator<Item = &'static KeyBinding> {
    let is_read_only = app.settings.is_read_only;
    bindings_in(context).filter(move |binding| !(is_read_only && binding.command.stops_processes()))
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

fn left_part<'a>(app: &'a App, theme: &Theme) -> Line<'a> {
    if let Some(editor) = &app.filter_box.typed {
        return editor_part(editor, theme);
    }
    let error = |text: String| theme.span(Role::Error, format!(" {text}")).into();
    if let Some(notice) = &app.notice {
        theme
            .span(role_of(notice), format!(" {}", notice.text))
            .into()
    } else if let Some(stale) = app.sampling.staleness(app.now) {
        error(stale_text(app, stale))
    } else if !app.filter_box.text.is_empty() {
        let clear = key_of(TableCommand::Back);
        Line::from(vec![
            theme.span(Role::Key, " / "),
            theme.span(Role::Active, app.filter_box.shown()),
            theme.span(Role::Dim, format!("  {clear} clear")),
        ])
    } else {
        let problem = app.environment.pids_problem.map(wording::pids_problem);
        problem.map(error).unwrap_or_default()
    }
}

/// The text being edited, with a parse error underlined and explained.
fn editor_part<'a>(editor: &'a FilterEditor, theme: &Theme) -> Line<'a> {
    let (text, parsed) = (editor.input.value(), &editor.parsed);
    let mut line = Line::from(theme.span(Role::Key, " / "));
    if let Some(error) = parsed.error.as_ref().filter(|error| !error.is_unfinished) {
        let part = |range: std::ops::Range<usize>| escaped(text.get(range).unwrap_or_default());
        line.extend([
            Span::raw(part(0..error.at.start)),
            theme.span(Role::Fault, part(error.at.clone())),
            Span::raw(part(error.at.end..text.len())),
            theme.span(Role::Error, format!("  {}", error.what)),
        ]);
    } else {
        let unfinished = parsed.error.as_ref().map(|error| &error.what);
        let hint = unfinished.or(parsed.hint.as_ref());
        line.push_span(escaped(text));
        line.extend(hint.map(|hint| theme.span(Role::Dim, format!("  {hint}"))));
    }
    line
}

fn stale_text(app: &App, stale: Staleness) -> String {
    let since = |at| app.now.saturating_duration_since(at);
    match stale {
        Staleness::Lost => screen::stale_forever(EventSource::Sockets.name()),
        Staleness::Late(at) => screen::stale_since(since(at)),
        Staleness::Unread(at) => screen::stale_tables(since(at), &app.sampling.problems),
    }
}

/// `2 owners hidden (sudo shows them) · 213 remote: a`: what the table does not show, and how to see it.
fn summary(app: &App) -> String {
    let (environment, counts, selection) = (&app.environment, app.listing.counts(), &app.selection);
    let foreign_pids = environment
        .pids_problem
        .map(|_| screen::FOREIGN_PIDS.to_owned());
    let slow = app
        .sampling
        .backoff
        .map(|backoff| screen::slow_polls(backoff.took));
    let marked = (selection.marked_count() > 0).then(|| {
        let in_view = selection.marked_rows(&app.listing).count();
        let [free, unmark] = [TableCommand::Free, TableCommand::UnmarkAll].map(key_of);
        screen::marked(in_view, selection.marked_count(), &free, &unmark)
    });
    let hidden = wording::owners_not_found(&counts.not_found);
    let has_remote = counts.out_of_scope > 0 && !app.filter_box.chips.is_on(Chip::All);
    let remote = has_remote.then(|| screen::remote(counts.out_of_scope, &chip_key(Chip::All)));
    let parts = [foreign_pids, slow, marked, hidden, remote];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}
