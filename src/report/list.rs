//! `portmon list`: one look, printed.

use crate::model::Moment;
use crate::model::endpoint::Endpoint;
use crate::model::snapshot::Problem;
use crate::report::json::{JsonEndpoint, JsonReport, timestamp};
use crate::table::fields::{Column, field};
use crate::table::listing::{Filter, Listing};
use crate::table::query::Query;
use crate::table::row::{DisplayContext, Row};
use crate::tracker::Change;
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
pub struct ListInput {
    pub taken: Moment,
    /// In no particular order.
    pub endpoints: Vec<Endpoint>,
    pub problems: Vec<Problem>,
    /// What is wrong with the pids of the owners; every table was read nevertheless.
    pub pids_problem: Option<String>,
}

/// What is to be printed.
pub struct ListRequest {
    pub filter: Filter,
    /// A remark on the filter's text.
    pub hint: Option<String>,
    pub as_json: bool,
}

/// What a listing found. A script must be able to tell a port that is free from one that could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOutcome {
    Rows,
    /// No row matches, and every table was read.
    Nothing,
    /// No row matches among those that could be read.
    Unknown,
}

/// Prints the rows that match, and on `errors` what is not among them.
pub fn print(
    result: ListInput,
    request: ListRequest,
    context: &DisplayContext,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<ListOutcome> {
    let ListInput {
        taken,
        endpoints,
        problems,
        pids_problem,
    } = result;
    let ListRequest {
        filter,
        hint,
        as_json,
    } = request;
    let listing = listing(endpoints, filter, context);
    let skipped = skipped(&listing);
    let outcome = match (listing.shown_rows().next(), problems.is_empty()) {
        (Some(_), _) => ListOutcome::Rows,
        (None, true) => ListOutcome::Nothing,
        (None, false) => ListOutcome::Unknown,
    };
    if as_json {
        let report = JsonReport {
            version: 1,
            taken_at: format!("{:.3}", timestamp(taken.wall)),
            hidden_owners: listing.counts().hidden_owners,
            out_of_scope: skipped,
            problems: problems
                .iter()
                .map(ToString::to_string)
                .chain(pids_problem.clone())
                .collect(),
            endpoints: listing
                .shown_rows()
                .map(|row| JsonEndpoint::new(&row.endpoint, context.ephemeral))
                .collect(),
        };
        serde_json::to_writer_pretty(&mut *out, &report).map_err(io::Error::from)?;
        writeln!(out)?;
    } else {
        print_table(&listing, context, out)?;
    }
    out.flush()?;
    if let Some(hint) = hint {
        writeln!(errors, "portmon: filter: {hint}")?;
    }
    if let Some(problem) = pids_problem.filter(|_| !as_json) {
        writeln!(errors, "portmon: {problem}")?;
    }
    match outcome {
        ListOutcome::Unknown => print_problems(&problems, errors)?,
        ListOutcome::Rows if as_json => {}
        ListOutcome::Rows => print_notes(&listing, skipped, &problems, errors)?,
        ListOutcome::Nothing => {
            warn_bare_ports(&listing.filter().query, errors)?;
            if !as_json {
                print_notes(&listing, skipped, &problems, errors)?;
            }
        }
    }
    Ok(outcome)
}

fn listing(endpoints: Vec<Endpoint>, filter: Filter, context: &DisplayContext) -> Listing {
    let mut listing = Listing::default();
    listing.apply(
        endpoints.into_iter().map(Change::Initial).collect(),
        context.now.instant,
        context,
    );
    listing.set_filter(filter);
    while listing.is_filtering() {
        listing.advance(context);
    }
    listing
}

/// How many rows the scope left out; an exact port looks at every socket.
fn skipped(listing: &Listing) -> usize {
    let filter = listing.filter();
    if filter.chips.all || filter.query.names_exact_port() {
        0
    } else {
        listing.counts().out_of_scope
    }
}

fn print_table(
    listing: &Listing,
    context: &DisplayContext,
    out: &mut impl Write,
) -> io::Result<()> {
    let cells = |row: &Row| COLUMNS.map(|column| (field(column).value)(row, context).to_string());
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
fn print_problems(problems: &[Problem], errors: &mut impl Write) -> io::Result<()> {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    writeln!(
        errors,
        "portmon: nothing was found, but not everything could be read: {}",
        problems.join("; ")
    )
}

/// Several ports in words of their own are often meant as alternatives, and no row can have them all.
pub fn warn_bare_ports(query: &Query, errors: &mut impl Write) -> io::Result<()> {
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

fn print_notes(
    listing: &Listing,
    skipped: usize,
    problems: &[Problem],
    errors: &mut impl Write,
) -> io::Result<()> {
    for problem in problems {
        writeln!(errors, "portmon: could not be read: {problem}")?;
    }
    if skipped > 0 {
        let (are, connections) = if skipped == 1 {
            ("is", "connection")
        } else {
            ("are", "connections")
        };
        writeln!(
            errors,
            "portmon: {skipped} {connections} to other machines {are} left out (--all shows them)"
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
