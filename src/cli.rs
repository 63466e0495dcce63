//! The command line: words to [`Options`]. Touches nothing.

use crate::model::source::Source;
use crate::table::query;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Options {
    Monitor(MonitorOptions),
    List(ListOptions),
    Watch(WatchOptions),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorOptions {
    pub filter: String,
    pub interval: Duration,
    pub all: bool,
    pub ascii: bool,
    pub read_only: bool,
    /// Where sockets are read from; `None` for what is best here.
    pub source: Option<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOptions {
    pub filter: String,
    pub all: bool,
    pub json: bool,
    pub source: Option<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchOptions {
    pub filter: String,
    pub all: bool,
    pub json: bool,
    pub interval: Duration,
    /// After how long it ends, if not only when it is ended.
    pub duration: Option<Duration>,
}

/// Why the words were not understood, or what was asked for instead (help, version).
#[derive(Debug)]
pub enum Refusal {
    /// One line for standard error; the exit code is 2.
    Wrong(String),
    /// Help or version, for standard output.
    Shown(String),
}

/// Shows, live, which local process holds which port, and frees a stuck one.
#[derive(Parser)]
#[command(
    name = "portmon",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
struct Words {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    monitor: MonitorWords,
}

#[derive(Args)]
struct MonitorWords {
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
    source: Option<Source>,
}

#[derive(Subcommand)]
enum Command {
    /// Print what is there now and exit: 0 with rows, 1 without, 2 after an error
    List(ListWords),
    /// Print a line for whatever opens, changes, is replaced or closes from now on
    Watch(WatchWords),
}

#[derive(Args)]
struct ListWords {
    /// Print only what matches all these words; digits are an exact port
    #[arg(allow_negative_numbers = true)]
    filter: Vec<String>,
    /// Print every socket, connections to other machines too
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// As for the monitor
    #[arg(long, hide = true, value_parser = source)]
    source: Option<Source>,
}

#[derive(Args)]
struct WatchWords {
    /// Print only what matches all these words; digits are an exact port
    #[arg(allow_negative_numbers = true)]
    filter: Vec<String>,
    /// Watch every socket, connections to other machines too
    #[arg(long)]
    all: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Seconds from one look to the next, 0.1 to 3600
    #[arg(short = 'n', value_name = "SECS", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// End after so many seconds, 0.1 to 86400
    #[arg(long = "for", value_name = "SECS", value_parser = duration)]
    duration: Option<Duration>,
}

/// Understands the words of the command line, the program's name first.
pub fn parse(words: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Options, Refusal> {
    let words: Vec<std::ffi::OsString> = words.into_iter().collect();
    let parsed = Words::try_parse_from(&words).map_err(|error| refusal(&error))?;
    match parsed.command {
        Some(Command::List(list)) => {
            let filter = sound_filter(&list.filter)?;
            Ok(Options::List(ListOptions {
                filter,
                all: list.all,
                json: list.json,
                source: list.source,
            }))
        }
        Some(Command::Watch(watch)) => {
            let filter = sound_filter(&watch.filter)?;
            Ok(Options::Watch(WatchOptions {
                filter,
                all: watch.all,
                json: watch.json,
                interval: watch.interval,
                duration: watch.duration,
            }))
        }
        None => monitor(&parsed.monitor, is_quoted(&words)),
    }
}

/// Whether `--` stands before the first word of the filter, which then is no command.
fn is_quoted(words: &[std::ffi::OsString]) -> bool {
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

fn monitor(words: &MonitorWords, is_quoted: bool) -> Result<Options, Refusal> {
    let first = words.filter.first().filter(|_| !is_quoted);
    if let Some(command @ ("list" | "watch")) = first.map(String::as_str) {
        return Err(Refusal::Wrong(format!(
            "{command} comes first: portmon {command}, then its flags (-- {command} filters)"
        )));
    }
    if let Some(first) = first
        && let Some(meant) = no_command(first, words.filter.get(1).map(String::as_str))
    {
        return Err(Refusal::Wrong(format!(
            "{first:?} is no command; did you mean: {meant} (-- {first} filters)"
        )));
    }
    Ok(Options::Monitor(MonitorOptions {
        filter: sound_filter(&words.filter)?,
        interval: words.interval,
        all: words.all,
        ascii: words.ascii,
        read_only: words.read_only,
        source: words.source,
    }))
}

/// What someone means who types the command of another program, or of a portmon that has it.
fn no_command(word: &str, next: Option<&str>) -> Option<String> {
    let port = next.unwrap_or("3000");
    match word {
        "kill" | "stop" | "free" | "end" | "term" | "rm" => Some(format!("portmon {port}, then x")),
        "ls" | "ps" | "show" | "status" | "get" => Some("portmon list".to_owned()),
        "top" | "monitor" | "tui" | "check" | "wait" | "unused" | "next" => {
            Some(next.map_or_else(|| "portmon".to_owned(), |port| format!("portmon {port}")))
        }
        "help" => Some("portmon --help".to_owned()),
        "version" => Some("portmon --version".to_owned()),
        _ => None,
    }
}

/// The filter in one text; a word with a blank in it is quoted as it was for the shell.
fn sound_filter(words: &[String]) -> Result<String, Refusal> {
    let quoted = |word: &String| {
        if words.len() > 1 && word.contains(' ') && !word.contains('"') {
            format!("\"{word}\"")
        } else {
            word.clone()
        }
    };
    let text = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
    match query::parse_finished(&text).trouble {
        Some(trouble) => {
            let word = crate::model::text::escaped(text.get(trouble.at).unwrap_or(&text));
            Err(Refusal::Wrong(format!(
                "filter: {word:?}: {}",
                trouble.what
            )))
        }
        None => Ok(text),
    }
}

/// The fastest and the slowest that one may ask for.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);

/// The shortest and the longest time that one may ask to be told of.
const DURATIONS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);

fn interval(text: &str) -> Result<Duration, String> {
    seconds(text, &INTERVALS)
}

fn duration(text: &str) -> Result<Duration, String> {
    seconds(text, &DURATIONS)
}

fn seconds(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let (from, to) = (range.start().as_secs_f64(), range.end().as_secs_f64());
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("{text} is no number of seconds: {from} to {to}"))?;
    let span = Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|span| range.contains(span));
    span.ok_or_else(|| format!("{text} is out of range: {from} to {to} seconds"))
}

/// The sources that a system has, by the names of what they ask.
fn sources(is_linux: bool) -> &'static [(&'static str, Source)] {
    if is_linux {
        &[
            ("sock_diag", Source::Diag),
            ("netstat2", Source::Netstat),
            ("proc", Source::Procnet),
        ]
    } else {
        &[("netstat2", Source::Netstat)]
    }
}

fn source(text: &str) -> Result<Source, String> {
    named(text, sources(cfg!(target_os = "linux")))
}

fn named(text: &str, sources: &[(&str, Source)]) -> Result<Source, String> {
    let found = sources.iter().find(|(name, _)| *name == text);
    found.map(|(_, source)| *source).ok_or_else(|| {
        let names: Vec<&str> = sources.iter().map(|(name, _)| *name).collect();
        format!("{text} is no source here: {}", names.join(", "))
    })
}

/// clap's words on one line: what is wrong and the way out.
fn refusal(error: &clap::Error) -> Refusal {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Refusal::Shown(text),
        _ => {
            let first = text
                .lines()
                .next()
                .unwrap_or("what was asked is not understood");
            let first = first.strip_prefix("error: ").unwrap_or(first);
            Refusal::Wrong(format!(
                "{}; portmon --help tells the way",
                crate::model::text::escaped(first)
            ))
        }
    }
}

#[cfg(test)]
mod tests;
