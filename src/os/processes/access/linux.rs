//! `/proc/PID/fd`, as described in proc_pid_fd(5).

use crate::model::process::Pid;
use std::fs::{read_dir, read_link};
use std::io::{self, ErrorKind};

/// Whether the file descriptors of the process may not be read. That they may be listed does not mean that what they are
/// may be read too, which is a permission of its own (ptrace(2)). What has ended hides nothing.
pub fn hides_fds(pid: Pid) -> bool {
    first_fd(pid).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

/// Reads what one descriptor is; one that was closed meanwhile says nothing.
fn first_fd(pid: Pid) -> io::Result<()> {
    for entry in read_dir(format!("/proc/{pid}/fd"))? {
        match read_link(entry?.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            read => return read.map(|_| ()),
        }
    }
    Ok(())
}
