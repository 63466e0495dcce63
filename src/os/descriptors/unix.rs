//! `RLIMIT_NOFILE` of getrlimit(2).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::AsFd;

/// No more is needed, and macOS allows no more (`OPEN_MAX` of its `sys/syslimits.h`).
const ENOUGH: u64 = 10_240;

/// The usual soft limit: select(2) cannot take descriptors from here on (`FD_SETSIZE`).
const USUAL: u64 = 1024;

/// Raises the soft limit as far as the hard one allows.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.maximum.map_or(ENOUGH, |hard| hard.min(ENOUGH));
    if limit.current.is_some_and(|current| current < enough) {
        let current = Some(enough);
        // The old limit does as well, for fewer processes at a time.
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
    }
}

/// Lowers the soft limit to the usual one, for a program that may use select(2). Allocates nothing, so that it can be called
/// between fork(2) and execve(2).
pub fn lower_limit() {
    let limit = getrlimit(Resource::Nofile);
    let current = Some(limit.current.map_or(USUAL, |current| current.min(USUAL)));
    let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
}

/// Returns whether this many descriptors can be opened now.
pub fn can_open(count: usize) -> bool {
    let stderr = std::io::stderr();
    let opened: Result<Vec<_>, _> = (0..count)
        .map(|_| stderr.as_fd().try_clone_to_owned())
        .collect();
    opened.is_ok()
}
