//! The words of `portmon unused`.

use super::values::source;
use crate::model::socket_source::SocketSource;
use clap::Args;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedOptions {
    pub range: SearchRange,
    pub count: u16,
    pub source: Option<SocketSource>,
}

/// Where unused ports are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchRange {
    /// This port and above.
    From(u16),
    /// The class that IANA assigns to nobody.
    Dynamic,
    /// What this machine gives to sockets that ask for no port.
    Ephemeral,
}

/// Where most development servers begin.
const DEFAULT_FIRST_PORT: u16 = 3000;

#[derive(Args)]
pub(super) struct UnusedArgs {
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
    source: Option<SocketSource>,
}

impl UnusedArgs {
    pub(super) fn options(self) -> UnusedOptions {
        let range = if self.dynamic {
            SearchRange::Dynamic
        } else if self.ephemeral {
            SearchRange::Ephemeral
        } else {
            SearchRange::From(self.from.unwrap_or(DEFAULT_FIRST_PORT))
        };
        UnusedOptions {
            range,
            count: self.count,
            source: self.source,
        }
    }
}
