//! The words of `portmon check`.

use super::values::{port_spec, source};
use crate::check::CheckRequest;
use crate::model::port_spec::PortSpec;
use crate::model::socket_source::SocketSource;
use clap::Args;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    pub request: CheckRequest,
    pub json: bool,
    pub source: Option<SocketSource>,
}

#[derive(Args)]
pub(super) struct CheckArgs {
    /// The port: 3000, 3000/udp, 127.0.0.1:5432, [::1]:5432
    #[arg(value_name = "PORT", value_parser = port_spec)]
    port: PortSpec,
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
    pub(super) fn options(self) -> CheckOptions {
        CheckOptions {
            request: CheckRequest {
                spec: self.port,
                connects: self.connect,
            },
            json: self.json,
            source: self.source,
        }
    }
}
