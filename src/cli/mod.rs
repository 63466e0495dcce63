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
pub use unused::{SearchRange, UnusedOptions};
pub use wait::WaitOptions;
pub use watch::WatchOptions;

use check::CheckArgs;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use free::FreeArgs;
use list::ListArgs;
use monitor::{MonitorArgs, is_quoted, monitor};
use unused::UnusedArgs;
use wait::WaitArgs;
use watch::WatchArgs;

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
pub enum EarlyExit {
    /// One line for standard error; the exit code is 2.
    UsageError(String),
    /// Help or version, for standard output.
    Output(String),
}

/// Shows, live, which local process holds which port, and frees a stuck one.
#[derive(Parser)]
#[command(
    name = "portmon",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
struct Args {
    #[command(subcommand)]
    command: Option<CliCommand>,
    #[command(flatten)]
    monitor: MonitorArgs,
}

#[derive(Subcommand)]
enum CliCommand {
    /// Print what is there now and exit: 0 with rows, 1 without, 2 after an error
    List(ListArgs),
    /// Print a line for whatever opens, changes, is replaced or closes from now on
    Watch(WatchArgs),
    /// End what holds a port, after asking, and tell what became of the port: 0 free, 3 held, 4 not permitted, 5 taken again, 6 refused
    Free(FreeArgs),
    /// Wait until a port listens, or is free: 0 when it does, 124 when the time is over
    Wait(WaitArgs),
    /// Print ports that can be used, each just proved by a bind: 0 with all of them, 1 with fewer
    #[command(visible_alias = "next")]
    Unused(UnusedArgs),
    /// Say whether a port can be used and, if not, why: 0 free, 1 held, 2 not understood
    Check(CheckArgs),
}

/// Understands the words of the command line, the program's name first.
pub fn parse(words: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Options, EarlyExit> {
    let words: Vec<std::ffi::OsString> = words.into_iter().collect();
    let parsed = Args::try_parse_from(&words).map_err(|error| early_exit(&error))?;
    match parsed.command {
        Some(CliCommand::List(list)) => list.options().map(Options::List),
        Some(CliCommand::Watch(watch)) => watch.options().map(Options::Watch),
        Some(CliCommand::Free(free)) => free.options().map(Options::Free),
        Some(CliCommand::Wait(wait)) => wait.options().map(Options::Wait),
        Some(CliCommand::Unused(unused)) => Ok(Options::Unused(unused.options())),
        Some(CliCommand::Check(check)) => Ok(Options::Check(check.options())),
        None => monitor(&parsed.monitor, is_quoted(&words)).map(Options::Monitor),
    }
}

/// clap's words on one line: what is wrong and the way out.
fn early_exit(error: &clap::Error) -> EarlyExit {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => EarlyExit::Output(text),
        _ => {
            // What is missing or in conflict stands on lines of its own, up to the first empty one.
            let lines = text.lines().take_while(|line| !line.is_empty());
            let first = lines.map(str::trim).collect::<Vec<_>>().join(" ");
            let first = first.strip_prefix("error: ").unwrap_or(&first);
            EarlyExit::UsageError(format!(
                "{}; portmon --help tells the way",
                crate::model::text::escaped(first)
            ))
        }
    }
}

#[cfg(test)]
mod tests;
