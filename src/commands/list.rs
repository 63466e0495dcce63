//! `portmon list`: one look, and its rows.

use super::{EXIT_ERROR, parse_filter};
use crate::cli::ListOptions;
use crate::model::environment::Environment;
use crate::os::environment;
use crate::os::poller::SocketPoller;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::report;
use crate::report::list::{ListInput, ListOutcome, ListRequest};
use crate::table::row::DisplayContext;
use crate::wording;
use std::io;

/// The exit code of a list without rows.
const NOTHING: u8 = 1;

/// Prints what is there now; the exit code says whether there were rows.
pub fn run(options: &ListOptions) -> anyhow::Result<u8> {
    let environment = environment::read();
    let (filter, hint) = parse_filter(&environment, &options.filter, options.all);
    let result = poll(&environment, options, filter.query.needed_ports());
    let context = DisplayContext::new(&environment, result.taken);
    let request = ListRequest {
        filter,
        hint,
        as_json: options.json,
    };
    let (mut out, mut errors) = (io::BufWriter::new(io::stdout().lock()), io::stderr().lock());
    match report::list::print(result, request, &context, &mut out, &mut errors) {
        Ok(ListOutcome::Rows) => Ok(0),
        Ok(ListOutcome::Nothing) => Ok(NOTHING),
        Ok(ListOutcome::Unknown) => Ok(EXIT_ERROR),
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// One look, at no more than the rows that can be asked for.
fn poll(environment: &Environment, options: &ListOptions, ports: Option<Vec<u16>>) -> ListInput {
    let request = DumpRequest {
        scope: ports.map_or(DumpScope::All, DumpScope::LocalOrRemote),
        with_bound: true,
    };
    let mut poller = SocketPoller::new(environment.ephemeral, options.source, request);
    let changes = poller.poll();
    ListInput {
        taken: changes.taken,
        endpoints: poller.endpoints(),
        problems: changes.problems,
        pids_problem: environment.pids_problem.map(wording::pids_problem),
    }
}
