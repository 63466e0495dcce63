//! Asks the engines that run containers what runs and which ports lead there.
//!
//! docker and podman speak the same API on sockets of their own (`GET /containers/json` of the Docker Engine API).

use super::cgroup::is_id;
use super::http::{self, Answer};
use crate::model::endpoint::Protocol;
use crate::model::provenance::{Container, Engine, Manager, Published};
use crate::os::processes;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Where an engine listens, and which one is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub socket: PathBuf,
    pub engine: Engine,
    pub manager: Manager,
}

/// All containers of all engines that answer, asked at the same time.
pub fn containers(places: &[Place], within: Duration) -> Vec<Container> {
    thread::scope(|scope| {
        let is_there = |place: &&Place| place.socket.exists();
        let asking: Vec<_> = places
            .iter()
            .filter(is_there)
            .filter_map(|place| {
                let ask = move || containers_at(place, within);
                let named = thread::Builder::new().name("engine".to_owned());
                named.spawn_scoped(scope, ask).ok()
            })
            .collect();
        let answers = asking.into_iter().filter_map(|asked| asked.join().ok());
        answers.flatten().flatten().collect()
    })
}

fn containers_at(place: &Place, within: Duration) -> Option<Vec<Container>> {
    let answer = http::get(&place.socket, "/containers/json", within)?;
    let engine = if is_podman(&answer) {
        Engine::Podman
    } else {
        place.engine
    };
    let listed: Vec<Listed> = serde_json::from_slice(&answer.body).ok()?;
    let container = |listed| container(listed, engine, place.manager);
    Some(listed.into_iter().map(container).collect())
}

/// podman may listen in docker's place (podman-docker), and says what it is: `Server: Libpod/5.2.3 (linux)`.
fn is_podman(answer: &Answer) -> bool {
    answer
        .header("server")
        .is_some_and(|server| server.starts_with("Libpod/"))
}

/// Where engines listen on this machine for the user portmon works for.
pub fn places() -> Vec<Place> {
    let host = std::env::var("DOCKER_HOST").ok();
    places_of(host.as_deref(), &runtime_directory())
}

/// Under sudo the variable is gone or root's.
fn runtime_directory() -> PathBuf {
    let own = rustix::process::geteuid().as_raw();
    let me = processes::own_uid().unwrap_or(own);
    let variable = std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty() && me == own);
    variable.map_or_else(|| format!("/run/user/{me}").into(), PathBuf::from)
}

fn places_of(docker_host: Option<&str>, runtime: &Path) -> Vec<Place> {
    let place = |socket: PathBuf, engine| Place {
        manager: if socket.starts_with(runtime) {
            Manager::User
        } else {
            Manager::System
        },
        socket,
        engine,
    };
    let mut places = vec![
        place("/var/run/docker.sock".into(), Engine::Docker),
        place(runtime.join("docker.sock"), Engine::Docker),
        place("/run/podman/podman.sock".into(), Engine::Podman),
        place(runtime.join("podman/podman.sock"), Engine::Podman),
    ];
    if let Some(socket) = docker_host.and_then(|host| host.strip_prefix("unix://")) {
        let own = place(socket.into(), Engine::Docker);
        if places.iter().all(|place| place.socket != own.socket) {
            places.push(own);
        }
    }
    places
}

/// What is taken of a container's summary.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    names: Option<Vec<String>>,
    ports: Option<Vec<Exposed>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exposed {
    #[serde(rename = "IP")]
    ip: Option<String>,
    private_port: u16,
    /// Absent where the port is only exposed.
    public_port: Option<u16>,
    r#type: String,
}

fn container(listed: Listed, engine: Engine, manager: Manager) -> Container {
    // A container that others link to goes by `/other/alias` too.
    let own_name = |name: &String| {
        Some(name.strip_prefix('/')?.into()).filter(|_| name.matches('/').count() == 1)
    };
    let ports = listed.ports.unwrap_or_default();
    Container {
        name: listed.names.unwrap_or_default().iter().find_map(own_name),
        published: ports.into_iter().filter_map(published).collect(),
        ..Container::new(engine, manager, Some(listed.id).filter(|id| is_id(id)))
    }
}

fn published(port: Exposed) -> Option<Published> {
    let protocol = match port.r#type.as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    Some(Published {
        address: port.ip.and_then(|ip| ip.parse().ok()),
        host_port: port.public_port?,
        protocol,
        container_port: port.private_port,
    })
}

#[cfg(test)]
mod tests;
