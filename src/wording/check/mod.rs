//! Sentences of a check, for the dialog, the command and the JSON's `message`.

pub mod http;
mod owner;
mod reach;
mod reason;
#[cfg(test)]
mod tests;
pub mod unused;
pub mod wait;

pub use reason::reason_lines;

use super::{
    CONNECTED_TO_ITSELF, address_with_protocol, bind_result, count, doubt, latency, place,
    probably, states, unread, unseen,
};
use crate::check::{
    Banner, CONNECT_TIMEOUT, CheckReport, CheckRequest, ConnectOutcome, ConnectProbe, Reason,
};
use crate::model::platform::PLATFORM;
use crate::model::port::{Availability, BindResult};
use crate::model::socket::Protocol;
use owner::{by_owner, owner};
use reach::ANSWERED_UNSEEN;

/// One line that begins with FREE or HELD, or with UNKNOWN where nothing proves either.
pub fn headline(report: &CheckReport) -> String {
    let spec = report.findings.request.spec;
    let unseen = report.has_unseen_answer();
    let unseen = unseen.then(|| format!(", but connections are {ANSWERED_UNSEEN}"));
    let unseen = unseen.unwrap_or_default();
    match &report.availability {
        Availability::Usable => format!("FREE {spec}{unseen}"),
        Availability::OnlyWithReuseAddr => format!("FREE {spec} with SO_REUSEADDR{unseen}"),
        Availability::NotPermitted => {
            let denied = bind_result(&BindResult::NotPermitted);
            format!("FREE {spec}: nothing holds it, but {denied}{unseen}")
        }
        Availability::Unknown(why) => format!("UNKNOWN {spec}: {}", doubt(why)),
        Availability::Held(_) | Availability::NoSuchAddress => {
            let decisive = report.decisive_reason();
            let by = decisive.map(|reason| held_by(report, reason));
            format!("HELD {spec}{}", by.unwrap_or_default())
        }
    }
}

/// Why it cannot be said whether the port is free, where nothing proves either; `None` elsewhere.
pub fn unknown(report: &CheckReport) -> Option<String> {
    let spec = report.findings.request.spec;
    match &report.availability {
        Availability::Unknown(why) => {
            let mut problems = report.findings.problems.clone();
            problems.retain(|problem| problem.protocol == spec.protocol);
            let unread = (!problems.is_empty()).then(|| format!("; {}", unread(&problems)));
            Some(format!(
                "it is unknown whether {spec} is free: {}{}",
                doubt(why),
                unread.unwrap_or_default()
            ))
        }
        _ => None,
    }
}

/// The end of the headline of a port that is held: by what, or why it cannot be bound.
fn held_by(report: &CheckReport, decisive: &Reason) -> String {
    let is_holder = |reason: &&Reason| matches!(reason, Reason::HoldingSocket(_));
    match decisive {
        Reason::HoldingSocket(socket) => {
            let more = match report.reasons.iter().filter(is_holder).count() {
                0 | 1 => String::new(),
                holders => format!(" and {}", count(holders - 1, "more socket")),
            };
            let candidates = report.findings.candidates_of(socket.id);
            let candidates = candidates.and_then(probably).map(|one| format!(", {one},"));
            format!(
                "{}{} on {}{more}",
                by_owner(socket),
                candidates.unwrap_or_default(),
                place(socket)
            )
        }
        Reason::Client { first, .. } => {
            let owner = owner(&first.socket);
            format!(" by {owner} as the local port of a connection")
        }
        Reason::SelfConnection { first, .. } => {
            format!(" by {}, {CONNECTED_TO_ITSELF}", owner(first))
        }
        Reason::TimeWait { .. } => " by connections in TIME_WAIT".to_owned(),
        Reason::Leftover { sockets, .. } => {
            let states = states(&sockets.iter().collect::<Vec<_>>());
            format!(" by connections without a listener ({states})")
        }
        Reason::NoSuchAddress(_) => format!(": {}", bind_result(&BindResult::NoSuchAddress)),
        Reason::Unexplained { why, .. } => format!(" by {}", unseen(*why)),
        _ => String::new(),
    }
}

/// `tested with 8 binds, each closed immediately`
pub fn binds_line(report: &CheckReport) -> String {
    match report.findings.binds {
        0 => "not tested: every bind failed before it reached the port".to_owned(),
        1 => "tested with 1 bind, closed immediately".to_owned(),
        binds => format!("tested with {binds} binds, each closed immediately"),
    }
}

/// What is being done for a request: `trying 8 binds…`
pub fn pending(request: &CheckRequest) -> String {
    if request.connects {
        return "connecting, for at most 1 s per address…".to_owned();
    }
    let spec = request.spec;
    let tries_reuse = spec.protocol == Protocol::Tcp && PLATFORM.has_safe_reuseaddr();
    let addresses = spec.address.bind_addresses(spec.port).len();
    let addresses = addresses + usize::from(spec.asks_for_both_families());
    let binds = addresses * (1 + usize::from(tries_reuse));
    format!("trying {}…", count(binds, "bind"))
}

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
        ConnectOutcome::Refused => "connection refused".to_owned(),
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
        ConnectOutcome::NoSuchAddress => "not an address of this machine".to_owned(),
        ConnectOutcome::Failed(error) => format!("could not connect: {error}"),
    };
    format!(
        "{} {result}",
        address_with_protocol(Protocol::Tcp, probe.address)
    )
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
