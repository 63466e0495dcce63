//! Arguments of the monitor, which runs if no command is named.

use super::values::{interval, source};
use super::{CommandArgs, FilterArgs};
use crate::config::Settings;
use crate::model::socket::SocketSource;
use crate::table::query::FILTER_SYNTAX;
use clap::Args;
use std::time::Duration;

/// Show which process owns each local port, live, and free a port that is stuck
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = after_help())]
pub struct MonitorArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Filter words after `--`, where a command's name is a word like any other.
    #[arg(last = true, hide = true, allow_negative_numbers = true)]
    literal: Vec<String>,
    /// Poll interval in seconds, 0.1 to 3600
    #[arg(short = 'n', value_name = "SECS", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// Draw with ASCII only
    #[arg(long)]
    ascii: bool,
    /// Never stop a process
    #[arg(long)]
    read_only: bool,
    #[arg(long, hide = true, value_parser = source)]
    pub source: Option<SocketSource>,
}

impl CommandArgs for MonitorArgs {
    fn validate(mut self) -> Result<Self, String> {
        self.filter.extend(std::mem::take(&mut self.literal));
        self.filter.validate().map(|()| self)
    }
}

impl MonitorArgs {
    /// What the flags ask for; environment variables are not read here.
    pub fn settings(&self) -> Settings {
        Settings {
            interval: self.interval,
            filter: self.filter.text(),
            all: self.filter.all,
            is_ascii: self.ascii,
            is_read_only: self.read_only,
            ..Settings::default()
        }
    }
}

fn after_help() -> String {
    let syntax = FILTER_SYNTAX
        .iter()
        .map(|(word, meaning)| format!("  {word:<42}  {meaning}\n"));
    format!(
        "\
Examples:
  portmon                  every local endpoint, live
  portmon 62893            one port
  portmon 49152-           dynamic ports only
  portmon postgres,redis   rows with either word
  portmon -- kill          filter by a word that looks like a command

Filter words (a row must match all of them):
{}
Exit status:
  0      quit by the user
  2      error
  128+n  terminated by signal n",
        syntax.collect::<String>()
    )
}
