//! Arguments of `portmon check`.

use super::CommandArgs;
use super::values::{port, source};
use crate::check::CheckRequest;
use crate::model::port::PortSpec;
use crate::model::socket::SocketSource;
use clap::Args;

/// Check whether a port can be used and, if not, why
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  portmon check 3000             can a server use port 3000?
  portmon check 5432 --connect   does its server answer?

Exit status:
  0  the port is free
  1  the port is held
  2  error")]
pub struct CheckArgs {
    /// Port: 3000, 3000/udp, 127.0.0.1:5432, [::1]:5432
    #[arg(value_parser = port)]
    port: PortSpec,
    /// Also connect and show what answers (may end a one-shot server)
    #[arg(long)]
    connect: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    #[arg(long, hide = true, value_parser = source)]
    pub source: Option<SocketSource>,
}

impl CommandArgs for CheckArgs {}

impl CheckArgs {
    pub fn request(&self) -> CheckRequest {
        CheckRequest {
            spec: self.port,
            connects: self.connect,
        }
    }
}
