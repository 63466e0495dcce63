//! The command line: from words to the typed arguments of one command. Touches nothing.
//!
//! clap checks each argument by itself, [`CommandArgs::validate`] what depends on several. Which commands there are is told
//! by the caller, in a table of [`CliCommand`]s.

mod arguments;
mod usage_error;

pub use arguments::{
    CheckArgs, Consent, FilterArgs, FreeArgs, ListArgs, MonitorArgs, SearchRange, UnusedArgs,
    WaitArgs, WatchArgs,
};

use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches};
use std::ffi::OsString;

/// A command: what the parser, the dispatch, the help and "did you mean" know of it.
pub struct CliCommand {
    pub name: &'static str,
    /// A second name, which the help shows.
    pub alias: Option<&'static str>,
    /// What people type for it who know another tool.
    pub synonyms: &'static [&'static str],
    /// Adds the arguments and the help.
    pub define: fn(clap::Command) -> clap::Command,
    /// Runs it and returns the exit code.
    pub run: fn(&ArgMatches) -> anyhow::Result<u8>,
}

/// The arguments of a command.
pub trait CommandArgs: FromArgMatches {
    /// Checks what depends on several arguments, and completes one by another; the error is one line.
    fn validate(self) -> Result<Self, String> {
        Ok(self)
    }
}

/// Why no command runs.
#[derive(Debug)]
pub enum EarlyExit {
    /// One line for standard error; the exit code is 2.
    UsageError(String),
    /// Help or version, for standard output.
    Output(String),
}

/// Finds the command that is asked for, `monitor` if none is named, and its arguments.
pub fn parse<'a>(
    words: impl IntoIterator<Item = OsString>,
    monitor: &'a CliCommand,
    commands: &'a [CliCommand],
) -> Result<(&'a CliCommand, ArgMatches), EarlyExit> {
    let words: Vec<OsString> = words.into_iter().collect();
    let mut matches = parser(monitor, commands)
        .try_get_matches_from(&words)
        .map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                EarlyExit::Output(error.render().to_string())
            }
            _ => {
                let command = words
                    .get(1)
                    .and_then(|word| named(commands, word.to_str()?));
                EarlyExit::UsageError(usage_error::for_arguments(&error, command))
            }
        })?;
    let subcommand = matches.remove_subcommand();
    if let Some((command, matches)) =
        subcommand.and_then(|(name, matches)| Some((named(commands, &name)?, matches)))
    {
        return Ok((command, matches));
    }
    let filter = FilterArgs::words_in(&matches);
    match usage_error::for_mistaken_command(&filter, monitor, commands) {
        Some(line) => Err(EarlyExit::UsageError(line)),
        None => Ok((monitor, matches)),
    }
}

/// Returns the arguments that were matched, checked.
pub fn arguments<A: CommandArgs>(matches: &ArgMatches) -> anyhow::Result<A> {
    A::from_arg_matches(matches)?
        .validate()
        .map_err(anyhow::Error::msg)
}

fn parser(monitor: &CliCommand, commands: &[CliCommand]) -> clap::Command {
    let subcommands = commands.iter().map(|command| {
        (command.define)(clap::Command::new(command.name).visible_aliases(command.alias))
    });
    (monitor.define)(
        clap::Command::new(monitor.name)
            .version(env!("CARGO_PKG_VERSION"))
            .args_conflicts_with_subcommands(true)
            .disable_help_subcommand(true),
    )
    .subcommands(subcommands)
}

fn named<'a>(commands: &'a [CliCommand], name: &str) -> Option<&'a CliCommand> {
    commands
        .iter()
        .find(|command| command.name == name || command.alias == Some(name))
}

#[cfg(test)]
mod tests;
