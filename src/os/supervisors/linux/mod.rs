//! Control groups, the arguments of what relays ports, the engines' sockets and systemd.

mod cgroup;
mod engine;
mod http;
mod lookup;
mod port_proxy;
mod subprocess;
mod systemd;

#[cfg(test)]
mod testing;

use crate::model::endpoint::Protocol;
use crate::model::process::{Pid, Process};
use crate::model::supervisor::{Container, Engine, Manager, Supervisor, Unit};
use crate::os::processes::{self, pid_namespace, start_time};
use std::fs;
use std::time::Duration;

pub use lookup::SupervisorLookup;

/// How long an engine and systemd each have for an answer.
const TIMEOUT: Duration = Duration::from_millis(500);

/// What files tell: the control group and the arguments of the process.
///
/// A container that portmon itself runs in is none to it, and neither is there a unit where a container is: what runs
/// docker's containers also relays their ports, and to stop that would stop them all. Podman has units for containers.
pub fn of(process: &Process) -> Supervisor {
    let invoking_uid = processes::invoking_uid();
    let Some(text) = read_cgroup(process.pid()) else {
        return Supervisor::default();
    };
    // Another process may have got the pid meanwhile.
    if start_time::of_pid(process.pid()) != Some(process.id.start) {
        return Supervisor::default();
    }
    let own = pid_namespace::own_pid()
        .and_then(read_cgroup)
        .unwrap_or_default();
    let own = cgroup::supervisor(&own, invoking_uid);
    let from_arguments = port_proxy::container(process, invoking_uid);
    let found = with_proxied(cgroup::supervisor(&text, invoking_uid), from_arguments);
    without_own(&own, found)
}

/// The containers to which this port of the machine leads, by the engines that answer.
pub fn published_on(port: u16, protocol: Protocol) -> Vec<Container> {
    let mut containers = engine::containers(&engine::engine_sockets(), TIMEOUT);
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

fn read_cgroup(pid: Pid) -> Option<String> {
    let text = fs::read(format!("/proc/{}/cgroup", pid.0)).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// With what the arguments of a relay tell: the name of a container whose id is known already, or the container itself.
fn with_proxied(mut found: Supervisor, from_arguments: Option<Container>) -> Supervisor {
    match (&mut found.container, from_arguments) {
        (Some(known), Some(from_arguments)) if known.id == from_arguments.id => {
            known.name = from_arguments.name;
        }
        (None, Some(from_arguments)) => set_container(&mut found, from_arguments),
        (_, Some(_) | None) => {}
    }
    found
}

/// Only podman has units of its own for containers.
fn set_container(of: &mut Supervisor, container: Container) {
    if container.engine != Engine::Podman {
        of.unit = None;
    }
    of.container = Some(container);
}

/// What stands behind a process and not behind portmon too.
fn without_own(own: &Supervisor, mut found: Supervisor) -> Supervisor {
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
