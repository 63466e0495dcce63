//! Sockets with SO_BINDTODEVICE: their address, their reach, and who reaches them.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use super::{V0, is_in_a_network};
use crate::harness::helper_process::{OwnerProcess, WAITS};
use crate::harness::launch::run;
use crate::harness::requirements::skipped;
use crate::harness::terminal::Terminal;

/// A child with a socket that is bound to this interface and to all IPv4 addresses; `None` where that is not allowed.
#[track_caller]
fn bound_to(interface: &str, kind: Type, port: u16) -> Option<OwnerProcess> {
    let socket = Socket::new(Domain::IPV4, kind, None).expect("a socket");
    if let Err(error) = socket.bind_device(Some(interface.as_bytes())) {
        skipped(format_args!("SO_BINDTODEVICE: {error}"));
        return None;
    }
    let any = SocketAddr::from(([0; 4], port));
    socket.bind(&any.into()).expect("a port");
    if kind == Type::STREAM {
        socket.listen(8).expect("listens");
    }
    let at = socket.local_addr().expect("an address").as_socket();
    let port = at.expect("of the Internet").port();
    Some(OwnerProcess::holding(socket, port, WAITS))
}

/// The endpoints that `portmon list --json` prints.
fn endpoints(filter: &str) -> Vec<Value> {
    let printed = run(&["list", "--json", filter]);
    let json: Value = serde_json::from_str(&printed.stdout).expect("JSON");
    let endpoints = json.get("endpoints").and_then(Value::as_array);
    endpoints.expect("a list").clone()
}

fn place(endpoint: &Value) -> [Value; 4] {
    let at = |path| endpoint.pointer(path).cloned().unwrap_or_default();
    ["/protocol", "/local/address", "/interface", "/reach"].map(at)
}

#[test]
fn a_socket_bound_to_lo_reaches_no_further_than_loopback() {
    let Some(holder) = bound_to("lo", Type::STREAM, 0) else {
        return;
    };
    let found = endpoints(&format!("port:{} pid:{}", holder.port, holder.pid()));
    let places: Vec<_> = found.iter().map(place).collect();
    let expected = [
        json!("tcp"),
        json!("0.0.0.0"),
        json!("lo"),
        json!("loopback"),
    ];
    assert_eq!(places, [expected]);
    let printed = run(&["list", &holder.filter()]).stdout;
    assert!(printed.contains(" 0.0.0.0%lo "), "{printed}");
}

