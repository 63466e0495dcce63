//! Asks systemd and container engines about supervisors, each question once for all processes.

use super::engine::EngineAnswer;
use super::systemd::Systemctl;
use super::{TIMEOUT, engine, left_over, manager_of, port_proxy, set_container};
use crate::model::port::Port;
use crate::model::process::{Container, Engine, Manager, Pid, Process, Supervisor, Unit};
use crate::os::processes;

/// The answers so far, to be used for one inspection.
pub struct SupervisorLookup {
    systemctl: Systemctl,
    engine_sockets: Vec<engine::EngineSocket>,
    /// What all engines have answered, once they were asked.
    answers: Option<Vec<EngineAnswer>>,
    /// The services systemd was asked about.
    units: Vec<Unit>,
}

impl SupervisorLookup {
    pub fn begin() -> Self {
        Self {
            systemctl: Systemctl::installed(),
            engine_sockets: engine::engine_sockets(),
            answers: None,
            units: Vec::new(),
        }
    }

    /// Completes the supervisor of a process that holds this port.
    ///
    /// Takes half a second for each that does not answer, and asks only those that can add something.
    pub fn complete(&mut self, found: &mut Supervisor, process: &Process, port: Option<Port>) {
        if let Some(port) = port.filter(|_| left_over::is_relay(process)) {
            let left_over_from = left_over::left_over_from(process, port, self.answers());
            if left_over_from.is_some() {
                // Neither the container of its arguments nor the unit of the engine has anything to do with it any more.
                *found = Supervisor {
                    left_over_from,
                    ..Supervisor::default()
                };
                return;
            }
        }
        if let Some(container) = self.container(found.container.as_ref(), process, port) {
            set_container(found, container);
        }
        if let Some(unit) = &mut found.unit {
            self.complete_unit(unit);
        } else if found.container.is_none() {
            let socket = |port| self.systemctl.socket_on(port, manager(process)?);
            found.unit = port.and_then(socket);
        }
    }

    /// Returns the supervisor of a port whose owner is hidden.
    pub fn of_port(&mut self, port: Port) -> Supervisor {
        let container = self.container_on_port(port).cloned();
        let mut managers = [Manager::System, Manager::User].into_iter();
        let unit = match container {
            Some(_) => None,
            None => managers.find_map(|manager| self.systemctl.socket_on(port, manager)),
        };
        Supervisor {
            unit,
            container,
            ..Supervisor::default()
        }
    }

    /// Returns the container by its id, by the published port in its proxy's arguments, or by the port that a proxy holds.
    fn container(
        &mut self,
        partial: Option<&Container>,
        process: &Process,
        port: Option<Port>,
    ) -> Option<Container> {
        let engine = partial.map(|partial| partial.engine);
        let engine = engine.or_else(|| port_proxy::engine(process))?;
        match engine {
            Engine::Docker | Engine::Podman => {}
            Engine::Containerd | Engine::Kubernetes => return None,
        }
        if let Some(id) = partial.and_then(|partial| partial.id.as_ref()) {
            let has_id = |known: &&Container| known.id.as_ref() == Some(id);
            return self.containers().find(has_id).cloned();
        }
        let Some(published) = partial.and_then(|partial| partial.published.first()) else {
            return self.container_on_port(port?).cloned();
        };
        let is_exact = |known: &&Container| known.published.contains(published);
        let exact = self.containers().find(is_exact).cloned();
        exact.or_else(|| self.container_on_port(published.port()).cloned())
    }

    /// Returns the container that publishes a port, on any address.
    fn container_on_port(&mut self, port: Port) -> Option<&Container> {
        let mut containers = self.containers();
        containers.find(|known| known.publishes(port))
    }

    fn containers(&mut self) -> impl Iterator<Item = &Container> {
        self.answers().iter().flat_map(|answer| &answer.containers)
    }

    fn answers(&mut self) -> &[EngineAnswer] {
        let engine_sockets = &self.engine_sockets;
        let ask = || engine::ask(engine_sockets, TIMEOUT);
        self.answers.get_or_insert_with(ask)
    }

    fn complete_unit(&mut self, unit: &mut Unit) {
        if !unit.is_service() {
            return;
        }
        let is_same = |one: &&Unit| (&one.name, one.manager) == (&unit.name, unit.manager);
        if let Some(known) = self.units.iter().find(is_same) {
            *unit = known.clone();
        } else {
            self.systemctl.complete(unit);
            self.units.push(unit.clone());
        }
    }
}

/// Returns which systemd manager this process is.
fn manager(process: &Process) -> Option<Manager> {
    match process.pid() {
        _ if process.name.raw() != "systemd" => None,
        Pid(1) => Some(Manager::System),
        _ => Some(manager_of(process.uid?, processes::invoking_uid())),
    }
}

#[cfg(test)]
mod tests;
