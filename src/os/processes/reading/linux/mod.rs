//! Reads `/proc/PID` with eleven system calls a process.
//!
//! All files are opened through one descriptor of the directory, which the kernel binds to the process and not to its pid:
//! once the process is gone they fail, even if the pid was reused.

mod exec_arguments;
mod program_name;

use super::Reading;
use super::title::Names;
use crate::model::process::{ExecId, Pid, Process, ProcessId};
use crate::model::socket::ProcessUsage;
use crate::model::text::SystemText;
use crate::os::now;
use crate::os::processes::stat::system::StatLine;
use crate::os::processes::stat::{self, ProcessStat};
use exec_arguments::ExecArguments;
use program_name::program_name;
use rustix::buffer::spare_capacity;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, fstat, openat, readlinkat, statat};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

/// `PF_EXITING` and `PF_FORKNOEXEC` of the kernel's `sched.h`.
const EXITING: u64 = 0x4;
const FORKED_NO_EXEC: u64 = 0x40;

/// The parent, group, session, terminal and start time.
const STABLE_FIELDS: [usize; 5] = [4, 5, 6, 7, 22];

/// The addresses of code, stack and arguments, which each exec randomizes; 0 without permission to read them.
const ADDRESS_FIELDS: [usize; 3] = [26, 28, 48];

/// The limit of execve(2) at the usual stack size. A process may present all of its memory as its arguments
/// (`PR_SET_MM_MAP`), so no more than this is read.
const MAX_COMMAND_BYTES: usize = 2 << 20;

/// The start of the code and of the stack. Unlike the address of the arguments, no new title moves them
/// (`PR_SET_MM_ARG_START`).
const PROGRAM_ADDRESSES: [usize; 2] = [26, 28];

static BOOT: LazyLock<Option<SystemTime>> = LazyLock::new(boot_time);

/// A hash of what an exec changes in `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecFingerprint(u64);

impl ExecFingerprint {
    fn of(line: &StatLine) -> Self {
        let mut hasher = DefaultHasher::new();
        let stable = STABLE_FIELDS.map(|number| line.field(number));
        let addresses = ADDRESS_FIELDS.map(|number| line.field(number));
        (line.name, line.has_flag(FORKED_NO_EXEC), stable, addresses).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Tells one exec from the next by the addresses that each randomizes; `None` without permission to read them, where the
/// stack is at 0. The exec of a program without randomized addresses (`ADDR_NO_RANDOMIZE` of personality(2)) may be missed.
fn exec_id(line: &StatLine) -> Option<ExecId> {
    let mut hasher = DefaultHasher::new();
    PROGRAM_ADDRESSES
        .map(|number| line.field(number))
        .hash(&mut hasher);
    let stack: u64 = line.number(28)?;
    (stack != 0).then(|| ExecId(hasher.finish()))
}

/// Reads these processes; those that ended or are hidden are absent.
pub fn read(pids: impl Iterator<Item = Pid>) -> Vec<Reading> {
    let mut buffer = Vec::new();
    pids.filter_map(|pid| read_process(pid, &mut buffer))
        .collect()
}

/// True if the fingerprint of a process changed, by one read. Misses the exec of another user's process that keeps name,
/// parent and terminal.
pub fn exec_changed(pid: Pid, fingerprint: ExecFingerprint) -> bool {
    let mut buffer = StatLine::EMPTY_BUFFER;
    StatLine::of(pid, &mut buffer).is_some_and(|line| ExecFingerprint::of(&line) != fingerprint)
}

/// Returns what these processes have used so far; those that ended are absent.
pub fn usage(of: &[ProcessId]) -> Vec<ProcessUsage> {
    let usage = |id: &ProcessId| {
        let mut buffer = StatLine::EMPTY_BUFFER;
        let line = StatLine::of(id.pid, &mut buffer)?;
        let (processor, memory) = cpu_and_memory(&line)?;
        (line.start()? == id.start).then(|| ProcessUsage {
            process: *id,
            at: now().instant,
            processor,
            memory,
        })
    };
    of.iter().filter_map(usage).collect()
}

/// Returns the stat of every process.
pub fn all_stats() -> BTreeMap<Pid, ProcessStat> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((Pid(pid), stat::read(Pid(pid))?)))
        .collect()
}

/// Returns CPU time (fields 14 and 15, ticks in user and kernel mode) and resident memory (field 24, pages).
fn cpu_and_memory(line: &StatLine) -> Option<(Duration, u64)> {
    let ticks = line.number::<u64>(14)?.saturating_add(line.number(15)?);
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    let memory = line.number::<u64>(24)?.saturating_mul(page);
    Some((ticks_to_duration(ticks), memory))
}

fn read_process(pid: Pid, buffer: &mut Vec<u8>) -> Option<Reading> {
    read_in(&open_directory(pid)?, pid, buffer)
}

fn open_directory(pid: Pid) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, format!("/proc/{pid}"), flags, Mode::empty()).ok()
}

