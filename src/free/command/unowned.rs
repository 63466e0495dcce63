//! A port for which no process can be stopped: whether it can be used and, if not, what prevents it.

use super::{Conclusion, FreeOutcome, FreeReport};
use crate::model::port::{Availability, Holding, PortBinds, PortEvidence, PortSpec};
use crate::model::socket::{Endpoint, Owners, Socket, State, TimeWaitLeft};
use std::time::Instant;

impl FreeReport {
    /// Reports on a port by these sockets, of tables that were all read, and the binds.
    pub fn unowned(spec: PortSpec, table: &[Endpoint], binds: &PortBinds, now: Instant) -> Self {
        let sockets = table.iter().map(|endpoint| &endpoint.socket);
        let sockets: Vec<&Socket> = sockets
            .filter(|socket| spec.has_same_port(socket))
            .collect();
        let availability = Availability::of(&PortEvidence {
            spec,
            sockets: &sockets,
            problems: &[],
            binds,
        });
        let conclusion = conclusion(spec, &sockets, availability, now);
        let mut report = Self::new(spec, conclusion, Vec::new());
        if report.outcome() == Some(FreeOutcome::StillHeld) {
            let owners = sockets.iter().flat_map(|socket| socket.owners.known());
            report.holders = owners.cloned().collect();
            report.holders.sort_by_key(|owner| owner.id);
            report.holders.dedup_by_key(|owner| owner.id);
        }
        report
    }

    /// True if a bind is refused and no table shows by what.
    pub fn is_held_unseen(&self) -> bool {
        matches!(
            self.conclusion,
            Conclusion::NotHeld {
                availability: Availability::Held(Holding::Unseen(_)),
                ..
            }
        )
    }
}

fn conclusion(
    spec: PortSpec,
    sockets: &[&Socket],
    availability: Availability,
    now: Instant,
) -> Conclusion {
    let boxed = |socket: &Socket| Box::new(socket.clone());
    let conflicting = sockets.iter().copied();
    let conflicting: Vec<&Socket> = conflicting.filter(|one| spec.conflicts(one)).collect();
    let find = |is_cause: fn(&Socket) -> bool| {
        let mut sockets = conflicting.iter();
        sockets.find(|socket| is_cause(socket)).copied()
    };
    let is_waiting = |socket: &&Socket| socket.state == Some(State::TimeWait);
    let left = || sockets.iter().map(|socket| socket.state).collect();
    match availability {
        Availability::Held(Holding::Socket) if let Some(socket) = find(Socket::holds_port) => {
            Conclusion::StillHeld(boxed(socket))
        }
        Availability::Held(Holding::Connections) => {
            if let Some(socket) = find(|socket| socket.owners != Owners::NoProcess) {
                Conclusion::HeldByConnection(boxed(socket))
            } else if conflicting.iter().all(is_waiting) {
                let left = TimeWaitLeft::of_last(conflicting.iter().copied(), now, |_| None);
                let states = conflicting.iter().map(|socket| socket.state).collect();
                Conclusion::TimeWait { states, left }
            } else {
                Conclusion::NotHeld {
                    availability,
                    left: left(),
                }
            }
        }
        availability => Conclusion::NotHeld {
            availability,
            left: left(),
        },
    }
}
