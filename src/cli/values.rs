//! The values of flags, and the filter, as every command understands them.

use super::EarlyExit;
use crate::model::platform::{PLATFORM, Platform};
use crate::model::port_spec::{PortRange, PortSpec};
use crate::model::socket_source::SocketSource;
use crate::table::query;
use crate::wording;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The filter in one text; a word with a blank in it is quoted as it was for the shell.
pub(super) fn valid_filter(words: &[String]) -> Result<String, EarlyExit> {
    let quoted = |word: &String| {
        if words.len() > 1 && word.contains(' ') && !word.contains('"') {
            format!("\"{word}\"")
        } else {
            word.clone()
        }
    };
    let text = words.iter().map(quoted).collect::<Vec<_>>().join(" ");
    match query::parse_finished(&text).error {
        Some(error) => {
            let word = crate::model::text::escaped(text.get(error.at).unwrap_or(&text));
            Err(EarlyExit::UsageError(format!(
                "filter: {word:?}: {}",
                error.what
            )))
        }
        None => Ok(text),
    }
}

pub(super) fn port_spec(text: &str) -> Result<PortSpec, String> {
    text.parse()
        .map_err(|error| wording::port_spec_error(&error))
}

pub(super) fn port_ranges(words: &[String]) -> Result<Vec<PortRange>, EarlyExit> {
    PortRange::parse_list(words.iter().map(String::as_str))
        .map_err(|error| EarlyExit::UsageError(wording::port_spec_error(&error)))
}

/// The fastest and the slowest that one may ask for.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);

/// The shortest and the longest time that one may ask to be told of.
const DURATIONS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);

/// The shortest and the longest time that something is waited for; 0 looks once.
const TIMEOUTS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_hours(24);

pub(super) fn wait_for_exit(text: &str) -> Result<Duration, String> {
    seconds(text, &TIMEOUTS)
}

pub(super) fn interval(text: &str) -> Result<Duration, String> {
    seconds(text, &INTERVALS)
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    seconds(text, &DURATIONS)
}

fn seconds(text: &str, range: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let (from, to) = (range.start().as_secs_f64(), range.end().as_secs_f64());
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("{text} is no number of seconds: {from} to {to}"))?;
    let span = Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|span| range.contains(span));
    span.ok_or_else(|| format!("{text} is out of range: {from} to {to} seconds"))
}

/// The sources that a system has, by the names of what they ask.
pub(super) fn sources(is_linux: bool) -> &'static [(&'static str, SocketSource)] {
    if is_linux {
        &[
            ("sock_diag", SocketSource::Diag),
            ("netstat2", SocketSource::Netstat),
            ("proc", SocketSource::Procnet),
        ]
    } else {
        &[("netstat2", SocketSource::Netstat)]
    }
}

pub(super) fn source(text: &str) -> Result<SocketSource, String> {
    source_named(text, sources(PLATFORM == Platform::Linux))
}

pub(super) fn source_named(
    text: &str,
    sources: &[(&str, SocketSource)],
) -> Result<SocketSource, String> {
    let found = sources.iter().find(|(name, _)| *name == text);
    found.map(|(_, source)| *source).ok_or_else(|| {
        let names: Vec<&str> = sources.iter().map(|(name, _)| *name).collect();
        format!("{text} is no source here: {}", names.join(", "))
    })
}
