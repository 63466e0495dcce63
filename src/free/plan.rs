//! From a row or a port to a plan, or to the obstacle that prevents one.

mod context;

use super::explanation::{Explanation, Obstacle, ProbableOwners};
use super::kill_plan::{KillPlan, TargetSet, holds};
use crate::model::port::{AddressSpec, Port, PortSpec};
use crate::model::process::CandidateQuery;
use crate::model::process::shell::quoted;
use crate::model::socket::{
    Endpoint, NotFound, Owners, QueueOrTimer, Socket, SocketRole, State, TimeWaitLeft,
};
use context::RowContext;
use std::iter;

pub use context::FreeContext;

/// A plan that may be carried out once confirmed, or the reason why there is none.
pub type PlanResult = Result<KillPlan, Box<Explanation>>;

/// Plans to free the port of this row.
///
/// `table` holds every endpoint that exists now, of both protocols and regardless of the filter, without closed rows
/// that are still on the screen. It may contain the row itself.
pub fn plan_row(row: &Endpoint, table: &[&Endpoint], context: &FreeContext) -> PlanResult {
    let role = row.relation.role;
    let row = RowContext {
        row: &row.socket,
        table,
        context,
    };
    let on_port = row.port_sockets(row.row.local);
    let plan = match role {
        _ if context.is_gone => Err(closed(&row)),
        SocketRole::Unconnected => plan_sockets(&row, &on_port),
        SocketRole::Server if !on_port.is_empty() => plan_sockets(&row, &on_port),
        _ if row.row.is_freed_with_owners() => plan_sockets(&row, &row.freed_with_owners()),
        _ if row.row.state == Some(State::TimeWait) => Err(time_wait(&row)),
        _ if context.filter_names_port => plan_sockets(&row, &row.owned()),
        SocketRole::Client => Err(client(&row)),
        SocketRole::Server | SocketRole::Unknown => Err(left_over(&row)),
    };
    explained(&row, plan)
}

/// Plans to free a port, on all local addresses or on one; `None` if no socket holds it there.
///
/// An owner that was not found comes first: stopping the visible ones would not free the port.
pub fn plan_port(spec: PortSpec, table: &[&Endpoint], context: &FreeContext) -> Option<PlanResult> {
    let mut sockets: Vec<&Socket> = table
        .iter()
        .map(|endpoint| &endpoint.socket)
        .filter(|socket| spec.matches(socket))
        .filter(|socket| socket.is_freed_with_owners())
        .collect();
    sockets.sort_by_key(|socket| {
        let is_hidden = socket.owners.not_found().is_some();
        (!is_hidden, socket.local, socket.id)
    });
    let row = RowContext {
        row: sockets.first()?,
        table,
        context,
    };
    Some(explained(&row, plan_sockets(&row, &sockets)))
}

fn explained(row: &RowContext, plan: Result<KillPlan, Obstacle>) -> PlanResult {
    plan.map_err(|obstacle| Box::new(Explanation::new(Port::of(row.row), obstacle)))
}

/// Plans to stop the owners of these sockets. The first one is the socket of the row.
fn plan_sockets(row: &RowContext, sockets: &[&Socket]) -> Result<KillPlan, Obstacle> {
    let Some((own, others)) = sockets.split_first() else {
        return Err(left_over(row));
    };
    match own.owners {
        Owners::Pending => return Err(Obstacle::Pending(unchanging(own))),
        Owners::NotFound(ref not_found) => {
            return Err(not_found_obstacle(row, own, not_found, others));
        }
        Owners::NoProcess => return Err(Obstacle::Kernel(unchanging(own))),
        Owners::Known(_) => {}
    }
    let mut plan = KillPlan::new(
        Port::of(own),
        sockets.iter().copied().cloned().collect(),
        row.table,
        row.context.environment,
    );
    plan.unprotect(row.context.left_over);
    let targets = plan.targets(TargetSet::Topmost);
    let frees_own = targets
        .iter()
        .any(|target| target.sockets.contains(&own.id));
    let protects_own = plan.protected().any(|(owner, _)| holds(owner.id, own));
    if targets.is_empty() || protects_own && !frees_own {
        return Err(Obstacle::Protected {
            protected: plan.protected().collect(),
            owners: plan.owner_processes(),
        });
    }
    Ok(plan)
}

/// The row closed before the question.
fn closed(row: &RowContext) -> Obstacle {
    let mut on_port = row.on_port(row.row.port()).into_iter();
    let now = on_port.find(|socket| socket.holds_port() && socket.id != row.row.id);
    Obstacle::Closed {
        now: now.map(unchanging),
    }
}

fn time_wait(row: &RowContext) -> Obstacle {
    let since = |_: &Socket| row.context.state_since;
    let now = row.context.now.instant;
    let listener = row.row.remote.and_then(|remote| row.listener(remote));
    Obstacle::TimeWait {
        left: TimeWaitLeft::of_last(iter::once(row.row), now, since),
        listener: listener.map(unchanging),
    }
}

/// The row is the client's end: stopping the client frees nothing.
fn client(row: &RowContext) -> Obstacle {
    let Some(remote) = row.row.remote else {
        return left_over(row);
    };
    Obstacle::Client {
        client: unchanging(row.row),
        listener: row.listener(remote).map(unchanging),
    }
}

/// Nothing listens on the port any more, or ever did.
fn left_over(row: &RowContext) -> Obstacle {
    let left = row.on_port(row.row.port());
    let is_held = row.row.owners != Owners::NoProcess;
    let waiting = left.iter().copied();
    let waiting = waiting.filter(|socket| socket.state == Some(State::TimeWait));
    let now = row.context.now.instant;
    Obstacle::LeftOver {
        states: left.iter().map(|socket| socket.state).collect(),
        held: is_held.then(|| unchanging(row.row)),
        left: TimeWaitLeft::of_last(waiting, now, |_| None),
    }
}

/// The owner was not found; visible owners on other addresses are named and not stopped.
fn not_found_obstacle(
    row: &RowContext,
    own: &Socket,
    not_found: &NotFound,
    others: &[&Socket],
) -> Obstacle {
    let environment = row.context.environment;
    let port = PortSpec {
        protocol: own.protocol,
        address: AddressSpec::Any,
        port: own.port(),
    };
    let executable = environment.executable.as_ref();
    let executable =
        executable.filter(|_| environment.uid.is_some() && not_found.is_shown_by_sudo());
    let sudo = executable.map(|path| {
        let path = quoted(path.as_bytes());
        format!("sudo {path} free {}", port.to_argument())
    });
    let visible = others.iter().filter(|one| !one.owners.known().is_empty());
    let is_meant = |endpoint: &&&Endpoint| {
        endpoint.id() == own.id || others.iter().any(|other| other.id == endpoint.id())
    };
    let sockets = row.table.iter().filter(is_meant);
    Obstacle::NotFound {
        socket: unchanging(own),
        probable: Box::new(ProbableOwners {
            sockets: sockets.filter_map(|one| CandidateQuery::of(one)).collect(),
            ..ProbableOwners::default()
        }),
        visible: visible.map(|socket| *unchanging(socket)).collect(),
        sudo,
    }
}

/// Returns the socket without its queue, so that an explanation of the same facts stays equal.
fn unchanging(socket: &Socket) -> Box<Socket> {
    Box::new(Socket {
        queue_or_timer: QueueOrTimer::Unknown,
        ..socket.clone()
    })
}

#[cfg(test)]
mod tests;
