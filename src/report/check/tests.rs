use super::*;
use crate::check::testing::{V4, port};
use crate::model::testing::{process, socket};
use serde_json::{Value, json};
use std::time::Duration;

/// node listens on 127.0.0.1:3000 and accepts a connection.
fn held() -> CheckReport {
    let accepted = ConnectOutcome::Accepted {
        took: Duration::from_micros(1250),
        banner: Banner::Http {
            status: "HTTP/1.0 200 OK".into(),
            server: None,
        },
    };
    let node = process(4242, "node").command("node server.js").build();
    let findings = port(3000)
        .refused(&V4)
        .sees(socket("127.0.0.1:3000").owner(&node));
    CheckReport::of(findings.with(|findings| {
        findings.request.connects = true;
        findings.connects = Some(vec![ConnectProbe {
            address: "127.0.0.1:3000".parse().expect("an address"),
            outcome: accepted,
        }]);
    }))
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
         only IPv4 is taken: ::1 and :: can be bound\n  \
         127.0.0.1:3000 connected in 1.3 ms: HTTP/1.0 200 OK\n  \
         tested with 8 binds, each closed immediately\n"
    );
}

#[test]
fn json_is_the_object_that_the_documents_promise() {
    let expected = json!({
        "version": 1, "port": 3000, "protocol": "tcp", "address": null, "verdict": "held",
        "message": "HELD :3000 by node 4242 of dev on 127.0.0.1:3000", "binds": 8,
        "attempts": [
            { "address": "127.0.0.1", "takes_ipv4": false, "with_reuse": "in_use", "without_reuse": "in_use" },
            { "address": "::1", "takes_ipv4": false, "with_reuse": "bound", "without_reuse": "bound" },
            { "address": "0.0.0.0", "takes_ipv4": false, "with_reuse": "in_use", "without_reuse": "in_use" },
            { "address": "::", "takes_ipv4": false, "with_reuse": "bound", "without_reuse": "bound" }
        ],
        "reasons": [
            {
                "cause": "holder", "pids": [4242],
                "message": "node 4242 of dev listens on 127.0.0.1:3000 (node server.js)"
            },
            { "cause": "only_ipv4", "pids": [], "message": "only IPv4 is taken: ::1 and :: can be bound" }
        ],
        "holders": [{
            "pid": 4242, "name": "node", "comm": "node", "command": ["node", "server.js"],
            "executable": "/usr/bin/node", "directory": null, "started_at": "2026-01-31T09:00:00Z"
        }],
        "connects": [{
            "address": "127.0.0.1", "outcome": "connected", "milliseconds": 1.25,
            "status": "HTTP/1.0 200 OK", "server": null,
            "message": "127.0.0.1:3000 connected in 1.3 ms: HTTP/1.0 200 OK"
        }]
    });
    let value: Value = serde_json::from_str(&printed(true)).expect("JSON");
    assert_eq!(value, expected);
}
