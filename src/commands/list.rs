//! `portmon list`: polls once and prints the rows.

use super::{parse_filter, unless_closed};
use crate::cli::FilterArgs;
use crate::cli::values::source;
use crate::model::socket::SocketSource;
use crate::os::environment;
use crate::os::poller::SocketPoller;
use crate::os::sockets::DumpScope;
use crate::report::list::{self, ListRequest};
use clap::Args;
use std::io;

/// List ports and exit
#[derive(Args)]
#[command(after_help = "\
Examples:
  portmon list                       every local endpoint
  portmon list 3000                  what uses port 3000
  portmon list state:listen --json   listeners as JSON

Filter words: see portmon --help

Exit status:
  0  rows were printed
  1  no rows matched
  2  error, or no rows matched and a socket table could not be read")]
pub struct ListArgs {
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

/// Prints the rows; the exit code says whether there are any.
pub fn run(options: &ListArgs) -> anyhow::Result<u8> {
    let environment = environment::read();
    let (filter, hint) = parse_filter(&environment, &options.filter)?;
    // Only sockets that can match are read.
    let ports = filter.query.needed_ports();
    let scope = ports.map_or(DumpScope::All, DumpScope::LocalOrRemote);
    let mut poller = SocketPoller::new(environment.ephemeral, options.source, scope.with_bound());
    let changes = poller.poll();
    let request = ListRequest {
        filter,
        hint,
        as_json: options.json,
        endpoints: poller.endpoints(),
        problems: changes.problems,
        taken: changes.taken,
    };
    let (mut out, mut errors) = (io::BufWriter::new(io::stdout().lock()), io::stderr().lock());
    let printed = list::print(request, &environment, &mut out, &mut errors);
    Ok(unless_closed(printed)?.map_or(0, |outcome| outcome as u8))
}
