//! The words of `portmon list`.

use super::Refusal;
use super::values::{sound_filter, source};
use crate::model::source::Source;
use clap::Args;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOptions {
    pub filter: String,
    pub all: bool,
    pub json: bool,
    pub source: Option<Source>,
}

#[derive(Args)]
pub(super) struct ListWords {
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

impl ListWords {
    pub(super) fn options(self) -> Result<ListOptions, Refusal> {
        Ok(ListOptions {
            filter: sound_filter(&self.filter)?,
            all: self.all,
            json: self.json,
            source: self.source,
        })
    }
}
