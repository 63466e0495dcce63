//! `portmon list`: polls once and prints the rows.

use super::{EXIT_ERROR, parse_filter, unless_closed};
use crate::cli::{self, CliCommand, ListArgs};
use crate::os::environment;
use crate::os::poller::SocketPoller;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::report::list::{self, ListInput, ListOutcome, ListRequest};
use crate::table::row::DisplayContext;
use clap::Args as _;
use std::io;

pub const COMMAND: CliCommand = CliCommand {
    name: "list",
    alias: None,
    synonyms: &["ls", "ps", "show", "status", "get"],
    define: ListArgs::augment_args,
    run: |matches| run(&cli::arguments(matches)?),
};

/// Exit code if no row matches.
const NO_ROWS: u8 = 1;

/// Prints the rows; the exit code says whether there are any.
pub fn run(options: &ListArgs) -> anyhow::Result<u8> {
    let environment = environment::read();
    let (filter, hint) = parse_filter(&environment, &options.filter);
    // Only sockets that can match are read.
    let ports = filter.query.needed_ports();
    let scope = ports.map_or(DumpScope::All, DumpScope::LocalOrRemote);
    let dump = DumpRequest {
        scope,
        with_bound: true,
    };
    let mut poller = SocketPoller::new(environment.ephemeral, options.source, dump);
    let changes = poller.poll();
    let input = ListInput {
        taken: changes.taken,
        endpoints: poller.endpoints(),
        problems: changes.problems,
        pids_problem: environment.pids_problem,
        is_root: environment.is_root,
    };
    let request = ListRequest {
        filter,
        hint,
        as_json: options.json,
    };
    let context = DisplayContext::new(&environment, input.taken);
    let (mut out, mut errors) = (io::BufWriter::new(io::stdout().lock()), io::stderr().lock());
    let printed = list::print(input, request, &context, &mut out, &mut errors);
    Ok(match unless_closed(printed)? {
        Some(ListOutcome::Rows) | None => 0,
        Some(ListOutcome::NoRows) => NO_ROWS,
        Some(ListOutcome::Unknown) => EXIT_ERROR,
    })
}
