//! The words of `portmon check`.

use super::EarlyExit;
use super::values::source;
use crate::check::CheckRequest;
use crate::model::port_spec::PortSpec;
use crate::model::socket_source::SocketSource;
use clap::Args;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    pub question: CheckRequest,
    pub json: bool,
    pub source: Option<SocketSource>,
}

#[derive(Args)]
pub(super) struct CheckArgs {
    /// The port: 3000, 3000/udp, 127.0.0.1:5432, [::1]:5432
    #[arg(value_name = "PORT")]
    target: PortSpec,
    /// Connect as well and say what answers; uses up a server that serves once
    #[arg(long)]
    connect: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// As for the monitor
    #[arg(long, hide = true, value_parser = source)]
    source: Option<SocketSource>,
}

impl CheckArgs {
    pub(super) fn options(self) -> Result<CheckOptions, EarlyExit> {
        let target = &self.target;
        let port = target.only_port().ok_or_else(|| {
            EarlyExit::UsageError(format!(
                "{target} is a range, and one port is checked: portmon check {}",
                target.ports.start()
            ))
        })?;
        Ok(CheckOptions {
            question: CheckRequest {
                protocol: target.protocol,
                port,
                address: target.address,
                connects: self.connect,
            },
            json: self.json,
            source: self.source,
        })
    }
}
