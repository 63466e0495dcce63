//! Control groups, arguments of port proxies, sockets of container engines, and systemd.

mod cgroup;
mod deadline_reader;
mod engine;
mod http;
mod left_over;
mod lookup;
mod port_proxy;
mod subprocess;
mod systemd;

#[cfg(test)]
mod testing;

use crate::model::port::Port;
use crate::model::process::{Container, Engine, Manager, Pid, Process, Supervisor};
use crate::os::processes::{self, pid_namespace, stat};
use std::fs;
use std::time::Duration;

pub use lookup::SupervisorLookup;

/// Time limit of one engine or of systemd.
const TIMEOUT: Duration = Duration::from_millis(500);

/// Returns what files show: the control group and the arguments of the process.
///
/// The container that portmon itself runs in does not count. With a container there is no unit, as docker's unit runs all
/// containers and stopping it would stop them all; only podman has a unit for each.
pub fn of(process: &Process) -> Supervisor {
    let invoking_uid = processes::invoking_uid();
    let Some(text) = read_cgroup(process.pid()) else {
        return Supervisor::default();
    };
    // The pid may have been reused meanwhile.
    if stat::process_id(process.pid()) != Some(process.id) {
        return Supervisor::default();
    }
    let own = pid_namespace::own_pid().and_then(read_cgroup);
    let own = cgroup::supervisor(&own.unwrap_or_default(), invoking_uid);
    let from_arguments = port_proxy::container(process, invoking_uid);
    let found = with_proxied(cgroup::supervisor(&text, invoking_uid), from_arguments);
    without_own(&own, found)
}

/// Returns the containers that publish this port, by the engines that answer.
pub fn published_on(port: Port) -> Vec<Container> {
    let answers = engine::ask(&engine::engine_sockets(), TIMEOUT);
    let containers = answers.into_iter().flat_map(|answer| answer.containers);
    containers
        .filter(|container| container.publishes(port))
        .collect()
}

/// Returns the engine that has left this process over, a proxy that holds this port, by its answer now.
pub fn left_over_from(process: &Process, port: Port) -> Option<Engine> {
    if !left_over::is_relay(process) {
        return None;
    }
    let answers = engine::ask(&engine::engine_sockets(), TIMEOUT);
    left_over::left_over_from(process, port, &answers)
}

/// Returns the manager of this user.
fn manager_of(uid: u32, invoking_uid: Option<u32>) -> Manager {
    if invoking_uid == Some(uid) {
        Manager::User
    } else {
        Manager::OtherUser(uid)
    }
}

fn read_cgroup(pid: Pid) -> Option<String> {
    let text = fs::read(format!("/proc/{}/cgroup", pid.0)).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// Adds what the arguments of a port proxy show: the name of a known container, or the container itself.
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

/// Drops the unit, unless the engine is podman, which has a unit for each container.
fn set_container(of: &mut Supervisor, container: Container) {
    if container.engine != Engine::Podman {
        of.unit = None;
    }
    of.container = Some(container);
}

/// Removes the container that portmon is in as well, and marks a unit that is portmon's own.
fn without_own(own: &Supervisor, mut found: Supervisor) -> Supervisor {
    let own_id = own.container.as_ref().map(|own| &own.id);
    let container = &mut found.container;
    container.take_if(|container| own_id == Some(&container.id));
    if let (Some(unit), Some(own)) = (&mut found.unit, &own.unit) {
        unit.is_own = (&unit.name, unit.manager) == (&own.name, own.manager);
    }
    found
}

#[cfg(test)]
mod tests;
