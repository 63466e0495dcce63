//! Which ports the targets on a command line mean.

use crate::model::port::{PortRange, PortSpec};
use crate::model::socket::{Endpoint, Socket, State};
use std::collections::BTreeSet;

/// Returns the ports without duplicates: each single port, and those ports of a range that a socket holds or that are
/// in TIME_WAIT.
///
/// Each port gets one verdict, so the same port with two addresses is an error; the error contains both.
pub fn port_specs(
    targets: &[PortRange],
    table: &[Endpoint],
) -> Result<Vec<PortSpec>, [PortSpec; 2]> {
    let mut port_specs: Vec<PortSpec> = Vec::new();
    for spec in targets.iter().flat_map(|target| ports_of(target, table)) {
        let is_same_port = |one: &&mut PortSpec| one.on_all_addresses() == spec.on_all_addresses();
        match port_specs.iter_mut().find(is_same_port) {
            None => port_specs.push(spec),
            Some(known) if *known == spec || known.address.is_any() => {}
            Some(known) if spec.address.is_any() => *known = spec,
            Some(known) => return Err([*known, spec]),
        }
    }
    Ok(port_specs)
}

fn ports_of(target: &PortRange, table: &[Endpoint]) -> Vec<PortSpec> {
    if let Some(port) = target.only_port() {
        return vec![port];
    }
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    // A bind may fail for TIME_WAIT, which no process holds.
    let found = sockets.filter(|socket| {
        (socket.is_freed_with_owners() || socket.state == Some(State::TimeWait))
            && target.matches(socket)
    });
    let ports: BTreeSet<u16> = found.map(Socket::port).collect();
    ports.into_iter().map(|port| target.at(port)).collect()
}
