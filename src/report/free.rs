//! Output of `portmon free`: the preview that it prints before it asks, and a line for each port, as text or JSON.

use super::json::{JsonOwner, owner, text};
use crate::free::{Conclusion, DryRun, FreeOutcome, FreeReport, PortPlan};
use crate::model::process::{Process, Signal};
use crate::table::description;
use crate::table::row::DisplayContext;
use crate::wording::{self, Describer, LineKind, PreviewLine};
use serde::Serialize;
use std::iter;
use std::net::IpAddr;
use std::sync::Arc;

/// Returns the lines of the preview: the port, what is shown of its owners, and the signal.
pub fn preview_lines(plan: &PortPlan, context: &DisplayContext) -> Vec<String> {
    let preview = plan.preview();
    let describer = Describer {
        most: usize::MAX,
        now: context.now,
        describe: &|process| description::describe_process(process, context).text(context),
    };
    let processes = plan.processes();
    let to = if plan.kill_plan.is_unproved() {
        wording::alternatives(&processes)
    } else {
        wording::list(&processes)
    };
    let signal = format!("{} to {to}", plan.signal);
    let labeled =
        |line: PreviewLine| format!("  {:<14}{}", line.label, line.text).replace('\u{a0}', " ");
    let lines = wording::preview_lines(&preview, &describer).into_iter();
    let lines = lines.chain([wording::line("Signal", signal, LineKind::Fact)]);
    let head = format!("{} on {} is held:", plan.spec, preview.host);
    iter::once(head).chain(lines.map(labeled)).collect()
}

/// A line of `free --json`. An interface: keys are added, never changed.
#[derive(Serialize)]
pub struct JsonFreeReport {
    port: u16,
    protocol: &'static str,
    /// The requested address, if one was given.
    address: Option<IpAddr>,
    /// `free`, `still_held`, `taken_again`, `not_permitted`, `refused` or `interrupted`; null for a dry run that would send the signals.
    verdict: Option<FreeOutcome>,
    signalled: Vec<JsonSignal>,
    /// Only in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    would_signal: Option<Vec<JsonSignal>>,
    /// The visible owners of the port now.
    holders: Vec<JsonOwner>,
    /// The processes that probably hold it; only where the owner is hidden and there are some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<JsonOwner>,
    /// Seconds from the last signal until the owners had released the port, or else until the last poll; null if nothing was sent.
    after_seconds: Option<f64>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

#[derive(Serialize)]
struct JsonSignal {
    pid: u32,
    name: String,
    signal: &'static str,
}

impl JsonFreeReport {
    pub fn new(report: &FreeReport, is_dry_run: bool) -> Self {
        let would_signal = match &report.conclusion {
            Conclusion::DryRun(would) => Some(would_signal(would)),
            _ => None,
        };
        let signalled = report.signalled.iter();
        // Whole milliseconds: polls are no more exact.
        let seconds = |after: std::time::Duration| (after.as_secs_f64() * 1e3).round() / 1e3;
        Self {
            port: report.spec.port,
            protocol: report.spec.protocol.name(),
            address: report.spec.address.ip(),
            verdict: report.outcome(),
            signalled: signalled
                .map(|(process, signal)| json_signal(process, *signal))
                .collect(),
            would_signal,
            holders: report.holders.iter().map(|one| owner(one)).collect(),
            candidates: report
                .candidates()
                .into_iter()
                .map(|one| owner(one))
                .collect(),
            after_seconds: report.after.map(seconds),
            message: wording::free_report(report),
            dry_run: is_dry_run.then_some(true),
        }
    }
}

/// Lists SIGCONT behind the signal of its process, as `signalled` does once it was sent.
fn would_signal(would: &DryRun) -> Vec<JsonSignal> {
    let signals = |target: &Arc<Process>| {
        let is_resumed = would.resumed.iter().any(|one| one.id == target.id);
        let resuming = is_resumed.then(|| json_signal(target, Signal::Continue));
        iter::once(json_signal(target, would.signal)).chain(resuming)
    };
    let targets = would.targets.iter().flatten();
    targets.flat_map(signals).collect()
}

fn json_signal(process: &Arc<Process>, signal: Signal) -> JsonSignal {
    JsonSignal {
        pid: process.pid().0,
        name: text(&process.name),
        signal: signal.name(),
    }
}

#[cfg(test)]
mod tests;
