//! Cuts a filter's text into words and words into alternatives, minding quotes, and remembers where each piece was.

use std::ops::Range;

/// A part of a filter's text, with the byte at which it begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    pub start: usize,
}

/// What is wrong with a piece, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    pub at: Range<usize>,
    pub what: String,
}

impl Token<'_> {
    pub fn at(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub fn error(self, what: impl Into<String>) -> TokenError {
        TokenError {
            at: self.at(),
            what: what.into(),
        }
    }

    /// The rest of it after `length` bytes; nothing where there are not that many.
    pub fn after(self, length: usize) -> Self {
        Self {
            text: self.text.get(length..).unwrap_or_default(),
            start: self.start + length.min(self.text.len()),
        }
    }

    pub fn is_quoted(self) -> bool {
        self.text.starts_with('"')
    }

    /// The text without its quotes, or a fault where they are open.
    pub fn unquoted(self) -> Result<String, TokenError> {
        let Some(inner) = self.text.strip_prefix('"') else {
            return Ok(self.text.to_owned());
        };
        match inner.split_once('"') {
            Some((quoted, rest)) => Ok(format!("{quoted}{rest}")),
            None => Err(self.error("missing closing \"")),
        }
    }
}

/// The words of a filter: what stands between blanks that are not quoted.
pub fn split_words(text: &str) -> Vec<Token<'_>> {
    let whole = Token { text, start: 0 };
    let mut words = cut(whole, char::is_whitespace);
    words.retain(|word| !word.text.is_empty());
    words
}

/// The alternatives of a word: what stands between `|` or `,`, empty ones included.
pub fn alternatives(word: Token<'_>) -> Vec<Token<'_>> {
    cut(word, is_either)
}

fn is_either(letter: char) -> bool {
    matches!(letter, '|' | ',')
}

fn cut(token: Token<'_>, is_separator: fn(char) -> bool) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    let separators = separators(token.text, is_separator);
    for (at, length) in separators.into_iter().chain([(token.text.len(), 0)]) {
        tokens.push(Token {
            text: token.text.get(start..at).unwrap_or_default(),
            start: token.start + start,
        });
        start = at + length;
    }
    tokens
}

/// Where the separators outside quotes are, and how many bytes each has.
///
/// A quote opens only where a text can begin; elsewhere it is a letter like any other.
fn separators(text: &str, is_separator: fn(char) -> bool) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut is_quoted = false;
    let mut before = None;
    for (at, letter) in text.char_indices() {
        if letter == '"' && (is_quoted || before.is_none_or(can_stand_before_quote)) {
            is_quoted = !is_quoted;
        } else if !is_quoted && is_separator(letter) {
            found.push((at, letter.len_utf8()));
        }
        before = Some(letter);
    }
    found
}

fn can_stand_before_quote(letter: char) -> bool {
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
    fn alternatives_know_where_they_stand() {
        let word = split_words("x \"a|b\",c|").remove(1);
        let found: Vec<_> = alternatives(word)
            .into_iter()
            .map(|token| (token.text, token.start))
            .collect();
        assert_eq!(found, [("\"a|b\"", 2), ("c", 8), ("", 10)]);
    }
}
