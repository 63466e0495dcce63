//! Parses a word of a filter to a [`Term`].

use crate::table::fields::{Field, field_by_key};
use crate::table::query::condition::{Condition, PortEnd, Ports, Term};
use crate::table::query::endpoint_spec::{Host, endpoint_spec, is_url};
use crate::table::query::field_value::{field_condition, text};
use crate::table::query::numbers::{PORT, is_digits, number, numbers};
use crate::table::query::token::{Token, TokenError, alternatives};

/// The result of parsing a word.
#[derive(Debug, Default)]
pub struct ParsedWord {
    /// The valid term; of a word with an error, the alternatives before it.
    pub term: Option<Term>,
    pub error: Option<TokenError>,
    pub hint: Option<String>,
}

pub fn parse_word(token: Token<'_>) -> ParsedWord {
    let (is_negated, rest) = without_not(token);
    if rest.text.is_empty() {
        let what = format!("missing word after {}", token.text);
        return ParsedWord {
            error: Some(token.error(what)),
            ..ParsedWord::default()
        };
    }
    let mut parser = WordParser::default();
    let error = parser.parse(rest).err();
    let any = parser.any;
    ParsedWord {
        term: (!any.is_empty()).then_some(Term { is_negated, any }),
        error,
        hint: parser.hint,
    }
}

/// Strips every `!` and `not:` at the start.
fn without_not(token: Token<'_>) -> (bool, Token<'_>) {
    let mut is_negated = false;
    let mut rest = token;
    while let Some(length) = length_of_not(rest.text) {
        is_negated = !is_negated;
        rest = rest.after(length);
    }
    (is_negated, rest)
}

fn length_of_not(text: &str) -> Option<usize> {
    ["!", "not:"]
        .into_iter()
        .find(|not| {
            text.get(..not.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(not))
        })
        .map(str::len)
}

/// Returns the alternatives that are bare digits, whose meaning depends on the table.
pub fn typed_digits(word: Token<'_>) -> Vec<Token<'_>> {
    let (_, rest) = without_not(word);
    if is_url(rest.text) {
        return Vec::new();
    }
    alternatives(rest)
        .into_iter()
        // A key applies to the alternatives after it too.
        .take_while(|token| key(*token).is_none())
        .filter(|token| is_digits(token.text))
        .collect()
}

/// Returns the field of a key at the start, and the value after it.
pub fn key(token: Token<'_>) -> Option<(&'static Field, Token<'_>)> {
    let (name, _) = token.text.split_once(':')?;
    let field = field_by_key(&name.to_ascii_lowercase())?;
    Some((field, token.after(name.len() + 1)))
}

#[derive(Default)]
struct WordParser {
    any: Vec<Condition>,
    /// The field of the alternatives that follow: `port:3000,5432`.
    field: Option<&'static Field>,
    hint: Option<String>,
}

impl WordParser {
    fn parse(&mut self, word: Token<'_>) -> Result<(), TokenError> {
        if is_url(word.text) {
            let condition = self.plain(word)?;
            self.any.push(condition);
            return Ok(());
        }
        let tokens = alternatives(word);
        let last = tokens.len() - 1;
        for (index, token) in tokens.into_iter().enumerate() {
            if index == last && self.ends_with_endpoint(word, token) {
                break;
            }
            let condition = self.alternative(word, token)?;
            self.any.push(condition);
        }
        Ok(())
    }

    /// True if only the comma after an endpoint copied from a sentence follows.
    fn ends_with_endpoint(&self, word: Token<'_>, token: Token<'_>) -> bool {
        token.text.is_empty()
            && word.text.ends_with(',')
            && matches!(self.any.last(), Some(Condition::EndpointSpec(_)))
    }

    fn alternative(&mut self, word: Token<'_>, token: Token<'_>) -> Result<Condition, TokenError> {
        if token.text.is_empty() {
            return Err(missing(word, token));
        }
        if let Some((field, value)) = key(token) {
            self.field = Some(field);
            return field_condition(field, token, value);
        }
        match self.field {
            Some(field) => field_condition(field, token, token),
            None => self.plain(token),
        }
    }

    fn plain(&mut self, token: Token<'_>) -> Result<Condition, TokenError> {
        if token.is_quoted() {
            return text(token).map(Condition::Text);
        }
        if token.text.starts_with('!') {
            return Err(token.error("! goes before the whole word: !a|b matches neither"));
        }
        if let Some(spec) = endpoint_spec(token)? {
            if spec.host == Host::Name {
                self.hint = Some(format!(
                    "host names are not resolved: matching port {} on any address",
                    spec.port
                ));
            }
            return Ok(Condition::EndpointSpec(spec));
        }
        if let Some(ports) = either_port(token)? {
            return Ok(Condition::Port {
                end: PortEnd::Either,
                ports,
            });
        }
        self.hint = self.hint.take().or_else(|| unknown_key(token));
        text(token).map(Condition::Text)
    }
}

fn missing(word: Token<'_>, token: Token<'_>) -> TokenError {
    let before = token.start.checked_sub(word.start + 1);
    let sign = |at: usize| word.text.get(at..=at);
    match (before, before.and_then(sign)) {
        (Some(at), Some(sign)) => word_part(word, at).error(format!(
            "missing alternative after {sign} (a{sign}b matches either)"
        )),
        _ => word_part(word, 0).error(format!(
            "missing alternative before {}",
            sign(0).unwrap_or_default()
        )),
    }
}

/// Returns the one-byte separator at this offset of a word.
fn word_part(word: Token<'_>, at: usize) -> Token<'_> {
    Token {
        text: word.text.get(at..=at).unwrap_or_default(),
        start: word.start + at,
    }
}

/// `unknown field cmd: is searched for as text`
fn unknown_key(token: Token<'_>) -> Option<String> {
    let (name, _) = token.text.split_once(':')?;
    let is_word = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    is_word.then(|| format!("unknown field {name}: is searched for as text"))
}

fn either_port(token: Token<'_>) -> Result<Option<Ports>, TokenError> {
    if is_digits(token.text) {
        let digits = number(token, PORT)?;
        return Ok(u16::try_from(digits).ok().map(Ports::Typed));
    }
    Ok(numbers(token, PORT)?.map(Ports::Numbers))
}
