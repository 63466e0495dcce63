//! Output of `portmon list`: one poll as a table or as JSON, and notes on what is not in it.

use super::padded;
use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::snapshot::Problem;
use crate::model::socket::{Endpoint, NotFoundCounts, Owners};
use crate::report::json::{JsonEndpoint, JsonReport, print_json, timestamp};
use crate::table::fields::{Column, field};
use crate::table::listing::{Chip, Filter, Listing};
use crate::table::row::{DisplayContext, Row};
use crate::tracker::Change;
use crate::wording;
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

/// A poll, and what is asked about it.
pub struct ListRequest {
    pub filter: Filter,
    /// Hint on the text of the filter.
    pub hint: Option<String>,
    pub as_json: bool,
    /// In no particular order.
    pub endpoints: Vec<Endpoint>,
    pub problems: Vec<Problem>,
    pub taken: Moment,
}

/// Exit code, by which scripts tell a free port from one that may be in an unread table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOutcome {
    Rows = 0,
    /// No row matches, and every table was read.
    NoRows = 1,
    /// No row matches, but not every table could be read.
    Unknown = 2,
}

/// Prints the rows that match to `out`, and notes to `errors`.
pub fn print(
    request: ListRequest,
    environment: &Environment,
    out: &mut impl Write,
    errors: &mut impl Write,
) -> io::Result<ListOutcome> {
    let context = &DisplayContext::new(environment, request.taken);
    let listing = listing(request.endpoints, request.filter, context);
    let problems = &request.problems;
    // Concerns only the pids of owners: every table was read nevertheless.
    let pids_problem = environment.pids_problem.map(wording::pids_problem);
    let outcome = match (listing.shown_rows().next(), problems.is_empty()) {
        (Some(_), _) => ListOutcome::Rows,
        (None, true) => ListOutcome::NoRows,
        (None, false) => ListOutcome::Unknown,
    };
    let mut notes: Vec<String> = Vec::new();
    notes.extend(request.hint.as_deref().map(wording::filter_hint));
    if request.as_json {
        let problems = problems.iter().map(ToString::to_string);
        let report = json_report(&listing, problems.chain(pids_problem).collect(), context);
        print_json(&report, out)?;
    } else {
        print_table(&listing, context, out)?;
        notes.extend(pids_problem);
    }
    out.flush()?;
    if outcome == ListOutcome::Unknown {
        notes.push(wording::not_found_but_unread(problems));
    } else if !request.as_json {
        notes.extend(problems.iter().map(wording::unread_table));
        notes.extend(wording::left_out(left_out(&listing)));
        notes.extend(wording::owners_not_found(&owners_not_found(&listing)));
    }
    for note in notes {
        writeln!(errors, "portmon: {note}")?;
    }
    Ok(outcome)
}

fn listing(endpoints: Vec<Endpoint>, filter: Filter, context: &DisplayContext) -> Listing {
    let mut listing = Listing::default();
    let changes = endpoints.into_iter().map(Change::Initial).collect();
    listing.apply(changes, context.now.instant, context);
    listing.set_filter(filter);
    while listing.is_filtering() {
        listing.advance(context);
    }
    listing
}

fn json_report(listing: &Listing, problems: Vec<String>, context: &DisplayContext) -> JsonReport {
    JsonReport {
        version: 1,
        taken_at: format!("{:.3}", timestamp(context.now.wall)),
        hidden_owners: listing.counts().not_found.all(),
        out_of_scope: left_out(listing),
        problems,
        endpoints: listing
            .shown_rows()
            .map(|row| JsonEndpoint::new(&row.endpoint, context.ephemeral))
            .collect(),
    }
}

/// Number of rows that the scope left out; an exact port covers every socket.
fn left_out(listing: &Listing) -> usize {
    let filter = listing.filter();
    if filter.chips.is_on(Chip::All) || filter.query.names_exact_port() {
        0
    } else {
        listing.counts().out_of_scope
    }
}

/// Counts the owners that were not found and are worth a note: those of the rows, or without rows those that may be the
/// reason.
fn owners_not_found(listing: &Listing) -> NotFoundCounts {
    let mut counts = NotFoundCounts::default();
    if listing.shown_rows().next().is_some() {
        let owners = listing.shown_rows().map(|row| &row.endpoint.socket.owners);
        owners
            .filter_map(Owners::not_found)
            .for_each(|owner| counts.change(owner, 1));
    } else if listing.filter().query.asks_about_owners() {
        counts = listing.counts().not_found;
    }
    counts
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
    let mut widths = [0; COLUMNS.len()];
    for row in &table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    for row in &table {
        let cells = row.iter().zip(&widths);
        let line: Vec<String> = cells.map(|(cell, width)| padded(cell, *width)).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
