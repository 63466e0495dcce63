//! Reads processes and descriptors from `/proc` and counts the system calls.
//!
//! An open `/proc/PID/fd` stays bound to its process: after the exit every call on it fails, even if the pid is reused.
//! Descriptors are read by their links (proc_pid_fd(5)), never by stat(2), which would ask the file itself and may hang on a
//! dead NFS server.

use crate::model::process::Pid;
use crate::os::processes::pid_namespace;
use rustix::fs::{AtFlags, Mode, OFlags, RawDir, RawDirEntry, SeekFrom, Stat};
use rustix::io::{Errno, Result};
use rustix::path::{Arg, DecInt};
use rustix::process::{PidfdFlags, pidfd_open};
use std::cell::Cell;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

/// Size of one read of a listing, and about how many names it holds.
const BUFFER: usize = 8192;
const NAMES_PER_READ: i64 = 341;

/// `/proc`. Without it nothing is found.
pub struct ProcFs {
    root: Result<OwnedFd>,
    loadavg: Option<OwnedFd>,
    /// True if [`FdStat::count`] is reported.
    pub reports_fd_counts: bool,
    /// portmon's own pid as `/proc` shows it.
    pub own: Option<Pid>,
    /// True if `/proc` shows the pids of portmon's own namespace.
    pub has_own_pids: bool,
    calls: Cell<i64>,
}

/// Descriptors of one process: `/proc/PID/fd`.
pub struct FdDir(OwnedFd);

/// What a descriptor is, by its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdLink {
    /// A socket, by its inode.
    Socket(u32),
    /// An io_uring.
    Ring,
    Other,
}

/// What fstat(2) of a [`FdDir`] reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

impl Default for ProcFs {
    fn default() -> Self {
        let mut proc = Self {
            root: open_root(),
            loadavg: open("/proc/loadavg", OFlags::empty()).ok(),
            reports_fd_counts: false,
            own: pid_namespace::own_pid(),
            has_own_pids: pid_namespace::problem().is_none(),
            calls: 0.into(),
        };
        // Linux before 6.2 reports 0 for every process, even for this one.
        let own = proc.own.map(|own| proc.fd_stat_of_pid(own.0));
        proc.reports_fd_counts = own.is_some_and(|own| own.is_ok_and(|own| own.count > 0));
        proc
    }
}

/// Opens `/proc`; `NOENT` if something else is mounted there.
fn open_root() -> Result<OwnedFd> {
    let root = open("/proc", OFlags::DIRECTORY)?;
    let is_proc = rustix::fs::fstatfs(&root)?.f_type == rustix::fs::PROC_SUPER_MAGIC;
    if is_proc { Ok(root) } else { Err(Errno::NOENT) }
}

fn open(path: &str, flags: OFlags) -> Result<OwnedFd> {
    rustix::fs::open(
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | flags,
        Mode::empty(),
    )
}

impl ProcFs {
    /// Opens `/proc` if that failed so far, as it does while no descriptor is left.
    pub fn reopen(&mut self) {
        if self.root.is_err() || self.loadavg.is_none() {
            let calls = self.calls.take();
            *self = Self::default();
            self.count(calls);
        }
    }

    /// As if no descriptor had been left.
    #[cfg(test)]
    pub fn unopened() -> Self {
        Self {
            root: Err(Errno::MFILE),
            loadavg: None,
            ..Self::default()
        }
    }

