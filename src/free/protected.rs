//! Processes that portmon never signals, whoever confirms it, and those that only their supervisor should stop.

use super::explanation::{Explanation, Obstacle, SupervisedBy};
use super::kill_plan::{KillPlan, TargetSet};
use super::plan::Target;
use crate::model::platform::PLATFORM;
use crate::model::process::{Container, Pid, Process, Supervisor, Unit};
use std::sync::Arc;

/// An owner that is never signalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedOwner {
    pub process: Arc<Process>,
    pub why: Protected,
}

/// Why a process is never signalled.
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

/// What may restart an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restarter {
    Unit(Unit),
    Container(Container),
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

/// Returns why this process is never signalled, if so; `self_pids` is portmon's own pid, then its ancestors'.
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

/// Decides by name alone: even if no engine answers, stopping its helpers frees no port of a container.
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

impl KillPlan {
    /// Returns what may restart a topmost owner, each once.
    pub fn restarted_by(&self) -> Vec<Restarter> {
        let mut restarters: Vec<Restarter> = Vec::new();
        for (_, supervisor) in self.supervisors() {
            let unit = supervisor.unit.clone().filter(Unit::may_restart);
            let container = supervisor.container.clone();
            for restarter in unit
                .map(Restarter::Unit)
                .into_iter()
                .chain(container.map(Restarter::Container))
            {
                if !restarters.contains(&restarter) {
                    restarters.push(restarter);
                }
            }
        }
        restarters
    }

    /// Returns the command that stops whatever would restart them.
    pub fn stop_command(&self) -> Option<String> {
        self.supervisors()
            .find_map(|(_, supervisor)| supervisor.stop_command())
    }

    /// Returns why nothing is stopped after all, if a supervisor must be told to stop an owner.
    pub fn blocked_by_supervisor(&self) -> Option<Explanation> {
        let (process, by, stop_command) = self.supervisors().find_map(|(target, supervisor)| {
            let by = self.supervised_by(&target.process, supervisor)?;
            Some((target.process, by, supervisor.stop_command()))
        })?;
        let obstacle = Obstacle::Supervised {
            process,
            by,
            stop_command,
            owners: self.owner_processes(),
        };
        Some(Explanation::new(self.to_port(), obstacle))
    }

    fn supervised_by(&self, process: &Process, supervisor: &Supervisor) -> Option<SupervisedBy> {
        if let Some(container) = &supervisor.container
            && container.publishes(self.port, self.protocol)
        {
            return Some(SupervisedBy::PublishedPort(Box::new(container.clone())));
        }
        let unit = supervisor.unit.as_ref()?;
        if let Some(socket) = unit.triggered_by.first() {
            let unit = Box::new(unit.clone());
            return Some(SupervisedBy::SocketActivation(socket.clone(), unit));
        }
        (unit.main == Some(process.pid()))
            .then(|| SupervisedBy::MainProcess(Box::new(unit.clone())))
    }

    /// Returns the topmost targets with their supervisors.
    fn supervisors(&self) -> impl Iterator<Item = (Target, &Supervisor)> {
        self.targets(TargetSet::Topmost)
            .into_iter()
            .filter_map(|target| {
                let tree = self.tree_of(target.id())?;
                Some((target, &tree.supervisor))
            })
    }
}

#[cfg(test)]
mod tests {
    mod supervision;

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
