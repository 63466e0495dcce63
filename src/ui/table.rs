//! The table: headings, the rows in view, the rules between sections.

mod columns;
mod empty_table;

use crate::app::App;
use crate::model::socket::{Protocol, State};
use crate::table::description;
use crate::table::fields::{Column, field};
use crate::table::listing::TableLine;
use crate::table::row::{ChangeMark, Row, Section};
use crate::ui::table::columns::{GUTTER, PlacedColumn, is_right_aligned, place_columns};
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// How many rows are measured to fit the columns, so that they do not change while one scrolls.
const MAX_MEASURED_ROWS: usize = 1_000;

/// From this width on states are written out; below they are shortened as `ss` does.
const LONG_STATES: u16 = 110;

pub fn draw(app: &App, theme: &Theme, headings: Rect, area: Rect, buffer: &mut Buffer) {
    let is_short = area.width < LONG_STATES;
    let slots = place_columns(usize::from(area.width), |column| {
        longest(app, column, is_short)
    });
    draw_headings(app, theme, &slots, headings, buffer);
    let lines = app.listing.lines();
    if lines.is_empty() {
        empty_table::draw(app, theme, area, buffer);
    }
    let in_view = lines
        .iter()
        .skip(app.selection.top)
        .take(usize::from(area.height));
    for (y, line) in (area.top()..area.bottom()).zip(in_view) {
        let place = Rect {
            y,
            height: 1,
            ..area
        };
        match line {
            TableLine::Rule(section, count) => draw_rule(theme, *section, *count, place, buffer),
            TableLine::Row(row) => {
                if let Some(row) = app.listing.row(*row) {
                    draw_row(app, theme, &slots, row, place, buffer);
                }
            }
        }
    }
}

fn longest(app: &App, column: Column, is_short: bool) -> usize {
    let context = app.display_context();
    let width = |row: &Row| match column {
        Column::Local => row.endpoint.socket.local_address().width() + 2,
        Column::State => state(row, is_short).width(),
        column => (field(column).value)(row, &context).to_string().width(),
    };
    app.listing
        .shown_rows()
        .take(MAX_MEASURED_ROWS)
        .map(width)
        .max()
        .unwrap_or(0)
}

fn draw_headings(
    app: &App,
    theme: &Theme,
    slots: &[PlacedColumn],
    area: Rect,
    buffer: &mut Buffer,
) {
    let sort = app.listing.sort();
    for slot in slots {
        let title = field(slot.column).title;
        let mut text = pad(title, slot, is_right_aligned(slot.column));
        if sort.column == slot.column && is_right_aligned(slot.column) {
            text = pad(&format!("{title}{}", arrow(sort.is_reversed)), slot, true);
        } else if sort.column == slot.column {
            text = pad(&format!("{title} {}", arrow(sort.is_reversed)), slot, false);
        }
        let heading = theme.style(Role::Heading);
        buffer.set_stringn(area.x + slot.x, area.y, text, slot.width, heading);
    }
}

fn arrow(is_reversed: bool) -> char {
    if is_reversed { 'v' } else { '^' }
}

fn draw_rule(theme: &Theme, section: Section, count: usize, area: Rect, buffer: &mut Buffer) {
    let words = match section {
        Section::Bound => String::new(),
        Section::Connected => format!("── connected {count} "),
        Section::OutOfScope => "── outside the local scope (a) ".to_owned(),
    };
    let width = usize::from(area.width).saturating_sub(3);
    let rule = format!("{words}{}", "─".repeat(width.saturating_sub(words.width())));
    buffer.set_stringn(area.x + 1, area.y, rule, width, theme.style(Role::Dim));
}

fn draw_row(
    app: &App,
    theme: &Theme,
    slots: &[PlacedColumn],
    row: &Row,
    area: Rect,
    buffer: &mut Buffer,
) {
    let is_current = app.selection.cursor == Some(row.endpoint.id());
    let (glyph, mark, whole) = match change_style(row) {
        (_, _, whole) if app.selection.is_marked(row) => ("*", Role::Active, whole),
        unmarked => unmarked,
    };
    let mut style = theme.style(whole);
    if is_current {
        style = style.patch(theme.style(Role::Cursor));
        buffer.set_style(area, style);
    }
    let mark = if is_current { style } else { theme.style(mark) };
    buffer.set_stringn(area.x + 1, area.y, glyph, GUTTER - 1, mark);
    for slot in slots {
        let text = cell(app, row, slot, area.width < LONG_STATES);
        buffer.set_stringn(area.x + slot.x, area.y, text, slot.width, style);
    }
    draw_flag(theme, slots, row, is_current.then_some(style), area, buffer);
}

