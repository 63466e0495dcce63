//! Arguments of `portmon unused`.

use super::CommandArgs;
use super::values::source;
use crate::model::socket::SocketSource;
use clap::{Args, value_parser};

/// Find unused ports
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "\
Each port is verified by binding it on every local address.

Examples:
  portmon unused                  the first unused port from 3000 up
  portmon unused --from 8000 -c 3 the first three from 8000 up
  PORT=$(portmon unused) npm start

Exit status:
  0  all requested ports were found
  1  fewer ports were found
  2  error")]
pub struct UnusedArgs {
    /// First port to try [default: 3000]
    #[arg(long, value_name = "PORT", value_parser = value_parser!(u16).range(1..))]
    from: Option<u16>,
    /// Only ports from 49152 to 65535
    #[arg(long, conflicts_with = "from")]
    dynamic: bool,
    /// Only ports in this machine's ephemeral range
    #[arg(long, conflicts_with_all = ["from", "dynamic"])]
    ephemeral: bool,
    /// Number of ports to print
    #[arg(short = 'c', value_name = "COUNT", default_value = "1", value_parser = value_parser!(u16).range(1..))]
    pub count: u16,
    #[arg(long, hide = true, value_parser = source)]
    pub source: Option<SocketSource>,
}

/// Where unused ports are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchRange {
    /// From this port upward.
    From(u16),
    /// The dynamic class of IANA (RFC 6335).
    Dynamic,
    /// What this machine assigns to sockets that ask for no port.
    Ephemeral,
}

/// Where most development servers begin.
const DEFAULT_FIRST_PORT: u16 = 3000;

impl CommandArgs for UnusedArgs {}

impl UnusedArgs {
    pub fn range(&self) -> SearchRange {
        if self.dynamic {
            SearchRange::Dynamic
        } else if self.ephemeral {
            SearchRange::Ephemeral
        } else {
            SearchRange::From(self.from.unwrap_or(DEFAULT_FIRST_PORT))
        }
    }
}
