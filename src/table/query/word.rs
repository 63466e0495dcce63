//! A word of a filter: text to [`Term`].

use crate::table::fields::{Field, field_by_key};
use crate::table::query::condition::{Condition, End, Ports, Term};
use crate::table::query::field_value::{of_field, text};
use crate::table::query::numbers::{PORT, is_digits, number, numbers};
use crate::table::query::piece::{Fault, Piece, alternatives};
use crate::table::query::place::{Host, is_url, place};

/// What a word says, as far as it is sound.
#[derive(Debug, Default)]
pub struct Word {
    /// Of a word with a fault the alternatives before it.
    pub term: Option<Term>,
    pub fault: Option<Fault>,
    pub hint: Option<String>,
}

pub fn word(piece: Piece<'_>) -> Word {
    let (is_negated, rest) = without_not(piece);
    if rest.text.is_empty() {
        let what = format!("something is missing after {}", piece.text);
        return Word {
            fault: Some(piece.fault(what)),
            ..Word::default()
        };
    }
    let mut reader = Reader::default();
    let fault = reader.read(rest).err();
    let any = reader.any;
    Word {
        term: (!any.is_empty()).then_some(Term { is_negated, any }),
        fault,
        hint: reader.hint,
    }
}

/// Takes every `!` and `not:` from the front.
fn without_not(piece: Piece<'_>) -> (bool, Piece<'_>) {
    let mut is_negated = false;
    let mut rest = piece;
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

/// The alternatives that are bare digits, of which the table decides what they mean.
pub fn typed_digits(word: Piece<'_>) -> Vec<Piece<'_>> {
    let (_, rest) = without_not(word);
    if is_url(rest.text) {
        return Vec::new();
    }
    alternatives(rest)
        .into_iter()
        // A key holds for the alternatives after it too.
        .take_while(|piece| key(*piece).is_none())
        .filter(|piece| is_digits(piece.text))
        .collect()
}

/// The field that a piece begins with, and the rest of it.
pub fn key(piece: Piece<'_>) -> Option<(&'static Field, Piece<'_>)> {
    let (name, _) = piece.text.split_once(':')?;
    let field = field_by_key(&name.to_ascii_lowercase())?;
    Some((field, piece.after(name.len() + 1)))
}

#[derive(Default)]
struct Reader {
    any: Vec<Condition>,
    /// The field that the alternatives are of: `port:3000,5432`.
    field: Option<&'static Field>,
    hint: Option<String>,
}

impl Reader {
    fn read(&mut self, word: Piece<'_>) -> Result<(), Fault> {
        if is_url(word.text) {
            let condition = self.plain(word)?;
            self.any.push(condition);
            return Ok(());
        }
        let pieces = alternatives(word);
        let last = pieces.len() - 1;
        for (index, piece) in pieces.into_iter().enumerate() {
            if index == last && self.ends_a_place(word, piece) {
                break;
            }
            let condition = self.alternative(word, piece)?;
            self.any.push(condition);
        }
        Ok(())
    }

    /// Whether nothing follows but the comma of the sentence that a place was copied from.
    fn ends_a_place(&self, word: Piece<'_>, piece: Piece<'_>) -> bool {
        piece.text.is_empty()
            && word.text.ends_with(',')
            && matches!(self.any.last(), Some(Condition::Place(_)))
    }

    fn alternative(&mut self, word: Piece<'_>, piece: Piece<'_>) -> Result<Condition, Fault> {
        if piece.text.is_empty() {
            return Err(missing(word, piece));
        }
        if let Some((field, value)) = key(piece) {
            self.field = Some(field);
            return of_field(field, piece, value);
        }
        match self.field {
            Some(field) => of_field(field, piece, piece),
            None => self.plain(piece),
        }
    }

    fn plain(&mut self, piece: Piece<'_>) -> Result<Condition, Fault> {
        if piece.is_quoted() {
            return text(piece).map(Condition::Text);
        }
        if piece.text.starts_with('!') {
            return Err(piece.fault("! stands before the whole word: !a|b is neither"));
        }
        if let Some(place) = place(piece)? {
            if place.host == Host::Name {
                let port = place.port;
                self.hint = Some(format!(
                    "names are not looked up: port {port} on any address"
                ));
            }
            return Ok(Condition::Place(place));
        }
        if let Some(ports) = either_port(piece)? {
            let end = End::Either;
            return Ok(Condition::Port { end, ports });
        }
        self.hint = self.hint.take().or_else(|| unknown_key(piece));
        text(piece).map(Condition::Text)
    }
}

fn missing(word: Piece<'_>, piece: Piece<'_>) -> Fault {
    let before = piece.start.checked_sub(word.start + 1);
    let sign = |at: usize| word.text.get(at..=at);
    match (before, before.and_then(sign)) {
        (Some(at), Some(sign)) => word_part(word, at).fault(format!(
            "an alternative is missing after {sign}: a{sign}b is either"
        )),
        _ => word_part(word, 0).fault(format!(
            "an alternative is missing before {}",
            sign(0).unwrap_or_default()
        )),
    }
}

/// The one-byte separator at this place of a word.
fn word_part(word: Piece<'_>, at: usize) -> Piece<'_> {
    Piece {
        text: word.text.get(at..=at).unwrap_or_default(),
        start: word.start + at,
    }
}

/// `cmd: is no field; looking for it as text`
fn unknown_key(piece: Piece<'_>) -> Option<String> {
    let (name, _) = piece.text.split_once(':')?;
    let is_word = name.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
    is_word.then(|| format!("{name}: is no field; looking for it as text"))
}

fn either_port(piece: Piece<'_>) -> Result<Option<Ports>, Fault> {
    if is_digits(piece.text) {
        let digits = number(piece, PORT)?;
        return Ok(u16::try_from(digits).ok().map(Ports::Typed));
    }
    Ok(numbers(piece, PORT)?.map(Ports::Numbers))
}
