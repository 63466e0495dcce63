//! Processes by their pids, with kill(2).

use super::HandleError;
use crate::model::process::{Pid, Signal};
use rustix::io::Errno;
use rustix::process::{self as system, kill_process, test_kill_process};
use std::io;

pub struct ProcessHandle(pub system::Pid);

impl ProcessHandle {
    /// Refuses 0, which is portmon's own process group, 1, and negative numbers, which are other groups.
    pub fn open(pid: Pid) -> Result<Self, HandleError> {
        let number = i32::try_from(pid.0).ok().filter(|number| *number > 1);
        number
            .and_then(system::Pid::from_raw)
            .map(Self)
            .ok_or(HandleError::NotPermitted)
    }

    pub fn has_ended(&self) -> bool {
        test_kill_process(self.0) == Err(Errno::SRCH)
    }

    /// False: the pid may be of another process by now.
    #[expect(clippy::unused_self, reason = "other systems have better handles")]
    pub fn outlives_process(&self) -> bool {
        false
    }

    /// Fails if this user may not signal the process; sends nothing.
    pub fn check_permission(&self) -> Result<(), HandleError> {
        test_kill_process(self.0).map_err(|error| errno("kill", error))
    }

    pub fn signal(&self, signal: Signal) -> Result<(), HandleError> {
        kill_process(self.0, number(signal)).map_err(|error| errno("kill", error))
    }
}

/// True if certainly no process has the pid. One that may not be signaled exists.
pub fn is_unused(pid: Pid) -> bool {
    ProcessHandle::open(pid).is_ok_and(|handle| handle.has_ended())
}

pub fn is_no_such_process(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::SRCH)
}

pub fn errno(call: &str, error: Errno) -> HandleError {
    HandleError::of(call, &error.into())
}

pub fn number(signal: Signal) -> system::Signal {
    match signal {
        Signal::Terminate => system::Signal::TERM,
        Signal::Interrupt => system::Signal::INT,
        Signal::HangUp => system::Signal::HUP,
        Signal::Quit => system::Signal::QUIT,
        Signal::Kill => system::Signal::KILL,
        Signal::Continue => system::Signal::CONT,
    }
}
