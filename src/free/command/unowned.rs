//! A port for which no process can be stopped: whether it can be used and, if not, what prevents it.

use super::{Conclusion, FreeOutcome, FreeReport};
use crate::model::port::{BindResult, PortSpec};
use crate::model::socket::{Endpoint, Owners, Socket, State, TimeWaitLeft};
use std::time::Instant;

impl FreeReport {
    /// Reports on a port by these sockets and a bind.
    pub fn unowned(spec: PortSpec, table: &[Endpoint], bind: BindResult, now: Instant) -> Self {
        let sockets = table.iter().map(|endpoint| &endpoint.socket);
        let sockets: Vec<&Socket> = sockets
            .filter(|socket| spec.has_same_port(socket))
            .collect();
        let mut report = Self::new(spec, conclusion(&sockets, bind, now), Vec::new());
        if report.outcome() == Some(FreeOutcome::StillHeld) {
            let owners = sockets.iter().flat_map(|socket| socket.owners.known());
            report.holders = owners.cloned().collect();
            report.holders.sort_by_key(|owner| owner.id);
            report.holders.dedup_by_key(|owner| owner.id);
        }
        report
    }
}

fn conclusion(sockets: &[&Socket], bind: BindResult, now: Instant) -> Conclusion {
    let left = sockets.iter().map(|socket| socket.state).collect();
    let find = |is_cause: fn(&Socket) -> bool| {
        let mut sockets = sockets.iter().filter(|socket| is_cause(socket));
        sockets.next().map(|socket| Box::new(Socket::clone(socket)))
    };
    let is_waiting = |socket: &&Socket| socket.state == Some(State::TimeWait);
    let can_be_free = match bind {
        BindResult::Usable | BindResult::OnlyWithReuseAddr | BindResult::NotPermitted => true,
        BindResult::InUse | BindResult::NoSuchAddress | BindResult::Failed(_) => false,
    };
    if can_be_free {
        Conclusion::NotHeld { bind, left }
    } else if let Some(socket) = find(Socket::holds_port) {
        Conclusion::StillHeld(socket)
    } else if let Some(socket) = find(|socket| socket.owners != Owners::NoProcess) {
        Conclusion::HeldByConnection(socket)
    } else if !sockets.is_empty() && sockets.iter().all(is_waiting) {
        let states = left;
        let left = TimeWaitLeft::of_last(sockets.iter().copied(), now, |_| None);
        Conclusion::TimeWait { states, left }
    } else {
        Conclusion::NotHeld { bind, left }
    }
}
