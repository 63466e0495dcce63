//! The filter and the scope, which `portmon`, `list` and `watch` share.

use crate::table::query;
use anyhow::bail;
use clap::{ArgMatches, Args};

#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct FilterArgs {
    /// Filter words, such as 3000, 49152-, state:listen or postgres; rows must match every word; several ports are alternatives
    #[arg(value_name = "FILTER", allow_negative_numbers = true)]
    filter: Vec<String>,
    /// Filter words after `--`, where a command's name is a word like any other.
    #[arg(last = true, hide = true, allow_negative_numbers = true)]
    literal: Vec<String>,
    /// Include connections to other machines
    #[arg(long)]
    pub all: bool,
}

impl FilterArgs {
    /// Returns the words of the filter before `--`.
    pub(super) fn words_in(matches: &ArgMatches) -> Vec<&str> {
        let words = matches.get_many::<String>("filter").into_iter().flatten();
        words.map(String::as_str).collect()
    }

    /// Returns the filter as one text. A word with a space in it is quoted, as it was for the shell.
    pub fn text(&self) -> anyhow::Result<String> {
        let words: Vec<&String> = self.filter.iter().chain(&self.literal).collect();
        let quoted = |word: &&String| {
            if words.len() > 1 && word.contains(' ') && !word.contains('"') {
                format!("\"{word}\"")
            } else {
                (*word).clone()
            }
        };
        let text = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
        if let Some(error) = query::parse_finished(&text).error {
            bail!("filter: {}", error.what);
        }
        Ok(text)
    }
}
