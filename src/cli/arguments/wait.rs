//! Arguments of `portmon wait`.

use super::CommandArgs;
use super::values::{address, port, source, timeout};
use crate::check::{Until, WaitTarget};
use crate::model::port::PortSpec;
use crate::model::socket::SocketSource;
use clap::Args;
use std::net::IpAddr;
use std::time::Duration;

/// Wait until a port listens or is free
#[derive(Args, Clone, Debug, PartialEq, Eq)]
#[command(after_help = "\
Examples:
  portmon wait 3000 --timeout 30   until a server listens, at most 30 s
  portmon wait 3000 --free         until the port can be used

Exit status:
  0    the port listens (with --free: is free)
  124  --timeout has elapsed
  2    error")]
pub struct WaitArgs {
    /// Port: 3000, 3000/udp, 127.0.0.1:3000
    #[arg(value_parser = port)]
    port: PortSpec,
    /// Wait until the port is free instead of until it listens
    #[arg(long)]
    free: bool,
    /// Consider only this local address
    #[arg(long, value_parser = address)]
    address: Option<IpAddr>,
    /// Give up after this many seconds, 0 to 86400
    #[arg(long, value_name = "SECS", value_parser = timeout)]
    pub timeout: Option<Duration>,
    #[arg(long, hide = true, value_parser = source)]
    pub source: Option<SocketSource>,
}

impl CommandArgs for WaitArgs {
    fn validate(mut self) -> Result<Self, String> {
        let port = self.port;
        self.port.address = self.address.or(port.address);
        match (port.address, self.address) {
            (Some(one), Some(other)) if one != other => Err(format!(
                "{port} and --address {other} give different addresses: use only one of them"
            )),
            _ => Ok(self),
        }
    }
}

impl WaitArgs {
    pub fn target(&self) -> WaitTarget {
        WaitTarget {
            spec: self.port,
            until: if self.free {
                Until::Free
            } else {
                Until::Listening
            },
        }
    }
}
