//! Reads processes and descriptors from `/proc` and counts the system calls.
//!
//! An open `/proc/PID/fd` stays bound to its process: after the exit every call on it fails, even if the pid is reused.
//! Descriptors are read by their links (proc_pid_fd(5)), never by stat(2), which would ask the file itself and may hang on a
//! dead NFS server.

use crate::model::process::Pid;
use crate::os::processes::pid_namespace;
use rustix::fs::{AtFlags, Mode, OFlags, RawDir, SeekFrom, Stat};
use rustix::io::{Errno, Result};
use rustix::path::{Arg, DecInt};
use rustix::process::{PidfdFlags, pidfd_open};
use std::cell::Cell;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// Size of one read of a listing: about 300 names.
const BUFFER: usize = 8192;

/// `/proc`, opened when it is first needed.
#[derive(Default)]
pub struct ProcFs {
    root: Option<OwnedFd>,
    loadavg: Option<OwnedFd>,
    /// True if [`FdStat::count`] is reported.
    pub reports_fd_counts: bool,
    /// portmon's own pid as `/proc` shows it.
    own: Option<Pid>,
    /// True if `/proc` shows the pids of portmon's own namespace.
    has_own_pids: bool,
    calls: Cell<usize>,
}

/// Descriptors of one process: `/proc/PID/fd`.
pub struct FdDir(OwnedFd);

/// What fstat(2) of a [`FdDir`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FdStat {
    /// Number of descriptors.
    pub count: u32,
    /// User of the process; 0 also if it is not dumpable (`PR_SET_DUMPABLE` of prctl(2)).
    pub uid: u32,
}

impl From<Stat> for FdStat {
    fn from(stat: Stat) -> Self {
        Self {
            count: u32::try_from(stat.st_size).unwrap_or(u32::MAX),
            uid: stat.st_uid,
        }
    }
}

impl ProcFs {
    /// Opens what is not open yet. Without `/proc` nothing is ever found.
    pub fn prepare(&mut self) {
        if self.root.is_some() {
            return;
        }
        let open = |path| rustix::fs::open(path, flags(), Mode::empty());
        self.root = open("/proc").ok();
        let loadavg = OFlags::RDONLY | OFlags::CLOEXEC;
        self.loadavg = rustix::fs::open("/proc/loadavg", loadavg, Mode::empty()).ok();
        // Linux before 6.2 reports 0 for every process, even for this one.
        self.own = pid_namespace::own_pid();
        let fd_stat = self.own.map(|own| self.fd_stat_of_pid(own.0));
        self.reports_fd_counts =
            fd_stat.is_some_and(|fd_stat| fd_stat.is_ok_and(|facts| facts.count > 0));
        self.has_own_pids = pid_namespace::problem().is_none();
    }

    pub fn calls(&self) -> usize {
        self.calls.get()
    }

    /// True if this is portmon's own pid.
    pub fn is_own(&self, pid: Pid) -> bool {
        self.own == Some(pid)
    }

    /// Opens a pidfd; `None` if `/proc` shows the pids of another namespace.
    pub fn pidfd(&self, pid: u32) -> Option<OwnedFd> {
        if !self.has_own_pids {
            return None;
        }
        self.count(1);
        pidfd_open(raw(pid)?, PidfdFlags::empty()).ok()
    }

    /// Pid of the latest process or thread: the last field of proc_loadavg(5). It belongs to portmon's own namespace even if
    /// `/proc` shows another one, where it means nothing.
    pub fn last_pid(&self) -> Option<u32> {
        if !self.has_own_pids {
            return None;
        }
        let mut line = [0; 64];
        self.count(1);
        let length = rustix::io::pread(self.loadavg.as_ref()?, &mut line, 0).ok()?;
        let line = line.get(..length)?.trim_ascii_end();
        number(line.rsplit(|byte| *byte == b' ').next()?)
    }

    /// Lists every process with its pid and the inode of its directory, which no later process with that pid has.
    pub fn processes(&self, mut each: impl FnMut(u32, u32)) -> Result<()> {
        self.list(self.root()?, |entry| {
            if let Some(pid) = number(entry.file_name().to_bytes()) {
                // The kernel numbers them in 32 bits.
                each(pid, u32::try_from(entry.ino()).unwrap_or_default());
            }
            Ok(())
        })
    }

    /// True if this is the id of a process and not of a thread; `None` if the kernel cannot be asked.
    ///
    /// `/proc/TID` can be opened too, so only a pidfd can tell.
    pub fn is_process(&self, pid: u32) -> Option<bool> {
        self.count(2);
        match pidfd_open(raw(pid)?, PidfdFlags::empty()) {
            Ok(_) => Some(true),
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => Some(false),
            Err(_) => None,
        }
    }

    pub fn open(&self, pid: u32) -> Result<FdDir> {
        self.count(2);
        let path = format!("{pid}/fd");
        rustix::fs::openat(self.root()?, path, flags(), Mode::empty()).map(FdDir)
    }

