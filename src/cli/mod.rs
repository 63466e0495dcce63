//! The command line: words to [`Options`]. Touches nothing.

mod check;
mod list;
mod monitor;
mod values;
mod watch;

pub use check::CheckOptions;
pub use list::ListOptions;
pub use monitor::MonitorOptions;
pub use watch::WatchOptions;

use check::CheckWords;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use list::ListWords;
use monitor::{MonitorWords, is_quoted, monitor};
use watch::WatchWords;

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Options {
    Monitor(MonitorOptions),
    List(ListOptions),
    Watch(WatchOptions),
    Check(CheckOptions),
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

#[derive(Subcommand)]
enum Command {
    /// Print what is there now and exit: 0 with rows, 1 without, 2 after an error
    List(ListWords),
    /// Print a line for whatever opens, changes, is replaced or closes from now on
    Watch(WatchWords),
    /// Say whether a port can be used and, if not, why: 0 free, 1 held, 2 not understood
    Check(CheckWords),
}

/// Understands the words of the command line, the program's name first.
pub fn parse(words: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Options, Refusal> {
    let words: Vec<std::ffi::OsString> = words.into_iter().collect();
    let parsed = Words::try_parse_from(&words).map_err(|error| refusal(&error))?;
    match parsed.command {
        Some(Command::List(list)) => list.options().map(Options::List),
        Some(Command::Watch(watch)) => watch.options().map(Options::Watch),
        Some(Command::Check(check)) => check.options().map(Options::Check),
        None => monitor(&parsed.monitor, is_quoted(&words)).map(Options::Monitor),
    }
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
