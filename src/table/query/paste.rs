//! Pasted text: of a whole error message, the filter is only the endpoint in it.
//!
//! [`is_prose`] tells a message from a filter. A message without an endpoint is not changed.

use crate::table::query::endpoint_spec::{EndpointSpec, Host, address, endpoint_spec};
use crate::table::query::numbers::is_digits;
use crate::table::query::token::{Token, alternatives, split_words};
use crate::table::query::{parse_finished, word_parser};

/// Returns the filter for a pasted text: one line, or the endpoint that an error message names.
pub fn from_paste(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let line = line.trim();
    let found = is_prose(line).then(|| endpoint(line)).flatten();
    found.map_or_else(|| line.to_owned(), |spec| spec.to_string())
}

/// Returns the numbers of a text that is nothing else, such as pids that were pasted.
pub fn bare_numbers(text: &str) -> Option<Vec<u32>> {
    let words = split_words(text);
    let numbers = words.iter().flat_map(|word| alternatives(*word));
    let numbers: Option<Vec<u32>> = numbers
        .map(|number| number.text.parse().ok().filter(|_| is_digits(number.text)))
        .collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// Words of error messages, which are not names of processes.
const PROSE: &str = "address already at eaddrinuse econnrefused error failed for in is on port to";

/// True if a text is no filter: it does not parse, or has three plain words or one of [`PROSE`].
fn is_prose(line: &str) -> bool {
    let parsed = parse_finished(line);
    let plain: Vec<&str> = split_words(line)
        .into_iter()
        .filter(|word| word_parser::key(*word).is_none())
        .map(|word| word.text.trim_end_matches(':'))
        .filter(|word| word.starts_with(char::is_alphabetic))
        .collect();
    let is_prose = |word: &&str| {
        let mut words = PROSE.split_whitespace();
        words.any(|prose| word.eq_ignore_ascii_case(prose))
    };
    parsed.error.is_some()
        || parsed.hint.is_some()
        || plain.len() >= 3
        || plain.iter().any(is_prose)
}

/// Returns the endpoint in a message: written as one, as an address and a number, or as a port.
fn endpoint(line: &str) -> Option<EndpointSpec> {
    let tokens: Vec<&str> = line
        .split(|letter: char| letter.is_whitespace() || "'\"`(){},;=".contains(letter))
        .filter(|token| !token.is_empty())
        .collect();
    let tails = || (0..tokens.len()).filter_map(|start| tokens.get(start..));
    tokens
        .iter()
        .find_map(|token| written(token))
        .or_else(|| tails().find_map(address_and_number))
        .or_else(|| tails().find_map(port_and_number))
}

/// Parses `127.0.0.1:3000` and the first of `127.0.0.1:3000->127.0.0.1:51324`, but no host name: that of a web page in a
/// message is not local.
fn written(token: &str) -> Option<EndpointSpec> {
    read(token)
        .or_else(|| {
            let (host, rest) = token.split_once(':')?;
            let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
            address(host)?;
            read(&format!("{host}:{}", rest.get(..end)?))
        })
        .filter(|spec| spec.host != Host::Name)
}

fn read(text: &str) -> Option<EndpointSpec> {
    endpoint_spec(Token { text, start: 0 }).ok().flatten()
}

/// `('127.0.0.1', 8000)`, `for "127.0.0.1" port 3000`, `address: '::', port: 3000`
fn address_and_number(tokens: &[&str]) -> Option<EndpointSpec> {
    let (host, rest) = tokens.split_first()?;
    if !host.eq_ignore_ascii_case("localhost") {
        address(host)?;
    }
    let digits = match rest {
        [digits, ..] if is_digits(bare(digits)) => digits,
        [port, digits, ..] if is_port_word(port) => digits,
        _ => return None,
    };
    read(&format!("{host}:{}", bare(digits)))
}

/// `Port 5173`, `port: 3000`, `port number 80`, `port:3000`
fn port_and_number(tokens: &[&str]) -> Option<EndpointSpec> {
    let digits = match tokens {
        [port, "number", digits, ..] | [port, digits, ..] if is_port_word(port) => *digits,
        [first, ..] => {
            let (name, digits) = first.split_once(':')?;
            is_port_word(name).then_some(digits)?
        }
        [] => return None,
    };
    let digits = Some(bare(digits)).filter(|digits| is_digits(digits))?;
    read(&format!(":{digits}"))
}

fn is_port_word(token: &str) -> bool {
    let word = bare(token).trim_start_matches('-');
    word.eq_ignore_ascii_case("port")
}

/// A token without the punctuation of its sentence.
fn bare(token: &str) -> &str {
    token.trim_end_matches([':', '.', '!', '?', ']'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_message_becomes_its_endpoint() {
        let cases = "\
Error: listen EADDRINUSE: address already in use :::3000 => :3000
Error: listen EADDRINUSE: address already in use ::1:3000 => [::1]:3000
2026/01/31 10:00:00 listen tcp 127.0.0.1:8080: bind: address already in use => 127.0.0.1:8080
listen tcp :8080: bind: address already in use => :8080
ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 8000): address already in use => 127.0.0.1:8000
error while attempting to bind on address ('::1', 8000, 0, 0): address already in use => [::1]:8000
Port 5173 is already in use => :5173
Port 3000 is in use, see https://example.com/docs or use --port => :3000
Address already in use - bind(2) for \"127.0.0.1\" port 3000 (Errno::EADDRINUSE) => 127.0.0.1:3000
nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use) => :80
bind() to 0.0.0.0:80 failed => :80
Bind for 0.0.0.0:8080 failed: port is already allocated => :8080
failed to bind host port for 127.0.0.1:8080:172.17.0.2:80/tcp: address already in use => 127.0.0.1:8080
failed to bind host port 0.0.0.0:8080/tcp: address already in use => :8080/tcp
Web server failed to start. Port 8080 was already in use. => :8080
bind [127.0.0.1]:8080: Address already in use => 127.0.0.1:8080
Could not create server TCP listening socket *:6379: bind: Address already in use => :6379
Do you already have another mysqld server running on port: 3306 ? => :3306
connect ECONNREFUSED 127.0.0.1:5432 => 127.0.0.1:5432
  ➜  Local:   http://localhost:5173/ => localhost:5173
listening on http://[::1]:3000/app?a=b => [::1]:3000
tcp   0   0 127.0.0.1:3000   0.0.0.0:*   LISTEN  4242/node => 127.0.0.1:3000
node 4242 dev 22u IPv4 0t0 TCP 127.0.0.1:3000->127.0.0.1:51324 (ESTABLISHED) => 127.0.0.1:3000";
        let lines = [
            (
                "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000\n    at Server.setupListenHandle [as _listen2] (node:net:1463:16)\n",
                "127.0.0.1:3000",
            ),
            (
                "  code: 'EADDRINUSE',\n  errno: -98,\n  address: '::',\n  port: 3000\n}",
                ":3000",
            ),
        ];
        let cases = cases
            .lines()
            .map(|line| line.split_once(" => ").expect("a case"));
        for (text, expected) in cases.chain(lines) {
            assert_eq!(from_paste(text), expected, "{text}");
            assert_eq!(parse_finished(expected).error, None, "{expected}");
        }
    }

    #[test]
    fn a_filter_or_a_text_without_an_endpoint_is_kept() {
        for text in [
            "",
            "3000",
            ":3000",
            "3000-3999",
            "postgres",
            "port:3000 user:dev",
            "!chrome node :3000",
            "127.0.0.1:5432 state:listen",
            "http://localhost:5173/x",
            "\"next dev\" 3000",
            "3000,5432 proc:\"Web server on port 80\"",
            "OSError: [Errno 98] Address already in use",
            "cmd:vite",
        ] {
            assert_eq!(from_paste(text), text);
        }
    }

    #[test]
    fn a_paste_is_one_line() {
        assert_eq!(from_paste("\r\n node\t3000\n\u{1b}"), "node 3000");
    }
}
