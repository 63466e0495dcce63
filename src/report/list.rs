//! `portmon list`: one look, printed.

use crate::model::Moment;
use crate::model::endpoint::Endpoint;
use crate::model::snapshot::Problem;
use crate::model::tracker::Change;
use crate::report::json::{JsonEndpoint, Report, timestamp};
use crate::table::fields::{Column, field};
use crate::table::listing::{Filter, Listing};
use crate::table::query::Query;
use crate::table::row::{Row, Surroundings};
use std::io::{self, Write};
use unicode_width::UnicodeWidthStr;

const COLUMNS: [Column; 10] = [
    Column::Proto,
    Column::Port,
    Column::Local,
    Column::State,
    Column::Remote,
    Column::Pid,
    Column::Process,
    Column::User,
    Column::Peer,
    Column::What,
];

/// What one look saw.
pub struct Look {
    pub taken: Moment,
    /// In no particular order.
    pub endpoints: Vec<Endpoint>,
    pub problems: Vec<Problem>,
    /// What is wrong with the pids of the owners; every table was read nevertheless.
    pub pids_problem: Option<String>,
}

/// What is to be printed.
pub struct Order {
    pub filter: Filter,
    /// A remark on the filter's text.
    pub hint: Option<String>,
    pub as_json: bool,
}

/// What a listing found. A script must be able to tell a port that is free from one that could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Rows,
    /// No row matches, and every table was read.
    Nothing,
    /// No row matches among those that could be read.
    Unknown,
}

/// Prints the rows that match, and on `errors` what is not among them.
pub fn print(
    look: Look,
    order: Order,
    around: &Surroundings,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<Outcome> {
    let Look {
        taken,
        endpoints,
        problems,
        pids_problem,
    } = look;
    let Order {
        filter,
        hint,
        as_json,
    } = order;
    let listing = listing(endpoints, filter, around);
    let left_out = left_out(&listing);
    let outcome = match (listing.shown_rows().next(), problems.is_empty()) {
        (Some(_), _) => Outcome::Rows,
        (None, true) => Outcome::Nothing,
        (None, false) => Outcome::Unknown,
    };
    if as_json {
        let report = Report {
            version: 1,
            taken_at: format!("{:.3}", timestamp(taken.wall)),
            hidden_owners: listing.counts().hidden_owners,
            out_of_scope: left_out,
            problems: problems
                .iter()
                .map(ToString::to_string)
                .chain(pids_problem.clone())
                .collect(),
            endpoints: listing
                .shown_rows()
                .map(|row| JsonEndpoint::new(&row.endpoint, around.ephemeral))
                .collect(),
        };
        serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        print_table(&listing, around, out)?;
    }
    out.flush()?;
    if let Some(hint) = hint {
        writeln!(errors, "portmon: filter: {hint}")?;
    }
    if let Some(problem) = pids_problem.filter(|_| !as_json) {
        writeln!(errors, "portmon: {problem}")?;
    }
    match outcome {
        Outcome::Unknown => tell_what_failed(&problems, errors)?,
        Outcome::Rows if as_json => {}
        Outcome::Rows => tell_the_rest(&listing, left_out, &problems, errors)?,
        Outcome::Nothing => {
            tell_of_bare_ports(&listing.filter().query, errors)?;
            if !as_json {
                tell_the_rest(&listing, left_out, &problems, errors)?;
            }
        }
    }
    Ok(outcome)
}

fn listing(endpoints: Vec<Endpoint>, filter: Filter, around: &Surroundings) -> Listing {
    let mut listing = Listing::default();
    listing.apply(
        endpoints.into_iter().map(Change::Found).collect(),
        around.now.instant,
        around,
    );
    listing.set_filter(filter);
    while listing.is_passing() {
        listing.advance(around);
    }
    listing
}

/// How many rows the scope left out; an exact port looks at every socket.
fn left_out(listing: &Listing) -> usize {
    let filter = listing.filter();
    if filter.chips.all || filter.query.names_exact_port() {
        0
    } else {
        listing.counts().outside
    }
}

fn print_table(listing: &Listing, around: &Surroundings, out: &mut impl Write) -> io::Result<()> {
    let cells = |row: &Row| COLUMNS.map(|column| (field(column).value)(row, around).to_string());
    let mut table = vec![COLUMNS.map(|column| field(column).title.to_owned())];
    table.extend(listing.shown_rows().map(cells));
    if table.len() == 1 {
        return Ok(());
    }
    let width = |place: usize| {
        table
            .iter()
            .filter_map(|row| row.get(place))
            .map(|cell| cell.width())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    for row in &table {
        let padded = |(cell, width): (&String, &usize)| {
            format!("{cell}{}", " ".repeat(width.saturating_sub(cell.width())))
        };
        let line: Vec<String> = row.iter().zip(&widths).map(padded).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// One line: whoever reads it looks for the reason of an exit code.
fn tell_what_failed(problems: &[Problem], errors: &mut impl Write) -> io::Result<()> {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    writeln!(
        errors,
        "portmon: nothing was found, but not everything could be read: {}",
        problems.join("; ")
    )
}

/// Several ports in words of their own are often meant as alternatives, and no row can have them all.
pub fn tell_of_bare_ports(query: &Query, errors: &mut impl Write) -> io::Result<()> {
    let ports = query.bare_ports();
    let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let ([before @ .., last], true) = (ports.as_slice(), ports.len() > 1) else {
        return Ok(());
    };
    let (all, any) = if before.len() == 1 {
        ("both", "either")
    } else {
        ("all", "any of them")
    };
    writeln!(
        errors,
        "portmon: filter: {} and {last} must {all} match; {any} is {}",
        before.join(", "),
        ports.join(",")
    )
}

/// How many hidden owners are worth a word: those among the rows, or where there are none, those that may be why.
fn hidden_owners(listing: &Listing) -> usize {
    if listing.shown_rows().next().is_some() {
        let hidden = listing.shown_rows().filter(|row| row.is_owner_hidden());
        hidden.count()
    } else if listing.filter().query.asks_about_owners() {
        listing.counts().hidden_owners
    } else {
        0
    }
}

fn tell_the_rest(
    listing: &Listing,
    left_out: usize,
    problems: &[Problem],
    errors: &mut impl Write,
) -> io::Result<()> {
    for problem in problems {
        writeln!(errors, "portmon: could not be read: {problem}")?;
    }
    if left_out > 0 {
        let (are, connections) = if left_out == 1 {
            ("is", "connection")
        } else {
            ("are", "connections")
        };
        writeln!(
            errors,
            "portmon: {left_out} {connections} to other machines {are} left out (--all shows them)"
        )?;
    }
    match hidden_owners(listing) {
        0 => Ok(()),
        1 => writeln!(errors, "portmon: 1 owner may not be seen by this user"),
        count => writeln!(
            errors,
            "portmon: {count} owners may not be seen (sudo shows them)"
        ),
    }
}

#[cfg(test)]
mod tests;
