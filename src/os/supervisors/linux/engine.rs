//! Asks container engines for their containers and the published ports.
//!
//! docker and podman have the same API on their sockets (`GET /containers/json` of the Docker Engine API).

use super::cgroup::is_id;
use super::http;
use crate::model::process::{Container, Engine, Manager, Published};
use crate::model::socket::Protocol;
use crate::os::processes;
use serde::Deserialize;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// The socket of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineSocket {
    pub path: PathBuf,
    /// The engine that is expected there.
    pub engine: Engine,
    pub manager: Manager,
}

/// What one engine has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineAnswer {
    /// The engine that was expected, unless another one has answered.
    pub engine: Engine,
    /// Owner of its socket: the user it runs as.
    pub uid: Option<u32>,
    /// Its containers that have not ended; empty if it has not answered.
    pub containers: Vec<Container>,
    /// True if it has answered in full, with the ports of each of them.
    pub is_complete: bool,
}

/// Returns an answer for each engine whose socket exists; all are asked at the same time.
pub fn ask(engine_sockets: &[EngineSocket], timeout: Duration) -> Vec<EngineAnswer> {
    thread::scope(|scope| {
        let existing = engine_sockets.iter().filter(|socket| socket.path.exists());
        let threads = existing.map(|engine_socket| {
            let ask = move || answer_at(engine_socket, timeout);
            let named = thread::Builder::new().name("engine".to_owned());
            (engine_socket, named.spawn_scoped(scope, ask).ok())
        });
        let threads: Vec<_> = threads.collect();
        let answers = threads.into_iter().map(|(engine_socket, thread)| {
            let answer = thread.and_then(|thread| thread.join().ok()?);
            answer.unwrap_or_else(|| no_answer(engine_socket))
        });
        answers.collect()
    })
}

fn no_answer(engine_socket: &EngineSocket) -> EngineAnswer {
    EngineAnswer {
        engine: engine_socket.engine,
        uid: fs::metadata(&engine_socket.path)
            .ok()
            .map(|found| found.uid()),
        containers: Vec::new(),
        is_complete: false,
    }
}

fn answer_at(engine_socket: &EngineSocket, timeout: Duration) -> Option<EngineAnswer> {
    // Without `all`, podman leaves out those that are paused or starting, whose proxies run.
    let response = http::get(&engine_socket.path, "/containers/json?all=true", timeout)?;
    // podman, which may listen on docker's socket too (podman-docker), answers `Server: Libpod/5.2.3 (linux)`.
    let engine = match http::header(&response.head, "server") {
        Some(server) if server.starts_with("Libpod/") => Engine::Podman,
        _ => engine_socket.engine,
    };
    let mut summaries: Vec<ContainerSummary> = serde_json::from_slice(&response.body).ok()?;
    summaries.retain(|summary| !summary.has_ended(engine));
    let is_complete = summaries.iter().all(ContainerSummary::has_known_ports);
    let container = |summary| container(summary, engine, engine_socket.manager);
    Some(EngineAnswer {
        engine,
        containers: summaries.into_iter().map(container).collect(),
        is_complete,
        ..no_answer(engine_socket)
    })
}

/// Returns where engines listen for the user portmon works for.
pub fn engine_sockets() -> Vec<EngineSocket> {
    let host = std::env::var("DOCKER_HOST").ok();
    engine_sockets_of(host.as_deref(), &runtime_directory())
}

/// Returns the runtime directory of that user. Under sudo XDG_RUNTIME_DIR is unset or root's.
fn runtime_directory() -> PathBuf {
    let own = rustix::process::geteuid().as_raw();
    let invoking_uid = processes::invoking_uid().unwrap_or(own);
    let variable =
        std::env::var_os("XDG_RUNTIME_DIR").filter(|path| !path.is_empty() && invoking_uid == own);
    variable.map_or_else(|| format!("/run/user/{invoking_uid}").into(), PathBuf::from)
}

fn engine_sockets_of(docker_host: Option<&str>, runtime: &Path) -> Vec<EngineSocket> {
    let usual = [
        ("/var/run/docker.sock".into(), Engine::Docker),
        (runtime.join("docker.sock"), Engine::Docker),
        ("/run/podman/podman.sock".into(), Engine::Podman),
        (runtime.join("podman/podman.sock"), Engine::Podman),
    ];
    let chosen = docker_host.and_then(|host| host.strip_prefix("unix://"));
    let chosen = chosen.map(|path| (PathBuf::from(path), Engine::Docker));
    let chosen = chosen.filter(|(path, _)| usual.iter().all(|(known, _)| known != path));
    let engine_socket = |(path, engine): (PathBuf, Engine)| {
        let of_user = path.starts_with(runtime).then_some(Manager::User);
        let manager = of_user.unwrap_or(Manager::System);
        EngineSocket {
            path,
            engine,
            manager,
        }
    };
    usual.into_iter().chain(chosen).map(engine_socket).collect()
}

/// The fields that are used of `ContainerSummary`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContainerSummary {
    id: String,
    names: Option<Vec<String>>,
    /// Absent in the answers of old engines, which list those that run.
    state: Option<String>,
    ports: Option<Vec<PortSummary>>,
}

impl ContainerSummary {
    /// True if it publishes nothing: it has ended, or docker has created it and failed to start it. podman starts the proxies
    /// of a container that it still calls created.
    fn has_ended(&self, engine: Engine) -> bool {
        match self.state.as_deref() {
            Some("exited" | "dead") => true,
            Some("created") => engine == Engine::Docker,
            _ => false,
        }
    }

    /// True if its ports are listed. docker lists none while a container restarts or is removed.
    fn has_known_ports(&self) -> bool {
        let is_steady = match self.state.as_deref() {
            None | Some("created" | "running" | "paused") => true,
            Some(_) => false,
        };
        let ports = self.ports.as_ref();
        ports.is_some_and(|ports| is_steady || !ports.is_empty())
    }
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
    // A linked container has names like `/other/alias` too.
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
    Some(Published {
        address: port.ip.and_then(|ip| ip.parse().ok()),
        host_port: port.public_port?,
        protocol: Protocol::named(&port.r#type)?,
        container_port: port.private_port,
    })
}

#[cfg(test)]
mod tests;