    /// Needs no permission, unlike opening the directory.
    pub fn fd_stat_of_pid(&self, pid: u32) -> Result<FdStat> {
        self.count(1);
        let path = format!("{pid}/fd");
        rustix::fs::statat(self.root()?, path, AtFlags::empty()).map(FdStat::from)
    }

    pub fn fd_stat(&self, directory: &FdDir) -> Result<FdStat> {
        self.count(1);
        rustix::fs::fstat(&directory.0).map(FdStat::from)
    }

    /// True until the process is reaped: until then no other process has its pid.
    pub fn is_alive(&self, directory: &FdDir) -> bool {
        self.count(1);
        // fstat(2) of the directory itself fails only since Linux 6.2.
        rustix::fs::statat(&directory.0, "../stat", AtFlags::empty()).is_ok()
    }

    /// Lists every descriptor with its number and its file name.
    pub fn descriptors(
        &self,
        directory: &FdDir,
        mut each: impl FnMut(u32, &CStr) -> Result<()>,
    ) -> Result<()> {
        self.list(&directory.0, |entry| {
            match number(entry.file_name().to_bytes()) {
                Some(number) => each(number, entry.file_name()),
                None => Ok(()),
            }
        })
    }

    /// Returns the inode of the socket on a descriptor; `None` if it is no socket.
    pub fn socket(&self, directory: &FdDir, name: impl Arg) -> Result<Option<u32>> {
        self.count(1);
        let mut link = [0; 32];
        let length = rustix::fs::readlinkat_raw(&directory.0, name, &mut link)?;
        Ok(link.get(..length).and_then(inode))
    }

    pub fn socket_at(&self, directory: &FdDir, descriptor: u32) -> Result<Option<u32>> {
        self.socket(directory, DecInt::new(descriptor))
    }

    /// Counts system calls that were made elsewhere.
    pub fn count(&self, calls: usize) {
        self.calls.set(self.calls.get().saturating_add(calls));
    }

    fn root(&self) -> Result<&OwnedFd> {
        self.root.as_ref().ok_or(Errno::NOENT)
    }

    /// Lists a directory from its start.
    fn list(
        &self,
        directory: impl AsFd,
        mut each: impl FnMut(rustix::fs::RawDirEntry<'_>) -> Result<()>,
    ) -> Result<()> {
        rustix::fs::seek(&directory, SeekFrom::Start(0))?;
        let mut buffer = [const { MaybeUninit::uninit() }; BUFFER];
        let mut names = 0;
        let mut entries = RawDir::new(directory, &mut buffer);
        while let Some(entry) = entries.next() {
            each(entry?)?;
            names += 1;
        }
        // Approximately.
        self.count(3 + names * 24 / BUFFER);
        Ok(())
    }
}

fn raw(pid: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)
}

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Inode in `socket:[123]`.
fn inode(link: &[u8]) -> Option<u32> {
    number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_sockets_have_an_inode() {
        let links: [&[u8]; 6] = [
            b"socket:[123]",
            b"socket:[4294967295]",
            b"socket:[4294967296]",
            b"socket:[]",
            b"pipe:[123]",
            b"/tmp/socket:[1]",
        ];
        let inodes = [Some(123), Some(u32::MAX), None, None, None, None];
        assert_eq!(links.map(inode), inodes);
    }

    #[test]
    fn without_proc_nothing_is_found() {
        let proc = ProcFs::default();
        let reported = (proc.last_pid(), proc.open(1).err(), proc.fd_stat_of_pid(1));
        assert_eq!(reported, (None, Some(Errno::NOENT), Err(Errno::NOENT)));
        assert_eq!(proc.processes(|_, _| ()), Err(Errno::NOENT));
    }

    #[test]
    fn an_open_proc_directory_detects_the_exit() {
        let mut proc = ProcFs::default();
        proc.prepare();
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep runs");
        let directory = proc.open(child.id()).expect("its descriptors");
        assert!(proc.is_alive(&directory));
        child.kill().expect("it may be killed");
        child.wait().expect("it ends");
        assert!(!proc.is_alive(&directory));
        assert_eq!(proc.socket_at(&directory, 0), Err(Errno::NOENT));
    }

    #[test]
    fn foreign_pids_open_no_pidfd_and_have_no_last_one() {
        let mut proc = ProcFs::default();
        proc.prepare();
        let own = std::process::id();
        let reported = |proc: &ProcFs| (proc.pidfd(own).is_some(), proc.last_pid().is_some());
        assert_eq!(reported(&proc), (true, true));
        proc.has_own_pids = false;
        assert_eq!(reported(&proc), (false, false));
    }

    #[test]
    fn threads_are_no_processes() {
        let mut proc = ProcFs::default();
        proc.prepare();
        let thread = std::thread::spawn(|| {
            // PID/task/TID, as proc(5) has it.
            let link = std::fs::read_link("/proc/thread-self").expect("a link");
            number(link.file_name().expect("a number").as_encoded_bytes())
        });
        let thread = thread.join().expect("a thread").expect("a number");
        let is_process = [std::process::id(), thread].map(|number| proc.is_process(number));
        assert_eq!(is_process, [Some(true), Some(false)]);
    }
}
