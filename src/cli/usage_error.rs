//! Usage errors in one line: what is wrong, and the way out.

use crate::model::port::PortRange;
use crate::model::process::shell::quoted;
use crate::model::text::escaped;
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error as _;

/// Commands of other tools, which people type by habit, and ours; the last ones mean the monitor, which needs no name.
const FOREIGN: [(&str, &[&str]); 4] = [
    ("list", &["ls", "ps", "show", "status", "get"]),
    ("free", &["kill", "stop", "end", "term", "rm"]),
    ("check", &["why"]),
    ("", &["top", "monitor", "tui"]),
];

/// Describes an error in the arguments of a command, of the monitor if that is `None`.
pub fn for_arguments(error: &clap::Error, command: Option<&Command>) -> String {
    let context = |kind| error.get(kind).map(text).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let flag = argument.split([' ', '=', '[']).next().unwrap_or_default();
    let line = match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(cause)) if flag.starts_with('-') => {
            return escaped(&format!("{flag}: {cause}"));
        }
        (ErrorKind::ValueValidation, Some(cause)) => return escaped(&cause.to_string()),
        (ErrorKind::UnknownArgument, _) => format!("unexpected argument: {argument}"),
        (ErrorKind::MissingRequiredArgument, _) => format!("missing {argument}"),
        (ErrorKind::ArgumentConflict, _) => match context(ContextKind::PriorArg) {
            other if other == argument => format!("{flag} can be used only once"),
            other => format!("{flag} cannot be used with {other}"),
        },
        (ErrorKind::InvalidValue, _) if context(ContextKind::InvalidValue).is_empty() => {
            format!("{flag} needs a value")
        }
        (ErrorKind::TooManyValues, _) => format!("{flag} takes no value"),
        _ => {
            let text = error.render().to_string();
            let lines = text.lines().take_while(|line| !line.is_empty());
            let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
            text.strip_prefix("error: ").unwrap_or(&text).to_owned()
        }
    };
    let command = command.map_or_else(String::new, |command| format!("{} ", command.get_name()));
    escaped(&format!("{line} (see portmon {command}--help)"))
}

fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(several) => several.join(" "),
        one => one.to_string(),
    }
}

/// Describes a mistaken command: one of another tool, misspelled, or in the wrong place.
///
/// The words may include flags. Command names are so short that many filters are close to one, so a misspelled name counts
/// only before a port or a flag.
pub fn for_mistaken_command(words: &[&str], parser: &Command) -> Option<String> {
    let (first, rest) = words.split_first()?;
    let next = rest.first().copied().unwrap_or_default();
    let before_port = parser.find_subcommand(next).filter(|_| is_port(first));
    let way_out = if parser.find_subcommand(first).is_some() {
        format!("put the command first: `portmon {first}` (its options follow it).")
    } else if let Some(command) = before_port {
        let name = command.get_name();
        format!("put the command first: `portmon {name} {first}`.")
    } else {
        let meant = foreign(first, rest, parser).or_else(|| misspelled(first, rest, parser))?;
        format!("unknown command \"{first}\". Did you mean `{meant}`?")
    };
    let filter = words.iter().take_while(|word| !is_flag(word));
    let filter: Vec<String> = filter.map(|word| quoted(word.as_bytes())).collect();
    Some(format!(
        "{way_out} To filter by that text: `portmon -- {}`",
        filter.join(" ")
    ))
}

/// Returns the command line that someone means who types the command of another tool.
fn foreign(word: &str, rest: &[&str], parser: &Command) -> Option<String> {
    if ["help", "version"].contains(&word) {
        let command = rest.first().and_then(|next| parser.find_subcommand(next));
        let name = command.map_or_else(String::new, |command| format!("{} ", command.get_name()));
        return Some(format!("portmon {name}--{word}"));
    }
    let (name, _) = FOREIGN.iter().find(|(_, words)| words.contains(&word))?;
    let command = parser.find_subcommand(name);
    let needs_port = command.is_some_and(|command| {
        let mut positionals = command.get_positionals();
        positionals.any(clap::Arg::is_required_set)
    });
    let port = rest.iter().copied().find(|word| is_port(word));
    let port = port.or(needs_port.then_some("3000"));
    let words = [Some("portmon"), command.map(Command::get_name), port];
    Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// Returns the command line with the name of a command that is one edit away.
fn misspelled(word: &str, rest: &[&str], parser: &Command) -> Option<String> {
    let next = rest.first()?;
    if !is_port(next) && !next.starts_with('-') {
        return None;
    }
    let is_close = |name: &str| is_one_edit_away(word.as_bytes(), name.as_bytes());
    let command = parser
        .get_subcommands()
        .find(|command| is_close(command.get_name()) || command.get_all_aliases().any(is_close))?;
    let line = format!("portmon {}", command.get_name());
    let rest = rest.iter().map(|word| quoted(word.as_bytes()));
    Some(rest.fold(line, |line, word| line + " " + &word))
}

/// True if one letter is missing, too many or another one, or if two neighbors are swapped.
fn is_one_edit_away(word: &[u8], name: &[u8]) -> bool {
    match (word, name) {
        ([a, word @ ..], [b, name @ ..]) if a == b => is_one_edit_away(word, name),
        ([a, b, word @ ..], [c, d, name @ ..]) if (a, b, word) == (d, c, name) => true,
        ([_, rest_of_word @ ..], [_, rest_of_name @ ..]) => {
            rest_of_word == rest_of_name || rest_of_word == name || word == rest_of_name
        }
        ([_], []) | ([], [_]) => true,
        _ => false,
    }
}

fn is_port(word: &str) -> bool {
    PortRange::parse_list([word]).is_ok()
}

/// True for `--all` and `-n`, and false for the range `-1023`.
fn is_flag(word: &str) -> bool {
    let after = word.strip_prefix('-');
    after.is_some_and(|after| !after.starts_with(|letter: char| letter.is_ascii_digit()))
}
