//! `/proc/PID/fd` (proc_pid_fd(5)).

use crate::model::process::Pid;
use std::fs::{read_dir, read_link};
use std::io::{self, ErrorKind};

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
