//! Whether the control group of a process is frozen: the freezer of cgroup v1 (`freezer-subsystem.rst` of the kernel's
//! documentation) and of v2 (`cgroup.events` of `cgroup-v2.rst`).

use crate::model::process::Pid;
use std::fs;
use std::path::PathBuf;

/// True if every process of the control group, and so this one, is frozen. The file of a group tells also that a group
/// above it is frozen. False if it is unknown: the hierarchy may not be mounted here.
pub fn is_frozen(pid: Pid) -> bool {
    let Ok(groups) = fs::read_to_string(format!("/proc/{pid}/cgroup")) else {
        return false;
    };
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else {
        return false;
    };
    let mut files = state_files(&groups, &mounts).into_iter();
    files.any(|file| fs::read_to_string(file).is_ok_and(|state| says_frozen(&state)))
}

fn says_frozen(state: &str) -> bool {
    let mut lines = state.lines();
    lines.any(|line| line == "frozen 1" || line == "FROZEN")
}

/// Returns the files that tell the state of these groups, where these mounts show them.
fn state_files(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mounts: Vec<FreezerMount> = mounts.lines().filter_map(FreezerMount::parse).collect();
    let mut files = Vec::new();
    for group in groups.lines() {
        let parts: Vec<&str> = group.splitn(3, ':').collect();
        let [_, controllers, path] = parts[..] else {
            continue;
        };
        let is_unified = controllers.is_empty();
        if is_unified || controllers.split(',').any(|name| name == "freezer") {
            let own = mounts.iter().filter(|mount| mount.is_unified == is_unified);
            files.extend(own.filter_map(|mount| mount.state_file(path)));
        }
    }
    files
}

/// A hierarchy with a freezer, mounted in this mount namespace.
struct FreezerMount {
    is_unified: bool,
    /// The group that is mounted, and where.
    root: String,
    place: String,
}

impl FreezerMount {
    /// Parses a line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
    fn parse(line: &str) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let filesystem: Vec<&str> = filesystem.split(' ').collect();
        let [kind, _, options] = filesystem[..] else {
            return None;
        };
        let is_unified = kind == "cgroup2";
        let has_freezer = kind == "cgroup" && options.split(',').any(|one| one == "freezer");
        let mount: Vec<&str> = mount.split(' ').collect();
        Some(Self {
            is_unified: (is_unified || has_freezer).then_some(is_unified)?,
            root: with_blanks(mount.get(3)?),
            place: with_blanks(mount.get(4)?),
        })
    }

    /// Returns the file of a group that is below the mounted one. One outside of this cgroup namespace has a path with `..`.
    fn state_file(&self, group: &str) -> Option<PathBuf> {
        let root = self.root.trim_end_matches('/');
        let below = group.strip_prefix(root)?;
        let is_below = below.is_empty() || below.starts_with('/');
        if !is_below || below.split('/').any(|part| part == "..") {
            return None;
        }
        let file = if self.is_unified {
            "cgroup.events"
        } else {
            "freezer.state"
        };
        let group = PathBuf::from(&self.place).join(below.trim_start_matches('/'));
        Some(group.join(file))
    }
}

/// Replaces the escape of a blank in a path.
fn with_blanks(path: &str) -> String {
    path.replace("\\040", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
24 21 0:22 / /proc rw,relatime - proc proc rw
30 21 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
31 21 0:27 / /sys/fs/cgroup/freezer rw shared:1 - cgroup cgroup rw,freezer
32 21 0:28 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
33 21 0:26 /shop /mnt/my\\040group rw - cgroup2 none rw
";

    #[test]
    fn the_state_of_a_group_is_read_where_it_is_mounted() {
        let files = |groups: &str| {
            let files = state_files(groups, MOUNTS).into_iter();
            let files = files.map(|file| file.to_string_lossy().into_owned());
            files.collect::<Vec<_>>().join(" ")
        };
        let cases = [
            ("0::/", "/sys/fs/cgroup/unified/cgroup.events"),
            ("0::/a b", "/sys/fs/cgroup/unified/a b/cgroup.events"),
            (
                "0::/shop/web",
                "/sys/fs/cgroup/unified/shop/web/cgroup.events /mnt/my group/web/cgroup.events",
            ),
            (
                "0::/shopping",
                "/sys/fs/cgroup/unified/shopping/cgroup.events",
            ),
            ("0::/../../other", ""),
            ("5:pids:/web", ""),
            (
                "6:devices,freezer:/web",
                "/sys/fs/cgroup/freezer/web/freezer.state",
            ),
        ];
        for (groups, expected) in cases {
            assert_eq!(files(groups), expected, "{groups}");
        }
    }

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
