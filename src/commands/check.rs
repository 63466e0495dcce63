//! `portmon check`: whether a port can be used, and why not.

use crate::cli::{self, CheckArgs, CliCommand};
use crate::os::check::{self, CheckContext};
use crate::os::environment;
use clap::Args as _;
use std::io;

pub const COMMAND: CliCommand = CliCommand {
    name: "check",
    alias: None,
    synonyms: &["why"],
    define: CheckArgs::augment_args,
    run: |matches| run(&cli::arguments(matches)?),
};

/// Exit code of a port that is held.
const HELD: u8 = 1;

/// Prints the report; the exit code tells whether the port is free.
pub fn run(options: &CheckArgs) -> anyhow::Result<u8> {
    let environment = environment::read();
    super::warn_about_pids(environment.pids_problem);
    let context = CheckContext {
        source: options.source,
        ephemeral: environment.ephemeral,
        is_root: environment.is_root,
    };
    let report = check::check_port(context, options.request());
    let code = if report.is_free { 0 } else { HELD };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match crate::report::check::print(&report, options.json, &mut out) {
        // The reader has seen enough, and the exit code still counts.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(code),
    }
}
