//! Tests with recorded replies, malformed ones and the real kernel.

/// A recorded reply, by name.
macro_rules! recorded {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/datagrams/",
            $name,
            ".bin"
        ))
    };
}

mod filters;
mod live;
mod lookups;
mod malformed;
mod proc_net;
mod recorded;

use super::*;
use crate::model::socket::OwnerHint;
use crate::os::sockets::DumpScope;
use crate::os::testing::requirements::skipped;
use crate::os::testing::{bind, bind_shared, local_addr, own_ip, until};
use netlink_reply::ReplyParser;
use socket2::{Socket, Type};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;

/// The inode in a hint, 0 for none.
fn inode_of(owner_hint: Option<OwnerHint>) -> u32 {
    owner_hint.map_or(0, |hint| hint.0.get())
}

/// Every requested socket.
fn all(diag: &mut Diag, request: &DumpRequest) -> Vec<RawSocket> {
    let mut seen = Vec::new();
    let unread = diag.dump(request, &mut |raw_socket| seen.push(*raw_socket));
    assert!(unread.is_empty(), "{unread:?}");
    seen
}

/// Every socket, including bound ones.
const EVERYTHING: DumpRequest = DumpRequest {
    scope: DumpScope::All,
    with_bound: true,
};

/// A reply of which nothing was received yet.
fn reply(kind: u16, sequence: u32, is_dump: bool) -> ReplyParser {
    ReplyParser {
        kind,
        sequence,
        is_dump,
        is_interrupted: false,
    }
}

fn open() -> Diag {
    Diag::open().expect("sock_diag is available")
}

/// The cookie of a socket (SO_COOKIE).
fn cookie(socket: impl AsFd) -> [u32; 2] {
    let cookie = rustix::net::sockopt::socket_cookie(socket).expect("a cookie");
    [cookie, cookie >> 32].map(|half| u32::try_from(half & 0xffff_ffff).expect("32 bits"))
}

/// The row of this socket in a dump.
fn row(socket: impl AsFd) -> Option<RawSocket> {
    let cookie = cookie(socket);
    let mut rows = all(&mut open(), &EVERYTHING).into_iter();
    rows.find(|row| row.cookie == cookie)
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn udp(at: &str) -> UdpSocket {
    UdpSocket::bind(address(at)).expect("a socket")
}

/// A UDP socket that is connected to another, which it returns first.
fn connected_udp(at: &str) -> (UdpSocket, UdpSocket) {
    let (server, client) = (udp(at), udp(at));
    client.connect(local_addr(&server)).expect("connects");
    (server, client)
}

/// A listener, and the client and server end of a connection to it.
fn connection(ip: &str) -> (TcpListener, TcpStream, TcpStream) {
    let listener = TcpListener::bind((ip, 0)).expect("a listener");
    let client = TcpStream::connect(local_addr(&listener)).expect("connects");
    let (server, _) = listener.accept().expect("accepts");
    (listener, client, server)
}
