//! The commands: each puts together what it needs, runs to its end and returns the exit code.
//!
//! To add one: a file here with its arguments and what it does; its `mod`; its variant of [`Command`] and its line in
//! [`CommandLine::run`]; its row in the README.

mod check;
mod free;
mod list;
mod monitor;
mod unused;
mod wait;
mod watch;

use crate::cli::{FilterArgs, values};
use crate::model::environment::{Environment, PidNamespaceProblem};
use crate::model::port::{AddressSpec, PortRange, PortSpec};
use crate::model::snapshot::Problem;
use crate::os::interfaces;
use crate::table::listing::{Chip, Filter};
use crate::table::query;
use crate::wording;
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::io::{self, Write};

/// Show which process owns each local port, live, and free a port that is stuck
#[derive(Parser)]
#[command(name = "portmon", version, args_conflicts_with_subcommands = true)]
#[command(disable_help_subcommand = true)]
pub struct CommandLine {
    #[command(flatten)]
    monitor: monitor::MonitorArgs,
    /// Without a command the monitor runs.
    #[command(subcommand)]
    command: Option<Command>,
}

/// Every command, in the order of the help.
#[derive(Subcommand)]
enum Command {
    List(list::ListArgs),
    Watch(watch::WatchArgs),
    Free(free::arguments::FreeArgs),
    Check(check::CheckArgs),
    Wait(wait::WaitArgs),
    #[command(visible_alias = "next")]
    Unused(unused::UnusedArgs),
}

impl CommandLine {
    /// Runs the command and returns the exit code.
    pub fn run(&self) -> anyhow::Result<u8> {
        match &self.command {
            None => monitor::run(&self.monitor),
            Some(Command::List(options)) => list::run(options),
            Some(Command::Watch(options)) => watch::run(options),
            Some(Command::Free(options)) => free::run(options),
            Some(Command::Check(options)) => check::run(options),
            Some(Command::Wait(options)) => wait::run(options),
            Some(Command::Unused(options)) => unused::run(options),
        }
    }
}

/// Exit code of an error, of the arguments or of the command.
pub const EXIT_ERROR: u8 = 2;

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
        Err(error) => Err(error).context("cannot write output"),
    }
}

/// Parses a port and looks up its address.
fn port(text: &str) -> Result<PortSpec, String> {
    let spec: PortSpec = values::port(text)?;
    let address = resolved(spec.address)?;
    Ok(PortSpec { address, ..spec })
}

/// Parses a port or a range of them, and looks up its address.
fn port_range(text: &str) -> Result<PortRange, String> {
    let range: PortRange = values::port(text)?;
    let address = resolved(range.address)?;
    Ok(PortRange { address, ..range })
}

/// Parses an address without a port, and looks it up.
fn address(text: &str) -> Result<AddressSpec, String> {
    resolved(values::address(text)?)
}

fn resolved(address: AddressSpec) -> Result<AddressSpec, String> {
    interfaces::resolve(address).map_err(|error| wording::address_error(&error))
}

/// Returns the filter of a command, and a hint on its text.
fn parse_filter(
    environment: &Environment,
    arguments: &FilterArgs,
) -> anyhow::Result<(Filter, Option<String>)> {
    let parsed = query::parse_finished(&arguments.text()?);
    let filter = Filter {
        query: parsed.query.exact().on_localhost(environment.localhost),
        chips: arguments.all.then_some(Chip::All).into_iter().collect(),
        uid: environment.uid,
        ephemeral: environment.ephemeral,
    };
    Ok((filter, parsed.hint))
}

#[cfg(test)]
mod tests;
