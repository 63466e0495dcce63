//! Small pieces of sentences.

use crate::model::endpoint::Protocol;

/// `:3000`, and `:5353/udp`, as ports are named in every sentence.
pub(super) fn port(protocol: Protocol, port: u16) -> String {
    match protocol {
        Protocol::Tcp => format!(":{port}"),
        Protocol::Udp => format!(":{port}/udp"),
    }
}
