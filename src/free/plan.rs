//! From a row or a port to a plan: which sockets hold the port, and whether stopping their owners would free it.

use super::context::{FreeContext, RowContext};
use super::explanation as explain;
use super::{Explanation, KillPlan, TargetSet};
use crate::model::endpoint::{Endpoint, Owners, Protocol, Socket, SocketRole, State};
use std::net::IpAddr;

/// A plan that may be carried out once confirmed, or the reason why there is none.
pub type PlanResult = Result<KillPlan, Box<Explanation>>;

/// Plans to free the port of this row.
///
/// `table` holds every endpoint that exists now, of both protocols and regardless of the filter, without closed rows
/// that are still on the screen. It may contain the row itself.
pub fn plan_row(row: &Endpoint, table: &[&Endpoint], context: &FreeContext) -> PlanResult {
    let scene = RowContext {
        row: &row.socket,
        table,
        context,
    };
    if context.is_gone {
        return Err(Box::new(explain::closed(&scene)));
    }
    let on_port = scene.port_sockets(row.socket.local);
    match row.relation.role {
        SocketRole::Unconnected => plan_sockets(&scene, &on_port),
        SocketRole::Server if !on_port.is_empty() => plan_sockets(&scene, &on_port),
        _ if row.socket.state == Some(State::TimeWait) => Err(Box::new(explain::time_wait(&scene))),
        _ if context.filter_names_port => plan_sockets(&scene, &scene.owned()),
        SocketRole::Client => Err(Box::new(explain::client(&scene))),
        SocketRole::Server | SocketRole::Unknown => Err(Box::new(explain::left_over(&scene))),
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
    let scene = RowContext {
        row,
        table,
        context,
    };
    Some(plan_sockets(&scene, &sockets))
}

/// Plans to stop the owners of these sockets, of which the first is the one that is meant.
fn plan_sockets(scene: &RowContext, sockets: &[&Socket]) -> PlanResult {
    let Some(own) = sockets.first().copied() else {
        return Err(Box::new(explain::left_over(scene)));
    };
    match own.owners {
        Owners::Pending => return Err(Box::new(explain::pending(own))),
        Owners::NoPermission => return Err(Box::new(explain::no_permission(scene, sockets))),
        Owners::NoProcess => return Err(Box::new(explain::unowned(own))),
        Owners::Known(_) => {}
    }
    let plan = KillPlan::new(
        sockets.iter().copied().cloned().collect(),
        own,
        scene.table,
        scene.context.environment,
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
        Err(Box::new(explain::protected(&plan)))
    } else {
        Ok(plan)
    }
}

#[cfg(test)]
mod tests;
