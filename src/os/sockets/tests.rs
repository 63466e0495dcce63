//! The three sources against each other and against the kernel, with sockets that the tests open.

use super::*;
use std::net::TcpListener;

#[test]
fn the_ports_of_listeners_are_held() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    assert!(held_tcp_ports().contains(&port));
}
