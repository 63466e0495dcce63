//! Control groups of processes as directories, where their hierarchies are mounted in this mount namespace (cgroups(7)).

use crate::model::process::Pid;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The hierarchies that are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hierarchy {
    /// That of cgroup v2.
    Unified,
    /// That of cgroup v1 with the controller `freezer`.
    Freezer,
}

/// A control group with those below it, mounted at a place.
struct CgroupMount {
    hierarchy: Hierarchy,
    root: String,
    place: String,
}

pub struct CgroupMounts(Vec<CgroupMount>);

impl CgroupMounts {
    pub fn read() -> Self {
        let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&mounts))
    }

    fn parse(mountinfo: &str) -> Self {
        Self(mountinfo.lines().filter_map(CgroupMount::parse).collect())
    }

    /// Returns the directories of the control groups of a process, as far as they can be seen from here.
    pub fn directories_of(&self, pid: Pid) -> Vec<(Hierarchy, PathBuf)> {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup"));
        self.directories(&groups.unwrap_or_default())
    }

    /// Returns the inode of its control group in the unified hierarchy, by which the kernel names it; `None` if it cannot be
    /// seen from here.
    pub fn unified_inode_of(&self, pid: Pid) -> Option<u64> {
        let mut directories = self.directories_of(pid).into_iter();
        let (_, directory) = directories.find(|(of, _)| *of == Hierarchy::Unified)?;
        Some(fs::metadata(directory).ok()?.ino())
    }

    /// Returns the directories that the lines of `/proc/PID/cgroup` name.
    fn directories(&self, groups: &str) -> Vec<(Hierarchy, PathBuf)> {
        let mut directories = Vec::new();
        for group in groups.lines() {
            let parts: Vec<&str> = group.splitn(3, ':').collect();
            let [_, controllers, path] = parts[..] else {
                continue;
            };
            let Some(hierarchy) = hierarchy(controllers) else {
                continue;
            };
            let own = self.0.iter().filter(|mount| mount.hierarchy == hierarchy);
            let own = own.filter_map(|mount| mount.directory(path));
            directories.extend(own.map(|directory| (hierarchy, directory)));
        }
        directories
    }
}

/// Returns the hierarchy with these controllers, which are none for the unified one.
fn hierarchy(controllers: &str) -> Option<Hierarchy> {
    if controllers.is_empty() {
        return Some(Hierarchy::Unified);
    }
    let mut controllers = controllers.split(',');
    controllers
        .any(|name| name == "freezer")
        .then_some(Hierarchy::Freezer)
}

impl CgroupMount {
    /// Parses a line of `mountinfo` (proc_pid_mountinfo(5)): the root within the file system, the mount point, and after a
    /// hyphen the type, the source and the options, which name the controllers.
    fn parse(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let file_system: Vec<&str> = file_system.split(' ').collect();
        let [kind, _, options] = file_system[..] else {
            return None;
        };
        let mut fields = mount.split(' ').skip(3);
        Some(Self {
            hierarchy: match kind {
                "cgroup2" => Hierarchy::Unified,
                "cgroup" => hierarchy(options)?,
                _ => return None,
            },
            root: with_blanks(fields.next()?),
            place: with_blanks(fields.next()?),
        })
    }

    /// Returns the directory of a group that is below the mounted one. One outside of this cgroup namespace has a path with
    /// `..` (cgroup_namespaces(7)).
    fn directory(&self, group: &str) -> Option<PathBuf> {
        let below = group.strip_prefix(self.root.trim_end_matches('/'))?;
        let is_below = below.is_empty() || below.starts_with('/');
        let is_outside = below.split('/').any(|part| part == "..");
        let below = below.trim_start_matches('/');
        (is_below && !is_outside).then(|| PathBuf::from(&self.place).join(below))
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
    fn a_cgroup_is_found_below_what_is_mounted() {
        let found = |groups: &str| {
            let directories = CgroupMounts::parse(MOUNTS).directories(groups).into_iter();
            let shown = directories.map(|(of, at)| format!("{of:?} {}", at.display()));
            shown.collect::<Vec<_>>().join(", ")
        };
        let cases = [
            ("0::/", "Unified /sys/fs/cgroup/unified/"),
            ("0::/a b", "Unified /sys/fs/cgroup/unified/a b"),
            (
                "0::/shop/web",
                "Unified /sys/fs/cgroup/unified/shop/web, Unified /mnt/my group/web",
            ),
            ("0::/shopping", "Unified /sys/fs/cgroup/unified/shopping"),
            ("0::/../../other", ""),
            ("5:pids:/web", ""),
            (
                "6:devices,freezer:/web\n0::/db",
                "Freezer /sys/fs/cgroup/freezer/web, Unified /sys/fs/cgroup/unified/db",
            ),
        ];
        for (groups, expected) in cases {
            assert_eq!(found(groups), expected, "{groups}");
        }
    }
}
