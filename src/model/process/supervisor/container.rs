//! A container, and the ports of the machine that lead into it.

use super::Manager;
use crate::model::process::shell;
use crate::model::socket::Protocol;
use crate::model::text::SystemText;
use std::fmt::{self, Display};
use std::net::IpAddr;

/// How much of an id engines show.
const SHORT: usize = 12;

/// What stands in names of containers besides letters and digits; all engines have docker's rule
/// (`RestrictedNameChars` of its `daemon/names`).
const SIGNS: &str = "_.-";

/// A container of one of the engines; at least its engine is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    pub engine: Engine,
    /// Whose engine it is: the system's, or one that a user runs without being root.
    pub manager: Manager,
    /// In full; `None` where only a port that leads into it is known.
    pub id: Option<String>,
    pub name: Option<SystemText>,
    pub published: Vec<Published>,
}

/// What runs a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    Docker,
    Podman,
    /// containerd by itself, as nerdctl uses it.
    Containerd,
    /// Whatever engine a node of Kubernetes has; the cluster decides what runs.
    Kubernetes,
}

/// A port of this machine that leads to one of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// `None`: every address.
    pub address: Option<IpAddr>,
    pub host_port: u16,
    pub protocol: Protocol,
    pub container_port: u16,
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

    pub fn publishes(&self, port: u16, protocol: Protocol) -> bool {
        let is_it =
            |published: &Published| (published.host_port, published.protocol) == (port, protocol);
        self.published.iter().any(is_it)
    }

    /// The command that stops it; `None` where that is not one command, or another one's to run.
    ///
    /// A pod is started again by its cluster, whatever ends its containers.
    pub fn stop_command(&self) -> Option<String> {
        let program = self.program()?;
        let word = |name| shell::name(name, SIGNS);
        if let Some(name) = self.name.as_ref().and_then(word) {
            return Some(format!("{program} stop {name}"));
        }
        match (self.short_id(), self.engine, self.published.first()) {
            (Some(id), ..) => Some(format!("{program} stop {id}")),
            (
                None,
                Engine::Docker,
                Some(Published {
                    host_port,
                    protocol,
                    ..
                }),
            ) => Some(format!(
                "{program} stop $({program} ps --quiet --filter publish={host_port}/{protocol})"
            )),
            _ => None,
        }
    }

    /// The program that reaches its engine: docker finds the one that the user has set, podman and nerdctl know those of
    /// root only as root.
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
        Some(id.get(..SHORT).unwrap_or(id))
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

impl Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::Kubernetes => "kubernetes",
        })
    }
}

/// `127.0.0.1:8080->80/tcp`, as docker writes it.
impl Display for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to, protocol) = (self.host_port, self.container_port, self.protocol);
        match self.address {
            Some(IpAddr::V6(ip)) => write!(f, "[{ip}]:{from}->{to}/{protocol}"),
            Some(IpAddr::V4(ip)) => write!(f, "{ip}:{from}->{to}/{protocol}"),
            None => write!(f, "*:{from}->{to}/{protocol}"),
        }
    }
}
