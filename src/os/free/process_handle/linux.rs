//! pidfds (pidfd_open(2)); plain pids on kernels before 5.3.

use super::HandleError;
use super::unix::{self, errno};
use crate::model::process::{Pid, Signal};
use crate::os::processes::pid_namespace::system::{verify_pid, verify_pidfd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

pub use super::unix::{is_no_such_process, is_unused};

pub struct ProcessHandle {
    by_pid: unix::ProcessHandle,
    pidfd: Option<OwnedFd>,
}

impl ProcessHandle {
    /// Opens the process that has this pid in `/proc`. Fails where the pid is another process in portmon's PID namespace.
    pub fn open(pid: Pid) -> Result<Self, HandleError> {
        let by_pid = unix::ProcessHandle::open(pid)?;
        let pidfd = match pidfd_open(by_pid.0, PidfdFlags::empty()) {
            Ok(pidfd) => verify_pidfd(&pidfd, pid).map(|()| Some(pidfd)),
            Err(Errno::NOSYS) => verify_pid(pid).map(|()| None),
            // ESRCH concerns only the pids of this namespace.
            Err(error) => {
                verify_pid(pid).map_err(|error| unverified(&error))?;
                return Err(errno("pidfd_open", error));
            }
        };
        let pidfd = pidfd.map_err(|error| unverified(&error))?;
        Ok(Self { by_pid, pidfd })
    }

    /// A pidfd is readable once its process has ended, even before it is reaped.
    pub fn has_ended(&self) -> bool {
        let Some(pidfd) = &self.pidfd else {
            return self.by_pid.has_ended();
        };
        let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&Timespec::default())), Ok(ready) if ready > 0)
    }

    /// True if only the handle itself tells whether its process has ended.
    pub fn outlives_process(&self) -> bool {
        self.pidfd.is_some() || self.by_pid.outlives_process()
    }

    /// Asks by pid, as rustix has no signal 0 for pidfds; signal 0 does no harm to another process.
    pub fn check_permission(&self) -> Result<(), HandleError> {
        self.by_pid.check_permission()
    }

    pub fn signal(&self, signal: Signal) -> Result<(), HandleError> {
        let Some(pidfd) = &self.pidfd else {
            return self.by_pid.signal(signal);
        };
        match pidfd_send_signal(pidfd, unix::number(signal)) {
            Err(Errno::NOSYS) => self.by_pid.signal(signal),
            sent => sent.map_err(|error| errno("pidfd_send_signal", error)),
        }
    }

    pub fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }
}

/// Wraps an error that already says what is wrong with `/proc`.
fn unverified(error: &io::Error) -> HandleError {
    if is_no_such_process(error) {
        HandleError::Ended
    } else {
        HandleError::Failed(error.to_string())
    }
}
