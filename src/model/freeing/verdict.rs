//! The truth about the port, in words.

use super::Hindrance;
use std::fmt::{self, Display};

/// What became of the port; `Display` is the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Nothing(Hindrance),
}

/// The colour of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing holds it and it can be bound, be it only with SO_REUSEADDR.
    Free,
    /// Something holds it, or part of it, or it cannot be bound.
    Held,
    /// It was free and someone took it.
    Taken,
    /// No signal went out.
    Nothing,
}

impl Verdict {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nothing(_) => Kind::Nothing,
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing(hindrance) => write!(f, "Nothing sent: {hindrance}."),
        }
    }
}
