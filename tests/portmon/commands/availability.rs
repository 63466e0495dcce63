//! `check`, `free` and `wait --free` judge a port alike, and call none free without evidence.

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::commands::check::unused_port;
use crate::harness::helper_process::OwnerProcess;
use crate::harness::launch::{PORTMON, Printed, run, run_by};
use crate::harness::requirements::{NOBODY, can_be_nobody, skipped};

#[test]
fn a_privileged_port_is_judged_alike_by_all_three_commands() {
    let setting = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    if !setting.is_ok_and(|from| from.trim() == "1024") {
        skipped("any user may bind ports below 1024");
        return;
    }
    if !can_be_nobody(PORTMON.as_ref()) {
        return;
    }
    // Where a socket that only is bound would not be seen, it is not known that nothing holds the port.
    let of_nobody = |words: &[&str]| run_by(&NOBODY, words);
    for (source, codes) in [("sock_diag", [0, 0, 0]), ("proc", [2, 3, 124])] {
        let printed = judged_by("1", source, of_nobody);
        assert_eq!(
            printed.each_ref().map(|one| one.code),
            codes.map(Some),
            "{printed:?}"
        );
        for one in &printed {
            let said = format!("{}{}", one.stdout, one.stderr).to_lowercase();
            assert!(said.contains("you are not permitted to bind it"), "{one:?}");
            assert_eq!(
                said.contains("nothing holds it"),
                source == "sock_diag",
                "{one:?}"
            );
            assert!(!said.contains("held"), "{one:?}");
        }
        let reason = printed[0].stdout.contains("ports below 1024 need root");
        assert_eq!(reason, source == "sock_diag", "{printed:?}");
    }
}

/// What `check`, `free` and `wait --free` print about a port.
fn judged_by(port: &str, source: &str, run: impl Fn(&[&str]) -> Printed) -> [Printed; 3] {
    [
        run(&["check", port, "--source", source]),
        run(&["free", port, "--yes", "--source", source]),
        run(&[
            "wait",
            port,
            "--free",
            "--timeout",
            "0.3",
            "--source",
            source,
        ]),
    ]
}

#[test]
fn a_bound_socket_that_no_table_shows_holds_the_port() {
    for is_reusing in [true, false] {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(is_reusing).expect("an option");
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        socket.bind(&any.into()).expect("a port");
        let at = socket.local_addr().expect("an address").as_socket();
        let port = at.expect("an IP address").port();
        let printed = judged_by(&port.to_string(), "proc", run);
        let codes = printed.each_ref().map(|one| one.code);
        assert_eq!(codes, [1, 3, 124].map(Some), "{printed:?}");
        for one in &printed {
            let unseen = "something that this socket source does not show (a bound socket)";
            let said = format!("{}{}", one.stdout, one.stderr);
            assert!(said.contains(unseen), "{one:?}");
        }
        assert!(printed[0].stdout.starts_with(&format!("HELD :{port} by ")));
    }
}

#[test]
fn without_a_descriptor_for_a_bind_the_port_is_unknown() {
    let port = unused_port().to_string();
    let limited = ["sh", "-c", "ulimit -n 5; exec \"$0\" \"$@\""];
    let printed = run_by(&limited, &["check", &port]);
    assert_eq!(
        (printed.code, printed.stdout.as_str()),
        (Some(2), ""),
        "{printed:?}"
    );
    let unknown = format!("portmon: it is unknown whether :{port} is free: a bind fails: ");
    let lines: Vec<&str> = printed.stderr.lines().collect();
    assert!(
        lines.len() == 1 && lines[0].starts_with(&unknown),
        "{printed:?}"
    );
    let json = run_by(&limited, &["check", &port, "--json"]);
    let value: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(
        (json.code, value.get("verdict")),
        (Some(2), Some(&json!("unknown")))
    );
}

#[test]
fn both_families_are_asked_for_with_the_ipv6_wildcard() {
    if TcpListener::bind("[::1]:0").is_err() {
        skipped("no ::1");
        return;
    }
    let holder = OwnerProcess::listening();
    let port = format!("[::]:{}", holder.port);
    for source in ["sock_diag", "proc"] {
        let printed = judged_by(&port, source, run);
        let codes = printed.each_ref().map(|one| one.code);
        assert_eq!(codes, [1, 3, 124].map(Some), "{printed:?}");
        for one in &printed {
            let said = format!("{}{}", one.stdout, one.stderr);
            assert!(said.contains(&holder.to_string()), "{one:?}");
        }
        let [check, ..] = printed;
        assert!(
            check
                .stdout
                .contains(&format!("{port} is free for IPv6 alone")),
            "{check:?}"
        );
    }
    // The program holds IPv4 alone, so [::1] is another matter.
    let printed = run(&["check", &format!("[::1]:{}", holder.port)]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
}
