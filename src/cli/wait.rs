//! The words of `portmon wait`.

use super::Refusal;
use super::values::{patience, source};
use crate::model::source::Source;
use crate::model::target::Target;
use crate::report::wait::{Until, Waiting};
use clap::Args;
use std::net::IpAddr;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitOptions {
    pub waiting: Waiting,
    /// After how long it gives up, if ever.
    pub timeout: Option<Duration>,
    pub source: Option<Source>,
}

#[derive(Args)]
pub(super) struct WaitWords {
    /// The port to wait for: 3000, 3000/udp, 127.0.0.1:3000
    #[arg(value_name = "PORT")]
    target: Target,
    /// Wait until it is free instead of until it listens
    #[arg(long)]
    free: bool,
    /// Wait for it on this local address only
    #[arg(long)]
    address: Option<IpAddr>,
    /// Give up after so many seconds, 0 to 86400, with exit code 124
    #[arg(long, value_name = "SECS", value_parser = patience)]
    timeout: Option<Duration>,
    #[arg(long, hide = true, value_parser = source)]
    source: Option<Source>,
}

impl WaitWords {
    pub(super) fn options(self) -> Result<WaitOptions, Refusal> {
        let target = &self.target;
        let port = target.only_port().ok_or_else(|| {
            Refusal::Wrong(format!(
                "{target} is a range, and one port is waited for: portmon wait {}",
                target.ports.start()
            ))
        })?;
        let address = self.address.map(|address| address.to_canonical());
        if let (Some(one), Some(other)) = (target.address, address)
            && one != other
        {
            return Err(Refusal::Wrong(format!(
                "{target} and --address {other} are two addresses: leave one of them out"
            )));
        }
        Ok(WaitOptions {
            waiting: Waiting {
                protocol: target.protocol,
                port,
                address: address.or(target.address),
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
