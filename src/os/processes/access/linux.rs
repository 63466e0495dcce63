//! What of `/proc` this user may read (proc_pid_fd(5), capabilities(7), user_namespaces(7)).

use crate::model::process::{Pid, UNMAPPED_USER};
use crate::os::processes::stat::system::StatLine;
use std::fs::{self, read_dir, read_link};
use std::io::{self, ErrorKind};

/// Bits of capabilities(7) that reading the descriptors of any process takes: that of ptrace(2), and one that passes the
/// permissions of the directory.
const CAP_DAC_OVERRIDE: u64 = 1 << 1;
const CAP_DAC_READ_SEARCH: u64 = 1 << 2;
const CAP_SYS_PTRACE: u64 = 1 << 19;

/// `PROC_USER_INIT_INO` of the kernel's `proc_ns.h`: the inode of the user namespace that has every right.
const INITIAL_USER_NAMESPACE: &str = "user:[4026531837]";

/// The kernel's default of `/proc/sys/kernel/overflowuid`.
const OVERFLOW_UID: u32 = 65534;

/// portmon's own rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub uid: u32,
    /// It has the capabilities that reading the descriptors of any process takes. They reach no further than its user
    /// namespace.
    pub can_read_all: bool,
    /// Its user namespace is not the initial one.
    pub is_in_user_namespace: bool,
    /// The uid that stands for users which its user namespace does not map, unless that maps it as well.
    pub overflow_uid: Option<u32>,
}

impl Rights {
    pub fn read() -> Self {
        let namespace = read_link("/proc/self/ns/user").ok();
        let is_in_user_namespace = namespace.is_some_and(|link| {
            link.to_str()
                .is_some_and(|name| name != INITIAL_USER_NAMESPACE)
        });
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            uid: rustix::process::geteuid().as_raw(),
            can_read_all: can_read_all(effective_capabilities(&status).unwrap_or_default()),
            is_in_user_namespace,
            overflow_uid: Some(overflow_uid()).filter(|uid| !maps(&uid_map(), *uid)),
        }
    }

    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// True if this uid stands for a user that the user namespace does not map.
    pub fn is_unmapped(&self, uid: u32) -> bool {
        self.overflow_uid == Some(uid)
    }
}

fn can_read_all(capabilities: u64) -> bool {
    let has = |bits| capabilities & bits != 0;
    has(CAP_SYS_PTRACE) && has(CAP_DAC_OVERRIDE | CAP_DAC_READ_SEARCH)
}

/// `CapEff` of proc_pid_status(5), in hexadecimal.
fn effective_capabilities(status: &str) -> Option<u64> {
    u64::from_str_radix(field(status, "CapEff:")?, 16).ok()
}

/// True if a user namespace maps this uid. A line of its map has the first uid inside, the first outside, and their number.
fn maps(uid_map: &str, uid: u32) -> bool {
    uid_map.lines().any(|line| {
        let mut numbers = line.split_ascii_whitespace().map(str::parse::<u64>);
        let (first, count) = (numbers.next(), numbers.nth(1));
        let Some((Ok(first), Ok(count))) = first.zip(count) else {
            return false;
        };
        (first..first.saturating_add(count)).contains(&u64::from(uid))
    })
}

/// Returns how this uid is called if it stands for every user that the user namespace does not map. Where the namespace maps
/// that uid as well, nothing tells them apart.
pub fn name_of_unmapped(uid: u32) -> Option<&'static str> {
    if uid != overflow_uid() {
        return None;
    }
    let map = uid_map();
    match (is_whole(&map), maps(&map, uid)) {
        (true, _) => None,
        (false, true) => Some("unmapped or nobody"),
        (false, false) => Some(UNMAPPED_USER),
    }
}

fn overflow_uid() -> u32 {
    let text = fs::read_to_string("/proc/sys/kernel/overflowuid").ok();
    text.and_then(|text| text.trim().parse().ok())
        .unwrap_or(OVERFLOW_UID)
}

/// The map of portmon's user namespace; empty if it cannot be read.
fn uid_map() -> String {
    fs::read_to_string("/proc/self/uid_map").unwrap_or_default()
}

/// True if a map leaves no uid out, as that of the initial namespace; one that cannot be read counts as that.
fn is_whole(uid_map: &str) -> bool {
    let counts = uid_map
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(2));
    let mapped: u64 = counts.filter_map(|count| count.parse::<u64>().ok()).sum();
    uid_map.is_empty() || mapped >= u64::from(u32::MAX)
}

/// Returns the first word after a name.
fn field<'t>(status: &'t str, name: &str) -> Option<&'t str> {
    let rest = status.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()
}

/// True if `/proc` shows this process to this user.
pub fn is_shown(pid: u32) -> bool {
    rustix::fs::stat(format!("/proc/{pid}")).is_ok()
}

/// True if `/proc` shows kernel threads: their parent, always process 2, is in no PID namespace but the first.
pub fn shows_kernel_threads() -> bool {
    let mut buffer = StatLine::EMPTY_BUFFER;
    let stat = StatLine::of(Pid(2), &mut buffer).and_then(|line| line.stat());
    stat.is_some_and(|stat| stat.is_kernel_thread)
}

/// True if the file descriptors of the process may not be read. Listing them is not enough: reading what one is takes a
/// permission of its own (ptrace(2)). A process that has ended hides nothing.
pub fn hides_fds(pid: Pid) -> bool {
    first_fd(pid).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Reads what one descriptor is, skipping those closed meanwhile.
fn first_fd(pid: Pid) -> io::Result<()> {
    for entry in read_dir(format!("/proc/{pid}/fd"))? {
        match read_link(entry?.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            read => return read.map(|_| ()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_every_process_takes_two_capabilities() {
        let read = |status: &str| effective_capabilities(status).map(can_read_all);
        let text = |bits: u64| format!("Name:\tx\nCapEff:\t{bits:016x}\nCapBnd:\t0\n");
        let cases = [
            (u64::MAX >> 23, true),
            (CAP_SYS_PTRACE | CAP_DAC_READ_SEARCH, true),
            (CAP_SYS_PTRACE, false),
            // Those of a container of Docker's.
            (0xa804_25fb, false),
            (0, false),
        ];
        for (bits, expected) in cases {
            assert_eq!(read(&text(bits)), Some(expected), "{bits:x}");
        }
        assert_eq!(read("Name:\tx\n"), None);
    }

    #[test]
    fn a_uid_map_maps_what_lies_in_one_of_its_ranges() {
        let map = "         0     100000      65536\n     70000          5          1\n";
        let cases = [(0, true), (65535, true), (65536, false), (70000, true)];
        for (uid, expected) in cases {
            assert_eq!(maps(map, uid), expected, "{uid}");
        }
        assert!(!maps("         0       1000          1\n", 65534));
        let whole = "         0          0 4294967295\n";
        assert!(maps(whole, 65534) && is_whole(whole) && !is_whole(map));
    }
}
