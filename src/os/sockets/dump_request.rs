//! What part of the socket tables is wanted.

use crate::model::endpoint::{Protocol, State};
use crate::model::raw_socket::RawSocket;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpRequest {
    pub scope: DumpScope,
    /// TCP sockets that are bound and neither listen nor are connected (Linux 6.8): a walk of its own over the bind
    /// table.
    pub with_bound: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpScope {
    /// Every socket.
    All,
    /// TCP and UDP sockets with one of these local ports, in any state. More than 64 ports may give everything.
    Local(Vec<u16>),
    /// Sockets with one of these as local or remote port, and every TCP listener. More than 64 ports may give everything.
    LocalOrRemote(Vec<u16>),
    /// What stands on a TCP port: listeners, and bound sockets if they are wanted.
    Listening,
}

impl DumpRequest {
    /// Whether a socket is wanted, for sources that cannot be asked for some only.
    pub fn matches(&self, socket: &RawSocket) -> bool {
        let is_tcp = socket.protocol == Protocol::Tcp;
        let is_bound = is_tcp && socket.state == Some(State::Bound);
        let is_listening = is_tcp && socket.state == Some(State::Listen);
        let is_within = match &self.scope {
            DumpScope::All => true,
            DumpScope::Local(ports) => ports.contains(&socket.local.port()),
            DumpScope::LocalOrRemote(ports) => {
                let ends = [socket.local.port(), socket.remote.port()];
                is_listening || ends.iter().any(|port| *port != 0 && ports.contains(port))
            }
            DumpScope::Listening => is_listening || is_bound,
        };
        is_within && (self.with_bound || !is_bound)
    }
}
