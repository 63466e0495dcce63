//! Which processes hold which sockets, by the links in `/proc/PID/fd` (proc_pid_fd(5)).
//!
//! One walk serves all tables, where netstat2's own would walk once for each, forget the holders of an inode after its
//! first row and panic without `/proc`. What may not be read is skipped: its sockets have no holder that may be seen.

use super::rows::Row;
use crate::model::process::Pid;
use std::collections::{HashMap, HashSet};
use std::fs::{read_dir, read_link};
use std::path::Path;

type PidsByInode = HashMap<u64, Vec<Pid>>;

#[derive(Default)]
pub struct Holders {
    pids: PidsByInode,
    /// Inodes that no process was seen to hold even after a second walk, so that they cost no more of them.
    hidden: HashSet<u64>,
}

impl Holders {
    /// Walks over all processes. Before the tables are read: what closes in between is then simply no row.
    pub fn scan(&mut self) {
        self.pids = scan(Path::new("/proc"));
    }

    /// Gives each row its holders, after a second walk if a socket appeared since the first one.
    pub fn assign(&mut self, rows: &mut [Row]) {
        let unknown = |row: &Row| row.inode.filter(|inode| *inode != 0);
        let is_new = |inode: &u64| !self.pids.contains_key(inode) && !self.hidden.contains(inode);
        if rows.iter().filter_map(unknown).any(|inode| is_new(&inode)) {
            let later = scan(Path::new("/proc"));
            for (inode, pids) in later {
                self.pids.entry(inode).or_insert(pids);
            }
        }
        for row in rows.iter_mut() {
            let holders = row.inode.and_then(|inode| self.pids.get(&inode));
            row.pids = holders.cloned().unwrap_or_default();
        }
        self.hidden = rows
            .iter()
            .filter(|row| row.pids.is_empty())
            .filter_map(unknown)
            .collect();
    }
}

fn scan(proc: &Path) -> PidsByInode {
    let mut holders = PidsByInode::new();
    let Ok(entries) = read_dir(proc) else {
        return holders;
    };
    for entry in entries.flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        for inode in sockets_of(&entry.path().join("fd")) {
            let pids: &mut Vec<Pid> = holders.entry(inode).or_default();
            // A process that holds a socket twice is still one holder.
            if pids.last() != Some(&Pid(pid)) {
                pids.push(Pid(pid));
            }
        }
    }
    holders
}

fn sockets_of(directory: &Path) -> Vec<u64> {
    let Ok(descriptors) = read_dir(directory) else {
        return Vec::new();
    };
    descriptors
        .flatten()
        .filter_map(|descriptor| socket(&read_link(descriptor.path()).ok()?))
        .collect()
}

/// The inode of `socket:[123]`.
fn socket(link: &Path) -> Option<u64> {
    let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
    inode.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_sockets_have_an_inode() {
        let inodes = [
            "socket:[123]",
            "pipe:[123]",
            "/tmp/socket:[1]",
            "socket:[x]",
        ]
        .map(|link| socket(Path::new(link)));
        assert_eq!(inodes, [Some(123), None, None, None]);
    }

    #[test]
    fn without_proc_nobody_is_seen_to_hold_anything() {
        assert_eq!(scan(Path::new("/nowhere")), PidsByInode::new());
    }
}
