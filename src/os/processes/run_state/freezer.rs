//! Whether the control group of a process is frozen: the freezer of cgroup v1 (`freezer-subsystem.rst` of the kernel's
//! documentation) and of v2 (`cgroup.events` of `cgroup-v2.rst`).

use super::cgroup_mounts::{CgroupMounts, Hierarchy};
use crate::model::process::Pid;
use std::fs;

/// True if every process of the control group, and so this one, is frozen. The file of a group tells also that a group
/// above it is frozen. False if it is unknown: the hierarchy may not be mounted here.
pub fn is_frozen(pid: Pid, mounts: &CgroupMounts) -> bool {
    let mut groups = mounts.directories_of(pid).into_iter();
    groups.any(|(hierarchy, group)| {
        let file = match hierarchy {
            Hierarchy::Unified => "cgroup.events",
            Hierarchy::Freezer => "freezer.state",
        };
        fs::read_to_string(group.join(file)).is_ok_and(|state| says_frozen(&state))
    })
}

fn says_frozen(state: &str) -> bool {
    let mut lines = state.lines();
    lines.any(|line| line == "frozen 1" || line == "FROZEN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_group_that_is_frozen_as_a_whole_is_frozen() {
        let states = [
            "populated 1\nfrozen 1\n",
            "populated 1\nfrozen 0\n",
            "FROZEN\n",
            "FREEZING\n",
            "THAWED\n",
            "",
        ];
        let are_frozen = states.map(says_frozen);
        assert_eq!(are_frozen, [true, false, true, false, false, false]);
    }
}
