//! The first lines: the host, the counts, the poll rate and the chips.

use crate::app::App;
use crate::app::keymap::chip_key;
use crate::model::port::EphemeralRange;
use crate::table::fields::field;
use crate::table::listing::Chip;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

/// `portmon build-07 ssh   LISTEN 10  UDP 1  CONN 5  ! exposed 2     2 new   live · every 1 s`
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let right = right_part(app, theme, "· every ");
    let room = usize::from(area.width).saturating_sub(right.width() + 1);
    let mut spans = vec![Span::styled("portmon", theme.style(Role::Title))];
    let host = if app.environment.is_ssh {
        format!("{} ssh", app.environment.host)
    } else {
        app.environment.host.clone()
    };
    let counts = counts(app);
    let taken = "portmon ".width() + counts.width() + 20;
    spans.push(Span::styled(
        format!(
            " {}",
            truncate::at_end(&host, room.saturating_sub(taken).clamp(8, 40))
        ),
        theme.style(Role::Dim),
    ));
    spans.push(Span::raw(format!("   {counts}")));
    let exposed = app.listing.counts().exposed;
    if exposed > 0 {
        let used: usize = spans.iter().map(Span::width).sum();
        let full = format!("  ! exposed {exposed}");
        let text = if used + full.width() <= room {
            full
        } else {
            format!("  !{exposed}")
        };
        spans.push(Span::styled(text, theme.style(Role::Warning)));
    }
    draw_split(Line::from(spans), right, area, buffer);
}

/// `l listening  c connected [d dynamic] 32768+  e exposed …  PORT ^ 16/16`
pub fn draw_chips(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut spans = vec![Span::raw(" ")];
    for chip in Chip::ALL {
        let (key, name) = (chip_key(chip), chip.name());
        let is_on = app.filter_box.chips.is_on(chip);
        let (open, close) = if is_on {
            ("[", "]")
        } else if spans.len() == 1 {
            ("", " ")
        } else {
            (" ", " ")
        };
        let style = if is_on { Role::Active } else { Role::Plain };
        spans.push(Span::styled(open, theme.style(style)));
        spans.push(Span::styled(key, theme.style(Role::Key)));
        spans.push(Span::styled(format!(" {name}{close}"), theme.style(style)));
        if chip == Chip::Dynamic && app.environment.ephemeral != EphemeralRange::IANA {
            let from = app
                .environment
                .ephemeral
                .first
                .min(EphemeralRange::IANA.first);
            let gap = if is_on { " " } else { "" };
            spans.push(Span::styled(
                format!("{gap}{from}+ "),
                theme.style(Role::Dim),
            ));
        }
    }
    let left = Line::from(spans);
    let shown = shown_of_total(app);
    let sort = app.listing.sort();
    let sorted = format!(
        "{} {} {shown} ",
        field(sort.column).title,
        if sort.is_reversed { 'v' } else { '^' }
    );
    let fits = left.width() + sorted.width() < usize::from(area.width);
    let right = if fits { sorted } else { format!("{shown} ") };
    draw_split(
        left,
        Line::styled(right, theme.style(Role::Dim)),
        area,
        buffer,
    );
}

/// Below this width the name of the program is left out.
const NARROW: u16 = 60;

/// Draws header and chips in one line. An active filter replaces the counts.
pub fn draw_compact(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut spans = Vec::new();
    if area.width >= NARROW {
        spans.push(Span::styled("portmon ", theme.style(Role::Title)));
    }
    for chip in Chip::ALL {
        let key = chip_key(chip);
        let is_on = app.filter_box.chips.is_on(chip);
        let text = if is_on {
            format!("[{key}]")
        } else {
            format!(" {key} ")
        };
        spans.push(Span::styled(
            text,
            theme.style(if is_on { Role::Active } else { Role::Key }),
        ));
    }
    let counts = app.listing.counts();
    if app.filter_box.text.is_empty() {
        let numbers = format!(
            "  L{} U{} C{}",
            counts.listening, counts.udp, counts.connected
        );
        spans.push(Span::raw(numbers));
    } else {
        spans.push(Span::styled(
            format!(" /{}", app.filter_box.shown()),
            theme.style(Role::Active),
        ));
    }
    if counts.exposed > 0 {
        spans.push(Span::styled(
            format!(" !{}", counts.exposed),
            theme.style(Role::Warning),
        ));
    }
    let mut right = vec![Span::styled(
        format!("{}  ", shown_of_total(app)),
        theme.style(Role::Dim),
    )];
    right.extend(right_part(app, theme, "").spans);
    draw_split(Line::from(spans), Line::from(right), area, buffer);
}

fn counts(app: &App) -> String {
    let counts = app.listing.counts();
    let connected = counts.connected
        + if app.filter_box.chips.is_on(Chip::All) {
            counts.out_of_scope
        } else {
            0
        };
    let bound = if counts.bound > 0 {
        format!("  BOUND {}", counts.bound)
    } else {
        String::new()
    };
    format!(
        "LISTEN {}{bound}  UDP {}  CONN {connected}",
        counts.listening, counts.udp
    )
}

/// `2 new, 2 below   live · every 1 s`; `every` is what stands before the interval.
fn right_part(app: &App, theme: &Theme, every: &str) -> Line<'static> {
    let mut spans = Vec::new();
    let new = app.listing.counts().new;
    if new > 0 {
        let rows = usize::from(app.layout().rows);
        let (above, below) = app.selection.new_out_of_view(&app.listing, rows);
        let out_of_view = [(above, "above"), (below, "below")]
            .map(|(count, side)| (count > 0).then(|| format!(", {count} {side}")));
        let [above, below] = out_of_view.map(Option::unwrap_or_default);
        let text = format!("{new} new{above}{below}   ");
        spans.push(Span::styled(text, theme.style(Role::OpenedMark)));
    }
    let interval = wording::interval(app.sampling.shown_interval());
    let is_stale = app.sampling.staleness(app.now).is_some();
    spans.push(match app.sampling.paused_at {
        Some(_) => Span::styled("PAUSED ", theme.style(Role::Cursor)),
        None if is_stale => Span::styled(
            format!("STALE {every}{interval} "),
            theme.style(Role::Error),
        ),
        None => Span::raw(format!("live {every}{interval} ")),
    });
    Line::from(spans)
}

/// `16/19`: shown rows of those in the scope.
fn shown_of_total(app: &App) -> String {
    let counts = app.listing.counts();
    let shown = app
        .listing
        .shown_rows()
        .filter(|row| !row.is_closed())
        .count();
    let local = counts.listening + counts.bound + counts.udp + counts.connected;
    let all = local
        + if app.filter_box.chips.is_on(Chip::All) {
            counts.out_of_scope
        } else {
            0
        };
    format!("{shown}/{}", all.max(shown))
}

/// Draws both parts; the left one is cut where they do not fit.
fn draw_split(left: Line, right: Line, area: Rect, buffer: &mut Buffer) {
    let width = u16::try_from(right.width())
        .unwrap_or(u16::MAX)
        .min(area.width);
    let room = area.width.saturating_sub(width + 1);
    left.render(
        Rect {
            width: room,
            ..area
        },
        buffer,
    );
    right.render(
        Rect {
            x: area.right() - width,
            width,
            ..area
        },
        buffer,
    );
}
