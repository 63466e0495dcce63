//! pidfds on Linux, plain pids on other Unix systems and on kernels before 5.3.

use crate::free::Signal;
use crate::model::process::Pid;
#[cfg(target_os = "linux")]
use crate::os::pids;
use rustix::io::Errno;
use rustix::process::{self as system, kill_process, test_kill_process};
use std::io;

pub enum ProcessHandle {
    #[cfg(target_os = "linux")]
    Pidfd(std::os::fd::OwnedFd),
    PidOnly,
}

impl ProcessHandle {
    /// Takes hold of the process that `/proc` shows under this pid; fails where another one would be signalled by it.
    #[cfg(target_os = "linux")]
    pub fn open(pid: Pid) -> io::Result<Self> {
        match system::pidfd_open(number(pid)?, system::PidfdFlags::empty()) {
            Ok(fd) => pids::prove_pidfd(&fd, pid).map(|()| Self::Pidfd(fd)),
            Err(Errno::NOSYS) => pids::prove_any(pid).map(|()| Self::PidOnly),
            // That there is none says something only of the pids of this namespace.
            Err(error) => pids::prove_any(pid).and(Err(error.into())),
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub fn open(pid: Pid) -> io::Result<Self> {
        number(pid).map(|_| Self::PidOnly)
    }

    /// A pidfd becomes readable when its process has ended, even before anyone has asked for its exit status.
    pub fn has_ended(&self, pid: Pid) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pidfd(fd) => {
                use rustix::event::{PollFd, PollFlags, Timespec, poll};
                let mut fds = [PollFd::new(fd, PollFlags::IN)];
                let at_once = Timespec {
                    tv_sec: 0,
                    tv_nsec: 0,
                };
                matches!(poll(&mut fds, Some(&at_once)), Ok(ready) if ready > 0)
            }
            Self::PidOnly => {
                number(pid).is_ok_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
            }
        }
    }

    /// There is no empty signal for pidfds in rustix; an empty one to the pid does no harm whoever has it.
    #[expect(clippy::unused_self, reason = "on Windows the handle itself permits")]
    pub fn check_permission(&self, pid: Pid) -> io::Result<()> {
        Ok(test_kill_process(number(pid)?)?)
    }

    pub fn signal(&self, pid: Pid, signal: Signal) -> io::Result<()> {
        let signal = match signal {
            Signal::Terminate => system::Signal::TERM,
            Signal::Interrupt => system::Signal::INT,
            Signal::HangUp => system::Signal::HUP,
            Signal::Quit => system::Signal::QUIT,
            Signal::Kill => system::Signal::KILL,
            Signal::Continue => system::Signal::CONT,
        };
        self.send(pid, signal)
    }

    fn send(&self, pid: Pid, signal: system::Signal) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pidfd(fd) => match system::pidfd_send_signal(fd, signal) {
                Err(Errno::NOSYS) => Ok(kill_process(number(pid)?, signal)?),
                sent => Ok(sent?),
            },
            Self::PidOnly => Ok(kill_process(number(pid)?, signal)?),
        }
    }

    #[cfg(target_os = "linux")]
    pub fn pidfd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        match self {
            Self::Pidfd(fd) => Some(fd.as_fd()),
            Self::PidOnly => None,
        }
    }
}

pub fn is_no_such_process(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::SRCH)
}

/// 0 would be the own process group and everything negative another one.
fn number(pid: Pid) -> io::Result<system::Pid> {
    let number = i32::try_from(pid.0).ok().filter(|number| *number > 1);
    number
        .and_then(system::Pid::from_raw)
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}
