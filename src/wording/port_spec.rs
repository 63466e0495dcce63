//! Errors of ports on the command line: what is wrong, and what to write instead.

use crate::model::port::PortSpecError;
use crate::model::text::escaped;

/// Describes in one line why a text is not a port.
pub fn port_spec_error(error: &PortSpecError) -> String {
    let quoted = |text: &str| format!("\"{}\"", escaped(text));
    match error {
        PortSpecError::NotAPort(text) => format!(
            "not a port: {} (try 3000, 3000/udp or 127.0.0.1:3000)",
            quoted(text)
        ),
        PortSpecError::OutOfRange(number) => {
            format!("not a port: {number} (ports are 1 to 65535)")
        }
        PortSpecError::NotAProtocol(name) => format!(
            "not a protocol: {} (try 3000/tcp or 3000/udp)",
            quoted(name)
        ),
        PortSpecError::NotAnAddress(host) => format!(
            "not an address: {} (try 127.0.0.1:3000, [::1]:3000 or localhost:3000)",
            quoted(host)
        ),
        PortSpecError::NeedsBrackets(v6) => {
            format!("an IPv6 address with a port needs brackets: [{v6}]:PORT")
        }
        PortSpecError::OpenRange(text) => {
            format!("a range needs both ends: {} (try 3000-3010)", quoted(text))
        }
        PortSpecError::BackwardRange(first, last) => {
            format!("reversed range: {first}-{last} (try {last}-{first})")
        }
        PortSpecError::IsRange(range) => format!(
            "expected one port, not the range {range} (try {})",
            range.at(*range.ports.start()).to_argument()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::port::PortSpec;

    #[test]
    fn a_wrong_port_is_named_with_what_to_write_instead() {
        let cases = [
            (
                "a\x1bb",
                "not a port: \"a\\x1bb\" (try 3000, 3000/udp or 127.0.0.1:3000)",
            ),
            ("70000", "not a port: 70000 (ports are 1 to 65535)"),
            (
                "3000/sctp",
                "not a protocol: \"sctp\" (try 3000/tcp or 3000/udp)",
            ),
            (
                "localhst:3000",
                "not an address: \"localhst\" (try 127.0.0.1:3000, [::1]:3000 or localhost:3000)",
            ),
            (
                "::1:5432",
                "an IPv6 address with a port needs brackets: [::1]:PORT",
            ),
            (
                "3000-",
                "a range needs both ends: \"3000-\" (try 3000-3010)",
            ),
            ("3010-3000", "reversed range: 3010-3000 (try 3000-3010)"),
            (
                "3000-3010/udp",
                "expected one port, not the range :3000-3010/udp (try 3000/udp)",
            ),
        ];
        for (text, expected) in cases {
            let error = text.parse::<PortSpec>().expect_err(text);
            assert_eq!(port_spec_error(&error), expected);
        }
    }
}
