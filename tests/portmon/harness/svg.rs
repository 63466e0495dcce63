//! A display as a picture: one SVG, without fonts or scripts of its own.

use std::fmt::Write;

use vt100::{Cell, Color};

use crate::harness::display::Display;

const FONT_SIZE: f64 = 14.0;
/// DejaVu Sans Mono's; other fonts are stretched to it by `textLength`.
const CELL_WIDTH: f64 = 0.602_05 * FONT_SIZE;
const LINE_HEIGHT: f64 = 18.0;
const BASELINE: f64 = 13.5;
const MARGIN: f64 = 14.0;
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d4d7dd";
const PALETTE: [&str; 16] = [
    "#3b4048", "#e06c75", "#8cc570", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d4d7dd",
    "#7f848e", "#ff7a85", "#a5e075", "#f0d399", "#7cc3ff", "#d898ee", "#6fd3df", "#ffffff",
];

/// How a run of cells looks.
#[derive(Clone, PartialEq)]
struct CellStyle {
    foreground: String,
    background: Option<String>,
    attributes: String,
}

pub fn picture_of(display: &Display) -> String {
    let (columns, lines) = display.size();
    let width = f64::from(columns) * CELL_WIDTH + 2.0 * MARGIN;
    let height = f64::from(lines) * LINE_HEIGHT + 2.0 * MARGIN;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FONT_SIZE}" xml:space="preserve">
<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>
"#
    );
    for line in 0..lines {
        for (start, text, look) in runs(display, line) {
            draw(&mut svg, (start, line), &text, &look);
        }
    }
    svg + "</svg>\n"
}

/// Neighbouring cells that look alike: where they start, and their text.
fn runs(display: &Display, line: u16) -> Vec<(u16, String, CellStyle)> {
    let mut runs: Vec<(u16, String, CellStyle)> = Vec::new();
    for column in 0..display.size().0 {
        let Some(cell) = display.cell(line, column) else {
            continue;
        };
        let letter = if cell.has_contents() {
            cell.contents()
        } else {
            " "
        };
        let look = cell_style(cell);
        match runs.last_mut() {
            Some((_, text, last)) if *last == look => text.push_str(letter),
            _ => runs.push((column, letter.to_owned(), look)),
        }
    }
    runs
}

fn cell_style(cell: &Cell) -> CellStyle {
    let (mut foreground, mut background) = (color(cell.fgcolor()), color(cell.bgcolor()));
    if cell.inverse() {
        let ground = background.unwrap_or_else(|| BACKGROUND.to_owned());
        background = Some(foreground.unwrap_or_else(|| FOREGROUND.to_owned()));
        foreground = Some(ground);
    }
    let attributes = [
        (cell.bold(), r#" font-weight="bold""#),
        (cell.dim(), r#" opacity="0.6""#),
        (cell.italic(), r#" font-style="italic""#),
        (cell.underline(), r#" text-decoration="underline""#),
    ];
    let set = attributes
        .into_iter()
        .filter_map(|(is_set, text)| is_set.then_some(text));
    CellStyle {
        foreground: foreground.unwrap_or_else(|| FOREGROUND.to_owned()),
        background,
        attributes: set.collect(),
    }
}

fn draw(svg: &mut String, (column, line): (u16, u16), text: &str, look: &CellStyle) {
    let x = MARGIN + f64::from(column) * CELL_WIDTH;
    let y = MARGIN + f64::from(line) * LINE_HEIGHT;
    let cells = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let width = f64::from(cells) * CELL_WIDTH;
    let CellStyle {
        foreground,
        background,
        attributes,
    } = look;
    if let Some(fill) = background {
        let rect = format!(
            r#"<rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{LINE_HEIGHT}" fill="{fill}"/>"#
        );
        svg.push_str(&(rect + "\n"));
    }
    if !text.trim().is_empty() {
        let y = y + BASELINE;
        let text = text.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(svg, r#"<text x="{x:.2}" y="{y:.2}" textLength="{width:.2}" lengthAdjust="spacingAndGlyphs" fill="{foreground}"{attributes}>{text}</text>"#)
            .expect("a string takes everything");
    }
}

fn color(color: Color) -> Option<String> {
    match color {
        Color::Default => None,
        Color::Rgb(red, green, blue) => Some(format!("#{red:02x}{green:02x}{blue:02x}")),
        Color::Idx(index) => Some(indexed(index)),
    }
}

/// The 16 of the palette, then the usual cube of 216 and ramp of 24.
fn indexed(index: u8) -> String {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let (red, green, blue) = match index {
        0..16 => {
            return PALETTE
                .get(usize::from(index))
                .unwrap_or(&FOREGROUND)
                .to_string();
        }
        16..232 => (
            level((index - 16) / 36),
            level((index - 16) / 6 % 6),
            level((index - 16) % 6),
        ),
        232.. => (
            8 + 10 * (index - 232),
            8 + 10 * (index - 232),
            8 + 10 * (index - 232),
        ),
    };
    format!("#{red:02x}{green:02x}{blue:02x}")
}
