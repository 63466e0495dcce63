//! Processes that portmon never ends, whoever confirms it.

use crate::model::platform::PLATFORM;
use crate::model::process::{Pid, Process};
use std::fmt::{self, Display};

/// Why a process is not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protected {
    FirstProcess,
    KernelThread,
    Itself,
    Ancestor,
    SystemdManager,
    RunsContainers,
    CarriesPortsOfContainers,
}

/// What runs containers: the engine, and what it starts to stand between it and one of them.
const ENGINES: [&str; 3] = ["dockerd", "containerd", "conmon"];

/// What containerd starts for each container is called after this and the runtime.
const SHIM: &str = "containerd-shim";

/// What holds published ports in place of containers, on Linux, macOS and Windows.
const CARRIERS: [&str; 11] = [
    "docker-proxy",
    "rootlesskit",
    "rootlessport",
    "rootlessport-child",
    "slirp4netns",
    "pasta",
    "pasta.avx2",
    "gvproxy",
    "vpnkit",
    "com.docker.vpnkit",
    "com.docker.backend",
];

/// How much of a name Linux keeps (`TASK_COMM_LEN` of include/linux/sched.h, without the NUL).
const NAME_LENGTH: usize = 15;

impl Protected {
    /// Said of the process: `systemd 900` …
    pub fn words(self) -> &'static str {
        match self {
            Self::FirstProcess => "belongs to the system itself",
            Self::KernelThread => "is a thread of the kernel, which no signal ends",
            Self::Itself => "is this portmon",
            Self::Ancestor => "runs this portmon, which would end with it",
            Self::SystemdManager => "manages the services of a whole session",
            Self::RunsContainers => "runs containers, which would not end with it",
            Self::CarriesPortsOfContainers => {
                "only carries published ports of containers, which would lose them and run on"
            }
        }
    }
}

impl Display for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

/// Whether this process is one that is never ended; `lineage` is portmon's own pid and then its ancestors'.
pub fn protected(process: &Process, self_pids: &[Pid]) -> Option<Protected> {
    let pid = process.pid();
    let name = process.name.raw();
    if PLATFORM.is_system_pid(pid.0) {
        Some(Protected::FirstProcess)
    } else if process.is_kernel_thread {
        Some(Protected::KernelThread)
    } else if self_pids.first() == Some(&pid) {
        Some(Protected::Itself)
    } else if self_pids.contains(&pid) {
        Some(Protected::Ancestor)
    } else if name == "systemd" || name == "(sd-pam)" {
        Some(Protected::SystemdManager)
    } else {
        for_containers(process)
    }
}

/// By its name alone: whether an engine answers or not, its containers are not freed by ending what serves them.
fn for_containers(process: &Process) -> Option<Protected> {
    let is_one_of = |programs: &[&str]| programs.iter().any(|program| is_called(process, program));
    let is_shim = process.name.raw().starts_with(SHIM);
    if is_shim || is_one_of(&ENGINES) {
        Some(Protected::RunsContainers)
    } else {
        is_one_of(&CARRIERS).then_some(Protected::CarriesPortsOfContainers)
    }
}

/// The file is asked too, for a process may call itself anything; that of another user may not be seen.
fn is_called(process: &Process, program: &str) -> bool {
    let name = process.name.raw();
    let is_cut = name.len() == NAME_LENGTH && program.starts_with(&*name);
    let executable = process.executable.as_ref().map(|path| path.raw());
    let file = executable
        .as_deref()
        .and_then(|path| path.rsplit(['/', '\\']).next());
    let is_it = |name: &str| name.strip_suffix(".exe").unwrap_or(name) == program;
    is_cut || is_it(&name) || file.is_some_and(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    #[test]
    fn container_infrastructure_is_always_protected() {
        let protected = |name: &str, executable: &str| {
            let process = process(812, name)
                .with(|it| it.executable = Some(executable.into()))
                .build();
            protected(&process, &[])
        };
        let (runs, carries) = (
            Some(Protected::RunsContainers),
            Some(Protected::CarriesPortsOfContainers),
        );
        let cases = [
            (("dockerd", ""), runs),
            (("containerd-shim", ""), runs),
            (("containerd-shim-runc-v2", ""), runs),
            (("exe", "/usr/bin/conmon"), runs),
            (("docker-proxy", "/usr/bin/docker-proxy"), carries),
            (("exe", "/usr/bin/rootlessport"), carries),
            (("com.docker.back", ""), carries),
            (
                (
                    "com.docker.backend.exe",
                    r"C:\Docker\com.docker.backend.exe",
                ),
                carries,
            ),
            (("pasta", ""), carries),
            (("pastaforno", "/home/me/docker/server"), None),
            (("docker", "/usr/bin/docker"), None),
        ];
        for ((name, executable), expected) in cases {
            assert_eq!(protected(name, executable), expected, "{name}");
        }
    }
}
