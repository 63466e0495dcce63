//! One socket with many owners, and many sockets on one port.

use std::net::SocketAddr;

use socket2::{Domain, Socket, Type};

use super::{FreeOutput, command, free};
use crate::harness::helper_process::{OwnerProcess, WAITS};

/// Leaves the socket to a child and exits.
const ORPHANS: &str = "exec 3<&0
    (echo; read -r line <&1) <&3 &
    exit";

#[test]
fn workers_that_outlive_their_master_still_hold_the_port() {
    let holder = OwnerProcess::with_workers(3);
    let port = holder.port.to_string();
    let freed = free(&[&port]);
    assert_eq!(
        (freed.code, freed.verdict.as_deref()),
        (Some(3), Some("still_held"))
    );
    assert_eq!(
        freed.signalled,
        [(u64::from(holder.pid()), "SIGTERM".to_owned())]
    );
    assert_eq!(freed.holders.len(), 3, "{freed:#?}");
    freed.assert_says(&format!(
        ":{port} is STILL HELD: {holder} ended, 3 workers keep the socket ("
    ));
    // Without their master each of them is a topmost owner.
    let rest = free(&[&port]);
    let ended: Vec<u64> = rest.signalled.iter().map(|(pid, _)| *pid).collect();
    assert_eq!((rest.code, ended), (Some(0), freed.holders));
}

#[test]
fn all_owners_are_stopped_together() {
    let (mut holder, mut bystander) = (OwnerProcess::with_workers(3), OwnerProcess::listening());
    let port = holder.port.to_string();
    let mut dry = command(&[&port, "--all-holders", "--dry-run"]);
    let dry = FreeOutput::from(dry.output().expect("an output"));
    assert_eq!(dry.would_signal(), 4, "{dry:#?}");
    let freed = free(&[&port, "--all-holders"]);
    assert_eq!(
        (freed.code, freed.verdict.as_deref()),
        (Some(0), Some("free"))
    );
    assert_eq!(freed.signalled.len(), 4, "{freed:#?}");
    holder.wait_until_ended();
    assert!(bystander.is_alive());
}

/// Starts a process without the socket in its group, as a shell does for a pipeline.
const PIPELINE: &str = "(read -r line <&1) & echo; read -r line <&1";

#[test]
fn the_whole_group_ends_and_nothing_else() {
    let (mut holder, mut outsider) = (OwnerProcess::running(PIPELINE), OwnerProcess::listening());
    let port = holder.port.to_string();
    let freed = free(&[&port, "--group"]);
    assert_eq!(
        (freed.code, freed.verdict.as_deref()),
        (Some(0), Some("free")),
        "{freed:#?}"
    );
    let ended: Vec<u64> = freed.signalled.iter().map(|(pid, _)| *pid).collect();
    let holder_first = ended.first() == Some(&u64::from(holder.pid()));
    assert_eq!((ended.len(), holder_first), (2, true), "{freed:#?}");
    // Both exit with it.
    holder.wait_until_ended();
    assert!(outsider.is_alive());
}

#[test]
fn an_orphan_that_inherited_the_socket_is_found_and_ended() {
    let (holder, mut bystander) = (OwnerProcess::running(ORPHANS), OwnerProcess::listening());
    let freed = free(&[&holder.port.to_string()]);
    assert_eq!(
        (freed.code, freed.verdict.as_deref()),
        (Some(0), Some("free"))
    );
    let ended: Vec<u64> = freed.signalled.iter().map(|(pid, _)| *pid).collect();
    assert_eq!(ended.len(), 1, "{freed:#?}");
    assert!(!ended.contains(&u64::from(holder.pid())), "{freed:#?}");
    assert!(bystander.is_alive());
}

/// One of several listeners that share a port.
pub fn twin(at: &str) -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_port(true).expect("an option");
    let at: SocketAddr = at.parse().expect("an address");
    socket.bind(&at.into()).expect("a port");
    socket.listen(1).expect("it listens");
    let at = socket.local_addr().expect("an address").as_socket();
    (socket, at.expect("an IP address").port())
}

#[test]
fn twins_that_share_a_port_are_both_stopped() {
    let (one, port) = twin("127.0.0.1:0");
    let (other, _) = twin(&format!("127.0.0.1:{port}"));
    let mut one = OwnerProcess::holding(one, port, WAITS);
    let mut other = OwnerProcess::holding(other, port, WAITS);
    let freed = free(&[&port.to_string()]);
    assert_eq!(
        (freed.code, freed.verdict.as_deref()),
        (Some(0), Some("free")),
        "{freed:#?}"
    );
    let mut ended: Vec<u64> = freed.signalled.iter().map(|(pid, _)| *pid).collect();
    ended.sort_unstable();
    let mut expected = [one.pid(), other.pid()].map(u64::from);
    expected.sort_unstable();
    assert_eq!(ended, expected);
    one.wait_until_ended();
    other.wait_until_ended();
}

/// Owner of a bound socket that does not listen.
pub fn bound() -> OwnerProcess {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("a port");
    let at = socket.local_addr().expect("an address").as_socket();
    let port = at.expect("an IP address").port();
    OwnerProcess::holding(socket, port, WAITS)
}

#[test]
fn a_socket_that_is_bound_and_never_listens_is_found_and_freed() {
    let mut holder = bound();
    let port = holder.port;
    let freed = free(&[&port.to_string()]);
    freed.assert(0, "free", &[(holder.pid(), "SIGTERM")], &[]);
    holder.wait_until_ended();
}
