//! `RLIMIT_NOFILE` of getrlimit(2).

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

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

/// Gives the program that this command runs the usual soft limit again, as it may use select(2).
#[expect(unsafe_code, reason = "a hook between fork and exec is unsafe")]
pub fn lower_limit_of(command: &mut Command) -> &mut Command {
    let lower = || {
        let limit = getrlimit(Resource::Nofile);
        let usual = limit.current.map_or(USUAL, |current| current.min(USUAL));
        let current = Some(usual);
        let _ = setrlimit(Resource::Nofile, Rlimit { current, ..limit });
        Ok(())
    };
    // SAFETY: after the fork only two system calls are made, and no memory is allocated.
    unsafe { command.pre_exec(lower) }
}

/// Returns whether this many descriptors can be opened now.
pub fn can_open(count: usize) -> bool {
    let stderr = std::io::stderr();
    let opened: Result<Vec<_>, _> = (0..count)
        .map(|_| stderr.as_fd().try_clone_to_owned())
        .collect();
    opened.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_run_has_the_usual_limit_again() {
        raise_limit();
        let own = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let mut shell = Command::new("sh");
        let output = lower_limit_of(shell.args(["-c", "ulimit -Sn"])).output();
        let output = String::from_utf8(output.expect("it runs").stdout).expect("a number");
        assert_eq!(output.trim(), own.min(USUAL).to_string());
    }
}
