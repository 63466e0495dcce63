//! Output of `portmon check`, as text and JSON.

use crate::check::{Banner, CheckReport, ConnectOutcome, ConnectProbe, Reason};
use crate::model::port::{AddressProbe, Availability, BindOutcome};
use crate::report::json::{JsonOwner, owner, print_json, text};
use crate::wording::check as wording;
use serde::Serialize;
use std::io::{self, Write};
use std::net::IpAddr;

/// Prints the report: FREE, HELD or UNKNOWN first, then a line for each reason.
pub fn print(report: &CheckReport, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        print_json(&JsonCheckReport::of(report), out)?;
        return out.flush();
    }
    writeln!(out, "{}", wording::headline(report))?;
    let lines = wording::reason_lines(report).into_iter();
    let lines = lines.chain(wording::connect_lines(report));
    for line in lines.chain([wording::binds_line(report)]) {
        writeln!(out, "  {line}")?;
    }
    out.flush()
}

#[derive(Serialize)]
struct JsonCheckReport {
    version: u8,
    port: u16,
    protocol: &'static str,
    /// The requested address, if one was given.
    address: Option<IpAddr>,
    verdict: &'static str,
    message: String,
    /// Number of binds.
    binds: usize,
    attempts: Vec<JsonBindAttempt>,
    reasons: Vec<JsonReason>,
    holders: Vec<JsonOwner>,
    connects: Option<Vec<JsonConnect>>,
}

#[derive(Serialize)]
struct JsonBindAttempt {
    address: IpAddr,
    /// True for `::` without IPV6_V6ONLY.
    takes_ipv4: bool,
    with_reuse: Option<&'static str>,
    without_reuse: &'static str,
}

#[derive(Serialize)]
struct JsonReason {
    cause: &'static str,
    message: String,
    pids: Vec<u32>,
}

#[derive(Serialize)]
struct JsonConnect {
    address: IpAddr,
    outcome: &'static str,
    /// Time that the connect took.
    milliseconds: Option<f64>,
    /// Status line of an HTTP answer.
    status: Option<String>,
    server: Option<String>,
    message: String,
}

impl JsonCheckReport {
    fn of(report: &CheckReport) -> Self {
        let findings = &report.findings;
        let spec = findings.request.spec;
        let messages = wording::reason_lines(report);
        let reasons = report.reasons.iter().zip(messages);
        let holders = report.owners();
        let connects = findings.connects.as_ref();
        Self {
            version: 1,
            port: spec.port,
            protocol: spec.protocol.name(),
            address: spec.address.ip(),
            verdict: verdict(&report.availability),
            message: wording::headline(report),
            binds: findings.binds,
            attempts: findings.tried.probes.iter().map(attempt).collect(),
            reasons: reasons.map(|(one, message)| reason(one, message)).collect(),
            holders: holders.iter().map(|process| owner(process)).collect(),
            connects: connects.map(|connects| connects.iter().map(connect).collect()),
        }
    }
}

fn verdict(availability: &Availability) -> &'static str {
    match availability {
        Availability::Usable | Availability::OnlyWithReuseAddr | Availability::NotPermitted => {
            "free"
        }
        Availability::NoSuchAddress | Availability::Held(_) => "held",
        Availability::Unknown(_) => "unknown",
    }
}

fn attempt(probe: &AddressProbe) -> JsonBindAttempt {
    JsonBindAttempt {
        address: probe.address.ip(),
        takes_ipv4: probe.takes_ipv4,
        with_reuse: probe.with_reuseaddr.as_ref().map(outcome),
        without_reuse: outcome(&probe.without_reuseaddr),
    }
}

fn outcome(outcome: &BindOutcome) -> &'static str {
    match outcome {
        BindOutcome::Bound => "bound",
        BindOutcome::InUse => "in_use",
        BindOutcome::NotPermitted => "denied",
        BindOutcome::NoSuchAddress => "no_such_address",
        BindOutcome::Failed(_) => "failed",
    }
}

fn reason(reason: &Reason, message: String) -> JsonReason {
    JsonReason {
        cause: reason.cause(),
        message,
        pids: reason.pids().into_iter().map(|pid| pid.0).collect(),
    }
}

fn connect(probe: &ConnectProbe) -> JsonConnect {
    let (took, banner) = match &probe.outcome {
        ConnectOutcome::Accepted { took, banner } => (Some(took), Some(banner)),
        ConnectOutcome::Refused
        | ConnectOutcome::TimedOut
        | ConnectOutcome::NoSuchAddress
        | ConnectOutcome::Failed(_) => (None, None),
    };
    let (status, server) = match banner {
        Some(Banner::Http { status, server }) => (Some(text(status)), server.as_ref().map(text)),
        Some(Banner::Other(_) | Banner::Closed | Banner::Nothing) | None => (None, None),
    };
    JsonConnect {
        address: probe.address.ip(),
        outcome: probe.outcome.name(),
        milliseconds: took.map(|took| (took.as_secs_f64() * 1e6).round() / 1e3),
        status,
        server,
        message: wording::connect_line(probe),
    }
}

#[cfg(test)]
mod tests;
