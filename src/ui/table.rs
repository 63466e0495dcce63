//! The table: headings, the rows in view, the rules between sections.

mod columns;
mod empty_table;

use crate::app::App;
use crate::app::keymap::chip_key;
use crate::model::socket::{Protocol, State};
use crate::table::description;
use crate::table::fields::{Column, field};
use crate::table::listing::{Chip, TableLine};
use crate::table::row::{ChangeMark, DisplayContext, Row, Section};
use crate::ui::header::sort_arrow;
use crate::ui::table::columns::{FittedColumn, GUTTER, fit_columns, is_right_aligned};
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate::{self, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{self, Cell, Table, Widget};
use unicode_width::UnicodeWidthStr;

/// How many rows are measured to fit the columns, so that they do not change while one scrolls.
const MAX_MEASURED_ROWS: usize = 1_000;

/// From this width on states are written out; below they are shortened as `ss` does.
const LONG_STATES: usize = 110;

pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let [_, body] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let mut view = TableView {
        app,
        theme,
        context: app.display_context(),
        width: area.width.into(),
        columns: Vec::new(),
    };
    view.columns = fit_columns(view.width, |column| view.longest(column));
    let lines = app.listing.lines().iter().skip(app.selection.top);
    let rows = lines
        .take(body.height.into())
        .filter_map(|line| match line {
            TableLine::Row(index) => app.listing.row(*index).map(|row| view.row(row)),
            TableLine::Rule(section, count) => Some(view.rule(*section, *count)),
        });
    Table::new(rows, view.widths())
        .header(view.headings())
        .column_spacing(0)
        .render(area, buffer);
    if app.listing.lines().is_empty() {
        empty_table::draw(app, theme, body, buffer);
    }
}

struct TableView<'a> {
    app: &'a App,
    theme: &'a Theme,
    context: DisplayContext<'a>,
    width: usize,
    columns: Vec<FittedColumn>,
}

