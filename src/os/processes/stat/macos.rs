//! `proc_pidinfo` with `PROC_PIDTBSDINFO`, declared in `sys/proc_info.h`.
#![expect(
    unsafe_code,
    reason = "no safe crate gives a process's start in microseconds"
)]

use super::ProcessStat;
use crate::model::process::{Pid, StartTime};
use crate::model::text::SystemText;

/// `SSTOP` and `SZOMB` of `sys/proc.h`.
const STOPPED: u32 = 4;
const ZOMBIE: u32 = 5;

pub fn read(pid: Pid) -> Option<ProcessStat> {
    let found = bsd_info(pid)?;
    let name = found.pbi_name.map(libc::c_char::cast_unsigned);
    let name = name.split(|byte| *byte == 0).next();
    Some(ProcessStat {
        start: StartTime(found.pbi_start_tvsec * 1_000_000 + found.pbi_start_tvusec),
        name: name.filter(|name| !name.is_empty()).map(SystemText::new),
        parent: (found.pbi_ppid != 0).then_some(Pid(found.pbi_ppid)),
        state: match found.pbi_status {
            STOPPED => Some('T'),
            ZOMBIE => Some('Z'),
            _ => None,
        },
        ..ProcessStat::default()
    })
}

fn bsd_info(pid: Pid) -> Option<libc::proc_bsdinfo> {
    let pid = libc::c_int::try_from(pid.0).ok()?;
    let size = libc::c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    let mut found = std::mem::MaybeUninit::<libc::proc_bsdinfo>::uninit();
    // SAFETY: the buffer is exactly as large as the size that is passed with it, and lives through the call.
    let written = unsafe {
        libc::proc_pidinfo(
            pid,
            libc::PROC_PIDTBSDINFO,
            0,
            found.as_mut_ptr().cast(),
            size,
        )
    };
    // SAFETY: the call returned that it filled the whole struct, whose fields are integers and take any bytes.
    (written == size).then(|| unsafe { found.assume_init() })
}
