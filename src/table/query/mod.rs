//! The filter language: text to [`Query`], and which rows a query lets through.
//!
//! Words separated by blanks must all match. `a|b` or `a,b` in a word is either, `!word` or `not:word` is not,
//! `"two words"` quotes. [`FILTER_SYNTAX`] lists the words there are.
//!
//! While it is typed, a text may have trouble. The terms that are finished and sound stay usable, so that the table can
//! follow each key; whether the trouble is just the word under the cursor is in [`ParseError::is_unfinished`].
//!
//! Nothing here looks at a clock or keeps a row: the same query is asked of every row, thousands of times a second, so
//! what can be made ready is made ready by [`parse`].

mod condition;
mod endpoint_spec;
mod field_value;
mod numbers;
pub mod paste;
mod rank;
mod requirements;
mod syntax;
mod token;
mod word_parser;

pub use paste::from_paste;
pub use rank::Rank;
pub use syntax::FILTER_SYNTAX;

use crate::model::endpoint::Protocol;
use crate::table::query::condition::{Condition, PortEnd, Ports, RowText, Term};
use crate::table::query::numbers::Numbers;
use crate::table::query::word_parser::{parse_word, typed_digits};
use crate::table::row::{DisplayContext, Row};
use std::ops::Range;

/// What a filter asks of a row. The default asks nothing: every row matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The cheap ones first.
    terms: Vec<Term>,
}

/// A filter's text, understood as far as it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The terms that are finished and sound.
    pub query: Query,
    pub error: Option<ParseError>,
    /// A remark on a filter that is sound, such as `unknown field cmd: is searched for as text`.
    pub hint: Option<String>,
}

/// What is not right with a filter, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Bytes of the filter's text; begins and ends between characters.
    pub at: Range<usize>,
    /// `not a port: 99999 (the highest is 65535)`
    pub what: String,
    /// Whether it is in the word that is still being typed: a grey hint then, not an error.
    pub is_unfinished: bool,
}

/// Understands a filter while it is typed: the last word may be unfinished as long as no blank follows it.
pub fn parse(text: &str) -> Parsed {
    parsed(text, Input::Partial)
}

/// Understands a filter that is finished, as after Enter and on the command line: what is not sound is wrong.
pub fn parse_finished(text: &str) -> Parsed {
    parsed(text, Input::Complete)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    Partial,
    Complete,
}

fn parsed(text: &str, input: Input) -> Parsed {
    let mut parsed = Parsed::default();
    for token in token::split_words(text) {
        let word = parse_word(token);
        parsed.query.terms.extend(word.term);
        parsed.hint = parsed.hint.or(word.hint);
        let error = word.error.map(|error| ParseError {
            at: error.at,
            what: error.what,
            is_unfinished: input == Input::Partial && token.at().end == text.len(),
        });
        parsed.error = parsed.error.or(error);
    }
    parsed.query.terms.sort_by_key(Term::cost);
    parsed
}

impl Query {
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn matches(&self, row: &Row, context: &DisplayContext) -> bool {
        let seen = RowText::new(row, context);
        self.terms.iter().all(|term| term.matches(&seen))
    }

    /// Decides for typed digits: exactly that port if `has_port` knows some row with it at either end, otherwise ports
    /// that begin so.
    ///
    /// Keep the query that [`parse`] made and resolve it anew when the table has changed. Until then digits match the
    /// ports that begin so.
    pub fn resolved(&self, has_port: &dyn Fn(u16) -> bool) -> Self {
        self.clone().with_typed(|port| {
            if has_port(port) {
                Numbers::Exact(port.into())
            } else {
                Numbers::Prefix(port.into())
            }
        })
    }

    /// Takes typed digits for exactly that port, as on the command line and after Enter (see [`committed`]).
    pub fn exact(self) -> Self {
        self.with_typed(|port| Numbers::Exact(port.into()))
    }

    fn with_typed(mut self, decide: impl Fn(u16) -> Numbers) -> Self {
        for condition in self.terms.iter_mut().flat_map(|term| &mut term.any) {
            if let Condition::Port { ports, .. } = condition
                && let Ports::Typed(port) = *ports
            {
                *ports = Ports::Numbers(decide(port));
            }
        }
        self
    }

    /// Whether it names a port exactly. The table then looks at every socket, outside the scope too.
    ///
    /// What is left out by name (`!3000`) does not count.
    pub fn names_exact_port(&self) -> bool {
        self.positive_conditions()
            .any(|condition| condition.exact_port().is_some())
    }

    /// The port that the whole filter is about, if it is exactly one local port: `3000`, `:3000`, `port:3000`.
    pub fn sole_local_port(&self) -> Option<u16> {
        match self.only_condition()? {
            Condition::Port {
                end: PortEnd::Remote,
                ..
            } => None,
            condition => condition.exact_port(),
        }
    }

    /// The digits that the whole filter is, while no port that is exactly that is there: they may be one nevertheless.
    pub fn sole_digits(&self) -> Option<u16> {
        match self.only_condition()? {
            Condition::Port {
                end: PortEnd::Local | PortEnd::Either,
                ports: Ports::Numbers(Numbers::Prefix(digits)),
            } => u16::try_from(*digits).ok(),
            _ => None,
        }
    }

    /// The protocol that the whole filter is about, where it names one with its port: `3000/tcp`.
    pub fn sole_protocol(&self) -> Option<Protocol> {
        match self.only_condition()? {
            Condition::EndpointSpec(spec) => spec.protocol,
            _ => None,
        }
    }

    /// What the filter asks, if it is a single thing.
    fn only_condition(&self) -> Option<&Condition> {
        let [
            Term {
                is_negated: false,
                any,
            },
        ] = self.terms.as_slice()
        else {
            return None;
        };
        match any.as_slice() {
            [condition] => Some(condition),
            _ => None,
        }
    }

    /// How good a match a row is, for the cursor. Only meant for rows that match.
    pub fn rank(&self, row: &Row) -> Rank {
        rank::rank(self.positive_conditions(), row)
    }

    /// Every condition that is not negated.
    fn positive_conditions(&self) -> impl Iterator<Item = &Condition> {
        self.terms
            .iter()
            .filter(|term| !term.is_negated)
            .flat_map(|term| &term.any)
    }
}

/// What Enter makes of a filter's text, so that it never hides a row that was on the screen.
///
/// Digits that equal a port (`has_port`) stay and are exact from now on; mere prefixes that a shown port begins with
/// (`shows_prefix`) become `300*`; digits nothing begins with stay, exact, and wait. So the result is to be understood
/// by [`parse_finished`] and made [`Query::exact`].
pub fn committed(
    text: &str,
    has_port: &dyn Fn(u16) -> bool,
    shows_prefix: &dyn Fn(&str) -> bool,
) -> String {
    let mut kept = text.to_owned();
    let tokens = token::split_words(text).into_iter().flat_map(typed_digits);
    // From the end, so that what is put in moves nothing that is still to come.
    for token in tokens.collect::<Vec<_>>().into_iter().rev() {
        let is_port = token.text.parse().is_ok_and(has_port);
        if !is_port && shows_prefix(token.text.trim_start_matches('0')) {
            kept.insert(token.at().end, '*');
        }
    }
    kept
}

#[cfg(test)]
mod tests;
