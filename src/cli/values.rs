//! Parsers of values; each error is one line that says what is wrong and what to write instead.

use crate::model::platform::{PLATFORM, Platform};
use crate::model::port::{AddressError, AddressSpec, Localhost, PortSpecError};
use crate::model::process::Signal;
use crate::model::socket::SocketSource;
use crate::wording::{address_error, port_spec_error, unknown_signal};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

/// Parses one port, or a range of them.
pub fn port<T: FromStr<Err = PortSpecError>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| port_spec_error(&error))
}

/// Parses a bare number of a port.
pub fn port_number(text: &str) -> Result<u16, String> {
    one_or_more(text).ok_or_else(|| format!("not a port: {text:?} (ports are 1 to 65535)"))
}

pub fn port_count(text: &str) -> Result<u16, String> {
    one_or_more(text).ok_or_else(|| format!("not a port count: {text:?} (1 to 65535)"))
}

fn one_or_more(text: &str) -> Option<u16> {
    text.parse().ok().filter(|number| *number > 0)
}

pub fn signal(text: &str) -> Result<Signal, String> {
    Signal::named(text).ok_or_else(|| unknown_signal(text))
}

/// Parses an address without brackets, or `localhost`.
pub fn address(text: &str) -> Result<AddressSpec, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(AddressSpec::Localhost(Localhost::default()));
    }
    AddressSpec::bare(text).map_err(|error| match error {
        AddressError::NotAnAddress(_) => {
            format!("not an address: {text:?} (try 127.0.0.1, ::1 or localhost)")
        }
        error => address_error(&error),
    })
}

pub fn interval(text: &str) -> Result<Duration, String> {
    seconds(text, Duration::from_millis(100)..=Duration::from_hours(1))
}

pub fn run_time(text: &str) -> Result<Duration, String> {
    seconds(text, Duration::from_millis(100)..=Duration::from_hours(24))
}

/// Parses a time of which 0 polls once.
pub fn timeout(text: &str) -> Result<Duration, String> {
    seconds(text, Duration::ZERO..=Duration::from_hours(24))
}

fn seconds(text: &str, range: RangeInclusive<Duration>) -> Result<Duration, String> {
    let (from, to) = (range.start().as_secs_f64(), range.end().as_secs_f64());
    let seconds: f64 = text
        .parse()
        .map_err(|_| format!("not a number of seconds: {text:?} ({from} to {to})"))?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| range.contains(duration))
        .ok_or_else(|| format!("out of range: {text} ({from} to {to} seconds)"))
}

/// Parses the name of a source of sockets.
pub fn source(text: &str) -> Result<SocketSource, String> {
    source_of(PLATFORM, text)
}

/// Each source is named after what it asks.
fn source_of(platform: Platform, text: &str) -> Result<SocketSource, String> {
    let sources: &[(&str, SocketSource)] = match platform {
        Platform::Linux => &[
            ("sock_diag", SocketSource::Diag),
            ("netstat2", SocketSource::Netstat),
            ("proc", SocketSource::Procnet),
        ],
        Platform::MacOs | Platform::Windows => &[("netstat2", SocketSource::Netstat)],
    };
    let found = sources.iter().find(|(name, _)| *name == text);
    found.map(|(_, source)| *source).ok_or_else(|| {
        let names: Vec<&str> = sources.iter().map(|(name, _)| *name).collect();
        format!("unknown source: {text:?} (try {})", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_source_lists_the_known_ones() {
        use Platform::{Linux, MacOs};
        let error = |text: &str| Err(text.to_owned());
        let cases = [
            (Linux, "sock_diag", Ok(SocketSource::Diag)),
            (Linux, "netstat2", Ok(SocketSource::Netstat)),
            (Linux, "proc", Ok(SocketSource::Procnet)),
            (MacOs, "netstat2", Ok(SocketSource::Netstat)),
            (
                Linux,
                "lsof",
                error("unknown source: \"lsof\" (try sock_diag, netstat2, proc)"),
            ),
            (
                MacOs,
                "proc",
                error("unknown source: \"proc\" (try netstat2)"),
            ),
        ];
        for (platform, text, expected) in cases {
            assert_eq!(source_of(platform, text), expected);
        }
    }
}
