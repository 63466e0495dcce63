//! `/proc/PID/cgroup` (cgroups(7)): systemd and container engines name control groups after units and containers.

use super::{manager_of, set_container};
use crate::model::process::{Container, Engine, Manager, Supervisor, Unit};
use crate::model::text::SystemText;

/// Prefixes of a container's control group, the longer of two similar ones first.
const ENGINE_PREFIXES: [(&str, Engine); 8] = [
    ("docker-", Engine::Docker),
    ("libpod-payload-", Engine::Podman),
    ("libpod-conmon-", Engine::Podman),
    ("libpod-", Engine::Podman),
    ("nerdctl-", Engine::Containerd),
    ("cri-containerd-", Engine::Kubernetes),
    ("crio-conmon-", Engine::Kubernetes),
    ("crio-", Engine::Kubernetes),
];

/// Suffixes of units that have processes; slices have other units only.
const UNIT_SUFFIXES: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];

/// Returns the unit and container that the lines name; `invoking_uid` is the user portmon works for.
///
/// systemd's line is that of the unified hierarchy, or the one named systemd in v1; of both the first that names a unit
/// counts. A container may be named in any line.
pub fn supervisor(text: &str, invoking_uid: Option<u32>) -> Supervisor {
    let mut found = Supervisor::default();
    let mut container = None;
    for line in text.lines() {
        let parts: Vec<&str> = line.splitn(3, ':').collect();
        let [number, name, path] = parts[..] else {
            continue;
        };
        let parsed = parse_path(path, invoking_uid);
        if (number, name) == ("0", "") || name == "name=systemd" {
            found.unit = found.unit.or(parsed.unit);
        }
        container = container.or(parsed.container);
    }
    if let Some(container) = container {
        set_container(&mut found, container);
    }
    found
}

/// Parses one path from the root down.
///
/// A user's manager is a unit of the system manager, and what is below it are the user's units. A unit below any other
/// unit, or below a container, belongs to another system.
fn parse_path(path: &str, invoking_uid: Option<u32>) -> Supervisor {
    // The kernel marks a group that was removed while it had a zombie (`cgroup-v2.rst`).
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    let mut found = Supervisor::default();
    let mut manager = Manager::System;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (depth, part) in parts.iter().enumerate() {
        let above = parts.get(..depth).unwrap_or_default();
        if is_nested_system(part) {
            break;
        }
        if let Some((engine, id)) = container(part, above) {
            found.container = Some(Container::new(engine, manager, Some(id.to_owned())));
            break;
        }
        if let Some(uid) = user_manager(part).filter(|_| found.unit.is_none()) {
            manager = manager_of(uid, invoking_uid);
        } else if found.unit.is_none() {
            found.unit = unit(part).map(|name| Unit::new(name, manager));
        }
    }
    found
}

/// True if a system of its own is below: an LXC container or a systemd-nspawn machine.
fn is_nested_system(part: &str) -> bool {
    part == "lxc" || part == "payload" || part.starts_with("lxc.payload")
}

/// Returns the uid in `user@1000.service`.
fn user_manager(part: &str) -> Option<u32> {
    let uid = part.strip_prefix("user@")?.strip_suffix(".service")?;
    uid.parse().ok()
}

/// Returns the name of a unit, except `init.scope`, in which the manager itself runs. systemd prefixes names that the
/// kernel reserves with `_` (`cg_escape` of its `cgroup-util.c`).
fn unit(part: &str) -> Option<SystemText> {
    let name = part.strip_prefix('_').unwrap_or(part);
    let is_unit = UNIT_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    (is_unit && name != "init.scope").then(|| name.into())
}

/// Returns the engine and the id in the name of a container's control group. An id alone is one below a group that names the
/// engine: `docker/ID`, `kubepods/…/podUID/ID`.
fn container<'p>(part: &'p str, above: &[&str]) -> Option<(Engine, &'p str)> {
    let mut path = above.iter().chain([&part]);
    let is_in_pod = path.any(|part| part.starts_with("kubepods"));
    let is_named = is_in_pod || above.last() == Some(&"docker");
    let bare = (is_named && is_id(part)).then_some((Engine::Docker, part));
    let (engine, id) = prefixed_id(part).or(bare)?;
    let in_pod = is_in_pod.then_some(Engine::Kubernetes);
    Some((in_pod.unwrap_or(engine), id))
}

/// Parses `docker-ID.scope`; `docker-ID` where the engine makes groups itself; `SLICE:cri-containerd:ID` where it does so
/// with a name meant for systemd.
fn prefixed_id(part: &str) -> Option<(Engine, &str)> {
    let name = part.strip_suffix(".scope").unwrap_or(part);
    let parts: Vec<&str> = part.rsplitn(3, ':').collect();
    ENGINE_PREFIXES.iter().find_map(|(prefix, engine)| {
        let id = match parts[..] {
            [id, name, _] => (prefix.strip_suffix('-') == Some(name)).then_some(id),
            _ => name.strip_prefix(prefix),
        };
        Some((*engine, id.filter(|id| is_id(id))?))
    })
}

/// True if a text is a container id: 32 bytes in hexadecimal.
pub fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
