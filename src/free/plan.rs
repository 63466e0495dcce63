//! From a row or a port to a plan, and from a confirmed plan to the request to send its signal.
//!
//! Only [`KillPlan::confirm`](super::KillPlan::confirm) makes a [`KillRequest`], so no signal can be sent that was not confirmed.

use super::explanation::{self, Explanation};
use super::kill_plan::{KillPlan, TargetSet};
use crate::model::Moment;
use crate::model::environment::Environment;
use crate::model::process::{Pid, Process, ProcessId, Signal};
use crate::model::socket::{Endpoint, EndpointId, Owners, Protocol, Socket, SocketRole, State};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

/// A plan that may be carried out once confirmed, or the reason why there is none.
pub type PlanResult = Result<KillPlan, Box<Explanation>>;

/// What a plan depends on besides the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeContext<'a> {
    pub environment: &'a Environment,
    /// True if the filter is exactly the row's local port: then even a client's port is the one to free.
    pub filter_names_port: bool,
    /// True if the row has closed and is only fading.
    pub is_gone: bool,
    pub now: Moment,
    /// When the row was first seen in its present state, if known.
    pub state_since: Option<Instant>,
}

impl<'a> FreeContext<'a> {
    /// Returns the context of a port that was named, not of a row.
    pub fn new(environment: &'a Environment, now: Moment) -> Self {
        Self {
            environment,
            filter_names_port: false,
            is_gone: false,
            now,
            state_since: None,
        }
    }
}

/// Plans to free the port of this row.
///
/// `table` holds every endpoint that exists now, of both protocols and regardless of the filter, without closed rows
/// that are still on the screen. It may contain the row itself.
pub fn plan_row(row: &Endpoint, table: &[&Endpoint], context: &FreeContext) -> PlanResult {
    let row_context = RowContext {
        row: &row.socket,
        table,
        context,
    };
    if context.is_gone {
        return Err(Box::new(explanation::closed(&row_context)));
    }
    let on_port = row_context.port_sockets(row.socket.local);
    match row.relation.role {
        SocketRole::Unconnected => plan_sockets(&row_context, &on_port),
        SocketRole::Server if !on_port.is_empty() => plan_sockets(&row_context, &on_port),
        _ if row.socket.state == Some(State::TimeWait) => {
            Err(Box::new(explanation::time_wait(&row_context)))
        }
        _ if context.filter_names_port => plan_sockets(&row_context, &row_context.owned()),
        SocketRole::Client => Err(Box::new(explanation::client(&row_context))),
        SocketRole::Server | SocketRole::Unknown => {
            Err(Box::new(explanation::left_over(&row_context)))
        }
    }
}

/// Plans to free a port, on all local addresses or on one; `None` if no socket holds it there.
///
/// A hidden owner comes first: stopping the visible ones would not free the port.
pub fn plan_port(
    protocol: Protocol,
    port: u16,
    on: Option<IpAddr>,
    table: &[&Endpoint],
    context: &FreeContext,
) -> Option<PlanResult> {
    let mut sockets: Vec<&Socket> = table
        .iter()
        .map(|endpoint| &endpoint.socket)
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
    let row_context = RowContext {
        row,
        table,
        context,
    };
    Some(plan_sockets(&row_context, &sockets))
}

/// Plans to stop the owners of these sockets, of which the first is the one that is meant.
fn plan_sockets(row_context: &RowContext, sockets: &[&Socket]) -> PlanResult {
    let Some(own) = sockets.first().copied() else {
        return Err(Box::new(explanation::left_over(row_context)));
    };
    match own.owners {
        Owners::Pending => return Err(Box::new(explanation::pending(own))),
        Owners::NoPermission => {
            return Err(Box::new(explanation::no_permission(row_context, sockets)));
        }
        Owners::NoProcess => return Err(Box::new(explanation::unowned(own))),
        Owners::Known(_) => {}
    }
    let plan = KillPlan::new(
        sockets.iter().copied().cloned().collect(),
        own,
        row_context.table,
        row_context.context.environment,
    );
    let targets = plan.targets(TargetSet::Topmost);
    let frees_own = targets
        .iter()
        .any(|target| target.sockets.contains(&own.id));
    let protects_own = own.owners.known().iter().any(|owner| {
        let mut protected = plan.protected.iter();
        protected.any(|protected| protected.process.id == owner.id)
    });
    if targets.is_empty() || protects_own && !frees_own {
        Err(Box::new(explanation::protected(&plan)))
    } else {
        Ok(plan)
    }
}

