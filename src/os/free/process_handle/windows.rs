//! Process handles: while one is open, Windows reuses neither the process nor its pid.
#![expect(unsafe_code, reason = "windows-sys offers its calls only as unsafe")]

use super::HandleError;
use crate::model::process::{Pid, Signal};
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, WAIT_OBJECT_0};
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE,
    TerminateProcess, WaitForSingleObject,
};

pub struct ProcessHandle(OwnedHandle);

impl ProcessHandle {
    pub fn open(pid: Pid) -> Result<Self, HandleError> {
        let rights = PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_SYNCHRONIZE | PROCESS_TERMINATE;
        // SAFETY: the call takes no pointers.
        let handle = unsafe { OpenProcess(rights, 0, pid.0) };
        if handle.is_null() {
            return Err(HandleError::of("OpenProcess", &io::Error::last_os_error()));
        }
        // SAFETY: the handle was just opened and nothing else owns it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    pub fn has_ended(&self) -> bool {
        // SAFETY: the handle is open for as long as `self` is.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }

    /// True if only the handle itself tells whether its process has ended.
    #[expect(clippy::unused_self, reason = "Unix has handles that do not")]
    pub fn outlives_process(&self) -> bool {
        true
    }

    /// Always `Ok`: without the permission no handle with PROCESS_TERMINATE would have been opened.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "Unix checks each time"
    )]
    pub fn check_permission(&self) -> Result<(), HandleError> {
        Ok(())
    }

    /// Terminates the process, whichever signal it is; SIGCONT fails.
    pub fn signal(&self, signal: Signal) -> Result<(), HandleError> {
        if signal == Signal::Continue {
            return Err(HandleError::of(
                "SIGCONT",
                &io::ErrorKind::Unsupported.into(),
            ));
        }
        // SAFETY: the handle is open for as long as `self` is.
        match unsafe { TerminateProcess(self.0.as_raw_handle(), 1) } {
            0 => Err(HandleError::of(
                "TerminateProcess",
                &io::Error::last_os_error(),
            )),
            _ => Ok(()),
        }
    }
}

/// Always true, asked of a process that could be opened once and cannot be now: it is gone.
pub fn is_unused(_pid: Pid) -> bool {
    true
}

/// OpenProcess returns ERROR_INVALID_PARAMETER for a pid that no process has.
pub fn is_no_such_process(error: &io::Error) -> bool {
    error.raw_os_error() == i32::try_from(ERROR_INVALID_PARAMETER).ok()
}
