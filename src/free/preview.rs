//! From a row to the question: what the port is, who holds it, and whether ending anything would free it.

use super::explain;
use super::kill_plan::KillPlan;
use super::{Explanation, TargetSet};
use crate::model::Moment;
use crate::model::endpoint::{Endpoint, Owners, Protocol, Socket, SocketRole, State};
use crate::model::process::Pid;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// What the question depends on beside the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeContext {
    /// The user who asks; under sudo the one who called it (SUDO_UID). `None` where users have no numbers.
    pub me: Option<u32>,
    /// Whether portmon itself runs as root: then nobody sees more of this machine than it does, whoever `me` is.
    pub is_root: bool,
    /// The machine's name, safe to show.
    pub host: String,
    /// portmon's own pid first, then its ancestors'.
    pub self_pids: Vec<Pid>,
    /// The absolute path of this portmon: root's PATH lacks the places where people install it.
    pub executable: Option<String>,
    /// Whether the filter is exactly the row's own local port: then even a client's port is what is asked about.
    pub filter_names_port: bool,
    /// Whether the row has closed and only fades.
    pub is_gone: bool,
    pub now: Moment,
    /// When the row was first seen in the state it has; `None` if that is not known.
    pub state_since: Option<Instant>,
}

/// What the dialog says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preview {
    /// Whether this may be done.
    Plan(KillPlan),
    /// Nothing is asked: why nothing would help, or may not be done.
    Explain(Explanation),
}

/// What to ask when the port of this row is to be freed.
///
/// `table` are the endpoints that exist now, of both protocols and whatever the filter hides; closed rows that still
/// stand on the screen are not among them. The row itself may be.
pub fn preview(row: &Endpoint, table: &[&Endpoint], context: &FreeContext) -> Preview {
    let scene = RowContext {
        row: &row.socket,
        table,
        context,
    };
    if context.is_gone {
        return Preview::Explain(explain::closed(&scene));
    }
    match row.relation.role {
        SocketRole::Unconnected => scene.plan_for(scene.port_sockets(row.socket.local)),
        SocketRole::Server if scene.has_port_socket() => {
            scene.plan_for(scene.port_sockets(row.socket.local))
        }
        _ if row.socket.state == Some(State::TimeWait) => {
            Preview::Explain(explain::time_wait(&scene))
        }
        _ if context.filter_names_port => scene.plan_for(scene.owned()),
        SocketRole::Client => Preview::Explain(explain::client(&scene)),
        SocketRole::Server | SocketRole::Unknown => Preview::Explain(explain::left_over(&scene)),
    }
}

/// What to ask when a port is to be freed, on all local addresses or on one; `None` where nothing stands there.
///
/// A holder that may not be seen is an answer, whoever else may be: ending the others would not free the port.
pub fn preview_port(
    protocol: Protocol,
    port: u16,
    on: Option<IpAddr>,
    table: &[&Endpoint],
    context: &FreeContext,
) -> Option<Preview> {
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let mut sockets: Vec<&Socket> = sockets
        .filter(|socket| socket.protocol == protocol && socket.port() == port)
        .filter(|socket| socket.holds_port())
        .filter(|socket| on.is_none_or(|ip| socket.local.ip() == ip))
        .collect();
    sockets.sort_by_key(|socket| {
        (
            socket.owners != Owners::NoPermission,
            socket.local,
            socket.id,
        )
    });
    let row = sockets.first().copied()?;
    let scene = RowContext {
        row,
        table,
        context,
    };
    Some(scene.plan_for(sockets))
}

/// The row with all that bears on it.
pub(super) struct RowContext<'a> {
    pub row: &'a Socket,
    pub table: &'a [&'a Endpoint],
    pub context: &'a FreeContext,
}

impl<'a> RowContext<'a> {
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
        self.port_sockets(to)
            .into_iter()
            .find(|socket| serves(socket, to))
    }

    /// Everything that stands on the port, first what a client at `to` reaches.
    fn port_sockets(&self, to: SocketAddr) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(to.port());
        sockets.retain(|socket| socket.holds_port());
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

    fn has_port_socket(&self) -> bool {
        !self.port_sockets(self.row.local).is_empty()
    }

    /// Every socket of the row's port that a process has.
    fn owned(&self) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(self.row.port());
        sockets.retain(|socket| socket.owners != Owners::NoProcess);
        sockets
    }

    /// The proposal to end what holds these sockets, of which the first is the one that is meant, or why there is none.
    fn plan_for(&self, sockets: Vec<&'a Socket>) -> Preview {
        let Some(own) = sockets.first().copied() else {
            return Preview::Explain(explain::left_over(self));
        };
        match own.owners {
            Owners::Pending => return Preview::Explain(explain::pending(own)),
            Owners::NoPermission => {
                return Preview::Explain(explain::no_permission(self, &sockets));
            }
            Owners::NoProcess => return Preview::Explain(explain::unowned(own)),
            Owners::Known(_) => {}
        }
        let sockets = sockets.into_iter().cloned().collect();
        let (protocol, port) = (own.protocol, own.port());
        let plan = KillPlan::new(protocol, port, sockets, self.table, self.context);
        let targets = plan.targets(TargetSet::Topmost);
        let frees_own = targets
            .iter()
            .any(|target| target.sockets.contains(&own.id));
        let refuses_own = own.owners.known().iter().any(|owner| {
            let mut protected = plan.protected.iter();
            protected.any(|protected| protected.process.id == owner.id)
        });
        if targets.is_empty() || refuses_own && !frees_own {
            Preview::Explain(explain::protected(&plan))
        } else {
            Preview::Plan(plan)
        }
    }
}

/// Whether what is sent to `to` arrives at this socket; UDP sockets listen without a state that says so.
fn serves(socket: &Socket, to: SocketAddr) -> bool {
    let takes_datagrams = socket.protocol == Protocol::Udp
        && socket.holds_port()
        && socket.port() == to.port()
        && (socket.local.ip() == to.ip() || socket.local.ip().is_unspecified());
    takes_datagrams || socket.accepts_on(to)
}

#[cfg(test)]
mod tests;
