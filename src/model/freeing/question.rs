//! From a row to the question: what the port is, who holds it, and whether ending anything would free it.

use super::explaining;
use super::proposal::Proposal;
use super::{Explanation, Targets};
use crate::model::Moment;
use crate::model::endpoint::{Endpoint, Owners, Protocol, Side, Socket, State};
use crate::model::process::Pid;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// What the question depends on beside the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// The user who asks; under sudo the one who called it (SUDO_UID). `None` where users have no numbers.
    pub me: Option<u32>,
    /// Whether portmon itself runs as root: then nobody sees more of this machine than it does, whoever `me` is.
    pub is_root: bool,
    /// The machine's name, safe to show.
    pub host: String,
    /// portmon's own pid first, then its ancestors'.
    pub lineage: Vec<Pid>,
    /// The absolute path of this portmon: root's PATH lacks the places where people install it.
    pub executable: Option<String>,
    /// Whether the filter is exactly the row's own local port: then even a client's port is what is asked about.
    pub row_is_meant: bool,
    /// Whether the row has closed and only fades.
    pub is_gone: bool,
    pub now: Moment,
    /// When the row was first seen in the state it has; `None` if that is not known.
    pub state_since: Option<Instant>,
}

/// What the dialog says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether this may be done.
    Free(Proposal),
    /// Nothing is asked: why nothing would help, or may not be done.
    Explain(Explanation),
}

/// What to ask when the port of this row is to be freed.
///
/// `table` are the endpoints that exist now, of both protocols and whatever the filter hides; closed rows that still
/// stand on the screen are not among them. The row itself may be.
pub fn ask(row: &Endpoint, table: &[&Endpoint], circumstances: &Circumstances) -> Question {
    let scene = Scene {
        row: &row.socket,
        table,
        circumstances,
    };
    if circumstances.is_gone {
        return Question::Explain(explaining::closed(&scene));
    }
    match row.relation.side {
        Side::Standing => scene.ask_about(scene.standing(row.socket.local)),
        Side::Server if scene.has_standing() => scene.ask_about(scene.standing(row.socket.local)),
        _ if row.socket.state == Some(State::TimeWait) => {
            Question::Explain(explaining::time_wait(&scene))
        }
        _ if circumstances.row_is_meant => scene.ask_about(scene.owned()),
        Side::Client => Question::Explain(explaining::client(&scene)),
        Side::Server | Side::Unknown => Question::Explain(explaining::left_over(&scene)),
    }
}

/// What to ask when a port is to be freed, on all local addresses or on one; `None` where nothing stands there.
///
/// A holder that may not be seen is an answer, whoever else may be: ending the others would not free the port.
pub fn ask_port(
    protocol: Protocol,
    port: u16,
    on: Option<IpAddr>,
    table: &[&Endpoint],
    circumstances: &Circumstances,
) -> Option<Question> {
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let mut sockets: Vec<&Socket> = sockets
        .filter(|socket| socket.protocol == protocol && socket.port() == port)
        .filter(|socket| socket.is_standing())
        .filter(|socket| on.is_none_or(|ip| socket.local.ip() == ip))
        .collect();
    sockets.sort_by_key(|socket| (socket.owners != Owners::Hidden, socket.local, socket.id));
    let row = sockets.first().copied()?;
    let scene = Scene {
        row,
        table,
        circumstances,
    };
    Some(scene.ask_about(sockets))
}

/// The row with all that bears on it.
pub(super) struct Scene<'a> {
    pub row: &'a Socket,
    pub table: &'a [&'a Endpoint],
    pub circumstances: &'a Circumstances,
}

impl<'a> Scene<'a> {
    /// The sockets with the row's protocol and this local port, in a fixed order; the row's own is always among those of
    /// its port.
    pub fn on_port(&self, port: u16) -> Vec<&'a Socket> {
        let is_there = |socket: &&Socket| {
            socket.protocol == self.row.protocol
                && socket.port() == port
                && socket.id != self.row.id
        };
        let row = std::iter::once(self.row).filter(|row| row.port() == port);
        let others = self.table.iter().map(|endpoint| &endpoint.socket);
        let mut sockets: Vec<&Socket> = row.chain(others.filter(is_there)).collect();
        sockets.sort_by_key(|socket| (socket.id != self.row.id, socket.local, socket.id));
        sockets
    }

    /// What listens or is bound where a client that connects to `to` arrives.
    pub fn listener(&self, to: SocketAddr) -> Option<&'a Socket> {
        self.standing(to)
            .into_iter()
            .find(|socket| serves(socket, to))
    }

    /// Everything that stands on the port, first what a client at `to` reaches.
    fn standing(&self, to: SocketAddr) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(to.port());
        sockets.retain(|socket| socket.is_standing());
        // The most particular address gets the connection, so it comes before the wildcard.
        sockets.sort_by_key(|socket| {
            (
                socket.id != self.row.id,
                !serves(socket, to),
                socket.local.ip() != to.ip(),
            )
        });
        sockets
    }

    fn has_standing(&self) -> bool {
        !self.standing(self.row.local).is_empty()
    }

    /// Every socket of the row's port that a process has.
    fn owned(&self) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(self.row.port());
        sockets.retain(|socket| socket.owners != Owners::None);
        sockets
    }

    /// The proposal to end what holds these sockets, of which the first is the one that is meant, or why there is none.
    fn ask_about(&self, sockets: Vec<&'a Socket>) -> Question {
        let Some(own) = sockets.first().copied() else {
            return Question::Explain(explaining::left_over(self));
        };
        match own.owners {
            Owners::Sought => return Question::Explain(explaining::sought(own)),
            Owners::Hidden => return Question::Explain(explaining::hidden(self, &sockets)),
            Owners::None => return Question::Explain(explaining::unowned(own)),
            Owners::Known(_) => {}
        }
        let sockets = sockets.into_iter().cloned().collect();
        let (protocol, port) = (own.protocol, own.port());
        let proposal = Proposal::new(protocol, port, sockets, self.table, self.circumstances);
        let targets = proposal.targets(Targets::Topmost);
        let frees_own = targets
            .iter()
            .any(|target| target.sockets.contains(&own.id));
        let refuses_own = own.owners.known().iter().any(|owner| {
            let mut refused = proposal.refused.iter();
            refused.any(|refused| refused.process.id == owner.id)
        });
        if targets.is_empty() || refuses_own && !frees_own {
            Question::Explain(explaining::refused(&proposal))
        } else {
            Question::Free(proposal)
        }
    }
}

/// Whether what is sent to `to` arrives at this socket; UDP sockets listen without a state that says so.
fn serves(socket: &Socket, to: SocketAddr) -> bool {
    let takes_datagrams = socket.protocol == Protocol::Udp
        && socket.is_standing()
        && socket.port() == to.port()
        && (socket.local.ip() == to.ip() || socket.local.ip().is_unspecified());
    takes_datagrams || socket.accepts_on(to)
}

#[cfg(test)]
mod tests;
