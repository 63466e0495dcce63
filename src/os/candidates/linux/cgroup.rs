//! Control groups of the unified hierarchy, each by the inode of its directory, as the kernel reports them for sockets.

use crate::model::process::Pid;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the unified hierarchy is mounted (cgroups(7)).
pub struct CgroupMount {
    /// The control group that is mounted, and where; `None` if none is.
    mounted: Option<(PathBuf, PathBuf)>,
}

impl CgroupMount {
    pub fn read() -> Self {
        let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
        let mounts = String::from_utf8_lossy(&mounts);
        Self {
            mounted: mounts.lines().find_map(mounted),
        }
    }

    /// Returns the control group of a process; `None` if it cannot be seen from here.
    pub fn of_process(&self, pid: Pid) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        let directory = self.directory(&text)?;
        Some(fs::metadata(directory).ok()?.ino())
    }

    /// Returns the directory that the line of the unified hierarchy names. One outside of the reader's namespace begins
    /// with `/..` (cgroup_namespaces(7)).
    fn directory(&self, text: &str) -> Option<PathBuf> {
        let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
        let (root, at) = self.mounted.as_ref()?;
        let below = Path::new(path).strip_prefix(root).ok()?;
        (!path.starts_with("/..")).then(|| at.join(below))
    }
}

/// Parses a line of `mountinfo` (proc_pid_mountinfo(5)): the root within the file system, the mount point, and after a
/// hyphen the type.
fn mounted(line: &str) -> Option<(PathBuf, PathBuf)> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut fields = mount.split(' ').skip(3);
    let (root, at) = (fields.next()?, fields.next()?);
    let is_unified = file_system.starts_with("cgroup2 ");
    // A path with an escape, such as \040, is none that a system mounts it at.
    (is_unified && !at.contains('\\')).then(|| (root.into(), at.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cgroup_is_found_below_what_is_mounted() {
        let lines = [
            "25 20 0:22 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw",
            "25 20 0:22 /docker/7 /sys/fs/cgroup ro - cgroup2 cgroup rw",
            "26 20 0:23 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
        ];
        let [whole, part, old] = lines.map(|line| CgroupMount {
            mounted: mounted(line),
        });
        let directory = |mount: &CgroupMount, text: &str| {
            let found = mount.directory(text);
            found.map(|path| path.to_string_lossy().into_owned())
        };
        let text = "4:memory:/other\n0::/docker/7/web\n";
        let cases = [
            (&whole, text, Some("/sys/fs/cgroup/docker/7/web")),
            (&whole, "0::/\n", Some("/sys/fs/cgroup/")),
            (&whole, "0::/../other\n", None),
            (&part, text, Some("/sys/fs/cgroup/web")),
            (&part, "0::/elsewhere\n", None),
            (&old, text, None),
        ];
        for (mount, text, expected) in cases {
            assert_eq!(directory(mount, text).as_deref(), expected, "{text}");
        }
    }
}
