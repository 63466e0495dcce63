//! Numbers in a filter: `3000`, `300*`, `3000-3999`, `49152-`, `-1023`, `>=49152`.

use crate::table::query::token::{ParseError, Token};

/// A set of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    Exact(u64),
    /// Numbers whose digits start with these, which are not 0.
    Prefix(u64),
    /// Both ends included.
    Range(u64, u64),
}

impl Numbers {
    /// Allocates nothing.
    pub fn contains(self, mut number: u64) -> bool {
        match self {
            Self::Exact(exact) => number == exact,
            Self::Prefix(prefix) => {
                while number > prefix {
                    number /= 10;
                }
                number == prefix
            }
            Self::Range(low, high) => (low..=high).contains(&number),
        }
    }
}

/// A kind of number, with its name in messages and its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberDomain {
    name: &'static str,
    lowest: u64,
    highest: u64,
}

pub const PORT: NumberDomain = NumberDomain::new("port", 1, 65_535);
pub const PID: NumberDomain = NumberDomain::new("pid", 1, u32::MAX as u64);
pub const UID: NumberDomain = NumberDomain::new("uid", 0, u32::MAX as u64);

impl NumberDomain {
    const fn new(name: &'static str, lowest: u64, highest: u64) -> Self {
        Self {
            name,
            lowest,
            highest,
        }
    }
}

/// Parses numbers; `None` if the token is not written like numbers.
pub fn numbers(token: Token<'_>, domain: NumberDomain) -> Result<Option<Numbers>, ParseError> {
    if is_digits(token.text) {
        return Ok(Some(Numbers::Exact(number(token, domain)?)));
    }
    let lowest = |lowest| NumberDomain { lowest, ..domain };
    if let Some(text) = token.text.strip_suffix('*').filter(|text| is_digits(text)) {
        let prefix = number(Token { text, ..token }, lowest(1))?;
        return Ok(Some(Numbers::Prefix(prefix)));
    }
    // The end of a range may be 0 in any domain.
    match [">=", "<=", ">", "<"]
        .into_iter()
        .find(|sign| token.text.starts_with(sign))
    {
        Some(sign) => comparison(token, sign, lowest(0)),
        None => range(token, lowest(0)),
    }
}

/// Parses a number of the domain; the token is all digits.
pub fn number(token: Token<'_>, domain: NumberDomain) -> Result<u64, ParseError> {
    let error = |bound: &str, limit: u64| {
        let (name, digits) = (domain.name, token.text);
        token.error(format!("not a {name}: {digits} (the {bound} is {limit})"))
    };
    match token.text.parse() {
        Ok(number) if number < domain.lowest => Err(error("lowest", domain.lowest)),
        Ok(number) if number <= domain.highest => Ok(number),
        _ => Err(error("highest", domain.highest)),
    }
}

pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn comparison(
    token: Token<'_>,
    sign: &str,
    domain: NumberDomain,
) -> Result<Option<Numbers>, ParseError> {
    let digits = token.after(sign.len());
    if digits.text.is_empty() {
        return Err(token.error(format!("missing number after {sign}")));
    }
    if !is_digits(digits.text) {
        return Ok(None);
    }
    let number = number(digits, domain)?;
    let all = domain.highest + 1;
    let range = match sign {
        ">=" => number..all,
        "<=" => 0..number + 1,
        ">" => number + 1..all,
        _ => 0..number,
    };
    if range.is_empty() {
        return Err(token.error(format!("no {} matches {}", domain.name, token.text)));
    }
    Ok(Some(Numbers::Range(range.start, range.end - 1)))
}

/// Parses `3000-3999`, `49152-` and `-1023`, also with an en dash.
fn range(token: Token<'_>, domain: NumberDomain) -> Result<Option<Numbers>, ParseError> {
    let Some((text, to)) = token.text.split_once(['-', '–']) else {
        return Ok(None);
    };
    let from = Token { text, ..token };
    let to = token.after(token.text.len() - to.len());
    let (low, high) = match (is_digits(from.text), is_digits(to.text)) {
        (true, true) => (number(from, domain)?, number(to, domain)?),
        (true, false) if to.text.is_empty() => (number(from, domain)?, domain.highest),
        (false, true) if from.text.is_empty() => (0, number(to, domain)?),
        _ => return Ok(None),
    };
    if low > high {
        return Err(token.error(format!("reversed range: {low}-{high} (try {high}-{low})")));
    }
    Ok(Some(Numbers::Range(low, high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Numbers>, String> {
        numbers(Token { text, start: 0 }, PORT).map_err(|error| error.what)
    }

    #[test]
    fn numbers_are_exact_prefixes_or_ranges() {
        let cases = [
            ("3000", Some(Numbers::Exact(3000))),
            ("03000", Some(Numbers::Exact(3000))),
            ("628*", Some(Numbers::Prefix(628))),
            ("3000-3999", Some(Numbers::Range(3000, 3999))),
            ("49152–65535", Some(Numbers::Range(49152, 65535))),
            ("49152-", Some(Numbers::Range(49152, 65535))),
            (">=49152", Some(Numbers::Range(49152, 65535))),
            (">49151", Some(Numbers::Range(49152, 65535))),
            ("-1023", Some(Numbers::Range(0, 1023))),
            ("<=1023", Some(Numbers::Range(0, 1023))),
            ("<1024", Some(Numbers::Range(0, 1023))),
            ("node", None),
            ("-", None),
            ("-p", None),
            ("3000-x", None),
            ("->", None),
            ("<-", None),
            ("*", None),
            ("6*8", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_invalid_number_says_why_and_the_way_out() {
        let cases = [
            ("0", "not a port: 0 (the lowest is 1)"),
            ("0*", "not a port: 0 (the lowest is 1)"),
            ("99999", "not a port: 99999 (the highest is 65535)"),
            ("99999*", "not a port: 99999 (the highest is 65535)"),
            (
                "99999999999999999999999",
                "not a port: 99999999999999999999999 (the highest is 65535)",
            ),
            ("3000-99999", "not a port: 99999 (the highest is 65535)"),
            ("3999-3000", "reversed range: 3999-3000 (try 3000-3999)"),
            (">=", "missing number after >="),
            (">65535", "no port matches >65535"),
            ("<0", "no port matches <0"),
        ];
        for (text, what) in cases {
            assert_eq!(read(text), Err(what.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_prefix_is_of_digits_not_of_size() {
        let found = [628, 6280, 62893, 6, 62, 6290, 1628]
            .map(|number| Numbers::Prefix(628).contains(number));
        assert_eq!(found, [true, true, true, false, false, false, false]);
    }
}
