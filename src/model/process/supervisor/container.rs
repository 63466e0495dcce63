//! A container, and the ports of the machine that lead into it.

use super::Manager;
use crate::model::port::Port;
use crate::model::process::shell;
use crate::model::socket::Protocol;
use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::net::{IpAddr, SocketAddr};

/// Length of a short id, as engines show it.
const SHORT_ID: usize = 12;

/// Signs in names of containers, besides letters and digits: docker's rule, which all engines have (`RestrictedNameChars` of
/// its `daemon/names`).
const SIGNS: &str = "_.-";

/// A container of one of the engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub engine: Engine,
    /// Owner of the engine: the system, or a user who runs a rootless one.
    pub manager: Manager,
    /// Full id; `None` if only a published port is known.
    pub id: Option<String>,
    pub name: Option<SystemText>,
    pub published: Vec<Published>,
}

/// Container engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    Docker,
    Podman,
    /// containerd without docker, as nerdctl uses it.
    Containerd,
    /// Any engine of a Kubernetes node; the cluster decides what runs.
    Kubernetes,
}

/// A port of this machine that is forwarded to one of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// `None`: every address.
    pub address: Option<IpAddr>,
    pub host_port: u16,
    pub protocol: Protocol,
    pub container_port: u16,
}

impl Published {
    /// The port of this machine.
    pub fn port(&self) -> Port {
        Port {
            protocol: self.protocol,
            number: self.host_port,
        }
    }
}

impl Container {
    pub fn new(engine: Engine, manager: Manager, id: Option<String>) -> Self {
        Self {
            engine,
            manager,
            id,
            name: None,
            published: Vec::new(),
        }
    }

    pub fn publishes(&self, port: Port) -> bool {
        let mut ports = self.published.iter().map(Published::port);
        ports.any(|published| published == port)
    }

    /// Returns the command that stops the container, by its name or id; `None` if no single command of this user does.
    ///
    /// None stops a container of a pod, which its cluster restarts.
    pub fn stop_command(&self) -> Option<String> {
        let program = self.program()?;
        let name = self.name.as_ref().and_then(|it| shell::name(it, SIGNS));
        let name = name.or_else(|| self.short_id().map(str::to_owned))?;
        Some(format!("{program} stop {name}"))
    }

    /// Returns the client program of the engine. docker uses the engine that the user has selected; podman and nerdctl
    /// reach root's engine only when run as root.
    fn program(&self) -> Option<&'static str> {
        match (self.engine, self.manager) {
            (Engine::Kubernetes, _) | (_, Manager::OtherUser(_)) => None,
            (Engine::Docker, Manager::System | Manager::User) => Some("docker"),
            (Engine::Podman, Manager::System) => Some("sudo podman"),
            (Engine::Podman, Manager::User) => Some("podman"),
            (Engine::Containerd, Manager::System) => Some("sudo nerdctl"),
            (Engine::Containerd, Manager::User) => Some("nerdctl"),
        }
    }

    fn short_id(&self) -> Option<&str> {
        let id = self.id.as_deref()?;
        Some(id.get(..SHORT_ID).unwrap_or(id))
    }
}

impl Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::Kubernetes => "kubernetes",
        })
    }
}

/// `docker shop-db-1`, by its short id where its name is unknown.
impl Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = self.engine;
        match (&self.name, self.short_id()) {
            (Some(name), _) => write!(f, "{engine} {name}"),
            (None, Some(id)) => write!(f, "{engine} {id}"),
            (None, None) => write!(f, "a {engine} container"),
        }
    }
}

/// `127.0.0.1:8080->80/tcp`, as docker writes it.
impl Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to, protocol) = (self.host_port, self.container_port, self.protocol);
        match self.address {
            Some(ip) => write!(f, "{}->{to}/{protocol}", SocketAddr::new(ip, from)),
            None => write!(f, "*:{from}->{to}/{protocol}"),
        }
    }
}
