//! A line of `free --json`. An interface: fields are added, never changed.

use super::{FreeOutcome, FreeReport};
use crate::model::process::{Process, Signal};
use crate::report::json::{JsonOwner, owner, text};
use serde::Serialize;
use std::net::IpAddr;
use std::sync::Arc;

/// What became of one port.
#[derive(Serialize)]
pub struct JsonFreeReport {
    port: u16,
    protocol: &'static str,
    /// The local address that was named; null for all of them.
    address: Option<IpAddr>,
    /// `free`, `still_held`, `taken_again`, `not_permitted` or `refused`; null where a dry run sent nothing.
    verdict: Option<&'static str>,
    signalled: Vec<JsonSignal>,
    /// Only with a dry run, where `signalled` is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_signal: Option<Vec<JsonSignal>>,
    /// Who holds the port now, as far as that may be seen.
    holders: Vec<JsonOwner>,
    /// From the last signal until its holders had let go of the port, or to the last look; null where nothing was sent.
    after_seconds: Option<f64>,
    message: String,
    #[serde(skip_serializing_if = "is_false")]
    dry_run: bool,
}

#[derive(Serialize)]
struct JsonSignal {
    pid: u32,
    name: String,
    signal: &'static str,
}

impl JsonFreeReport {
    pub fn new(report: &FreeReport, dry_run: bool) -> Self {
        Self {
            port: report.spec.port,
            protocol: report.spec.protocol.name(),
            address: report.spec.address,
            verdict: report.outcome.map(FreeOutcome::name),
            signalled: signals(&report.signalled),
            would_signal: report.would_signal.as_deref().map(signals),
            holders: report.holders.iter().map(|one| owner(one)).collect(),
            after_seconds: report.after.map(|after| {
                // Whole milliseconds: the looks are no more exact.
                (after.as_secs_f64() * 1000.0).round() / 1000.0
            }),
            message: report.message.clone(),
            dry_run,
        }
    }
}

fn signals(of: &[(Arc<Process>, Signal)]) -> Vec<JsonSignal> {
    of.iter()
        .map(|(process, signal)| JsonSignal {
            pid: process.pid().0,
            name: text(&process.name),
            signal: signal.name(),
        })
        .collect()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
