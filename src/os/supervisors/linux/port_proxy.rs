//! What engines have listening in place of a container, and what its arguments tell of that container.
//!
//! Anybody can start a program of such a name with such arguments; so what is told here is only ever shown.

use super::cgroup::is_id;
use crate::model::endpoint::Protocol;
use crate::model::process::Process;
use crate::model::supervisor::{Container, Engine, Manager, Published};
use std::borrow::Cow;
use std::net::IpAddr;

/// The programs that hold ports of containers, and whose containers those are.
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

/// The engine for which the process holds ports.
pub fn engine(process: &Process) -> Option<Engine> {
    let name = process.name.raw();
    let executable = process.executable.as_ref().map(|path| path.raw());
    let file = executable
        .as_deref()
        .and_then(|path| path.rsplit('/').next());
    let is_it = |program: &str| name == program || file == Some(program);
    PORT_PROXIES
        .iter()
        .find_map(|(program, engine)| is_it(program).then_some(*engine))
}

/// The container that the arguments of a relay tell, `me` being the user portmon works for. Its engine is that of the user
/// the relay runs as.
pub fn container(process: &Process, invoking_uid: Option<u32>) -> Option<Container> {
    let engine = engine(process)?;
    let manager = match process.uid {
        Some(0) | None => Manager::System,
        Some(uid) => Manager::of_user(uid, invoking_uid),
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
    /// What follows `-SHORT` or `--LONG`, as another argument or after `=`.
    fn values(&self, short: &str, long: &str) -> impl Iterator<Item = &str> {
        let is_named = move |name: &str| {
            let bare = name.trim_start_matches('-');
            name.starts_with('-') && (bare == short || bare == long)
        };
        self.0
            .iter()
            .enumerate()
            .filter_map(move |(place, argument)| match argument.split_once('=') {
                Some((name, value)) => is_named(name).then_some(value),
                None if is_named(argument) => self.0.get(place + 1).map(AsRef::as_ref),
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

/// `docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80`, and
/// `-use-listen-fd` where it was given the socket.
fn docker_proxy_port(arguments: &Arguments) -> Option<Published> {
    let protocol = match arguments.value("proto", "proto")? {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let address: Option<IpAddr> = arguments.value("host-ip", "host-ip")?.parse().ok();
    Some(Published {
        address,
        host_port: arguments.number("host-port")?,
        protocol,
        container_port: arguments.number("container-port")?,
    })
}

/// `pasta --config-net -t 8080-8080:80-80 -u none … --netns /run/user/1000/netns/netns-…`: podman gives each port by itself,
/// and pasta that belongs to no such namespace is not podman's.
fn pasta_ports(arguments: &Arguments) -> Option<Vec<Published>> {
    let namespace = arguments.value("netns", "netns")?;
    if !namespace.contains("/netns/netns-") {
        return None;
    }
    let tcp = arguments
        .values("t", "tcp-ports")
        .map(|rule| (Protocol::Tcp, rule));
    let udp = arguments
        .values("u", "udp-ports")
        .map(|rule| (Protocol::Udp, rule));
    Some(tcp.chain(udp).filter_map(port_mapping).collect())
}

/// `[ADDRESS/]FIRST-LAST:FIRST-LAST` of one port; nothing of `none`, `auto` and ranges.
fn port_mapping((protocol, text): (Protocol, &str)) -> Option<Published> {
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

/// `8080`, or `8080-8080` as podman writes it.
fn single_port(ports: &str) -> Option<u16> {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    (first == last).then(|| first.parse().ok())?
}

#[cfg(test)]
mod tests;
