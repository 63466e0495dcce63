//! Which part of the socket tables to read.

use crate::model::socket::{Protocol, RawSocket, State};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpRequest {
    pub scope: DumpScope,
    /// Includes bound TCP sockets that neither listen nor are connected (Linux 6.8), which are in a table of their own.
    pub with_bound: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DumpScope {
    All,
    /// TCP and UDP sockets with one of these local ports, in any state. With more than 64 ports it may be every socket.
    Local(Vec<u16>),
    /// Sockets with one of these as local or remote port, and every TCP listener. With more than 64 ports it may be every
    /// socket.
    LocalOrRemote(Vec<u16>),
    /// TCP listeners, and bound sockets if requested.
    Listening,
}

impl DumpScope {
    pub const fn with_bound(self) -> DumpRequest {
        DumpRequest {
            scope: self,
            with_bound: true,
        }
    }

    pub const fn without_bound(self) -> DumpRequest {
        DumpRequest {
            scope: self,
            with_bound: false,
        }
    }
}

impl DumpRequest {
    /// True if a socket is requested; for sources that cannot filter.
    pub fn matches(&self, socket: &RawSocket) -> bool {
        let is_tcp = socket.protocol == Protocol::Tcp;
        let is_bound = is_tcp && socket.state == Some(State::Bound);
        let is_listening = is_tcp && socket.state == Some(State::Listen);
        let is_in_scope = match &self.scope {
            DumpScope::All => true,
            DumpScope::Local(ports) => ports.contains(&socket.local.port()),
            DumpScope::LocalOrRemote(ports) => {
                let ends = [socket.local.port(), socket.remote.port()];
                is_listening || ends.iter().any(|port| *port != 0 && ports.contains(port))
            }
            DumpScope::Listening => is_listening || is_bound,
        };
        is_in_scope && (self.with_bound || !is_bound)
    }
}
