//! The filter language: parses text to a [`Query`] that matches rows.
//!
//! Words separated by spaces must all match, except that those which name ports are alternatives of one another. `a|b` or
//! `a,b` in a word is either, `!word` or `not:word` is not, `"two words"` quotes. [`FILTER_SYNTAX`] lists the forms of a
//! word.
//!
//! A text with an error still gives the terms that are valid, so that the table can follow each key;
//! [`ParseError::is_unfinished`] tells an error from a word that is still being typed.
//!
//! A query is matched against every row, thousands of times a second, so [`parse`] prepares all that it can.

mod condition;
mod endpoint_spec;
mod field_value;
mod numbers;
mod paste;
mod rank;
mod requirements;
mod syntax;
mod token;
mod word_parser;

pub use paste::{bare_numbers, from_paste};
pub use rank::Rank;
pub use syntax::FILTER_SYNTAX;
pub use token::ParseError;

use crate::model::port::Localhost;
use crate::model::socket::Protocol;
use crate::table::query::condition::{Condition, PortEnd, Ports, RowText, Term};
use crate::table::query::endpoint_spec::Host;
use crate::table::query::numbers::Numbers;
use crate::table::query::word_parser::{WordParser, typed_digits};
use crate::table::row::{DisplayContext, Row};

/// A parsed filter. The default matches every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Cheap terms first.
    terms: Vec<Term>,
}

/// The result of parsing a filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The valid terms.
    pub query: Query,
    pub error: Option<ParseError>,
    /// A remark on a valid filter, such as `unknown field "cmd": searching for it as text`.
    pub hint: Option<String>,
}

/// Parses a filter while it is typed: the last word may be unfinished until a space follows it.
pub fn parse(text: &str) -> Parsed {
    let mut parsed = Parsed::default();
    for token in token::split_words(text) {
        let mut word = WordParser::default();
        if let Err(mut error) = word.parse(token) {
            error.is_unfinished = token.at().end == text.len() || may_be_pids(text);
            parsed.error.get_or_insert(error);
        }
        if !word.term.any.is_empty() {
            parsed.query.add(word.term);
        }
        parsed.hint = parsed.hint.or(word.hint);
    }
    parsed.query.terms.sort_by_key(Term::cost);
    parsed
}

/// True if a text is numbers alone of which one is no port: pids, of which a process may be found.
fn may_be_pids(text: &str) -> bool {
    let is_port = |number: &u32| u16::try_from(*number).is_ok();
    bare_numbers(text).is_some_and(|numbers| !numbers.iter().all(is_port))
}

/// Parses a complete filter, as after Enter and on the command line.
pub fn parse_finished(text: &str) -> Parsed {
    let mut parsed = parse(text);
    if let Some(error) = &mut parsed.error {
        error.is_unfinished = false;
    }
    parsed
}

impl Query {
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    fn add(&mut self, term: Term) {
        let mut known = self.terms.iter_mut();
        match known.find(|known| known.is_of_ports() && term.is_of_ports()) {
            Some(ports) => {
                let more = term.any.into_iter();
                let more: Vec<_> = more.filter(|port| !ports.any.contains(port)).collect();
                ports.any.extend(more);
            }
            None => self.terms.push(term),
        }
    }

    pub fn matches(&self, row: &Row, context: &DisplayContext) -> bool {
        let row = RowText::new(row, context);
        self.terms.iter().all(|term| term.matches(&row))
    }

    /// Returns the query with typed digits resolved: that port if `has_port` finds it at either end of a row, otherwise
    /// ports that start with it.
    ///
    /// Resolve the query of [`parse`] again when the table has changed.
    pub fn resolved(&self, has_port: &dyn Fn(u16) -> bool) -> Self {
        self.clone().with_typed(|digits| {
            if u16::try_from(digits).is_ok_and(has_port) {
                Numbers::Exact(digits)
            } else {
                Numbers::Prefix(digits)
            }
        })
    }

    /// Resolves typed digits to exactly that port, as on the command line and after Enter (see [`committed`]).
    pub fn exact(self) -> Self {
        self.with_typed(Numbers::Exact)
    }

    /// Returns the query with what `localhost` resolves to.
    pub fn on_localhost(mut self, localhost: Localhost) -> Self {
        for condition in self.terms.iter_mut().flat_map(|term| &mut term.any) {
            if let Condition::EndpointSpec(spec) = condition
                && let Host::Localhost(known) = &mut spec.host
            {
                *known = localhost;
            }
        }
        self
    }

    fn with_typed(mut self, decide: impl Fn(u64) -> Numbers) -> Self {
        for condition in self.terms.iter_mut().flat_map(|term| &mut term.any) {
            if let Condition::Port { ports, .. } = condition
                && let Ports::Typed(digits) = *ports
            {
                *ports = Ports::Numbers(decide(digits));
            }
        }
        self
    }

    /// True if it names an exact port, so that sockets out of scope are searched too. A negated port does not count.
    pub fn names_exact_port(&self) -> bool {
        self.positive_conditions()
            .any(|condition| condition.exact_port().is_some())
    }

    /// Returns the port if the filter is a single local port: `3000`, `:3000`, `port:3000`.
    pub fn sole_local_port(&self) -> Option<u16> {
        match self.only_condition()? {
            Condition::Port {
                end: PortEnd::Remote,
                ..
            } => None,
            condition => condition.exact_port(),
        }
    }

    /// Returns the digits if the filter is only digits and no row has that port: they may be a port nevertheless.
    pub fn sole_digits(&self) -> Option<u16> {
        match self.only_condition()? {
            Condition::Port {
                end: PortEnd::Local | PortEnd::Either,
                ports: Ports::Numbers(Numbers::Prefix(digits)),
            } => u16::try_from(*digits).ok(),
            _ => None,
        }
    }

    /// Returns the protocol if the filter is a single port with a protocol: `3000/tcp`.
    pub fn sole_protocol(&self) -> Option<Protocol> {
        match self.only_condition()? {
            Condition::EndpointSpec(spec) => spec.protocol,
            _ => None,
        }
    }

    /// Returns the condition of a filter that has only one.
    fn only_condition(&self) -> Option<&Condition> {
        match self.terms.as_slice() {
            [term] if !term.is_negated && term.any.len() == 1 => term.any.first(),
            _ => None,
        }
    }

    /// Ranks a matching row, for the cursor.
    pub fn rank(&self, row: &Row) -> Rank {
        rank::rank(self.positive_conditions(), row)
    }

    fn positive_conditions(&self) -> impl Iterator<Item = &Condition> {
        self.terms
            .iter()
            .filter(|term| !term.is_negated)
            .flat_map(|term| &term.any)
    }
}

/// Returns the text that Enter accepts, so that no row on the screen is hidden by it.
///
/// Digits that are a port (`has_port`) stay; digits that a shown port starts with (`shows_prefix`) become `300*`; other
/// digits stay and wait for that port. Parse the result with [`parse_finished`] and [`Query::exact`].
pub fn committed(
    text: &str,
    has_port: &dyn Fn(u16) -> bool,
    shows_prefix: &dyn Fn(&str) -> bool,
) -> String {
    let mut kept = text.to_owned();
    let tokens = token::split_words(text).into_iter().flat_map(typed_digits);
    // From the end, so that an inserted character moves no token that is left.
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
