//! The command line: from words to the matched arguments of one command. Touches nothing.
//!
//! The caller passes the commands as a table of [`CliCommand`]s, from which the parser, the dispatch, the help and "did you
//! mean" are made. Only what several commands share is defined here: the filter and the parsers of values.

mod filter;
mod usage_error;
pub mod values;

pub use filter::FilterArgs;

use clap::ArgMatches;
use clap::error::ErrorKind;
use std::ffi::OsString;

/// A command: what the parser, the dispatch, the help and "did you mean" know of it.
pub struct CliCommand {
    pub name: &'static str,
    /// A second name, which the help shows.
    pub alias: Option<&'static str>,
    /// Its names in other tools, which people type by habit.
    pub synonyms: &'static [&'static str],
    /// Adds the arguments and the help.
    pub define: fn(clap::Command) -> clap::Command,
    /// Runs it and returns the exit code.
    pub run: fn(&ArgMatches) -> anyhow::Result<u8>,
}

/// Why no command runs.
#[derive(Debug, PartialEq, Eq)]
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
    let typed = words.iter().skip(1).map_while(|word| word.to_str());
    let typed: Vec<&str> = typed.take_while(|word| *word != "--").collect();
    let command = typed.first().and_then(|word| named(commands, word));
    let refuse_mistaken = |words: &[&str]| {
        let line = usage_error::for_mistaken_command(words, monitor, commands);
        line.map_or(Ok(()), |line| Err(EarlyExit::UsageError(line)))
    };
    if command.is_none() {
        refuse_mistaken(&typed)?;
    }
    let matches = parser(monitor, commands).try_get_matches_from(&words);
    let mut matches = matches.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            EarlyExit::Output(error.render().to_string())
        }
        _ => EarlyExit::UsageError(usage_error::for_arguments(&error, command)),
    })?;
    if let (Some(command), Some((_, matches))) = (command, matches.remove_subcommand()) {
        return Ok((command, matches));
    }
    // Also behind flags, whose values only the parser knows.
    refuse_mistaken(&FilterArgs::words_in(&matches))?;
    Ok((monitor, matches))
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