/// The glyph of a row's last change, with the roles of the glyph and of the row.
fn change_style(row: &Row) -> (&'static str, Role, Role) {
    match row.change_mark {
        ChangeMark::None => (" ", Role::Plain, Role::Plain),
        ChangeMark::Opened(_) => ("+", Role::OpenedMark, Role::OpenedRow),
        ChangeMark::Changed(_) => ("~", Role::ChangedMark, Role::ChangedRow),
        ChangeMark::Replaced(_) => ("↻", Role::ChangedMark, Role::ChangedRow),
        ChangeMark::Closed(_) => ("-", Role::ClosedMark, Role::ClosedRow),
    }
}

/// `!` behind the address of what others can reach, `2` behind one of two addresses that share a number.
fn draw_flag(
    theme: &Theme,
    slots: &[PlacedColumn],
    row: &Row,
    cursor: Option<Style>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let flag = if row.endpoint.socket.is_exposed() {
        "!"
    } else if row.endpoint.relation.shares_port {
        "2"
    } else {
        return;
    };
    // Without the column of addresses the flag stands right behind the port.
    let place = slots.iter().find(|slot| slot.column == Column::Local);
    let place = place.or_else(|| slots.iter().find(|slot| slot.column == Column::Port));
    let Some(slot) = place else { return };
    let behind = u16::try_from(slot.width).unwrap_or(0) - u16::from(slot.column == Column::Local);
    let style = cursor.unwrap_or_else(|| theme.style(Role::Warning));
    buffer.set_stringn(area.x + slot.x + behind, area.y, flag, 1, style);
}

fn cell(app: &App, row: &Row, slot: &PlacedColumn, is_short: bool) -> String {
    let context = app.display_context();
    match slot.column {
        Column::State => pad(&state(row, is_short), slot, false),
        Column::What => description_within(app, row, slot.width),
        Column::Local => truncate::at_end(
            &row.endpoint.socket.local_address(),
            slot.width.saturating_sub(2),
        ),
        column => pad(
            &(field(column).value)(row, &context).to_string(),
            slot,
            is_right_aligned(column),
        ),
    }
}

/// The state as `ss` shortens it where there is little room.
fn state(row: &Row, is_short: bool) -> String {
    match (is_short, row.endpoint.socket.state) {
        _ if row.is_closed() => "closed".to_owned(),
        (true, Some(State::Established)) => "ESTAB".to_owned(),
        (true, Some(State::Unconn)) => "udp".to_owned(),
        (_, Some(state)) => state.to_string(),
        (true, None) if row.endpoint.socket.protocol == Protocol::Udp => "udp".to_owned(),
        (_, None) => "-".to_owned(),
    }
}

/// What runs there; where there is little room the directory is shortened before the program.
fn description_within(app: &App, row: &Row, width: usize) -> String {
    let context = app.display_context();
    let Some(what) = description::describe(&row.endpoint, &context) else {
        return String::new();
    };
    let joined = what.text(&context);
    let Some(directory) = what.directory.filter(|_| joined.width() > width) else {
        return truncate::at_end(&joined, width);
    };
    let room = width.saturating_sub(what.program.width() + 3);
    let last = directory.rsplit('/').next().unwrap_or(&directory);
    if room < last.width().min(6) + 1 {
        return truncate::at_end(&what.program, width);
    }
    let place = if last.width() + 2 <= room {
        format!("…/{last}")
    } else {
        last.to_owned()
    };
    let whole = truncate::at_start(&directory, room);
    format!(
        "{} {} {}",
        what.program,
        context.dot(),
        if directory.width() <= room {
            whole
        } else {
            truncate::at_end(&place, room)
        }
    )
}

fn pad(text: &str, slot: &PlacedColumn, is_right_aligned: bool) -> String {
    let text = truncate::at_end(text, slot.width);
    let gap = " ".repeat(slot.width.saturating_sub(text.width()));
    if is_right_aligned {
        format!("{gap}{text}")
    } else {
        format!("{text}{gap}")
    }
}
