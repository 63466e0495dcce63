//! Whether the kernel runs a service: by its modules (`/sys/module`, and `modules.builtin` for those that have no
//! parameters) and its network devices.

use crate::model::socket::{KernelEvidence, KernelServices, Protocol, RawSocket};
use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;
use std::{fs, io};

/// Returns the services of the kernel that are known by the port of this socket.
pub fn services_of_port(socket: &RawSocket) -> KernelServices {
    let ports = [Some(socket.local()), socket.remote()];
    let ports = ports.map(|end| end.map_or(0, |end| end.port()));
    KernelServices::of_port(socket.protocol, ports, runs)
}

/// Returns the services of the kernel that may have any port of this protocol.
pub fn services_of_any_port(protocol: Protocol) -> KernelServices {
    KernelServices::of_any_port(protocol, runs)
}

fn runs(evidence: KernelEvidence) -> bool {
    match evidence {
        KernelEvidence::Module(name) => is_loaded(name) || is_built_in(name),
        KernelEvidence::Device(kind) => has_device(kind),
    }
}

fn is_loaded(module: &str) -> bool {
    Path::new("/sys/module").join(module).exists()
}

/// True if the module is part of the kernel that runs.
fn is_built_in(module: &str) -> bool {
    /// The same until the next boot.
    static BUILT_IN: LazyLock<HashSet<String>> =
        LazyLock::new(|| modules_of(&read_built_in().unwrap_or_default()));
    BUILT_IN.contains(module)
}

/// Reads the list of the modules that are part of the kernel that runs.
fn read_built_in() -> io::Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    fs::read_to_string(format!("/lib/modules/{}/modules.builtin", release.trim()))
}

/// Returns the names of modules, of which the list has a file each. It may have hyphens where the name has underscores.
pub(super) fn modules_of(list: &str) -> HashSet<String> {
    let files = list.lines().filter_map(|line| line.rsplit('/').next());
    let names = files.filter_map(|file| file.strip_suffix(".ko"));
    names.map(|name| name.replace('-', "_")).collect()
}

/// True if the network namespace that `/sys` shows has a device of this type.
fn has_device(kind: &str) -> bool {
    let line = format!("DEVTYPE={kind}");
    let devices = fs::read_dir("/sys/class/net").into_iter().flatten();
    let mut events = devices.filter_map(|device| {
        let path = device.ok()?.path().join("uevent");
        fs::read_to_string(path).ok()
    });
    events.any(|event| event.lines().any(|other| other == line))
}
