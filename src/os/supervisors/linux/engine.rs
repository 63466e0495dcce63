//! Asks the engines that run containers what runs and which ports lead there.
//!
//! docker and podman speak the same API on sockets of their own (`GET /containers/json` of the Docker Engine API).

use super::cgroup::is_id;
use super::http::{self, HttpResponse};
use crate::model::endpoint::Protocol;
use crate::model::supervisor::{Container, Engine, Manager, Published};
use crate::os::processes;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// Where an engine listens, and which one is expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSocket {
    pub socket: PathBuf,
    pub engine: Engine,
    pub manager: Manager,
}

/// All containers of all engines that answer, asked at the same time.
pub fn containers(engine_sockets: &[EngineSocket], within: Duration) -> Vec<Container> {
    thread::scope(|scope| {
        let is_there = |engine_socket: &&EngineSocket| engine_socket.socket.exists();
        let asking: Vec<_> = engine_sockets
            .iter()
            .filter(is_there)
            .filter_map(|engine_socket| {
                let ask = move || containers_at(engine_socket, within);
                let named = thread::Builder::new().name("engine".to_owned());
                named.spawn_scoped(scope, ask).ok()
            })
            .collect();
        let answers = asking.into_iter().filter_map(|asked| asked.join().ok());
        answers.flatten().flatten().collect()
    })
}

fn containers_at(engine_socket: &EngineSocket, within: Duration) -> Option<Vec<Container>> {
    let response = http::get(&engine_socket.socket, "/containers/json", within)?;
    let engine = if is_podman(&response) {
        Engine::Podman
    } else {
        engine_socket.engine
    };
    let summary: Vec<ContainerSummary> = serde_json::from_slice(&response.body).ok()?;
    let container = |summary| container(summary, engine, engine_socket.manager);
    Some(summary.into_iter().map(container).collect())
}

/// podman may listen in docker's place (podman-docker), and says what it is: `Server: Libpod/5.2.3 (linux)`.
fn is_podman(response: &HttpResponse) -> bool {
    response
        .header("server")
        .is_some_and(|server| server.starts_with("Libpod/"))
}

/// Where engines listen on this machine for the user portmon works for.
pub fn engine_sockets() -> Vec<EngineSocket> {
    let host = std::env::var("DOCKER_HOST").ok();
    engine_sockets_of(host.as_deref(), &runtime_directory())
}

/// Under sudo the variable is gone or root's.
fn runtime_directory() -> PathBuf {
    let own = rustix::process::geteuid().as_raw();
    let invoking_uid = processes::invoking_uid().unwrap_or(own);
    let variable =
        std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty() && invoking_uid == own);
    variable.map_or_else(|| format!("/run/user/{invoking_uid}").into(), PathBuf::from)
}

fn engine_sockets_of(docker_host: Option<&str>, runtime: &Path) -> Vec<EngineSocket> {
    let engine_socket = |socket: PathBuf, engine| EngineSocket {
        manager: if socket.starts_with(runtime) {
            Manager::User
        } else {
            Manager::System
        },
        socket,
        engine,
    };
    let mut engine_sockets = vec![
        engine_socket("/var/run/docker.sock".into(), Engine::Docker),
        engine_socket(runtime.join("docker.sock"), Engine::Docker),
        engine_socket("/run/podman/podman.sock".into(), Engine::Podman),
        engine_socket(runtime.join("podman/podman.sock"), Engine::Podman),
    ];
    if let Some(socket) = docker_host.and_then(|host| host.strip_prefix("unix://")) {
        let own = engine_socket(socket.into(), Engine::Docker);
        if engine_sockets
            .iter()
            .all(|engine_socket| engine_socket.socket != own.socket)
        {
            engine_sockets.push(own);
        }
    }
    engine_sockets
}

/// What is taken of a container's summary.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerSummary {
    id: String,
    names: Option<Vec<String>>,
    ports: Option<Vec<PortSummary>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PortSummary {
    #[serde(rename = "IP")]
    ip: Option<String>,
    private_port: u16,
    /// Absent where the port is only exposed.
    public_port: Option<u16>,
    r#type: String,
}

fn container(summary: ContainerSummary, engine: Engine, manager: Manager) -> Container {
    // A container that others link to goes by `/other/alias` too.
    let own_name = |name: &String| {
        Some(name.strip_prefix('/')?.into()).filter(|_| name.matches('/').count() == 1)
    };
    let ports = summary.ports.unwrap_or_default();
    Container {
        name: summary.names.unwrap_or_default().iter().find_map(own_name),
        published: ports.into_iter().filter_map(published).collect(),
        ..Container::new(engine, manager, Some(summary.id).filter(|id| is_id(id)))
    }
}

fn published(port: PortSummary) -> Option<Published> {
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
