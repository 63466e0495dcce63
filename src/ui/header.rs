//! The first lines: the host, the counts, the poll rate and the chips.

use crate::app::App;
use crate::app::keymap::chip_key;
use crate::model::port::EphemeralRange;
use crate::table::fields::field;
use crate::table::listing::{Chip, Sort};
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate::{self, cells};
use crate::wording;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

/// Below this width the name of the program is left out of a short screen.
const NARROW: u16 = 60;

/// `portmon build-07 ssh   LISTEN 10  UDP 1  CONN 5  ! exposed 2     2 new   live · every 1 s`
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let right = right_part(app, theme, "· every ");
    let room = usize::from(area.width).saturating_sub(right.width() + 1);
    let counts = counts(app);
    let ssh = if app.environment.is_ssh { " ssh" } else { "" };
    let host = format!("{}{ssh}", app.environment.host);
    let host_room = room.saturating_sub(counts.width() + 28).clamp(8, 40);
    let mut left = Line::from(vec![
        theme.span(Role::Title, "portmon "),
        theme.span(Role::Dim, truncate::at_end(&host, host_room)),
        Span::raw(format!("   {counts}")),
    ]);
    let exposed = app.listing.counts().exposed;
    if exposed > 0 {
        let mut text = format!("  ! exposed {exposed}");
        if left.width() + text.width() > room {
            text = format!("  !{exposed}");
        }
        left.push_span(theme.span(Role::Warning, text));
    }
    draw_split(left, right, area, buffer);
}

/// `l listening  c connected [d dynamic] 32768+  e exposed …  PORT ^ 16/16`
pub fn draw_chips(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut left = Line::raw(" ");
    for chip in Chip::ALL {
        let (open, close, role) = if app.filter_box.chips.is_on(chip) {
            ("[", "]", Role::Active)
        } else if left.spans.len() == 1 {
            ("", " ", Role::Plain)
        } else {
            (" ", " ", Role::Plain)
        };
        left.extend([
            theme.span(role, open),
            theme.span(Role::Key, chip_key(chip)),
            theme.span(role, format!(" {}{close}", chip.name())),
        ]);
        let ephemeral = app.environment.ephemeral;
        if chip == Chip::Dynamic && ephemeral != EphemeralRange::IANA {
            let from = ephemeral.first.min(EphemeralRange::IANA.first);
            let gap = if close == "]" { " " } else { "" };
            left.push_span(theme.span(Role::Dim, format!("{gap}{from}+ ")));
        }
    }
    let sort = app.listing.sort();
    let shown = shown_of_total(app);
    let mut right = format!("{} {} {shown} ", field(sort.column).title, sort_arrow(sort));
    if left.width() + right.width() >= usize::from(area.width) {
        right = format!("{shown} ");
    }
    draw_split(left, theme.span(Role::Dim, right).into(), area, buffer);
}

/// Draws header and chips in one line. An active filter replaces the counts.
pub fn draw_compact(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut left = Line::default();
    if area.width >= NARROW {
        left.push_span(theme.span(Role::Title, "portmon "));
    }
    for chip in Chip::ALL {
        let key = chip_key(chip);
        left.push_span(if app.filter_box.chips.is_on(chip) {
            theme.span(Role::Active, format!("[{key}]"))
        } else {
            theme.span(Role::Key, format!(" {key} "))
        });
    }
    let counts = app.listing.counts();
    left.push_span(if app.filter_box.text.is_empty() {
        let (listening, udp, connected) = (counts.listening, counts.udp, counts.connected);
        Span::raw(format!("  L{listening} U{udp} C{connected}"))
    } else {
        theme.span(Role::Active, format!(" /{}", app.filter_box.shown()))
    });
    if counts.exposed > 0 {
        left.push_span(theme.span(Role::Warning, format!(" !{}", counts.exposed)));
    }
    let mut right = right_part(app, theme, "");
    let shown = format!("{}  ", shown_of_total(app));
    right.spans.insert(0, theme.span(Role::Dim, shown));
    draw_split(left, right, area, buffer);
}

pub fn sort_arrow(sort: Sort) -> char {
    if sort.is_reversed { 'v' } else { '^' }
}

fn counts(app: &App) -> String {
    let counts = app.listing.counts();
    let connected = counts.connected + out_of_scope(app);
    let bound = match counts.bound {
        0 => String::new(),
        count => format!("  BOUND {count}"),
    };
    let (listening, udp) = (counts.listening, counts.udp);
    format!("LISTEN {listening}{bound}  UDP {udp}  CONN {connected}")
}

/// The number of connections outside the local scope, if these are shown.
fn out_of_scope(app: &App) -> usize {
    if app.filter_box.chips.is_on(Chip::All) {
        app.listing.counts().out_of_scope
    } else {
        0
    }
}

/// `2 new, 2 below   live · every 1 s`; `every` is what stands before the interval.
fn right_part(app: &App, theme: &Theme, every: &str) -> Line<'static> {
    let mut line = Line::default();
    let new = app.listing.counts().new;
    if new > 0 {
        let rows = usize::from(app.layout().rows);
        let (above, below) = app.selection.new_out_of_view(&app.listing, rows);
        let side = |count: usize, side| match count {
            0 => String::new(),
            count => format!(", {count} {side}"),
        };
        let (above, below) = (side(above, "above"), side(below, "below"));
        let text = format!("{new} new{above}{below}   ");
        line.push_span(theme.span(Role::OpenedMark, text));
    }
    let interval = wording::interval(app.sampling.shown_interval());
    line.push_span(if app.sampling.paused_at.is_some() {
        theme.span(Role::Cursor, "PAUSED ")
    } else if app.sampling.staleness(app.now).is_some() {
        theme.span(Role::Error, format!("STALE {every}{interval} "))
    } else {
        Span::raw(format!("live {every}{interval} "))
    });
    line
}

/// `16/19`: shown rows of those in the scope.
fn shown_of_total(app: &App) -> String {
    let counts = app.listing.counts();
    let rows = app.listing.shown_rows();
    let shown = rows.filter(|row| !row.is_closed()).count();
    let local = counts.listening + counts.bound + counts.udp + counts.connected;
    format!("{shown}/{}", (local + out_of_scope(app)).max(shown))
}

/// Draws both parts; the left one is cut where they do not fit.
fn draw_split(left: Line, right: Line, area: Rect, buffer: &mut Buffer) {
    let width = cells(right.width()).min(area.width);
    let sides = [Constraint::Fill(1), Constraint::Length(width)];
    let [left_area, right_area] = Layout::horizontal(sides).spacing(1).areas(area);
    left.render(left_area, buffer);
    right.render(right_area, buffer);
}
