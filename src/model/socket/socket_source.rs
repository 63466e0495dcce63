//! Where sockets are read from.

/// A source of the socket tables. Not every system has each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketSource {
    /// The kernel by netlink (sock_diag(7)).
    Diag,
    /// The netstat2 crate, on every system.
    Netstat,
    /// `/proc/net` (proc_net(5)).
    Procnet,
}
