//! Whether the kernel runs a service: by its modules (`/sys/module`, and `modules.builtin` for those that have no
//! parameters) and its network devices.

use crate::model::socket::{KernelEvidence, KernelServices, Protocol, RawSocket};
use std::collections::HashSet;
use std::path::Path;
use std::{fs, io};

/// Returns the services of the kernel that are known by the port of this socket.
pub fn services_of_port(socket: &RawSocket, built_in: &BuiltInModules) -> KernelServices {
    let ports = [Some(socket.local()), socket.remote()];
    let ports = ports.map(|end| end.map_or(0, |end| end.port()));
    KernelServices::of_port(socket.protocol, ports, |one| runs(one, built_in))
}

/// Returns the services of the kernel that may have any port of this protocol.
pub fn services_of_any_port(protocol: Protocol, built_in: &BuiltInModules) -> KernelServices {
    KernelServices::of_any_port(protocol, |one| runs(one, built_in))
}

fn runs(evidence: KernelEvidence, built_in: &BuiltInModules) -> bool {
    match evidence {
        KernelEvidence::Module(name) => is_loaded(name) || built_in.0.contains(name),
        KernelEvidence::Device(kind) => has_device(kind),
    }
}

fn is_loaded(module: &str) -> bool {
    Path::new("/sys/module").join(module).exists()
}

/// Names of the modules that are part of the kernel that runs, which stay the same until the next boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuiltInModules(pub HashSet<String>);

impl BuiltInModules {
    pub fn read() -> Self {
        Self::of(&read_built_in().unwrap_or_default())
    }

    /// Takes a list with a file for each. Its name may have hyphens where that of the module has underscores.
    pub fn of(list: &str) -> Self {
        let files = list.lines().filter_map(|line| line.rsplit('/').next());
        let names = files.filter_map(|file| file.strip_suffix(".ko"));
        Self(names.map(|name| name.replace('-', "_")).collect())
    }
}

fn read_built_in() -> io::Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    fs::read_to_string(format!("/lib/modules/{}/modules.builtin", release.trim()))
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
