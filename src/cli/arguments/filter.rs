//! The filter and the scope, which `portmon`, `list` and `watch` share.

use crate::model::text::escaped;
use crate::table::query;
use clap::{ArgMatches, Args};

#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct FilterArgs {
    /// Show only what matches all of these words: 3000, 49152-, state:listen, postgres (syntax: portmon --help)
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
    /// Include connections to other machines
    #[arg(long)]
    pub all: bool,
}

impl FilterArgs {
    /// Words of the filter before `--`.
    pub(in crate::cli) fn words_in(matches: &ArgMatches) -> Vec<&str> {
        matches
            .get_many::<String>("filter")
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect()
    }

    /// The filter as one text. A word with a space in it is quoted, as it was for the shell.
    pub fn text(&self) -> String {
        let quoted = |word: &String| {
            if self.filter.len() > 1 && word.contains(' ') && !word.contains('"') {
                format!("\"{word}\"")
            } else {
                word.clone()
            }
        };
        self.filter.iter().map(quoted).collect::<Vec<_>>().join(" ")
    }

    /// Adds the words after `--`.
    pub(super) fn extend(&mut self, words: Vec<String>) {
        self.filter.extend(words);
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let text = self.text();
        query::parse_finished(&text).error.map_or(Ok(()), |error| {
            let word = escaped(text.get(error.at).unwrap_or(&text));
            Err(format!("filter: {word:?}: {}", error.what))
        })
    }
}
