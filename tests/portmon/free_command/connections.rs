//! Connections: clients are never stopped for a port, and TIME_WAIT is reported.

use std::io::Read;
use std::net::{SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

use super::free;
use crate::harness::helper_process::{OwnerProcess, WAITS, listen};

#[test]
fn a_client_runs_on_when_the_port_of_its_server_is_freed() {
    let mut server = OwnerProcess::listening();
    let client = TcpStream::connect(("127.0.0.1", server.port)).expect("a connection");
    let own = client.local_addr().expect("an address").port();
    let mut client = OwnerProcess::holding(client, own, WAITS);
    let freed = free(&[&server.port.to_string()]);
    freed.assert(0, "free", &[(server.pid(), "SIGTERM")], &[]);
    server.wait_until_ended();
    assert!(client.runs(), "the client lives on");
}

/// A connection from a port that was bound first: a port that connect(2) chooses may have other connections too.
fn connect(to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("a port");
    socket.connect(&to.into()).expect("a connection");
    socket.into()
}

#[test]
fn a_client_port_is_explained_and_its_connection_kept() {
    let listener = listen("127.0.0.1:0");
    let to = listener.local_addr().expect("an address");
    let client = connect(to);
    let own = client.local_addr().expect("an address").port();
    let mut client = OwnerProcess::holding(client, own, WAITS);
    let freed = free(&[&own.to_string()]);
    freed.assert(3, "still_held", &[], &[client.pid()]);
    freed.assert_says(&format!(
        ":{own} is STILL HELD: nothing listens on it, but {client} uses it for a connection to {to}; portmon does not close connections"
    ));
    assert!(client.runs());
}

pub fn server(has_reuse: bool) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_reuse_address(has_reuse).expect("an option");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("a port");
    socket.listen(1).expect("it listens");
    socket.into()
}

/// Leaves a connection in TIME_WAIT on the server's port, by closing that end first.
pub fn leave_time_wait(server: &TcpListener) {
    let to = server.local_addr().expect("an address");
    let mut client = TcpStream::connect(to).expect("a connection");
    drop(server.accept().expect("a connection"));
    assert_eq!(client.read(&mut [0]).expect("an end"), 0);
}

#[test]
fn time_wait_of_a_server_with_so_reuseaddr_is_free_with_that() {
    let server = server(true);
    leave_time_wait(&server);
    let port = server.local_addr().expect("an address").port();
    let mut holder = OwnerProcess::holding(server, port, WAITS);
    let freed = free(&[&port.to_string()]);
    freed.assert(0, "free", &[(holder.pid(), "SIGTERM")], &[]);
    freed.assert_says(&format!(
        "{holder} ended, but :{port} can be bound only with SO_REUSEADDR ("
    ));
    holder.wait_until_ended();
    let rest = free(&[&port.to_string()]);
    rest.assert(0, "free", &[], &[]);
    rest.assert_says("nothing holds it, but it can be bound only with SO_REUSEADDR (");
    rest.assert_says(" TIME_WAIT)");
}

#[test]
fn time_wait_of_a_server_without_so_reuseaddr_keeps_the_port() {
    let server = server(false);
    leave_time_wait(&server);
    let port = server.local_addr().expect("an address").port();
    let mut holder = OwnerProcess::holding(server, port, WAITS);
    let freed = free(&[&port.to_string(), "--wait", "1"]);
    freed.assert(3, "still_held", &[(holder.pid(), "SIGTERM")], &[]);
    freed.assert_says(&format!(
        "{holder} ended, but :{port} cannot be bound for at most "
    ));
    holder.wait_until_ended();
    let rest = free(&[&port.to_string()]);
    rest.assert(3, "still_held", &[], &[]);
    // A client elsewhere may have left another connection on the same port number.
    rest.assert_says("no process holds it; the kernel keeps ");
    rest.assert_says(" TIME_WAIT for about ");
}
