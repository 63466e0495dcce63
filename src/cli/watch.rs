//! The words of `portmon watch`.

use super::EarlyExit;
use super::values::{duration, interval, source, valid_filter};
use crate::model::socket_source::SocketSource;
use clap::Args;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchOptions {
    pub filter: String,
    pub all: bool,
    pub json: bool,
    pub interval: Duration,
    /// After how long it ends, if not only when it is ended.
    pub duration: Option<Duration>,
    pub source: Option<SocketSource>,
}

#[derive(Args)]
pub(super) struct WatchArgs {
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
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

impl WatchArgs {
    pub(super) fn options(self) -> Result<WatchOptions, EarlyExit> {
        Ok(WatchOptions {
            filter: valid_filter(&self.filter)?,
            all: self.all,
            json: self.json,
            interval: self.interval,
            duration: self.duration,
            source: self.source,
        })
    }
}
