//! Arguments of `portmon list`.

use super::values::source;
use super::{CommandArgs, FilterArgs};
use crate::model::socket::SocketSource;
use clap::Args;

/// List ports and exit
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  portmon list                      every local endpoint
  portmon list 3000                 who owns port 3000
  portmon list state:listen --json  listeners as JSON

Exit status:
  0  rows were printed
  1  no rows matched
  2  error, or no rows matched and a socket table could not be read")]
pub struct ListArgs {
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[arg(long, hide = true, value_parser = source)]
    pub source: Option<SocketSource>,
}

impl CommandArgs for ListArgs {
    fn validate(self) -> Result<Self, String> {
        self.filter.validate().map(|()| self)
    }
}
