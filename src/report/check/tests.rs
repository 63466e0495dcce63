use super::*;
use crate::model::checking::{Evidence, Question, Settings};
use crate::model::endpoint::Protocol;
use crate::model::testing::{process, socket};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// Node listens on 127.0.0.1:3000, and nothing on the other address that was tried.
fn held() -> Answer {
    let at = |text: &str| -> SocketAddr { text.parse().expect("an address") };
    let attempt = |text: &str, outcome: &BindOutcome| Attempt {
        address: at(text),
        with_reuse: Some(outcome.clone()),
        without_reuse: outcome.clone(),
    };
    let accepted = Connected::Accepted {
        took: Duration::from_micros(1250),
        said: Said::Http {
            status: "HTTP/1.0 200 OK".into(),
            server: None,
        },
    };
    let node = process(4242, "node").command("node server.js").build();
    Answer::of(Evidence {
        question: Question {
            protocol: Protocol::Tcp,
            port: 3000,
            address: None,
            connects: true,
        },
        attempts: vec![
            attempt("127.0.0.1:3000", &BindOutcome::InUse),
            attempt("[::1]:3000", &BindOutcome::Bound),
        ],
        binds: 4,
        endpoints: vec![socket("127.0.0.1:3000").owner(&node).endpoint()],
        conditions: Vec::new(),
        settings: Settings::default(),
        time_wait: None,
        localhost: Vec::new(),
        published: Vec::new(),
        connects: Some(vec![Connect {
            address: at("127.0.0.1:3000"),
            outcome: accepted,
        }]),
        problems: Vec::new(),
        is_root: false,
    })
}

fn printed(as_json: bool) -> String {
    let mut out = Vec::new();
    print(&held(), as_json, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn the_verdict_comes_first_and_each_reason_has_a_line() {
    assert_eq!(
        printed(false),
        "HELD :3000 by node 4242 of dev on 127.0.0.1:3000\n  \
         node 4242 of dev listens on 127.0.0.1:3000 (node server.js)\n  \
         only IPv4 is taken: ::1 can be bound\n  \
         127.0.0.1:3000 connected in 1.2 ms: HTTP/1.0 200 OK\n  \
         4 binds tried, each closed at once\n"
    );
}

#[test]
fn json_is_the_object_that_the_documents_promise() {
    let expected = json!({
        "version": 1, "port": 3000, "protocol": "tcp", "address": null, "verdict": "held",
        "message": "HELD :3000 by node 4242 of dev on 127.0.0.1:3000", "binds": 4,
        "attempts": [
            { "address": "127.0.0.1", "with_reuse": "in_use", "without_reuse": "in_use" },
            { "address": "::1", "with_reuse": "bound", "without_reuse": "bound" }
        ],
        "reasons": [
            {
                "cause": "holder", "pids": [4242],
                "message": "node 4242 of dev listens on 127.0.0.1:3000 (node server.js)"
            },
            { "cause": "only_ipv4", "pids": [], "message": "only IPv4 is taken: ::1 can be bound" }
        ],
        "holders": [{
            "pid": 4242, "name": "node", "command": ["node", "server.js"],
            "executable": "/usr/bin/node", "directory": null, "started_at": "2026-01-31T09:00:00Z"
        }],
        "connects": [{
            "address": "127.0.0.1", "outcome": "connected", "milliseconds": 1.25,
            "status": "HTTP/1.0 200 OK", "server": null,
            "message": "127.0.0.1:3000 connected in 1.2 ms: HTTP/1.0 200 OK"
        }]
    });
    let value: Value = serde_json::from_str(&printed(true)).expect("JSON");
    assert_eq!(value, expected);
}
