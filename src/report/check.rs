//! `portmon check`: one answer, printed.

use crate::check::{Banner, CheckReport, ConnectOutcome, ConnectProbe, Reason};
use crate::model::bind::{AddressProbe, BindOutcome};
use crate::report::json::{JsonOwner, owner};
use serde::Serialize;
use std::io::{self, Write};
use std::net::IpAddr;

/// Prints the answer: FREE or HELD first, then a line for each reason.
pub fn print(answer: &CheckReport, as_json: bool, out: &mut impl Write) -> io::Result<()> {
    if as_json {
        serde_json::to_writer_pretty(&mut *out, &JsonCheckReport::of(answer))
            .map_err(io::Error::from)?;
        writeln!(out)?;
        return out.flush();
    }
    writeln!(out, "{}", answer.headline)?;
    let reasons = answer.reasons.iter().map(ToString::to_string);
    for line in reasons.chain(answer.connect_lines()) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out, "  {}", answer.binds_line())?;
    out.flush()
}

#[derive(Serialize)]
struct JsonCheckReport {
    version: u8,
    port: u16,
    protocol: &'static str,
    /// The address that was asked about, if one was.
    address: Option<IpAddr>,
    verdict: &'static str,
    message: String,
    /// How many binds were tried.
    binds: usize,
    attempts: Vec<JsonBindAttempt>,
    reasons: Vec<JsonReason>,
    holders: Vec<JsonOwner>,
    connects: Option<Vec<JsonConnect>>,
}

#[derive(Serialize)]
struct JsonBindAttempt {
    address: IpAddr,
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
    /// How long the connection took.
    milliseconds: Option<f64>,
    /// The first line of what speaks HTTP.
    status: Option<String>,
    server: Option<String>,
    message: String,
}

impl JsonCheckReport {
    fn of(answer: &CheckReport) -> Self {
        let findings = &answer.findings;
        let spec = &findings.request.spec;
        let connects = findings.connects.as_ref();
        Self {
            version: 1,
            port: spec.port,
            protocol: spec.protocol.name(),
            address: spec.address,
            verdict: if answer.is_free { "free" } else { "held" },
            message: answer.headline.clone(),
            binds: findings.binds,
            attempts: findings.probes.iter().map(attempt).collect(),
            reasons: answer.reasons.iter().map(reason).collect(),
            holders: answer
                .holders()
                .iter()
                .map(|process| owner(process))
                .collect(),
            connects: connects.map(|connects| connects.iter().map(connect).collect()),
        }
    }
}

fn attempt(attempt: &AddressProbe) -> JsonBindAttempt {
    JsonBindAttempt {
        address: attempt.address.ip(),
        with_reuse: attempt.with_reuse.as_ref().map(outcome),
        without_reuse: outcome(&attempt.without_reuse),
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

fn reason(reason: &Reason) -> JsonReason {
    JsonReason {
        cause: reason.cause(),
        message: reason.to_string(),
        pids: reason.pids().into_iter().map(|pid| pid.0).collect(),
    }
}

fn connect(connect: &ConnectProbe) -> JsonConnect {
    let (took, banner) = match &connect.outcome {
        ConnectOutcome::Accepted { took, banner } => (Some(took), Some(banner)),
        ConnectOutcome::Refused
        | ConnectOutcome::TimedOut
        | ConnectOutcome::NoSuchAddress
        | ConnectOutcome::Failed(_) => (None, None),
    };
    let (status, server) = match banner {
        Some(Banner::Http { status, server }) => (Some(status), server.as_ref()),
        Some(Banner::Other(_) | Banner::Closed | Banner::Nothing) | None => (None, None),
    };
    JsonConnect {
        address: connect.address.ip(),
        outcome: connect.outcome.name(),
        milliseconds: took.map(|took| (took.as_secs_f64() * 1e6).round() / 1e3),
        status: status.map(|text| text.raw().into_owned()),
        server: server.map(|text| text.raw().into_owned()),
        message: connect.to_string(),
    }
}

#[cfg(test)]
mod tests;
