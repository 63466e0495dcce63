//! `GetProcessTimes` of a handle opened for this call only.
#![expect(
    unsafe_code,
    reason = "no safe crate gives a process's creation time as a FILETIME"
)]

use super::ProcessStat;
use crate::model::process::{Pid, StartTime};
use windows_sys::Win32::Foundation::{CloseHandle, FILETIME};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
};

pub fn read(pid: Pid) -> Option<ProcessStat> {
    let created = creation(pid)?;
    let [high, low] = [created.dwHighDateTime, created.dwLowDateTime].map(u64::from);
    Some(ProcessStat {
        start: StartTime(high << 32 | low),
        ..ProcessStat::default()
    })
}

fn creation(pid: Pid) -> Option<FILETIME> {
    let [mut created, mut exited, mut kernel, mut user] = [FILETIME::default(); 4];
    // SAFETY: the call takes no pointers.
    let process = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid.0) };
    if process.is_null() {
        return None;
    }
    // SAFETY: the handle is open, and the four pointers are to values that outlive the call.
    let answered = unsafe {
        GetProcessTimes(
            process,
            &raw mut created,
            &raw mut exited,
            &raw mut kernel,
            &raw mut user,
        )
    };
    // SAFETY: the handle was opened above and is closed exactly once.
    unsafe { CloseHandle(process) };
    (answered != 0).then_some(created)
}
