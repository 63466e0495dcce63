//! Processes that portmon never signals, whoever confirms it.

use crate::model::platform::PLATFORM;
use crate::model::process::{Pid, Process};

/// Why a process is never signaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protected {
    /// Init, or what the kernel itself runs.
    FirstProcess,
    KernelThread,
    SelfPid,
    /// It runs portmon, such as its shell or terminal.
    Ancestor,
    SystemdManager,
    RunsContainers,
    ContainerPortProxy,
}

/// Container engines, and the monitor that stands between one and its container.
const ENGINES: [&str; 3] = ["dockerd", "containerd", "conmon"];

/// The monitor that containerd starts for each container has a name that begins like this.
const SHIM: &str = "containerd-shim";

/// Proxies that hold published ports in place of containers, on Linux, macOS and Windows.
const PORT_PROXIES: [&str; 11] = [
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

/// Length to which Linux cuts a name (`TASK_COMM_LEN` of include/linux/sched.h, without the NUL).
const NAME_LENGTH: usize = 15;

/// Returns why this process is never signaled, if so; `self_pids` is portmon's own pid, then its ancestors'.
pub fn protected(process: &Process, self_pids: &[Pid]) -> Option<Protected> {
    let pid = process.pid();
    let name = process.name.raw();
    if PLATFORM.is_system_pid(pid.0) {
        Some(Protected::FirstProcess)
    } else if process.is_kernel_thread {
        Some(Protected::KernelThread)
    } else if self_pids.first() == Some(&pid) {
        Some(Protected::SelfPid)
    } else if self_pids.contains(&pid) {
        Some(Protected::Ancestor)
    } else if name == "systemd" || name == "(sd-pam)" {
        Some(Protected::SystemdManager)
    } else {
        for_containers(process)
    }
}

/// Decides by name alone, so that the helpers of an engine are protected even if it does not answer: stopping them
/// frees no port of a container.
fn for_containers(process: &Process) -> Option<Protected> {
    let is_one_of = |programs: &[&str]| programs.iter().any(|program| is_called(process, program));
    let is_shim = process.name.raw().starts_with(SHIM);
    if is_shim || is_one_of(&ENGINES) {
        Some(Protected::RunsContainers)
    } else {
        is_one_of(&PORT_PROXIES).then_some(Protected::ContainerPortProxy)
    }
}

/// Compares the executable too, since a process may set any name; the executable of another user is hidden.
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
            Some(Protected::ContainerPortProxy),
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
