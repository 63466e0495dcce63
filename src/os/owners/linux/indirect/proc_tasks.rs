//! Reads the threads of a process and what the kernel tells of a descriptor.

use super::super::proc_fs::{FdDir, ProcFs, number};
use rustix::fs::{AtFlags, Mode, OFlags, openat, statat};
use rustix::io::{Errno, Result};
use rustix::path::DecInt;
use std::fs::File;
use std::io::Read;

/// An io_uring may have 32768 fixed files (`IORING_MAX_FIXED_FILES` of the kernel), each in a line of its own.
const MAX_FDINFO: u64 = 4 << 20;

/// `KCMP_FILES` of kcmp(2).
const KCMP_FILES: libc::c_int = 2;

impl ProcFs {
    /// Returns the ids of the threads of a process but the first, without reading them where there are none.
    pub fn other_threads(&self, pid: u32) -> Result<Vec<u32>> {
        let path = format!("{pid}/task");
        self.count(1);
        // Each thread is a directory (`proc_task_getattr` of the kernel's `fs/proc/base.c`).
        if statat(self.root()?, path.as_str(), AtFlags::empty())?.st_nlink <= 3 {
            return Ok(Vec::new());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(self.root()?, path, flags, Mode::empty())?;
        let mut threads = Vec::new();
        self.list(directory, |thread, _| {
            threads.extend(Some(thread).filter(|thread| *thread != pid));
            Ok(())
        })?;
        Ok(threads)
    }

    /// Opens the descriptors of a thread.
    pub fn open_thread(&self, pid: u32, thread: u32) -> Result<FdDir> {
        self.open_fds(&format!("{pid}/task/{thread}/fd"))
    }

    /// Returns whether two threads have the same descriptors; `None` where the kernel does not tell.
    #[expect(unsafe_code, reason = "kcmp(2) has no safe wrapper")]
    pub fn share_fds(&self, one: u32, other: u32) -> Option<bool> {
        if !self.has_own_pids {
            return None;
        }
        self.count(1);
        let unused: libc::c_ulong = 0;
        // SAFETY: the call takes numbers only and writes nothing.
        let order =
            unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_FILES, unused, unused) };
        (order >= 0).then_some(order == 0)
    }

    /// Returns what proc_pid_fdinfo(5) tells of a descriptor of a thread.
    pub fn fdinfo(&self, pid: u32, thread: u32, descriptor: u32) -> Result<Vec<u8>> {
        self.count(3);
        let path = format!("{pid}/task/{thread}/fdinfo/{descriptor}");
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = openat(self.root()?, path, flags, Mode::empty())?;
        let mut text = Vec::new();
        match File::from(file).take(MAX_FDINFO).read_to_end(&mut text) {
            Ok(_) => Ok(text),
            Err(error) => Err(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        }
    }

    /// Returns the socket on a descriptor of a thread.
    pub fn socket_of_thread(&self, pid: u32, thread: u32, descriptor: u32) -> Result<Option<u32>> {
        let directory = self.open_thread(pid, thread)?;
        self.socket(&directory, DecInt::new(descriptor))
    }
}

/// Returns the sockets among the fixed files of an io_uring, each in a line like `    0: socket:[123]` after `UserFiles`
/// (`io_uring/fdinfo.c` of the kernel).
pub fn ring_sockets(fdinfo: &[u8]) -> impl Iterator<Item = u32> {
    let lines = fdinfo.split(|byte| *byte == b'\n');
    let files = lines.skip_while(|line| !line.starts_with(b"UserFiles:"));
    let files = files.skip(1).take_while(|line| line.starts_with(b" "));
    files.filter_map(|line| {
        let file = line.trim_ascii().split(|byte| *byte == b' ').next_back()?;
        super::super::proc_fs::inode(file)
    })
}

/// Returns how many files are on their way through a UNIX socket: `scm_fds: 1`; 0 for any other file.
pub fn files_in_flight(fdinfo: &[u8]) -> u32 {
    let mut lines = fdinfo.split(|byte| *byte == b'\n');
    let count = lines.find_map(|line| line.strip_prefix(b"scm_fds:"));
    count
        .and_then(|count| number(count.trim_ascii()))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_files_of_a_ring_end_with_the_next_field() {
        let fdinfo = b"pos:\t0\nSqThread:\t-1\nUserFiles:\t4\n    0: socket:[123]\n    1: <none>\n    2: /tmp/x\n 1000: socket:[9]\n\
            UserBufs:\t1\n    0: socket:[7]\nPollList:\n";
        assert!(ring_sockets(fdinfo).eq([123, 9]));
        assert_eq!(ring_sockets(b"pos:\t0\nflags:\t02\n").count(), 0);
    }

    #[test]
    fn only_a_unix_socket_tells_of_files_in_flight() {
        let flags = b"pos:\t0\nflags:\t02000002\nmnt_id:\t10\nino:\t55\n";
        let with = [&flags[..], b"scm_fds: 12\n"].concat();
        assert_eq!([files_in_flight(flags), files_in_flight(&with)], [0, 12]);
    }
}
