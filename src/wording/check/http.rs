//! Sentences of `portmon wait --http`.

use crate::check::{HttpAnswer, HttpOutcome, HttpPath, HttpProbe};
use crate::model::port::PortSpec;
use crate::wording::{joined, seconds};
use std::time::Duration;

/// `waiting for :3000 to answer GET /`
pub fn announcement(port: PortSpec, path: &HttpPath) -> String {
    format!("waiting for {port} to answer GET {path}")
}

/// `:3000 answers GET / after 1.2 s: 127.0.0.1:3000 answers HTTP/1.1 200 OK`
pub fn ready(port: PortSpec, path: &HttpPath, probe: &HttpProbe, after: Duration) -> String {
    let after = seconds(after);
    format!(
        "{port} answers GET {path} after {after}: {}",
        outcome(probe)
    )
}

/// Tells after a timeout what each address did instead.
pub fn timed_out(port: PortSpec, path: &HttpPath, probes: &[HttpProbe], after: Duration) -> String {
    let has_address = |probe: &&HttpProbe| probe.outcome != HttpOutcome::NoSuchAddress;
    let outcomes: Vec<String> = probes.iter().filter(has_address).map(outcome).collect();
    let (after, outcomes) = (seconds(after), joined(&outcomes, "; "));
    format!("{port} does not answer GET {path} with 2xx or 3xx after {after}: {outcomes}")
}

/// Refuses `--http` for a protocol that has no HTTP of its own here.
pub fn not_tcp(port: PortSpec) -> String {
    format!("--http needs a TCP port, not {port}")
}

pub fn not_a_path(text: &str) -> String {
    format!("not a path: {text:?} (try --http=/health)")
}

/// `127.0.0.1:3000 answers HTTP/1.1 200 OK`
fn outcome(probe: &HttpProbe) -> String {
    let did = match &probe.outcome {
        HttpOutcome::Answered(answer) => answered(answer),
        HttpOutcome::Tls => "answers with TLS, not plain HTTP".to_owned(),
        HttpOutcome::Other(line) => format!("answers \"{line}\", not HTTP"),
        HttpOutcome::Closed => "closes the connection without an answer".to_owned(),
        HttpOutcome::Silent => "accepts the connection and does not answer".to_owned(),
        HttpOutcome::Refused => "refuses the connection".to_owned(),
        HttpOutcome::ConnectTimedOut => "does not accept the connection".to_owned(),
        HttpOutcome::NoSuchAddress => "is not an address of this machine".to_owned(),
        HttpOutcome::Failed(error) => format!("cannot be connected to: {error}"),
    };
    format!("{} {did}", probe.address)
}

fn answered(answer: &HttpAnswer) -> String {
    let line = &answer.status_line;
    if answer.expects_https {
        format!("answers {line} (it expects HTTPS)")
    } else {
        format!("answers {line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(address: &str, outcome: HttpOutcome) -> HttpProbe {
        let address = address.parse().expect("an address");
        HttpProbe { address, outcome }
    }

    fn answer(status_line: &str, status: u16) -> HttpOutcome {
        HttpOutcome::Answered(HttpAnswer {
            status_line: status_line.into(),
            status,
            expects_https: status == 400,
        })
    }

    #[test]
    fn what_answered_instead_is_said_for_each_address() {
        let (port, path) = (PortSpec::tcp(3000), "/health".parse().expect("a path"));
        let after = Duration::from_millis(1_200);
        let v4 = |outcome| probe("127.0.0.1:3000", outcome);
        let told = |outcome| {
            let refused = probe("[::1]:3000", HttpOutcome::Refused);
            timed_out(port, &path, &[v4(outcome), refused], after)
        };
        let ok = v4(answer("HTTP/1.1 200 OK", 200));
        let lines = [
            announcement(port, &path),
            ready(port, &path, &ok, after),
            told(answer("HTTP/1.1 503 Service Unavailable", 503)),
            told(answer("HTTP/1.1 400 Bad Request", 400)),
            told(HttpOutcome::Tls),
            told(HttpOutcome::Other("SSH-2.0-OpenSSH_9".into())),
            told(HttpOutcome::Closed),
            told(HttpOutcome::Silent),
            told(HttpOutcome::NoSuchAddress),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r#"
        waiting for :3000 to answer GET /health
        :3000 answers GET /health after 1.2 s: 127.0.0.1:3000 answers HTTP/1.1 200 OK
        :3000 does not answer GET /health with 2xx or 3xx after 1.2 s: 127.0.0.1:3000 answers HTTP/1.1 503 Service Unavailable; [::1]:3000 refuses the connection
        :3000 does not answer GET /health with 2xx or 3xx after 1.2 s: 127.0.0.1:3000 answers HTTP/1.1 400 Bad Request (it expects HTTPS); [::1]:3000 refuses the connection
        :3000 does not answer GET /health with 2xx or 3xx after 1.2 s: 127.0.0.1:3000 answers with TLS, not plain HTTP; [::1]:3000 refuses the connection
        :3000 does not answer GET /health with 2xx or 3xx after 1.2 s: 127.0.0.1:3000 answers "SSH-2.0-OpenSSH_9", not HTTP; [::1]:3000 refuses the connection
        :3000 does not answer GET /health with 2xx or 3xx after 1.2 s: 127.0.0.1:3000 closes the connection without an answer; [::1]:3000 refuses the connection
        :3000 does not answer GET /health with 2xx or 3xx after 1.2 s: 127.0.0.1:3000 accepts the connection and does not answer; [::1]:3000 refuses the connection
        :3000 does not answer GET /health with 2xx or 3xx after 1.2 s: [::1]:3000 refuses the connection
        "#);
    }
}
