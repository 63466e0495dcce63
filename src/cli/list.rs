//! The words of `portmon list`.

use super::EarlyExit;
use super::values::{source, valid_filter};
use crate::model::socket_source::SocketSource;
use clap::Args;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOptions {
    pub filter: String,
    pub all: bool,
    pub json: bool,
    pub source: Option<SocketSource>,
}

#[derive(Args)]
pub(super) struct ListArgs {
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
    source: Option<SocketSource>,
}

impl ListArgs {
    pub(super) fn options(self) -> Result<ListOptions, EarlyExit> {
        Ok(ListOptions {
            filter: valid_filter(&self.filter)?,
            all: self.all,
            json: self.json,
            source: self.source,
        })
    }
}
