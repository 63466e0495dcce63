//! The command line: words to [`Options`]. Touches nothing.

mod check;
mod free;
mod list;
mod monitor;
mod unused;
mod values;
mod wait;
mod watch;

pub use check::CheckOptions;
pub use free::{Consent, FreeOptions};
pub use list::ListOptions;
pub use monitor::MonitorOptions;
pub use unused::{Place, UnusedOptions};
pub use wait::WaitOptions;
pub use watch::WatchOptions;

use check::CheckWords;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use free::FreeWords;
use list::ListWords;
use monitor::{MonitorWords, is_quoted, monitor};
use unused::UnusedWords;
use wait::WaitWords;
use watch::WatchWords;

/// What the program is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Options {
    Monitor(MonitorOptions),
    List(ListOptions),
    Watch(WatchOptions),
    Free(FreeOptions),
    Wait(WaitOptions),
    Unused(UnusedOptions),
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
    /// End what holds a port, after asking, and tell what became of the port: 0 free, 3 held, 4 not permitted, 5 taken again, 6 refused
    Free(FreeWords),
    /// Wait until a port listens, or is free: 0 when it does, 124 when the time is over
    Wait(WaitWords),
    /// Print ports that can be used, each just proved by a bind: 0 with all of them, 1 with fewer
    #[command(visible_alias = "next")]
    Unused(UnusedWords),
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
        Some(Command::Free(free)) => free.options().map(Options::Free),
        Some(Command::Wait(wait)) => wait.options().map(Options::Wait),
        Some(Command::Unused(unused)) => Ok(Options::Unused(unused.options())),
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
            // What is missing or in conflict stands on lines of its own, up to the first empty one.
            let lines = text.lines().take_while(|line| !line.is_empty());
            let first = lines.map(str::trim).collect::<Vec<_>>().join(" ");
            let first = first.strip_prefix("error: ").unwrap_or(&first);
            Refusal::Wrong(format!(
                "{}; portmon --help tells the way",
                crate::model::text::escaped(first)
            ))
        }
    }
}

#[cfg(test)]
mod tests;
