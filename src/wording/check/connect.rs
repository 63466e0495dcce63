//! Connects of a check in a sentence.

use crate::check::{Banner, CONNECT_TIMEOUT, CheckReport, ConnectOutcome, ConnectProbe};
use crate::model::platform::PLATFORM;
use crate::model::socket::Protocol;
use crate::wording::{latency, place_at};

/// A line for each connect; none where that was not requested.
pub fn connect_lines(report: &CheckReport) -> Vec<String> {
    let connects = report.findings.connects.as_ref();
    match (connects, report.findings.request.spec.protocol) {
        (None, _) => Vec::new(),
        (Some(connects), Protocol::Tcp) => connects.iter().map(connect_line).collect(),
        (Some(_), Protocol::Udp) => {
            vec![
                "UDP is connectionless, so a connect does not tell whether anything answers"
                    .to_owned(),
            ]
        }
    }
}

/// `127.0.0.1:3000 connected in 240 µs: HTTP/1.1 200 OK · server: nginx`
pub fn connect_line(probe: &ConnectProbe) -> String {
    let result = match &probe.outcome {
        ConnectOutcome::Accepted { took, banner } => {
            format!("connected in {}: {}", latency(*took), banner_text(banner))
        }
        ConnectOutcome::Refused => "refused: nothing listens there".to_owned(),
        ConnectOutcome::TimedOut => {
            let seconds = CONNECT_TIMEOUT.as_secs();
            let refused = if PLATFORM.refuses_connects_at_once() {
                ""
            } else {
                "nothing listens there, "
            };
            format!(
                "no answer in {seconds} s: {refused}the backlog is full, or a firewall drops packets"
            )
        }
        ConnectOutcome::NoSuchAddress => "is not an address of this machine".to_owned(),
        ConnectOutcome::Failed(error) => format!("could not connect: {error}"),
    };
    format!("{} {result}", place_at(Protocol::Tcp, probe.address))
}

fn banner_text(banner: &Banner) -> String {
    match banner {
        Banner::Http {
            status,
            server: Some(server),
        } => format!("{status} · server: {server}"),
        Banner::Http {
            status,
            server: None,
        } => status.to_string(),
        Banner::Other(bytes) => format!("not HTTP: {bytes}"),
        Banner::Closed => "closed without an answer to GET /".to_owned(),
        Banner::Nothing => "no answer to GET /".to_owned(),
    }
}
