//! `/proc/PID/cgroup` (cgroups(7)): systemd and the engines name the control groups of what they run after it.

use super::set_container;
use crate::model::supervisor::{Container, Engine, Manager, Supervisor, Unit};
use crate::model::text::SystemText;

/// How engines begin the name of a container's control group, the longer of two alike first.
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

/// What systemd calls units that hold processes; slices hold other units only.
const UNIT_SUFFIXES: [&str; 5] = [".service", ".scope", ".socket", ".mount", ".swap"];

/// What the lines tell, `me` being the user portmon works for.
///
/// systemd's line is that of the unified hierarchy, or a named one where the old ones are in use; where both are, the first
/// that names a unit counts. A container is in whichever line its engine made it a group.
pub fn supervisor(text: &str, invoking_uid: Option<u32>) -> Supervisor {
    let mut found = Supervisor::default();
    let mut container = None;
    for line in text.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(name), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
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

/// What one path tells, read from the root down.
///
/// The manager of a user is a unit of the system's, and what is below it are units of its own. What lies below any other
/// unit, or below a container, belongs to another system if it looks like a unit.
fn parse_path(path: &str, invoking_uid: Option<u32>) -> Supervisor {
    // The kernel says so of a group that was removed while it still had a zombie (`cgroup-v2.rst`).
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    let mut found = Supervisor::default();
    let mut manager = Manager::System;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (place, part) in parts.iter().enumerate() {
        let above = parts.get(..place).unwrap_or_default();
        if is_nested_system(part) {
            break;
        }
        if let Some((engine, id)) = container(part, above) {
            found.container = Some(Container::new(engine, manager, Some(id.to_owned())));
            break;
        }
        if let Some(uid) = user_manager(part).filter(|_| found.unit.is_none()) {
            manager = Manager::of_user(uid, invoking_uid);
        } else if found.unit.is_none() {
            found.unit = unit(part).map(|name| Unit::new(name, manager));
        }
    }
    found
}

/// Whether what lies below is a system of its own: a container of LXC, or a machine of systemd-nspawn.
fn is_nested_system(part: &str) -> bool {
    part == "lxc" || part == "payload" || part.starts_with("lxc.payload")
}

/// The uid in `user@1000.service`.
fn user_manager(part: &str) -> Option<u32> {
    let uid = part.strip_prefix("user@")?.strip_suffix(".service")?;
    uid.parse().ok()
}

/// The manager itself runs in `init.scope`, which it made for that. systemd puts `_` before names that the kernel has
/// taken (`cg_escape` of its `cgroup-util.c`).
fn unit(part: &str) -> Option<SystemText> {
    let name = part.strip_prefix('_').unwrap_or(part);
    let is_unit = UNIT_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    (is_unit && name != "init.scope").then(|| name.into())
}

/// The engine and the id in the name of a container's control group.
fn container<'p>(part: &'p str, above: &[&str]) -> Option<(Engine, &'p str)> {
    let (engine, id) = prefixed_id(part).or_else(|| bare_id(part, above))?;
    let is_pod = |part: &&str| part.starts_with("kubepods");
    if above.iter().chain([&part]).any(is_pod) {
        return Some((Engine::Kubernetes, id));
    }
    Some((engine, id))
}

/// `docker-ID.scope`; without the end where the engine makes its groups itself; `SLICE:cri-containerd:ID` where it was given
/// a name for systemd and makes them itself nevertheless.
fn prefixed_id(part: &str) -> Option<(Engine, &str)> {
    if let Some((before, id)) = part.rsplit_once(':') {
        let (_, name) = before.rsplit_once(':')?;
        let (_, engine) = ENGINE_PREFIXES
            .iter()
            .find(|(prefix, _)| prefix.strip_suffix('-') == Some(name))?;
        return Some((*engine, id)).filter(|_| is_id(id));
    }
    let name = part.strip_suffix(".scope").unwrap_or(part);
    ENGINE_PREFIXES.iter().find_map(|(prefix, engine)| {
        let id = name.strip_prefix(prefix).filter(|id| is_id(id))?;
        Some((*engine, id))
    })
}

/// An id alone, below what tells the engine: `docker/ID`, `kubepods/…/podUID/ID`.
fn bare_id<'p>(part: &'p str, above: &[&str]) -> Option<(Engine, &'p str)> {
    let is_docker = above.last() == Some(&"docker");
    let is_pod = above.iter().any(|part| part.starts_with("kubepods"));
    (is_id(part) && (is_docker || is_pod)).then_some((Engine::Docker, part))
}

/// 32 random bytes in hexadecimal.
pub fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
