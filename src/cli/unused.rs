//! The words of `portmon unused`.

use super::values::source;
use crate::model::source::Source;
use clap::Args;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedOptions {
    pub place: Place,
    pub count: u16,
    pub source: Option<Source>,
}

/// Where unused ports are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This port and above.
    From(u16),
    /// The class that IANA assigns to nobody.
    Dynamic,
    /// What this machine gives to sockets that ask for no port.
    Ephemeral,
}

/// Where most development servers begin.
const USUAL: u16 = 3000;

#[derive(Args)]
pub(super) struct UnusedWords {
    /// Begin with this port [default: 3000]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    from: Option<u16>,
    /// Only 49152 to 65535
    #[arg(long, conflicts_with = "from")]
    dynamic: bool,
    /// Only what this machine hands out by itself
    #[arg(long, conflicts_with_all = ["from", "dynamic"])]
    ephemeral: bool,
    /// How many to print
    #[arg(short = 'c', value_name = "COUNT", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    count: u16,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<Source>,
}

impl UnusedWords {
    pub(super) fn options(self) -> UnusedOptions {
        let place = if self.dynamic {
            Place::Dynamic
        } else if self.ephemeral {
            Place::Ephemeral
        } else {
            Place::From(self.from.unwrap_or(USUAL))
        };
        UnusedOptions {
            place,
            count: self.count,
            source: self.source,
        }
    }
}
