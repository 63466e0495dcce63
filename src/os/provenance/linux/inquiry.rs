//! What files do not tell of provenances: asked of systemd and of the engines, each question once for all who need it.

use super::systemd::Systemctl;
use super::{PATIENCE, engine, relay, set_container};
use crate::model::endpoint::Protocol;
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
            systemctl: Systemctl::of_path(),
            places: engine::places(),
            containers: None,
            units: Vec::new(),
        }
    }

    /// Adds what systemd and the engines know of what stands behind a process, which holds this port.
    ///
    /// It takes half a second for each that does not answer, and asks only those that can know more.
    pub fn complete(
        &mut self,
        found: &mut Provenance,
        process: &Process,
        port: Option<(u16, Protocol)>,
    ) {
        if let Some(container) = self.container(found.container.as_ref(), process, port) {
            set_container(found, container);
        }
        if let Some(unit) = &mut found.unit {
            self.complete_unit(unit);
        } else if found.container.is_none() {
            found.unit = port.and_then(|port| self.socket_unit(process, port));
        }
    }

    /// All that is known of the container: by its id, by the port that its relay tells, or by the port that a relay holds.
    fn container(
        &mut self,
        told: Option<&Container>,
        process: &Process,
        port: Option<(u16, Protocol)>,
    ) -> Option<Container> {
        let engine = told.map(|told| told.engine);
        match engine.or_else(|| relay::engine(process))? {
            Engine::Docker | Engine::Podman => {}
            Engine::Containerd | Engine::Kubernetes => return None,
        }
        let places = &self.places;
        let containers = self
            .containers
            .get_or_insert_with(|| engine::containers(places, PATIENCE));
        if let Some(id) = told.and_then(|told| told.id.as_ref()) {
            let is_it = |known: &&Container| known.id.as_ref() == Some(id);
            return containers.iter().find(is_it).cloned();
        }
        let published = told.and_then(|told| told.published.first());
        let (port, protocol) = published
            .map(|one| (one.host_port, one.protocol))
            .or(port)?;
        let leads = |known: &&Container| known.publishes(port, protocol);
        let exactly = |known: &&Container| {
            published.is_some_and(|published| known.published.contains(published))
        };
        let found = containers.iter().find(exactly);
        found.or_else(|| containers.iter().find(leads)).cloned()
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

    /// The socket that a manager of systemd itself holds until someone connects.
    fn socket_unit(&self, process: &Process, (port, protocol): (u16, Protocol)) -> Option<Unit> {
        let manager = manager(process)?;
        let sockets = self.systemctl.sockets_listening_on(port, protocol, manager);
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
