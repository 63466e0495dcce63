//! The table of figures, in Markdown.

use super::plan::{Goal, LoadSize};
use super::rounds::Quartiles;
use std::fmt;

const TITLES: [&str; 6] = ["load", "what", "CPU ms", "ratio", "middle half", "target"];

#[derive(Default)]
pub struct Table {
    lines: Vec<[String; 6]>,
}

impl Table {
    /// Adds a time and its ratio to the bare dump.
    pub fn add(&mut self, row: TableRow<'_>) {
        let milliseconds = |time: Quartiles| format!("{:.2}", time.median * 1e3);
        let middle_half = |ratio: Quartiles| format!("{}–{}", short(ratio.low), short(ratio.high));
        let goal = row.goal.zip(row.ratio);
        let goal = goal.map(|(goal, ratio)| verdict(goal, ratio.median));
        self.lines.push([
            load(row.size),
            row.what.to_owned(),
            row.time.map(milliseconds).unwrap_or_default(),
            row.ratio
                .map(|ratio| short(ratio.median))
                .unwrap_or_default(),
            row.ratio.map(middle_half).unwrap_or_default(),
            goal.unwrap_or_default(),
        ]);
    }

    /// Adds a count; what it is made of stands in the column of the middle half.
    pub fn add_count(
        &mut self,
        size: LoadSize,
        what: &str,
        (count, made_of): (f64, &str),
        goal: Goal,
    ) {
        self.lines.push([
            load(size),
            what.to_owned(),
            String::new(),
            short(count),
            made_of.to_owned(),
            verdict(goal, count),
        ]);
    }
}

/// A row with a time, a ratio or both.
#[derive(Clone, Copy)]
pub struct TableRow<'a> {
    pub size: LoadSize,
    pub what: &'a str,
    pub time: Option<Quartiles>,
    pub ratio: Option<Quartiles>,
    pub goal: Option<Goal>,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = TITLES.map(str::to_owned);
        let mut widths = [0; 6];
        for line in self.lines.iter().chain([&titles]) {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        write_line(f, &titles, widths)?;
        write_line(f, &widths.map(|width| "-".repeat(width)), widths)?;
        self.lines
            .iter()
            .try_for_each(|line| write_line(f, line, widths))
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, line: &[String; 6], widths: [usize; 6]) -> fmt::Result {
    for (cell, width) in line.iter().zip(widths) {
        write!(f, "| {cell:width$} ")?;
    }
    writeln!(f, "|")
}

fn load(LoadSize { sockets, processes }: LoadSize) -> String {
    format!("{sockets} sockets, {processes} processes")
}

fn verdict(goal: Goal, figure: f64) -> String {
    let (sign, limit, is_met) = match goal {
        Goal::AtMost(limit) => ("≤", limit, figure <= limit),
        Goal::AtLeast(limit) => ("≥", limit, figure >= limit),
    };
    let word = if is_met { "met" } else { "missed" };
    format!("{sign} {}: {word}", short(limit))
}

/// Formats a figure with three significant digits.
fn short(figure: f64) -> String {
    match figure {
        figure if figure < 10.0 => format!("{figure:.2}"),
        figure if figure < 100.0 => format!("{figure:.1}"),
        figure => format!("{figure:.0}"),
    }
}