#[test]
fn an_address_is_taken_as_it_is_printed_with_its_interface() {
    let Some(holder) = bound_to("lo", Type::STREAM, 0) else {
        return;
    };
    let place = format!("0.0.0.0%lo:{}", holder.port);
    let listed = run(&["list", &place]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let waited = run(&["wait", &place, "--timeout", "0"]);
    assert_eq!(waited.code, Some(0), "{waited:?}");
    let checked = run(&["check", &place]);
    let begin = format!("HELD {place} by {holder} ");
    assert!(checked.stdout.starts_with(&begin), "{checked:?}");
    let freed = run(&["free", &place, "--dry-run"]);
    assert!(freed.stdout.contains(&holder.to_string()), "{freed:?}");
}

#[test]
fn only_clients_of_the_interface_reach_a_socket_bound_to_it() {
    if !is_in_a_network() {
        return;
    }
    let holder = bound_to("lo", Type::STREAM, 0).expect("root");
    let (port, elsewhere) = (holder.port, format!("{V0}:{}", holder.port));
    let waited = |place: &str| run(&["wait", place, "--timeout", "0"]);
    assert_eq!(waited(&format!("127.0.0.1:{port}")).code, Some(0));
    let missed = waited(&elsewhere);
    assert_eq!(missed.code, Some(124), "{missed:?}");
    assert!(
        missed.stderr.ends_with("listens on 0.0.0.0%lo\n"),
        "{missed:?}"
    );
    // The kernel refuses the bind and the connect alike.
    let checked = run(&["check", &elsewhere, "--connect"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    for words in [
        "0.0.0.0%lo receives only what arrives on lo: clients of 10.77.0.1:",
        "connection refused",
    ] {
        assert!(checked.stdout.contains(words), "{words:?} in {checked:?}");
    }
}

#[test]
fn sockets_of_two_interfaces_are_told_apart() {
    if !is_in_a_network() {
        return;
    }
    let lo = bound_to("lo", Type::DGRAM, 0).expect("root");
    let _v0 = bound_to("v0", Type::DGRAM, lo.port).expect("root");
    let mut places: Vec<_> = endpoints(&lo.filter()).iter().map(place).collect();
    places.sort_by_key(|place| place[2].to_string());
    let of = |interface: &str, reach: &str| {
        [
            json!("udp"),
            json!("0.0.0.0"),
            json!(interface),
            json!(reach),
        ]
    };
    assert_eq!(places, [of("lo", "loopback"), of("v0", "address")]);
    for (place, code) in [("127.0.0.1", 0), (V0, 0), ("10.77.0.9", 124)] {
        let place = format!("{place}:{}/udp", lo.port);
        let waited = run(&["wait", &place, "--timeout", "0"]);
        assert_eq!(waited.code, Some(code), "{waited:?}");
    }
}

#[test]
fn an_unknown_interface_is_an_error_with_its_name() {
    for command in ["check", "free", "wait"] {
        let printed = run(&[command, "[fe80::1%no-such-if]:3000"]);
        assert_eq!(printed.code, Some(2), "{printed:?}");
        let words = "this machine has no interface no-such-if";
        assert!(printed.stderr.contains(words), "{printed:?}");
    }
}

#[test]
fn a_bind_of_an_interface_meets_only_its_own_sockets() {
    if !is_in_a_network() {
        return;
    }
    let holder = bound_to("v0", Type::STREAM, 0).expect("root");
    for (place, code) in [("0.0.0.0%lo", 0), ("127.0.0.1%lo", 0), ("0.0.0.0%v0", 1)] {
        let place = format!("{place}:{}", holder.port);
        let checked = run(&["check", &place]);
        assert_eq!(checked.code, Some(code), "{checked:?}");
        let waited = run(&["wait", &place, "--free", "--timeout", "0"]);
        assert_eq!(waited.code == Some(0), code == 0, "{waited:?}");
    }
}

#[test]
fn an_interface_that_is_gone_is_shown_by_its_index() {
    if !is_in_a_network() {
        return;
    }
    let holder = bound_to("v0", Type::DGRAM, 0).expect("root");
    let ip = |words: &str| Command::new("ip").args(words.split(' ')).status();
    let renames = [
        "link set v0 down",
        "link set v0 name wan0",
        "link set wan0 up",
    ];
    assert!(
        renames
            .map(|words| ip(words).expect("ip").success())
            .iter()
            .all(|is| *is)
    );
    let interface = || {
        endpoints(&holder.filter())
            .first()
            .map(|one| place(one)[2].clone())
    };
    assert_eq!(interface(), Some(json!("wan0")));
    assert!(ip("link del wan0").expect("ip").success());
    let shown = interface().expect("a socket");
    let index: u32 = shown.as_str().expect("a text").parse().expect("an index");
    let listed = run(&["list", &holder.filter()]);
    assert!(
        listed.stdout.contains(&format!(" 0.0.0.0%{index} ")),
        "{listed:?}"
    );
}

#[test]
fn the_same_name_in_the_monitor_follows_a_rename() {
    if !is_in_a_network() {
        return;
    }
    let holder = bound_to("v0", Type::DGRAM, 0).expect("root");
    let terminal = Terminal::portmon(&[&holder.filter()]);
    let wait_for = |words| terminal.wait_for(words, |display| display.contains(words));
    wait_for("0.0.0.0%v0");
    let ip = |words: &str| Command::new("ip").args(words.split(' ')).status();
    for words in [
        "link set v0 down",
        "link set v0 name wan0",
        "link set wan0 up",
    ] {
        assert!(ip(words).expect("ip").success(), "{words}");
    }
    wait_for("0.0.0.0%wan0");
}
