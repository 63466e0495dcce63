//! The words of the monitor itself, which stand without a command.

use super::EarlyExit;
use super::values::{interval, source, valid_filter};
use crate::model::port_spec::PortRange;
use crate::model::socket_source::SocketSource;
use clap::Args;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorOptions {
    pub filter: String,
    pub interval: Duration,
    pub all: bool,
    pub ascii: bool,
    pub read_only: bool,
    /// Where sockets are read from; `None` for what is best here.
    pub source: Option<SocketSource>,
}

#[derive(Args)]
pub(super) struct MonitorArgs {
    /// Show only what matches all these words: 62893, 49152-, state:listen, postgres (see `?` in the monitor)
    #[arg(allow_negative_numbers = true)]
    filter: Vec<String>,
    /// Seconds from one look to the next, 0.1 to 3600
    #[arg(short = 'n', value_name = "SECS", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// Show every socket, connections to other machines too
    #[arg(long)]
    all: bool,
    /// Draw with ASCII only
    #[arg(long)]
    ascii: bool,
    /// Never end a process
    #[arg(long)]
    read_only: bool,
    /// Where sockets are read from, to find out which source is wrong
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

/// Whether `--` stands before the first word of the filter, which then is no command.
pub(super) fn is_quoted(words: &[std::ffi::OsString]) -> bool {
    let mut words = words.iter().skip(1).map(|word| word.to_string_lossy());
    while let Some(word) = words.next() {
        match &*word {
            "--" => return true,
            // Its value is a word of its own.
            "-n" | "--source" => drop(words.next()),
            flag if flag.starts_with("--") => {}
            flag if flag.starts_with("-n") => {}
            _ => return false,
        }
    }
    false
}

pub(super) fn monitor(words: &MonitorArgs, is_quoted: bool) -> Result<MonitorOptions, EarlyExit> {
    let first = words.filter.first().filter(|_| !is_quoted);
    if let Some(line) = first.and_then(|first| misplaced_command(first, words.filter.get(1))) {
        return Err(EarlyExit::UsageError(line));
    }
    if let Some(first) = first
        && let Some(meant) = command_hint(first, words.filter.get(1).map(String::as_str))
    {
        return Err(EarlyExit::UsageError(format!(
            "{first:?} is no command; did you mean: {meant} (-- {first} filters)"
        )));
    }
    Ok(MonitorOptions {
        filter: valid_filter(&words.filter)?,
        interval: words.interval,
        all: words.all,
        ascii: words.ascii,
        read_only: words.read_only,
        source: words.source,
    })
}

/// Words that are commands only where they come first.
const COMMANDS: [&str; 7] = ["list", "watch", "free", "check", "wait", "unused", "next"];

/// What to say of a command that stands behind a flag of the monitor, or behind its port.
fn misplaced_command(first: &str, second: Option<&String>) -> Option<String> {
    if COMMANDS.contains(&first) {
        return Some(format!(
            "{first} comes first: portmon {first}, then its flags (-- {first} filters)"
        ));
    }
    let command = second.filter(|word| COMMANDS.contains(&word.as_str()))?;
    let target: PortRange = first.parse().ok()?;
    let target = target.to_string();
    let target = target.strip_prefix(':').unwrap_or(&target);
    Some(format!(
        "{command} comes first: portmon {command} {target} (-- {first} {command} filters)"
    ))
}

/// What someone means who types the command of another program, or of a portmon that has it.
fn command_hint(word: &str, next: Option<&str>) -> Option<String> {
    let is_target = |word: &&str| PortRange::parse_list([*word]).is_ok();
    let port = next.filter(is_target).unwrap_or("3000");
    match word {
        "kill" | "stop" | "end" | "term" | "rm" => Some(format!("portmon free {port}")),
        "ls" | "ps" | "show" | "status" | "get" => Some("portmon list".to_owned()),
        "top" | "monitor" | "tui" => {
            Some(next.map_or_else(|| "portmon".to_owned(), |port| format!("portmon {port}")))
        }
        "why" => Some(format!("portmon check {port}")),
        "help" => Some("portmon --help".to_owned()),
        "version" => Some("portmon --version".to_owned()),
        _ => None,
    }
}