/// Reads the fingerprint before everything except the user, so that an exec during the read leaves the old fingerprint
/// and is noticed next time.
///
/// The effective user owns the directory. Unlike its files it keeps that owner where the process may not be dumped
/// (`task_dump_owner` of the kernel's `fs/proc/base.c`), and fstat costs a tenth of reading `status`.
fn read_in(directory: &OwnedFd, pid: Pid, buffer: &mut Vec<u8>) -> Option<Reading> {
    let uid = fstat(directory).ok()?.st_uid;
    let mut stat_buffer = StatLine::EMPTY_BUFFER;
    let line = StatLine::read(directory, "stat", &mut stat_buffer)?;
    let stat = line.stat()?;
    let living = living_thread(directory, pid, &line);
    let described = living.as_ref().unwrap_or(directory);
    read_command(described, buffer);
    let executable = executable(described);
    let names = Names {
        executable: executable.as_deref(),
        comm: Some(line.name),
    };
    let command = ExecArguments::parse(buffer, names);
    let process = Process {
        id: ProcessId {
            pid,
            start: stat.start,
        },
        exec: exec_id(&line),
        name: SystemText::new(program_name(line.name, names.executable, &command)),
        comm: Some(SystemText::new(line.name)),
        command: command.arguments.into_iter().map(SystemText::new).collect(),
        is_titled: command.is_titled,
        executable: names.executable.and_then(text),
        directory: link(described, "cwd").and_then(|path| text(&path)),
        started_at: (*BOOT).map(|boot| boot + ticks_to_duration(stat.start.0)),
        parent: stat.parent,
        group: stat.group,
        session: stat.session,
        uid: Some(uid),
        user: None,
        terminal: stat.terminal,
        is_kernel_thread: stat.is_kernel_thread,
    };
    Some(Reading {
        process,
        fingerprint: ExecFingerprint::of(&line),
        is_ending: line.has_flag(EXITING) && living.is_none(),
    })
}

/// Opens the directory of a thread that runs on after the first one has exited, with which the arguments, the executable
/// and the directory of the process went from where they are usually read.
fn living_thread(directory: &OwnedFd, pid: Pid, line: &StatLine) -> Option<OwnedFd> {
    if !line.has_lost_first_thread() {
        return None;
    }
    let mut buffer = [const { MaybeUninit::uninit() }; 4096];
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let tasks = openat(directory, "task", flags, Mode::empty()).ok()?;
    let mut threads = RawDir::new(&tasks, &mut buffer);
    while let Some(Ok(thread)) = threads.next() {
        let id: Option<u32> = thread.file_name().to_str().ok()?.parse().ok();
        if id.is_some_and(|id| id != pid.0) {
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            return openat(&tasks, thread.file_name(), flags, Mode::empty()).ok();
        }
    }
    None
}

/// Reads `cmdline` into the buffer, which stays empty if it cannot be read.
fn read_command(directory: &OwnedFd, buffer: &mut Vec<u8>) {
    buffer.clear();
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let Ok(file) = openat(directory, "cmdline", flags, Mode::empty()) else {
        return;
    };
    while buffer.len() < MAX_COMMAND_BYTES {
        buffer.reserve(4096);
        let is_whole = |buffer: &Vec<u8>| buffer.len() < buffer.capacity();
        if rustix::io::read(&file, spare_capacity(buffer)).is_err() || is_whole(buffer) {
            return;
        }
    }
}

/// Returns the path of the executable, without what the kernel appends once the file was removed or replaced (`d_path` of
/// `fs/d_path.c`): unless a file of that name is the executable.
fn executable(directory: &OwnedFd) -> Option<Vec<u8>> {
    let path = link(directory, "exe")?;
    let Some(before) = path.strip_suffix(b" (deleted)") else {
        return Some(path);
    };
    let in_root = [b"root", path.as_slice()].concat();
    let file = |path: &[u8]| {
        let found = statat(directory, path, AtFlags::empty()).ok()?;
        Some((found.st_dev, found.st_ino))
    };
    let is_its_name = file(b"exe").is_some_and(|exe| file(&in_root) == Some(exe));
    Some(if is_its_name { path } else { before.to_vec() })
}

fn link(directory: impl AsFd, name: &str) -> Option<Vec<u8>> {
    let path = readlinkat(directory, name, Vec::new());
    path.ok().map(CString::into_bytes)
}

fn text(path: &[u8]) -> Option<SystemText> {
    (!path.is_empty()).then(|| SystemText::new(path))
}

fn ticks_to_duration(ticks: u64) -> Duration {
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_millis(ticks.saturating_mul(1_000) / per_second)
}

/// Returns `btime` of `/proc/stat`, in whole seconds. The clock minus `/proc/uptime` would be finer but differ at each
/// start of portmon, so that a process would seem to have started at another second now and then.
fn boot_time() -> Option<SystemTime> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(line.trim().parse().ok()?))
}

#[cfg(test)]
mod tests;
