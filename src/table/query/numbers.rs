//! Numbers as a filter writes them: `3000`, `300*`, `3000-3999`, `49152-`, `-1023`, `>=49152`.

use crate::table::query::piece::{Fault, Piece};

/// A set of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    Exact(u64),
    /// Those whose digits begin with the digits of this one, which is not 0.
    Prefix(u64),
    /// Both ends included.
    Range(u64, u64),
}

impl Numbers {
    pub fn contains(self, number: u64) -> bool {
        match self {
            Self::Exact(exact) => number == exact,
            Self::Prefix(prefix) => begins_with(number, prefix),
            Self::Range(low, high) => (low..=high).contains(&number),
        }
    }
}

/// Whether the digits of `number` begin with those of `prefix`; without writing them down.
pub fn begins_with(mut number: u64, prefix: u64) -> bool {
    while number > prefix {
        number /= 10;
    }
    number == prefix
}

/// What is counted: its name in messages and which numbers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    pub name: &'static str,
    pub lowest: u64,
    pub highest: u64,
}

pub const PORT: Unit = Unit {
    name: "port",
    lowest: 1,
    highest: u16::MAX as u64,
};
pub const PID: Unit = Unit {
    name: "pid",
    lowest: 1,
    highest: u32::MAX as u64,
};
pub const UID: Unit = Unit {
    name: "user number",
    lowest: 0,
    highest: u32::MAX as u64,
};

/// The numbers that a piece stands for; `None` where it is not written like numbers at all.
pub fn numbers(piece: Piece<'_>, unit: Unit) -> Result<Option<Numbers>, Fault> {
    match comparison(piece, unit)? {
        Some(found) => Ok(Some(found)),
        None => plain(piece, unit),
    }
}

/// A number that is written in digits only and within its unit.
pub fn number(piece: Piece<'_>, unit: Unit) -> Result<u64, Fault> {
    let number = bound(piece, unit)?;
    if number < unit.lowest {
        let Unit { name, lowest, .. } = unit;
        return Err(piece.fault(format!("{number} is no {name}: the lowest is {lowest}")));
    }
    Ok(number)
}

pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An end of a range, which may be 0 whatever the unit.
fn bound(piece: Piece<'_>, unit: Unit) -> Result<u64, Fault> {
    let Unit { name, highest, .. } = unit;
    match piece.text.parse() {
        Ok(number) if number <= highest => Ok(number),
        _ => {
            let digits = piece.text;
            Err(piece.fault(format!("{digits} is no {name}: the highest is {highest}")))
        }
    }
}

fn comparison(piece: Piece<'_>, unit: Unit) -> Result<Option<Numbers>, Fault> {
    let Some(sign) = [">=", "<=", ">", "<"]
        .into_iter()
        .find(|sign| piece.text.starts_with(sign))
    else {
        return Ok(None);
    };
    let digits = piece.after(sign.len());
    if digits.text.is_empty() {
        return Err(piece.fault(format!("a number is missing after {sign}")));
    }
    if !is_digits(digits.text) {
        return Ok(None);
    }
    let number = bound(digits, unit)?;
    let range = match sign {
        ">=" => Some((number, unit.highest)),
        "<=" => Some((0, number)),
        ">" => Some((number + 1, unit.highest)),
        _ => number.checked_sub(1).map(|high| (0, high)),
    };
    match range.filter(|(low, high)| low <= high) {
        Some((low, high)) => Ok(Some(Numbers::Range(low, high))),
        None => Err(piece.fault(format!("no {} is {}", unit.name, piece.text))),
    }
}

fn plain(piece: Piece<'_>, unit: Unit) -> Result<Option<Numbers>, Fault> {
    if is_digits(piece.text) {
        return Ok(Some(Numbers::Exact(number(piece, unit)?)));
    }
    if let Some(digits) = piece.text.strip_suffix('*').filter(|text| is_digits(text)) {
        let start = piece.start;
        let prefix = number(
            Piece {
                text: digits,
                start,
            },
            Unit { lowest: 1, ..unit },
        )?;
        return Ok(Some(Numbers::Prefix(prefix)));
    }
    range(piece, unit)
}

/// `3000-3999`, `49152-`, `-1023`; the dash may be the longer one that prose and portmon itself write.
fn range(piece: Piece<'_>, unit: Unit) -> Result<Option<Numbers>, Fault> {
    let Some((dash, sign)) = piece
        .text
        .char_indices()
        .find(|(_, letter)| matches!(letter, '-' | '–'))
    else {
        return Ok(None);
    };
    let from = Piece {
        text: piece.text.get(..dash).unwrap_or_default(),
        start: piece.start,
    };
    let to = piece.after(dash + sign.len_utf8());
    let is_end = |end: Piece<'_>| end.text.is_empty() || is_digits(end.text);
    if !is_end(from) || !is_end(to) || from.text.len() + to.text.len() == 0 {
        return Ok(None);
    }
    let low = if from.text.is_empty() {
        0
    } else {
        bound(from, unit)?
    };
    let high = if to.text.is_empty() {
        unit.highest
    } else {
        bound(to, unit)?
    };
    if low > high {
        return Err(piece.fault(format!("{low}-{high} runs backwards: {high}-{low}")));
    }
    Ok(Some(Numbers::Range(low, high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Numbers>, String> {
        numbers(Piece { text, start: 0 }, PORT).map_err(|fault| fault.what)
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
    fn what_is_no_number_of_its_kind_says_why_and_the_way_out() {
        let cases = [
            ("0", "0 is no port: the lowest is 1"),
            ("0*", "0 is no port: the lowest is 1"),
            ("99999", "99999 is no port: the highest is 65535"),
            ("99999*", "99999 is no port: the highest is 65535"),
            (
                "99999999999999999999999",
                "99999999999999999999999 is no port: the highest is 65535",
            ),
            ("3000-99999", "99999 is no port: the highest is 65535"),
            ("3999-3000", "3999-3000 runs backwards: 3000-3999"),
            (">=", "a number is missing after >="),
            (">65535", "no port is >65535"),
            ("<0", "no port is <0"),
        ];
        for (text, what) in cases {
            assert_eq!(read(text), Err(what.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_prefix_is_of_digits_not_of_size() {
        let found = [628, 6280, 62893, 6, 62, 6290, 1628].map(|number| begins_with(number, 628));
        assert_eq!(found, [true, true, true, false, false, false, false]);
    }
}