impl TableView<'_> {
    /// The cells that the longest text of a column needs.
    fn longest(&self, column: Column) -> usize {
        let rows = self.app.listing.shown_rows().take(MAX_MEASURED_ROWS);
        let longest = rows.map(|row| self.text(row, column).width()).max();
        // A flag follows the address.
        longest.unwrap_or(0) + if column == Column::Local { 2 } else { 0 }
    }

    /// Each column includes the gap behind it.
    fn widths(&self) -> Vec<Constraint> {
        let width = |slot: &FittedColumn| match slot.column {
            Column::What => Constraint::Fill(1),
            _ => Constraint::Length(cells(slot.width + 1)),
        };
        let gutter = Constraint::Length(cells(GUTTER));
        [gutter]
            .into_iter()
            .chain(self.columns.iter().map(width))
            .collect()
    }

    fn headings(&self) -> widgets::Row<'static> {
        let sort = self.app.listing.sort();
        let heading = |slot: &FittedColumn| {
            let mut title = field(slot.column).title.to_owned();
            if sort.column == slot.column {
                let gap = if is_right_aligned(slot.column) {
                    ""
                } else {
                    " "
                };
                title = format!("{title}{gap}{}", sort_arrow(sort));
            }
            let title = truncate::at_end(&title, slot.width);
            let title = self.theme.span(Role::Heading, title);
            aligned(slot.column, title, Span::raw(" "))
        };
        let headings = self.columns.iter().map(heading);
        [Line::default()].into_iter().chain(headings).collect()
    }

    fn row(&self, row: &Row) -> widgets::Row<'static> {
        let selection = &self.app.selection;
        let (glyph, mark, whole) = match change_style(row) {
            (_, _, whole) if selection.is_marked(row) => ("*", Role::Active, whole),
            unmarked => unmarked,
        };
        let (mut style, mut mark) = (self.theme.style(whole), self.theme.style(mark));
        let mut flag = self.flag(row);
        let mut row_style = Style::new();
        if selection.cursor == Some(row.endpoint.id()) {
            style = style.patch(self.theme.style(Role::Cursor));
            (mark, row_style, flag.style) = (style, style, style);
        }
        let gutter = Line::from(vec![Span::raw(" "), Span::styled(glyph, mark)]);
        let cells = self.columns.iter().map(|slot| {
            let text = Span::styled(self.cell(row, slot), style);
            match slot.column {
                Column::Local => {
                    let gap = slot.width.saturating_sub(text.width() + 1);
                    Line::from(vec![text, " ".repeat(gap).into(), flag.clone()])
                }
                // Without the column of addresses the flag stands right behind the port.
                Column::Port if !self.has_column(Column::Local) => {
                    aligned(slot.column, text, flag.clone())
                }
                column => aligned(column, text, Span::raw(" ")),
            }
        });
        let row: widgets::Row = [gutter].into_iter().chain(cells).collect();
        row.style(row_style)
    }

    fn rule(&self, section: Section, count: usize) -> widgets::Row<'static> {
        let title = match section {
            Section::PortHolders => String::new(),
            Section::Connected => format!("── connections {count} "),
            Section::OutOfScope => format!("── outside the local scope ({}) ", chip_key(Chip::All)),
        };
        let line = "─".repeat(self.width.saturating_sub(title.width() + 3));
        let rule: Cell = self.theme.span(Role::Dim, format!(" {title}{line}")).into();
        let columns = cells(self.columns.len() + 1);
        [rule.column_span(columns)].into_iter().collect()
    }

    fn has_column(&self, column: Column) -> bool {
        self.columns.iter().any(|slot| slot.column == column)
    }

    /// `!` for what others can reach, `2` for one of two addresses that share a port number.
    fn flag(&self, row: &Row) -> Span<'static> {
        if row.endpoint.socket.is_exposed() {
            self.theme.span(Role::Warning, "!")
        } else if row.endpoint.relation.shares_port {
            self.theme.span(Role::Warning, "2")
        } else {
            Span::raw(" ")
        }
    }

    fn cell(&self, row: &Row, slot: &FittedColumn) -> String {
        match slot.column {
            Column::What => self.description_within(row, slot.width),
            Column::Local => {
                truncate::at_end(&self.text(row, Column::Local), slot.width.saturating_sub(2))
            }
            column => truncate::at_end(&self.text(row, column), slot.width),
        }
    }

    fn text(&self, row: &Row, column: Column) -> String {
        match column {
            Column::State => self.state(row),
            column => (field(column).value)(row, &self.context).to_string(),
        }
    }

    /// The state as `ss` shortens it where there is little room.
    fn state(&self, row: &Row) -> String {
        let socket = &row.endpoint.socket;
        match (self.width >= LONG_STATES, socket.state) {
            _ if row.is_closed() => "closed".to_owned(),
            (false, Some(State::Established)) => "ESTAB".to_owned(),
            (false, Some(State::Unconn)) => "udp".to_owned(),
            (_, Some(state)) => state.to_string(),
            (false, None) if socket.protocol == Protocol::Udp => "udp".to_owned(),
            (_, None) => "-".to_owned(),
        }
    }

    /// What runs there; where there is little room the directory is shortened before the program.
    fn description_within(&self, row: &Row, width: usize) -> String {
        let Some(what) = description::describe(&row.endpoint, &self.context) else {
            return String::new();
        };
        let joined = what.text(&self.context);
        let Some(directory) = what.directory.filter(|_| joined.width() > width) else {
            return truncate::at_end(&joined, width);
        };
        let room = width.saturating_sub(what.program.width() + 3);
        let last = directory.rsplit('/').next().unwrap_or(&directory);
        if room < last.width().min(6) + 1 {
            return truncate::at_end(&what.program, width);
        }
        let place = if directory.width() <= room {
            directory
        } else if last.width() + 2 <= room {
            format!("…/{last}")
        } else {
            truncate::at_end(last, room)
        };
        format!("{} {} {place}", what.program, self.context.dot())
    }
}

/// The text of a cell and what stands in the gap behind its column.
fn aligned<'a>(column: Column, text: Span<'a>, behind: Span<'a>) -> Line<'a> {
    if is_right_aligned(column) {
        Line::from(vec![text, behind]).right_aligned()
    } else {
        text.into()
    }
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
