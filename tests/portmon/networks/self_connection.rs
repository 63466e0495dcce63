//! A TCP socket that is connected to itself (RFC 9293, section 3.5): a client that retries gets the very port it wants.

use std::net::SocketAddr;

use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::harness::helper_process::{OwnerProcess, WAITS};
use crate::harness::launch::run;

fn connected_to_itself(has_reuse: bool) -> OwnerProcess {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(has_reuse).expect("an option");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("a port");
    let own = socket.local_addr().expect("an address");
    socket.connect(&own).expect("meets itself");
    let port = own.as_socket().expect("of the Internet").port();
    OwnerProcess::holding(socket, port, WAITS)
}

#[test]
fn a_socket_connected_to_itself_is_named_as_that() {
    let holder = connected_to_itself(false);
    let port = holder.port.to_string();
    let listed = run(&["list", &holder.filter()]);
    assert!(listed.stdout.contains("connected to itself"), "{listed:?}");
    let printed = run(&["list", "--json", &holder.filter()]).stdout;
    let json: Value = serde_json::from_str(&printed).expect("JSON");
    let peer = json
        .pointer("/endpoints/0/peer/pid")
        .and_then(Value::as_u64);
    assert_eq!(peer, Some(holder.pid().into()), "{printed}");

    let checked = run(&["check", &port]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let begin = format!("HELD :{port} by {holder} of ");
    assert!(checked.stdout.starts_with(&begin), "{checked:?}");
    let words = format!("is connected to itself: both ends of the connection are 127.0.0.1:{port}");
    assert!(checked.stdout.contains(&words), "{checked:?}");

    let waited = run(&["wait", &port, "--timeout", "0"]);
    let words = format!("{holder} is connected to itself on 127.0.0.1\n");
    assert!(waited.stderr.ends_with(&words), "{waited:?}");
}

#[test]
fn the_process_of_a_self_connection_is_the_one_to_end() {
    // Its TIME_WAIT then prevents no bind.
    let mut holder = connected_to_itself(true);
    let port = holder.port.to_string();
    let shown = run(&["free", &port, "--dry-run"]);
    assert!(shown.stdout.contains(&holder.to_string()), "{shown:?}");
    let freed = run(&["free", &port, "--yes"]);
    holder.wait_until_ended();
    assert_eq!(freed.code, Some(0), "{freed:?}");
    let words = format!("{} {} ended", holder.name, holder.pid());
    assert!(freed.stdout.contains(&words), "{freed:?}");
}
