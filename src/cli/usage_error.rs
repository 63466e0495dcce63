//! Usage errors in one line: what is wrong, and the way out.

use super::{CliCommand, named};
use crate::model::port::PortRange;
use crate::model::process::shell::quoted;
use crate::model::text::escaped;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error as _;

/// Describes an error in the arguments of a command, of the monitor if that is `None`.
pub fn for_arguments(error: &clap::Error, command: Option<&CliCommand>) -> String {
    let context = |kind| error.get(kind).map(text).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let flag = argument.split([' ', '=', '[']).next().unwrap_or_default();
    let help = command.map_or_else(
        || "portmon --help".to_owned(),
        |command| format!("portmon {} --help", command.name),
    );
    let line = match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(cause)) if flag.starts_with('-') => {
            format!("{flag}: {cause}")
        }
        (ErrorKind::ValueValidation, Some(cause)) => cause.to_string(),
        (ErrorKind::UnknownArgument, _) => format!("unexpected argument: {argument} (see {help})"),
        (ErrorKind::MissingRequiredArgument, _) => format!("missing {argument} (see {help})"),
        (ErrorKind::ArgumentConflict, _) => format!(
            "{flag} cannot be used with {} (see {help})",
            context(ContextKind::PriorArg)
        ),
        (ErrorKind::InvalidValue, _) if context(ContextKind::InvalidValue).is_empty() => {
            format!("{argument} needs a value (see {help})")
        }
        _ => {
            let text = error.render().to_string();
            let lines = text.lines().take_while(|line| !line.is_empty());
            let text = lines.map(str::trim).collect::<Vec<_>>().join(" ");
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            format!("{text} (see {help})")
        }
    };
    escaped(&line)
}

fn text(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(several) => several.join(" "),
        one => one.to_string(),
    }
}

/// What other tools call the flags of that name.
const FLAGS: [(&str, &str); 2] = [("help", "--help"), ("version", "--version")];

/// Describes a filter that begins like a command: one in the wrong place, or one of another tool.
pub fn for_mistaken_command(
    filter: &[&str],
    monitor: &CliCommand,
    commands: &[CliCommand],
) -> Option<String> {
    let (first, second) = (*filter.first()?, filter.get(1).copied());
    let wrong = if named(commands, first).is_some() {
        format!("put the command first: `portmon {first}`")
    } else if let Some(command) = second.and_then(|word| named(commands, word))
        && is_port(first)
    {
        format!("put the command first: `portmon {} {first}`", command.name)
    } else {
        format!(
            "unknown command \"{first}\". Did you mean `{}`?",
            meant(first, second, monitor, commands)?
        )
    };
    let filter: Vec<String> = filter.iter().map(|word| quoted(word.as_bytes())).collect();
    Some(format!(
        "{} To filter by that text: `portmon -- {}`",
        if wrong.ends_with('?') {
            wrong
        } else {
            wrong + "."
        },
        filter.join(" ")
    ))
}

/// The command line that someone means who types the command of another tool.
fn meant(
    word: &str,
    next: Option<&str>,
    monitor: &CliCommand,
    commands: &[CliCommand],
) -> Option<String> {
    if let Some((_, flag)) = FLAGS.iter().find(|(name, _)| *name == word) {
        return Some(format!("portmon {flag}"));
    }
    let is_meant = |command: &&CliCommand| command.synonyms.contains(&word);
    let command = commands.iter().find(is_meant);
    let parser =
        (command.or(is_meant(&monitor).then_some(monitor))?.define)(clap::Command::new(""));
    let needs_port = parser.get_positionals().any(clap::Arg::is_required_set);
    let port = next
        .filter(|next| is_port(next))
        .or(needs_port.then_some("3000"));
    let words = [Some("portmon"), command.map(|command| command.name), port];
    Some(words.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn is_port(word: &str) -> bool {
    PortRange::parse_list([word]).is_ok()
}
