//! Control groups, the arguments of what relays ports, the engines' sockets and systemd.

mod cgroup;
mod child;
mod engine;
mod http;
mod inquiry;
mod relay;
mod systemd;

#[cfg(test)]
mod testing;

use crate::model::endpoint::Protocol;
use crate::model::process::{Pid, Process};
use crate::model::provenance::{Container, Engine, Manager, Provenance, Unit};
use crate::os::{identity, pids, processes};
use std::fs;
use std::time::Duration;

pub use inquiry::Inquiry;

/// How long an engine and systemd each have for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// What files tell: the control group and the arguments of the process.
///
/// A container that portmon itself runs in is none to it, and neither is there a unit where a container is: what runs
/// docker's containers also relays their ports, and to stop that would stop them all. Podman has units for containers.
pub fn of(process: &Process) -> Provenance {
    let me = processes::own_uid();
    let Some(text) = control_group(process.pid()) else {
        return Provenance::default();
    };
    // Another process may have got the pid meanwhile.
    if identity::start_time(process.pid()) != Some(process.id.start) {
        return Provenance::default();
    }
    let own = pids::own().and_then(control_group).unwrap_or_default();
    let own = cgroup::provenance(&own, me);
    let told = relay::container(process, me);
    let found = with_relayed(cgroup::provenance(&text, me), told);
    apart_from(&own, found)
}

/// The containers to which this port of the machine leads, by the engines that answer.
pub fn published_on(port: u16, protocol: Protocol) -> Vec<Container> {
    let mut containers = engine::containers(&engine::places(), PATIENCE);
    containers.retain(|container| container.publishes(port, protocol));
    containers
}

/// The sockets of systemd on this port, of the system and of the user: whoever connects there starts their services.
pub fn sockets_listening_on(port: u16, protocol: Protocol) -> Vec<Unit> {
    let systemctl = systemd::Systemctl::installed();
    let managers = [Manager::System, Manager::User];
    managers
        .into_iter()
        .flat_map(|manager| systemctl.sockets_listening_on(port, protocol, manager))
        .collect()
}

fn control_group(pid: Pid) -> Option<String> {
    let text = fs::read(format!("/proc/{}/cgroup", pid.0)).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// With what the arguments of a relay tell: the name of a container whose id is known already, or the container itself.
fn with_relayed(mut found: Provenance, told: Option<Container>) -> Provenance {
    match (&mut found.container, told) {
        (Some(known), Some(told)) if known.id == told.id => known.name = told.name,
        (None, Some(told)) => set_container(&mut found, told),
        (_, Some(_) | None) => {}
    }
    found
}

/// Only podman has units of its own for containers.
fn set_container(of: &mut Provenance, container: Container) {
    if container.engine != Engine::Podman {
        of.unit = None;
    }
    of.container = Some(container);
}

/// What stands behind a process and not behind portmon too.
fn apart_from(own: &Provenance, mut found: Provenance) -> Provenance {
    let own_id = own.container.as_ref().map(|container| &container.id);
    found
        .container
        .take_if(|container| own_id == Some(&container.id));
    if let (Some(unit), Some(own)) = (&mut found.unit, &own.unit) {
        unit.is_own = (&unit.name, unit.manager) == (&own.name, own.manager);
    }
    found
}

#[cfg(test)]
mod tests;
