//! Parses a word of a filter to a [`Term`].

use crate::table::fields::{FIELDS, Field, ValueSyntax};
use crate::table::query::condition::{Condition, PortEnd, Ports, Term};
use crate::table::query::endpoint_spec::{Host, endpoint_spec};
use crate::table::query::field_value::{field_condition, text};
use crate::table::query::numbers::{Numbers, PORT, is_digits, numbers};
use crate::table::query::token::{ParseError, Token, alternatives};

#[derive(Default)]
pub struct WordParser {
    /// Of a word with an error, the alternatives before it.
    pub term: Term,
    pub hint: Option<String>,
    /// The field of the alternatives that follow: `port:3000,5432`.
    field: Option<(&'static Field, ValueSyntax)>,
}

impl WordParser {
    pub fn parse(&mut self, token: Token<'_>) -> Result<(), ParseError> {
        let (is_negated, word) = without_not(token);
        self.term.is_negated = is_negated;
        if word.text.is_empty() {
            return Err(token.error(format!("missing word after {}", token.text)));
        }
        let tokens = alternatives(word);
        let last = tokens.len() - 1;
        for (index, token) in tokens.into_iter().enumerate() {
            if index == last && self.ends_with_endpoint(word, token) {
                break;
            }
            let condition = self.alternative(word, token)?;
            self.term.any.push(condition);
        }
        Ok(())
    }

    /// True if only the comma after an endpoint copied from a sentence follows.
    fn ends_with_endpoint(&self, word: Token<'_>, token: Token<'_>) -> bool {
        token.text.is_empty()
            && word.text.ends_with(',')
            && matches!(self.term.any.last(), Some(Condition::EndpointSpec(_)))
    }

    fn alternative(&mut self, word: Token<'_>, token: Token<'_>) -> Result<Condition, ParseError> {
        if token.text.is_empty() {
            return Err(missing(word, token));
        }
        let mut value = token;
        if let Some((field, syntax, after)) = key(token) {
            self.field = Some((field, syntax));
            value = after;
        }
        match self.field {
            Some(_) if value.text.is_empty() => {
                Err(token.error(format!("{} needs a value", token.text)))
            }
            Some((field, syntax)) => field_condition(field, syntax, value),
            None => self.plain(token),
        }
    }

    fn plain(&mut self, token: Token<'_>) -> Result<Condition, ParseError> {
        if token.is_quoted() {
            return text(token).map(Condition::Text);
        }
        if token.text.starts_with('!') {
            return Err(token.error("! goes before the whole word: !a|b matches neither"));
        }
        if let Some(spec) = endpoint_spec(token)? {
            if spec.host == Host::Name {
                let port = spec.port;
                self.hint = Some(format!(
                    "host names are not resolved: matching port {port} on any address"
                ));
            }
            return Ok(Condition::EndpointSpec(spec));
        }
        if let Some(pid) = pid(token) {
            // It matches no port until it is found to be a pid.
            self.term.any.push(Condition::Port {
                end: PortEnd::Either,
                ports: Ports::Typed(pid.into()),
            });
        }
        if let Some(numbers) = numbers(token, PORT)? {
            let ports = match numbers {
                Numbers::Exact(digits) => Ports::Typed(digits),
                Numbers::Prefix(_) | Numbers::Range(..) => Ports::Numbers(numbers),
            };
            let end = PortEnd::Either;
            return Ok(Condition::Port { end, ports });
        }
        self.hint = self.hint.take().or_else(|| unknown_key(token));
        text(token).map(Condition::Text)
    }
}

/// Returns a number that is no port, but may be a pid.
fn pid(token: Token<'_>) -> Option<u32> {
    let pid = token.text.parse().ok().filter(|_| is_digits(token.text))?;
    (pid > u16::MAX.into()).then_some(pid)
}

/// Strips every `!` and `not:` at the start.
fn without_not(token: Token<'_>) -> (bool, Token<'_>) {
    let (mut is_negated, mut rest) = (false, token);
    let is_at_start = |rest: Token<'_>, not: &str| {
        let start = rest.text.get(..not.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(not))
    };
    while let Some(not) = ["!", "not:"].iter().find(|not| is_at_start(rest, not)) {
        is_negated = !is_negated;
        rest = rest.after(not.len());
    }
    (is_negated, rest)
}

/// Returns the alternatives that are bare digits, whose meaning depends on the table.
pub fn typed_digits(word: Token<'_>) -> Vec<Token<'_>> {
    let (_, rest) = without_not(word);
    alternatives(rest)
        .into_iter()
        // A key applies to the alternatives after it too.
        .take_while(|token| key(*token).is_none())
        .filter(|token| is_digits(token.text))
        .collect()
}

/// Returns the field of a key at the start, and the value after it. The scheme of a URL is no key.
pub fn key(token: Token<'_>) -> Option<(&'static Field, ValueSyntax, Token<'_>)> {
    let (name, value) = token.text.split_once(':')?;
    if value.starts_with("//") {
        return None;
    }
    FIELDS.iter().find_map(|field| {
        let (key, syntax) = field.key?;
        let value = token.after(name.len() + 1);
        key.eq_ignore_ascii_case(name)
            .then_some((field, syntax, value))
    })
}

/// An alternative is missing after the separator before it, or before the first one.
fn missing(word: Token<'_>, token: Token<'_>) -> ParseError {
    let before = (token.start - word.start).checked_sub(1);
    let at = before.unwrap_or(0);
    let separator = Token {
        text: word.text.get(at..=at).unwrap_or_default(),
        start: word.start + at,
    };
    let sign = separator.text;
    separator.error(match before {
        Some(_) => format!("nothing after {sign} (write a{sign}b to match either)"),
        None => format!("nothing before {sign} (write a{sign}b to match either)"),
    })
}

/// `unknown field "cmd": searching for it as text`
fn unknown_key(token: Token<'_>) -> Option<String> {
    let (name, _) = token.text.split_once(':')?;
    let is_word = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    is_word.then(|| format!("unknown field \"{name}\": searching for it as text"))
}
