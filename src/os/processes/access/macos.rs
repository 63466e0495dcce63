//! `proc_pidinfo` with `PROC_PIDLISTFDS`, as declared in `sys/proc_info.h`.
#![expect(unsafe_code, reason = "libc offers the call only as unsafe")]

use crate::model::process::Pid;
use std::io::{self, ErrorKind};

/// True if the file descriptors of the process may not be read. Without a buffer the call only returns their number.
pub fn hides_fds(pid: Pid) -> bool {
    let Ok(pid) = libc::c_int::try_from(pid.0) else {
        return false;
    };
    // SAFETY: no buffer is passed, and the size says so.
    let size =
        unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDLISTFDS, 0, std::ptr::null_mut(), 0) };
    size <= 0 && io::Error::last_os_error().kind() == ErrorKind::PermissionDenied
}

/// Always `None`: this system has no user namespaces.
pub fn name_of_unmapped(_uid: u32) -> Option<&'static str> {
    None
}
