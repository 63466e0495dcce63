//! Splits a filter into words and words into alternatives, outside quotes, with their positions.

use crate::model::port::url::split_url;
use crate::model::text::escaped;
use std::ops::Range;

/// A part of a filter, with its byte offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    pub start: usize,
}

/// An error in a filter, and how to correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Byte range in the text, on character boundaries.
    pub at: Range<usize>,
    /// `not a port: 99999 (the highest is 65535)`
    pub what: String,
    /// True in a word that is still being typed, where it is shown as a hint and not as an error.
    pub is_unfinished: bool,
}

impl Token<'_> {
    pub fn at(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub fn error(self, what: impl Into<String>) -> ParseError {
        ParseError {
            at: self.at(),
            what: what.into(),
            is_unfinished: false,
        }
    }

    /// `not a state: lost (try listen, …)`
    pub fn invalid(self, what: &str, examples: &str) -> ParseError {
        let text = escaped(self.text);
        self.error(format!("not {what}: {text} (try {examples})"))
    }

    /// Returns the token without its first `length` bytes.
    pub fn after(self, length: usize) -> Self {
        Self {
            text: self.text.get(length..).unwrap_or_default(),
            start: self.start + length.min(self.text.len()),
        }
    }

    pub fn is_quoted(self) -> bool {
        self.text.starts_with('"')
    }

    /// Returns the text without its quotes.
    pub fn unquoted(self) -> Result<String, ParseError> {
        let Some(inner) = self.text.strip_prefix('"') else {
            return Ok(self.text.to_owned());
        };
        match inner.split_once('"') {
            Some((quoted, rest)) => Ok(format!("{quoted}{rest}")),
            None => Err(self.error(format!("missing closing quote: {}", escaped(self.text)))),
        }
    }
}

/// Splits a filter into words at spaces.
pub fn split_words(text: &str) -> Vec<Token<'_>> {
    let whole = Token { text, start: 0 };
    let mut words = split(whole, char::is_whitespace);
    words.retain(|word| !word.text.is_empty());
    words
}

/// Splits a word that is no URL at `|` and `,`; keeps empty alternatives.
pub fn alternatives(word: Token<'_>) -> Vec<Token<'_>> {
    if split_url(word.text).is_some() {
        return vec![word];
    }
    split(word, is_either)
}

fn is_either(letter: char) -> bool {
    matches!(letter, '|' | ',')
}

/// Splits a token at separators outside quotes. A quote opens only at the start of a text; elsewhere it is a letter.
fn split(token: Token<'_>, is_separator: fn(char) -> bool) -> Vec<Token<'_>> {
    let part = |start: usize, end: usize| Token {
        text: token.text.get(start..end).unwrap_or_default(),
        start: token.start + start,
    };
    let mut tokens = Vec::new();
    let (mut start, mut is_quoted, mut before) = (0, false, None);
    for (at, letter) in token.text.char_indices() {
        if letter == '"' && (is_quoted || before.is_none_or(precedes_quote)) {
            is_quoted = !is_quoted;
        } else if !is_quoted && is_separator(letter) {
            tokens.push(part(start, at));
            start = at + letter.len_utf8();
        }
        before = Some(letter);
    }
    tokens.push(part(start, token.text.len()));
    tokens
}

fn precedes_quote(letter: char) -> bool {
    letter.is_whitespace() || is_either(letter) || matches!(letter, '!' | ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(tokens: Vec<Token<'_>>) -> Vec<&str> {
        tokens.into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn words_end_at_blanks_that_are_not_quoted() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            ("  a  b ", &["a", "b"]),
            ("\"a b\" c", &["\"a b\"", "c"]),
            ("proc:\"a b\"", &["proc:\"a b\""]),
            ("!\"a b\"|\"c d\"", &["!\"a b\"|\"c d\""]),
            ("a\"b c", &["a\"b", "c"]),
            ("\"open end ", &["\"open end "]),
        ];
        for (text, expected) in cases {
            assert_eq!(texts(split_words(text)), expected, "{text}");
        }
    }

    #[test]
    fn alternatives_keep_their_offset() {
        let word = split_words("x \"a|b\",c|").remove(1);
        let found: Vec<_> = alternatives(word)
            .into_iter()
            .map(|token| (token.text, token.start))
            .collect();
        assert_eq!(found, [("\"a|b\"", 2), ("c", 8), ("", 10)]);
    }
}
