//! Arguments of `portmon watch`.

use super::values::{interval, run_time, source};
use super::{CommandArgs, FilterArgs};
use crate::model::socket::SocketSource;
use clap::Args;
use std::time::Duration;

/// Print a line for each socket that opens, changes or closes
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  portmon watch 5173                         changes on port 5173
  portmon watch state:listen --json --for 60 listeners as JSON, for one minute

Exit status:
  0  --for has elapsed, or the output was closed
  2  error")]
pub struct WatchArgs {
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
    /// Poll interval in seconds, 0.1 to 3600
    #[arg(short = 'n', value_name = "SECS", default_value = "1", value_parser = interval)]
    pub interval: Duration,
    /// Exit after this many seconds, 0.1 to 86400
    #[arg(long = "for", value_name = "SECS", value_parser = run_time)]
    pub run_time: Option<Duration>,
    #[arg(long, hide = true, value_parser = source)]
    pub source: Option<SocketSource>,
}

impl CommandArgs for WatchArgs {
    fn validate(self) -> Result<Self, String> {
        self.filter.validate().map(|()| self)
    }
}
