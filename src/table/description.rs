//! Text of the column WHAT: script or module and directory, which tell nine `node` rows apart; for a connection its
//! other end.

mod launcher;
mod program;

use crate::model::process::Process;
use crate::model::socket::{Endpoint, SocketRole};
use crate::model::text::SystemText;
use crate::table::row::DisplayContext;
use crate::wording::CONNECTED_TO_ITSELF;
use program::program;

/// The program and the directory apart, so that a narrow screen can shorten the directory first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub program: String,
    pub directory: Option<String>,
}

pub fn describe(endpoint: &Endpoint, context: &DisplayContext) -> Option<Description> {
    match endpoint.relation.role {
        SocketRole::Unconnected => {
            let owner = endpoint.socket.owners.first()?;
            Some(describe_process(owner, context))
        }
        role => Some(Description {
            program: peer_text(endpoint, role, context)?,
            directory: None,
        }),
    }
}

/// Returns what a process runs, and where.
pub fn describe_process(process: &Process, context: &DisplayContext) -> Description {
    let directory = process.directory.as_ref();
    let shown = directory.map(|directory| shortened(directory, context.home));
    Description {
        program: program(process),
        directory: shown.filter(|directory| directory != "/"),
    }
}

impl Description {
    pub fn text(&self, context: &DisplayContext) -> String {
        match &self.directory {
            Some(directory) => format!("{} {} {directory}", self.program, context.dot()),
            None => self.program.clone(),
        }
    }
}

/// Returns `← chrome 942` on the server side, `→ :5432 postgres 812` on the client side, `connected to itself` where both
/// are one.
fn peer_text(endpoint: &Endpoint, role: SocketRole, context: &DisplayContext) -> Option<String> {
    let remote = endpoint.socket.remote?;
    if endpoint.socket.is_connected_to_itself() {
        return Some(CONNECTED_TO_ITSELF.to_owned());
    }
    let peer = endpoint.relation.peer.as_ref();
    let is_local = peer.is_some() || remote.ip() == endpoint.socket.local.ip();
    let place = if is_local {
        format!(":{}", remote.port())
    } else {
        endpoint.socket.remote_end()?
    };
    let (arrow, other_end) = match (role, peer) {
        (SocketRole::Server, Some(peer)) => (context.from_arrow(), peer.to_string()),
        (SocketRole::Server, None) if is_local => (context.from_arrow(), place),
        (SocketRole::Server, None) => (context.from_arrow(), endpoint.socket.remote_address()?),
        (_, Some(peer)) => (context.to_arrow(), format!("{place} {peer}")),
        (_, None) => (context.to_arrow(), place),
    };
    Some(format!("{arrow} {other_end}"))
}

/// Returns a directory with the home directory as `~`.
fn shortened(directory: &SystemText, home: Option<&str>) -> String {
    let shown = directory.to_string();
    let Some(home) = home.filter(|home| home.len() > 1) else {
        return shown;
    };
    match shown.strip_prefix(home) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::port::EphemeralRange;
    use crate::model::testing::{moment, process, socket};
    use std::sync::Arc;

    const CONTEXT: fn() -> DisplayContext<'static> = || DisplayContext {
        now: moment(0.0),
        home: Some("/home/dev"),
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    };

    #[test]
    fn the_directory_is_shortened_by_the_home_directory_only() {
        let cases = [
            ("/home/dev/code", "~/code"),
            ("/home/dev", "~"),
            ("/home/developer/code", "/home/developer/code"),
            ("/srv", "/srv"),
        ];
        for (path, shown) in cases {
            assert_eq!(shortened(&path.into(), Some("/home/dev")), shown);
        }
    }

    #[test]
    fn a_socket_connected_to_itself_is_described_as_that() {
        let endpoint = socket("127.0.0.1:3000").to("127.0.0.1:3000").endpoint();
        let what = describe(&endpoint, &CONTEXT()).map(|what| what.program);
        assert_eq!(what.as_deref(), Some("connected to itself"));
    }

    #[test]
    fn a_connection_is_described_by_its_peer() {
        let described = |from: &str, to, role, peer: Option<Arc<Process>>| {
            let mut endpoint = socket(from).to(to).endpoint();
            (endpoint.relation.role, endpoint.relation.peer) = (role, peer);
            describe(&endpoint, &CONTEXT()).map(|what| what.program)
        };
        let chrome = Some(process(942, "chrome").build());
        let node = Some(process(4242, "node").build());
        let (near, far) = (SocketRole::Server, SocketRole::Client);
        let programs = [
            described("127.0.0.1:3000", "127.0.0.1:51324", near, chrome),
            described("127.0.0.1:51324", "127.0.0.1:3000", far, node),
            described("10.0.0.1:51324", "93.184.216.34:443", far, None),
        ];
        let expected = ["← chrome 942", "→ :3000 node 4242", "→ 93.184.216.34:443"];
        assert_eq!(programs, expected.map(|program| Some(program.to_owned())));
    }
}