    pub fn calls(&self) -> i64 {
        self.calls.get()
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
        self.list(self.root()?, |pid, entry| {
            // The kernel numbers them in 32 bits.
            each(pid, u32::try_from(entry.ino()).unwrap_or_default());
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
        self.open_fds(&format!("{pid}/fd"))
    }

    /// Opens the descriptors in this directory of `/proc`.
    pub fn open_fds(&self, path: &str) -> Result<FdDir> {
        self.count(2);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat(self.root()?, path, flags, Mode::empty()).map(FdDir)
    }

    /// Needs no permission, unlike opening the directory.
    pub fn fd_stat_of_pid(&self, pid: u32) -> Result<FdStat> {
        self.count(1);
        let path = format!("{pid}/fd");
        rustix::fs::statat(self.root()?, path, AtFlags::empty()).map(FdStat::from)
    }

    /// Returns the effective user of a process, which keeps its directory where it may not be dumped.
    pub fn uid(&self, pid: u32) -> Result<u32> {
        self.count(1);
        let path = DecInt::new(pid);
        rustix::fs::statat(self.root()?, path, AtFlags::empty()).map(|stat| stat.st_uid)
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
        self.list(&directory.0, |number, entry| {
            each(number, entry.file_name())
        })
    }

    /// Returns what a descriptor is.
    pub fn link(&self, directory: &FdDir, name: impl Arg) -> Result<FdLink> {
        self.count(1);
        let mut link = [0; 32];
        let length = rustix::fs::readlinkat_raw(&directory.0, name, &mut link)?;
        let link = link.get(..length).unwrap_or_default();
        Ok(match inode(link) {
            Some(inode) => FdLink::Socket(inode),
            None if link == b"anon_inode:[io_uring]" => FdLink::Ring,
            None => FdLink::Other,
        })
    }

    /// Returns the inode of the socket on a descriptor; `None` if it is no socket.
    pub fn socket(&self, directory: &FdDir, name: impl Arg) -> Result<Option<u32>> {
        Ok(match self.link(directory, name)? {
            FdLink::Socket(inode) => Some(inode),
            FdLink::Ring | FdLink::Other => None,
        })
    }

    pub fn socket_at(&self, directory: &FdDir, descriptor: u32) -> Result<Option<u32>> {
        self.socket(directory, DecInt::new(descriptor))
    }

    /// Counts system calls that were made elsewhere.
    pub fn count(&self, calls: i64) {
        self.calls.set(self.calls.get().saturating_add(calls));
    }

    /// Returns why `/proc` could not be opened.
    pub fn error(&self) -> Option<Errno> {
        self.root.as_ref().err().copied()
    }

    pub fn root(&self) -> Result<&OwnedFd> {
        self.root.as_ref().map_err(|errno| *errno)
    }

    /// Lists the numbers in a directory from its start.
    pub fn list(
        &self,
        directory: impl AsFd,
        mut each: impl FnMut(u32, &RawDirEntry<'_>) -> Result<()>,
    ) -> Result<()> {
        rustix::fs::seek(&directory, SeekFrom::Start(0))?;
        let mut buffer = [const { MaybeUninit::uninit() }; BUFFER];
        let mut names = 0;
        let mut entries = RawDir::new(directory, &mut buffer);
        while let Some(entry) = entries.next().transpose()? {
            if let Some(number) = number(entry.file_name().to_bytes()) {
                each(number, &entry)?;
            }
            names += 1;
        }
        self.count(3 + names / NAMES_PER_READ);
        Ok(())
    }
}

fn raw(pid: u32) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Inode in `socket:[123]`.
pub fn inode(link: &[u8]) -> Option<u32> {
    number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?)
}

pub fn number(digits: &[u8]) -> Option<u32> {
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
    use crate::os::testing::sleeper;
    use std::fs::File;

    #[test]
    fn only_links_to_sockets_have_an_inode() {
        for (link, expected) in [
            ("socket:[123]", Some(123)),
            ("socket:[4294967295]", Some(u32::MAX)),
            ("socket:[4294967296]", None),
            ("socket:[]", None),
            ("pipe:[123]", None),
            ("/tmp/socket:[1]", None),
        ] {
            assert_eq!(inode(link.as_bytes()), expected, "{link}");
        }
    }

    #[test]
    fn without_proc_nothing_is_found() {
        let proc = ProcFs::unopened();
        let reported = (proc.last_pid(), proc.open(1).err(), proc.fd_stat_of_pid(1));
        assert_eq!(reported, (None, Some(Errno::MFILE), Err(Errno::MFILE)));
        assert_eq!(proc.processes(|_, _| ()), Err(Errno::MFILE));
    }

    #[test]
    fn an_open_proc_directory_detects_the_exit() {
        let proc = ProcFs::default();
        let child = sleeper(File::open("/dev/null").expect("a file"));
        let directory = proc.open(child.pid().0).expect("its descriptors");
        assert!(proc.is_alive(&directory));
        drop(child);
        assert!(!proc.is_alive(&directory));
        assert_eq!(proc.socket_at(&directory, 0), Err(Errno::NOENT));
    }

    #[test]
    fn foreign_pids_open_no_pidfd_and_have_no_last_one() {
        for has_own_pids in [true, false] {
            let proc = ProcFs {
                has_own_pids,
                ..ProcFs::default()
            };
            let pidfd = proc.pidfd(std::process::id());
            let reported = [pidfd.is_some(), proc.last_pid().is_some()];
            assert_eq!(reported, [has_own_pids; 2]);
        }
    }

    #[test]
    fn threads_are_no_processes() {
        let thread = std::thread::spawn(|| {
            // PID/task/TID, as proc(5) has it.
            let link = std::fs::read_link("/proc/thread-self").expect("a link");
            number(link.file_name().expect("a number").as_encoded_bytes())
        });
        let thread = thread.join().expect("a thread").expect("a number");
        let proc = ProcFs::default();
        let is_process = [std::process::id(), thread].map(|number| proc.is_process(number));
        assert_eq!(is_process, [Some(true), Some(false)]);
    }
}
