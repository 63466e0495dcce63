//! Where sockets are read from.

/// One way to learn of the sockets of the machine. Not every system has every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketSource {
    /// The kernel's own answers about sockets (sock_diag(7)).
    Diag,
    /// The library that knows every system.
    Netstat,
    /// The tables of proc_net(5).
    Procnet,
}
