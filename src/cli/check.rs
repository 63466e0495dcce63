//! The words of `portmon check`.

use super::Refusal;
use super::values::source;
use crate::model::checking::Question;
use crate::model::source::Source;
use crate::model::target::Target;
use clap::Args;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOptions {
    pub question: Question,
    pub json: bool,
    pub source: Option<Source>,
}

#[derive(Args)]
pub(super) struct CheckWords {
    /// The port: 3000, 3000/udp, 127.0.0.1:5432, [::1]:5432
    #[arg(value_name = "PORT")]
    target: Target,
    /// Connect as well and say what answers; uses up a server that serves once
    #[arg(long)]
    connect: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// As for the monitor
    #[arg(long, hide = true, value_parser = source)]
    source: Option<Source>,
}

impl CheckWords {
    pub(super) fn options(self) -> Result<CheckOptions, Refusal> {
        let target = &self.target;
        let port = target.only_port().ok_or_else(|| {
            Refusal::Wrong(format!(
                "{target} is a range, and one port is checked: portmon check {}",
                target.ports.start()
            ))
        })?;
        Ok(CheckOptions {
            question: Question {
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
