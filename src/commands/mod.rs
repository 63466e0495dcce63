//! The commands: each puts together what it needs, runs to its end and returns the exit code.
//!
//! To add one: a file here with its `COMMAND`, its arguments and what it does; its `mod` and its entry in [`COMMANDS`]; its
//! row in the README.

mod check;
mod free;
mod list;
mod monitor;
mod unused;
mod wait;
mod watch;

use crate::cli::{CliCommand, FilterArgs};
use crate::model::environment::{Environment, PidNamespaceProblem};
use crate::model::snapshot::Problem;
use crate::os::sockets::{DumpRequest, DumpScope};
use crate::table::listing::{Chip, Filter};
use crate::table::query;
use crate::wording;
use std::io::{self, Write};

/// The command that runs if none is named.
pub static MONITOR: CliCommand = monitor::COMMAND;

/// Every command, in the order of the help.
pub static COMMANDS: &[CliCommand] = &[
    list::COMMAND,
    watch::COMMAND,
    free::COMMAND,
    check::COMMAND,
    wait::COMMAND,
    unused::COMMAND,
];

/// Exit code of an error, of the arguments or of the command.
pub const EXIT_ERROR: u8 = 2;

/// Every socket, whatever the filter: peers and changes need them.
const ALL_SOCKETS: DumpRequest = DumpRequest {
    scope: DumpScope::All,
    with_bound: false,
};

/// Every socket, with those that are bound but do not listen.
const ALL_WITH_BOUND: DumpRequest = DumpRequest {
    scope: DumpScope::All,
    with_bound: true,
};

/// Prints a warning. Standard error may be closed, which is no reason to end.
fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "portmon: {text}");
}

/// Warns of tables that could not be read.
fn warn_about_problems(problems: &[Problem]) {
    for problem in problems {
        warn(&wording::unread_table(problem));
    }
}

/// Warns if the pids in `/proc` are not those of portmon's PID namespace.
fn warn_about_pids(problem: Option<PidNamespaceProblem>) {
    if let Some(problem) = problem {
        warn(&wording::pids_problem(problem));
    }
}

/// Prints a text as it is. A reader that closed the pipe has seen enough, which is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    unless_closed(io::stdout().write_all(text.as_bytes())).map(drop)
}

fn print_line(text: &str) -> anyhow::Result<()> {
    print(&format!("{text}\n"))
}

/// Turns a closed pipe into `None`.
fn unless_closed<T>(result: io::Result<T>) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the filter of a command, and a hint on its text.
fn parse_filter(
    environment: &Environment,
    arguments: &FilterArgs,
) -> anyhow::Result<(Filter, Option<String>)> {
    let parsed = query::parse_finished(&arguments.text()?);
    let filter = Filter {
        query: parsed.query.exact(),
        chips: arguments.all.then_some(Chip::All).into_iter().collect(),
        uid: environment.uid,
        ephemeral: environment.ephemeral,
    };
    Ok((filter, parsed.hint))
}

#[cfg(test)]
mod tests;
