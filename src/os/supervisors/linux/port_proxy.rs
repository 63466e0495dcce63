//! Port proxies: programs that listen in place of a container, and what their arguments show of it.
//!
//! Anybody can start a program with such a name and arguments, so these facts may only be shown.

use super::cgroup::is_id;
use super::manager_of;
use crate::model::process::{Container, Engine, Manager, Process, Published};
use crate::model::socket::Protocol;
use std::borrow::Cow;

/// Programs that hold ports of containers, and their engine.
const PORT_PROXIES: [(&str, Engine); 10] = [
    ("docker-proxy", Engine::Docker),
    ("dockerd", Engine::Docker),
    ("rootlesskit", Engine::Docker),
    ("conmon", Engine::Podman),
    ("gvproxy", Engine::Podman),
    ("pasta", Engine::Podman),
    ("pasta.avx2", Engine::Podman),
    ("rootlessport", Engine::Podman),
    ("rootlessport-child", Engine::Podman),
    ("slirp4netns", Engine::Podman),
];

/// Returns the engine for which the process holds ports.
pub fn engine(process: &Process) -> Option<Engine> {
    let mut proxies = PORT_PROXIES.into_iter();
    proxies.find_map(|(program, engine)| is_called(process, program).then_some(engine))
}

/// True if the process has this name or runs a file of this name.
pub fn is_called(process: &Process, program: &str) -> bool {
    let path = process.executable.as_ref().map(|path| path.raw());
    let file = path.as_deref().and_then(|path| path.rsplit('/').next());
    process.name.raw() == program || file == Some(program)
}

/// Returns the container in the arguments of a port proxy; `invoking_uid` is the user portmon works for. Its engine belongs
/// to the user the proxy runs as.
pub fn container(process: &Process, invoking_uid: Option<u32>) -> Option<Container> {
    let engine = engine(process)?;
    let manager = match process.uid {
        Some(0) | None => Manager::System,
        Some(uid) => manager_of(uid, invoking_uid),
    };
    let arguments = Arguments(process.command.iter().map(|part| part.raw()).collect());
    let mut container = Container::new(engine, manager, None);
    match engine {
        Engine::Docker => container.published.push(docker_proxy_port(&arguments)?),
        Engine::Podman => match arguments.value("c", "cid").filter(|id| is_id(id)) {
            Some(id) => {
                container.id = Some(id.to_owned());
                container.name = arguments.value("n", "name").map(Into::into);
            }
            None => container.published = pasta_ports(&arguments)?,
        },
        Engine::Containerd | Engine::Kubernetes => return None,
    }
    Some(container)
}

struct Arguments<'p>(Vec<Cow<'p, str>>);

impl Arguments<'_> {
    /// Returns the values of `-SHORT` and `--LONG`, in the next argument or after `=`.
    fn values(&self, short: &str, long: &str) -> impl Iterator<Item = &str> {
        let is_named = move |name: &str| {
            let bare = name.trim_start_matches('-');
            name.starts_with('-') && (bare == short || bare == long)
        };
        let arguments = self.0.iter().enumerate();
        arguments.filter_map(move |(index, argument)| match argument.split_once('=') {
            Some((name, value)) => is_named(name).then_some(value),
            None if is_named(argument) => self.0.get(index + 1).map(AsRef::as_ref),
            None => None,
        })
    }

    fn value(&self, short: &str, long: &str) -> Option<&str> {
        self.values(short, long).next()
    }

    fn number(&self, name: &str) -> Option<u16> {
        self.value(name, name)?.parse().ok()
    }
}

/// Parses `docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2
/// -container-port 80`, and `-use-listen-fd` where it was given the socket.
fn docker_proxy_port(arguments: &Arguments) -> Option<Published> {
    Some(Published {
        address: arguments.value("host-ip", "host-ip")?.parse().ok(),
        host_port: arguments.number("host-port")?,
        protocol: Protocol::named(arguments.value("proto", "proto")?)?,
        container_port: arguments.number("container-port")?,
    })
}

/// Parses `pasta --config-net -t 8080-8080:80-80 -u none … --netns /run/user/1000/netns/netns-…`. podman passes each port
/// by itself; without such a namespace pasta is not podman's.
fn pasta_ports(arguments: &Arguments) -> Option<Vec<Published>> {
    let namespace = arguments.value("netns", "netns");
    namespace.filter(|path| path.contains("/netns/netns-"))?;
    let tcp = arguments
        .values("t", "tcp-ports")
        .map(|rule| (Protocol::Tcp, rule));
    let udp = arguments
        .values("u", "udp-ports")
        .map(|rule| (Protocol::Udp, rule));
    let rules = tcp.chain(udp);
    Some(
        rules
            .filter_map(|(protocol, rule)| port_mapping(protocol, rule))
            .collect(),
    )
}

/// Parses `[ADDRESS/]FIRST-LAST:FIRST-LAST` of one port; `None` for `none`, `auto` and ranges.
fn port_mapping(protocol: Protocol, text: &str) -> Option<Published> {
    let (address, ports) = match text.rsplit_once('/') {
        Some((address, ports)) => (Some(address.parse().ok()?), ports),
        None => (None, text),
    };
    let (from, to) = ports.split_once(':').unwrap_or((ports, ports));
    Some(Published {
        address,
        host_port: single_port(from)?,
        protocol,
        container_port: single_port(to)?,
    })
}

/// Parses `8080`, or `8080-8080` as podman writes it.
fn single_port(ports: &str) -> Option<u16> {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    (first == last).then(|| first.parse().ok())?
}

#[cfg(test)]
mod tests;