/// A row's socket with the table around it.
pub(super) struct RowContext<'a> {
    pub row: &'a Socket,
    pub table: &'a [&'a Endpoint],
    pub context: &'a FreeContext<'a>,
}

impl<'a> RowContext<'a> {
    /// Returns the sockets on this local port with the row's protocol, the row's own first.
    pub fn on_port(&self, port: u16) -> Vec<&'a Socket> {
        let others = self.table.iter().map(|endpoint| &endpoint.socket);
        let others = others.filter(|socket| socket.id != self.row.id);
        let mut sockets: Vec<&Socket> = std::iter::once(self.row)
            .chain(others)
            .filter(|socket| socket.protocol == self.row.protocol && socket.port() == port)
            .collect();
        sockets.sort_by_key(|socket| (socket.id != self.row.id, socket.local, socket.id));
        sockets
    }

    /// Returns the socket that a client connecting to `to` reaches.
    pub fn listener(&self, to: SocketAddr) -> Option<&'a Socket> {
        self.port_sockets(to)
            .into_iter()
            .find(|socket| serves(socket, to))
    }

    /// Returns every socket that holds the port, the row's own first, then the one a client at `to` reaches.
    pub fn port_sockets(&self, to: SocketAddr) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(to.port());
        sockets.retain(|socket| socket.holds_port());
        // The most specific address gets the connection, so it comes before the wildcard.
        sockets.sort_by_key(|socket| {
            (
                socket.id != self.row.id,
                !serves(socket, to),
                socket.local.ip() != to.ip(),
            )
        });
        sockets
    }

    /// Returns every socket on the row's port that has a process or may have one.
    pub fn owned(&self) -> Vec<&'a Socket> {
        let mut sockets = self.on_port(self.row.port());
        sockets.retain(|socket| socket.owners != Owners::NoProcess);
        sockets
    }
}

/// Returns true if what is sent to `to` arrives at this socket. A UDP socket has no state that says so.
fn serves(socket: &Socket, to: SocketAddr) -> bool {
    let takes_datagrams = socket.protocol == Protocol::Udp
        && socket.holds_port()
        && socket.port() == to.port()
        && (socket.local.ip() == to.ip() || socket.local.ip().is_unspecified());
    takes_datagrams || socket.accepts_on(to)
}

/// A process that gets the signal, and its sockets of the port when it was shown: none for a parent or a group member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub process: Arc<Process>,
    pub sockets: Vec<EndpointId>,
}

impl Target {
    pub fn id(&self) -> ProcessId {
        self.process.id
    }

    pub fn is_owner(&self) -> bool {
        !self.sockets.is_empty()
    }
}

/// Identity of a request: when it was confirmed, and the port, since several ports may be confirmed at once. A repeated
/// signal is a request of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId {
    pub(super) at: Instant,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
}

/// A confirmed plan, frozen as it was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillRequest {
    pub(super) id: RequestId,
    pub(super) protocol: Protocol,
    pub(super) port: u16,
    /// The sockets of the port when it was shown, including those that stay open.
    pub(super) sockets: Vec<Socket>,
    /// The known owners of these sockets.
    pub(super) owners: Vec<Arc<Process>>,
    pub(super) targets: Vec<Target>,
    pub(super) signal: Signal,
    pub(super) self_pids: Vec<Pid>,
    /// True if it sends another signal to the remaining targets of an earlier request.
    pub(super) is_repeated: bool,
}

impl KillRequest {
    /// Returns the identity that marks every result of this request.
    pub fn id(&self) -> RequestId {
        self.id
    }

    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Returns portmon's own pid and its ancestors', which the executor checks again.
    pub fn self_pids(&self) -> &[Pid] {
        &self.self_pids
    }

    /// Returns true if targets that have exited by now do not stop the request.
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// Returns the known owners of the port when it was shown.
    pub fn owners(&self) -> &[Arc<Process>] {
        &self.owners
    }

    /// Returns the sockets of the port when it was shown.
    pub fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// Returns the same request for other targets and another signal, confirmed now.
    pub(super) fn again(&self, targets: Vec<Target>, signal: Signal, now: Instant) -> Self {
        Self {
            id: RequestId { at: now, ..self.id },
            targets,
            signal,
            is_repeated: true,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests;
