//! The table: headings, the rows in view, the rules between sections.

use crate::app::App;
use crate::model::endpoint::{Protocol, State};
use crate::table::fields::{Column, field};
use crate::table::listing::Line as TableLine;
use crate::table::row::{Mark, Row, Section};
use crate::table::what;
use crate::ui::columns::{GUTTER, Slot, slots};
use crate::ui::cut;
use crate::ui::empty;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

/// How many rows are measured to fit the columns, so that they do not change while one scrolls.
const MEASURED: usize = 1_000;

/// From this width on states are written out; below they are shortened as `ss` does.
const LONG_STATES: u16 = 110;

pub fn draw(app: &App, theme: &Theme, headings: Rect, area: Rect, buffer: &mut Buffer) {
    let is_short = area.width < LONG_STATES;
    let slots = slots(usize::from(area.width), |column| {
        longest(app, column, is_short)
    });
    draw_headings(app, theme, &slots, headings, buffer);
    let lines = app.listing.lines();
    if lines.is_empty() {
        empty::draw(app, theme, area, buffer);
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
    let around = app.surroundings();
    let width = |row: &Row| match column {
        Column::Local => row.endpoint.socket.local_address().width() + 2,
        Column::State => state(row, is_short).width(),
        column => (field(column).value)(row, &around).to_string().width(),
    };
    app.listing
        .shown_rows()
        .take(MEASURED)
        .map(width)
        .max()
        .unwrap_or(0)
}

fn draw_headings(app: &App, theme: &Theme, slots: &[Slot], area: Rect, buffer: &mut Buffer) {
    let sort = app.listing.sort();
    for slot in slots {
        let title = field(slot.column).title;
        let mut text = pad(title, slot, is_right(slot.column));
        if sort.column == slot.column && is_right(slot.column) {
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
        Section::Standing => String::new(),
        Section::Connected => format!("── connected {count} "),
        Section::Outside => "── outside the local scope (a) ".to_owned(),
    };
    let width = usize::from(area.width).saturating_sub(3);
    let rule = format!("{words}{}", "─".repeat(width.saturating_sub(words.width())));
    buffer.set_stringn(area.x + 1, area.y, rule, width, theme.style(Role::Dim));
}

fn draw_row(app: &App, theme: &Theme, slots: &[Slot], row: &Row, area: Rect, buffer: &mut Buffer) {
    let is_current = app.selection.cursor == Some(row.endpoint.id());
    let (glyph, mark, whole) = match mark(row) {
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
fn mark(row: &Row) -> (&'static str, Role, Role) {
    match row.mark {
        Mark::None => (" ", Role::Plain, Role::Plain),
        Mark::New(_) => ("+", Role::NewMark, Role::NewRow),
        Mark::Changed(_) => ("~", Role::ChangedMark, Role::ChangedRow),
        Mark::Replaced(_) => ("↻", Role::ChangedMark, Role::ChangedRow),
        Mark::Gone(_) => ("-", Role::GoneMark, Role::GoneRow),
    }
}

/// `!` behind the address of what others can reach, `2` behind one of two addresses that share a number.
fn draw_flag(
    theme: &Theme,
    slots: &[Slot],
    row: &Row,
    cursor: Option<Style>,
    area: Rect,
    buffer: &mut Buffer,
) {
    let flag = if row.endpoint.socket.is_exposed() {
        "!"
    } else if row.endpoint.relation.shares_number {
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

fn cell(app: &App, row: &Row, slot: &Slot, is_short: bool) -> String {
    let around = app.surroundings();
    match slot.column {
        Column::State => pad(&state(row, is_short), slot, false),
        Column::What => what_within(app, row, slot.width),
        Column::Local => cut::end(
            &row.endpoint.socket.local_address(),
            slot.width.saturating_sub(2),
        ),
        column => pad(
            &(field(column).value)(row, &around).to_string(),
            slot,
            is_right(column),
        ),
    }
}

/// The state as `ss` shortens it where there is little room.
fn state(row: &Row, is_short: bool) -> String {
    match (is_short, row.endpoint.socket.state) {
        _ if row.is_gone() => "closed".to_owned(),
        (true, Some(State::Established)) => "ESTAB".to_owned(),
        (true, Some(State::Unconn)) => "udp".to_owned(),
        (_, Some(state)) => state.to_string(),
        (true, None) if row.endpoint.socket.protocol == Protocol::Udp => "udp".to_owned(),
        (_, None) => "-".to_owned(),
    }
}

/// What runs there; where there is little room the directory is shortened before the program.
fn what_within(app: &App, row: &Row, width: usize) -> String {
    let around = app.surroundings();
    let Some(what) = what::what(&row.endpoint, &around) else {
        return String::new();
    };
    let joined = what.joined(&around);
    let Some(directory) = what.directory.filter(|_| joined.width() > width) else {
        return cut::end(&joined, width);
    };
    let room = width.saturating_sub(what.program.width() + 3);
    let last = directory.rsplit('/').next().unwrap_or(&directory);
    if room < last.width().min(6) + 1 {
        return cut::end(&what.program, width);
    }
    let place = if last.width() + 2 <= room {
        format!("…/{last}")
    } else {
        last.to_owned()
    };
    let whole = cut::start(&directory, room);
    format!(
        "{} {} {}",
        what.program,
        around.dot(),
        if directory.width() <= room {
            whole
        } else {
            cut::end(&place, room)
        }
    )
}

fn is_right(column: Column) -> bool {
    matches!(column, Column::Port | Column::Pid | Column::Age)
}

fn pad(text: &str, slot: &Slot, is_right: bool) -> String {
    let text = cut::end(text, slot.width);
    let gap = " ".repeat(slot.width.saturating_sub(text.width()));
    if is_right {
        format!("{gap}{text}")
    } else {
        format!("{text}{gap}")
    }
}
