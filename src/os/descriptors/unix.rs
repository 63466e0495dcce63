//! `RLIMIT_NOFILE` of getrlimit(2).

use rustix::io::{Errno, Result, fcntl_dupfd_cloexec};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::OwnedFd;

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

/// Returns whether this many descriptors can be opened now, as far as the limits of this process and of the system go.
pub fn can_open(count: usize) -> bool {
    let stderr = std::io::stderr();
    let duplicates = (0..count).map(|_| fcntl_dupfd_cloexec(&stderr, 0));
    let opened: Result<Vec<OwnedFd>> = duplicates.collect();
    !opened.is_err_and(is_lack)
}

/// True if an error tells that no descriptor is left, and not, say, that a filter refuses the call.
fn is_lack(error: Errno) -> bool {
    matches!(error, Errno::MFILE | Errno::NFILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_another_kind_is_no_lack_of_descriptors() {
        let errors = [Errno::MFILE, Errno::NFILE, Errno::PERM, Errno::BADF];
        assert_eq!(errors.map(is_lack), [true, true, false, false]);
        assert!(can_open(4));
    }
}
