//! Process handles: while one is open, Windows gives its pid to nobody else.
#![expect(unsafe_code, reason = "windows-sys offers its calls only as unsafe")]

use crate::free::Signal;
use crate::model::process::Pid;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
    TerminateProcess, WaitForSingleObject,
};

pub struct ProcessHandle(OwnedHandle);

impl ProcessHandle {
    pub fn open(pid: Pid) -> io::Result<Self> {
        let rights = PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE | PROCESS_TERMINATE;
        // SAFETY: the call takes no pointers.
        let handle = unsafe { OpenProcess(rights, 0, pid.0) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle was just opened and nothing else owns it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub fn has_ended(&self, _pid: Pid) -> bool {
        // SAFETY: the handle is open for as long as `self` is.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }

    /// A handle with the right to terminate was only given to those who may.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "elsewhere it is asked"
    )]
    pub fn check_permission(&self, _pid: Pid) -> io::Result<()> {
        Ok(())
    }

    /// Whatever ends a process elsewhere, Windows can only terminate it.
    pub fn signal(&self, _pid: Pid, signal: Signal) -> io::Result<()> {
        if signal == Signal::Continue {
            return Err(io::ErrorKind::Unsupported.into());
        }
        // SAFETY: the handle is open for as long as `self` is.
        match unsafe { TerminateProcess(self.0.as_raw_handle(), 1) } {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }
}

/// `OpenProcess` says so of a pid that no process has.
pub fn is_no_such_process(error: &io::Error) -> bool {
    error.raw_os_error() == i32::try_from(ERROR_INVALID_PARAMETER).ok()
}
