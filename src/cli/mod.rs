//! The command line: from words to the parsed arguments. Touches nothing.
//!
//! The caller passes the parser, from which the help and "did you mean" are made. Only what several commands share is defined
//! here: the filter and the parsers of values.

mod filter;
mod usage_error;
pub mod values;

pub use filter::FilterArgs;

use clap::Parser;
use clap::error::ErrorKind;
use std::ffi::OsString;

/// Why no command runs.
#[derive(Debug, PartialEq, Eq)]
pub enum EarlyExit {
    /// One line for standard error; the exit code is 2.
    UsageError(String),
    /// Help or version, for standard output.
    Output(String),
}

/// Parses the words of a command line.
pub fn parse<P: Parser>(words: impl IntoIterator<Item = OsString>) -> Result<P, EarlyExit> {
    let words: Vec<OsString> = words.into_iter().collect();
    let typed = words.iter().skip(1).map_while(|word| word.to_str());
    let typed: Vec<&str> = typed.take_while(|word| *word != "--").collect();
    let parser = P::command();
    let command = typed.first().and_then(|word| parser.find_subcommand(word));
    let refuse_mistaken = |words: &[&str]| {
        let line = usage_error::for_mistaken_command(words, &parser);
        line.map_or(Ok(()), |line| Err(EarlyExit::UsageError(line)))
    };
    if command.is_none() {
        refuse_mistaken(&typed)?;
    }
    let early_exit = |error: clap::Error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            EarlyExit::Output(error.render().to_string())
        }
        _ => EarlyExit::UsageError(usage_error::for_arguments(&error, command)),
    };
    let matches = P::command().try_get_matches_from(&words);
    let matches = matches.map_err(early_exit)?;
    if matches.subcommand_name().is_none() {
        // Also behind flags, whose values only the parser knows.
        refuse_mistaken(&FilterArgs::words_in(&matches))?;
    }
    P::from_arg_matches(&matches).map_err(early_exit)
}

#[cfg(test)]
mod tests;
