//! The words of `portmon wait`.

use super::EarlyExit;
use super::values::{port_spec, source, wait_for_exit};
use crate::check::{Until, WaitTarget};
use crate::model::port_spec::PortSpec;
use crate::model::socket_source::SocketSource;
use clap::Args;
use std::net::IpAddr;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitOptions {
    pub target: WaitTarget,
    /// After how long it gives up, if ever.
    pub timeout: Option<Duration>,
    pub source: Option<SocketSource>,
}

#[derive(Args)]
pub(super) struct WaitArgs {
    /// The port to wait for: 3000, 3000/udp, 127.0.0.1:3000
    #[arg(value_name = "PORT", value_parser = port_spec)]
    port: PortSpec,
    /// Wait until it is free instead of until it listens
    #[arg(long)]
    free: bool,
    /// Wait for it on this local address only
    #[arg(long)]
    address: Option<IpAddr>,
    /// Give up after so many seconds, 0 to 86400, with exit code 124
    #[arg(long, value_name = "SECS", value_parser = wait_for_exit)]
    timeout: Option<Duration>,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

impl WaitArgs {
    pub(super) fn options(self) -> Result<WaitOptions, EarlyExit> {
        let mut port = self.port;
        if let Some(address) = self.address.map(|address| address.to_canonical()) {
            if port.address.is_some_and(|own| own != address) {
                return Err(EarlyExit::UsageError(format!(
                    "{port} and --address {address} are two addresses: leave one of them out"
                )));
            }
            port.address = Some(address);
        }
        Ok(WaitOptions {
            target: WaitTarget {
                spec: port,
                until: if self.free {
                    Until::Free
                } else {
                    Until::Listening
                },
            },
            timeout: self.timeout,
            source: self.source,
        })
    }
}
