//! What files do not tell of provenances: asked of systemd and of the engines, each question once for all who need it.

use super::systemd::Systemctl;
use super::{PATIENCE, engine, relay, set_container};
use crate::model::freeing::Port;
use crate::model::process::{Pid, Process};
use crate::model::provenance::{Container, Engine, Manager, Provenance, Unit};
use crate::os::processes;

/// The answers so far, good for one moment.
pub struct Inquiry {
    systemctl: Systemctl,
    places: Vec<engine::Place>,
    /// Of all engines, once they were asked.
    containers: Option<Vec<Container>>,
    /// The services that were asked about.
    units: Vec<Unit>,
}

impl Inquiry {
    pub fn begin() -> Self {
        Self {
            systemctl: Systemctl::installed(),
            places: engine::places(),
            containers: None,
            units: Vec::new(),
        }
    }

    /// Adds what systemd and the engines know of what stands behind a process, which holds this port.
    ///
    /// It takes half a second for each that does not answer, and asks only those that can know more.
    pub fn complete(&mut self, found: &mut Provenance, process: &Process, port: Option<Port>) {
        if let Some(container) = self.container(found.container.as_ref(), process, port) {
            set_container(found, container);
        }
        if let Some(unit) = &mut found.unit {
            self.complete_unit(unit);
        } else if found.container.is_none() {
            let socket = |port| self.socket_unit(manager(process)?, port);
            found.unit = port.and_then(socket);
        }
    }

    /// What stands behind a port whose holder may not be seen.
    pub fn of_port(&mut self, port: Port) -> Provenance {
        let container = self.leading_from(port).cloned();
        let managers = [Manager::System, Manager::User];
        let mut sockets = managers.into_iter().filter(|_| container.is_none());
        Provenance {
            unit: sockets.find_map(|manager| self.socket_unit(manager, port)),
            container,
        }
    }

    /// All that is known of the container: by its id, by the port that its relay tells, or by the port that a relay holds.
    fn container(
        &mut self,
        told: Option<&Container>,
        process: &Process,
        port: Option<Port>,
    ) -> Option<Container> {
        let engine = told.map(|told| told.engine);
        match engine.or_else(|| relay::engine(process))? {
            Engine::Docker | Engine::Podman => {}
            Engine::Containerd | Engine::Kubernetes => return None,
        }
        if let Some(id) = told.and_then(|told| told.id.as_ref()) {
            let is_it = |known: &&Container| known.id.as_ref() == Some(id);
            return self.containers().iter().find(is_it).cloned();
        }
        let Some(published) = told.and_then(|told| told.published.first()) else {
            return self.leading_from(port?).cloned();
        };
        let is_exact = |known: &&Container| known.published.contains(published);
        let exact = self.containers().iter().find(is_exact).cloned();
        let port = Port {
            protocol: published.protocol,
            number: published.host_port,
        };
        exact.or_else(|| self.leading_from(port).cloned())
    }

    /// The container that a port leads to, on whichever address.
    fn leading_from(&mut self, port: Port) -> Option<&Container> {
        let mut containers = self.containers().iter();
        containers.find(|known| known.publishes(port.number, port.protocol))
    }

    fn containers(&mut self) -> &[Container] {
        let places = &self.places;
        let ask = || engine::containers(places, PATIENCE);
        self.containers.get_or_insert_with(ask)
    }

    fn complete_unit(&mut self, unit: &mut Unit) {
        if !unit.is_service() {
            return;
        }
        let is_it = |known: &&Unit| (&known.name, known.manager) == (&unit.name, unit.manager);
        if let Some(known) = self.units.iter().find(is_it) {
            *unit = known.clone();
        } else {
            self.systemctl.complete(unit);
            self.units.push(unit.clone());
        }
    }

    /// The socket that a manager of systemd holds until someone connects.
    fn socket_unit(&self, manager: Manager, port: Port) -> Option<Unit> {
        let Port { protocol, number } = port;
        let sockets = self
            .systemctl
            .sockets_listening_on(number, protocol, manager);
        sockets.into_iter().next()
    }
}

/// Which manager of systemd this process is.
fn manager(process: &Process) -> Option<Manager> {
    if process.name.raw() != "systemd" {
        None
    } else if process.pid() == Pid(1) {
        Some(Manager::System)
    } else {
        let me = processes::own_uid();
        process.uid.map(|uid| Manager::of_user(uid, me))
    }
}

#[cfg(test)]
mod tests;
