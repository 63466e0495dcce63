//! Reads `/proc/PID` with as few system calls as tell everything: eleven for a process.
//!
//! All files are opened through one descriptor of the directory, which the kernel binds to the process and not to its pid:
//! once that process is gone they fail, whoever has the pid by then.

use super::{ProcessLinks, Reading, clock};
use crate::model::process::{Pid, Process, ProcessId};
use crate::model::stats::ProcessUsage;
use crate::model::text::SystemText;
use crate::os::now;
use crate::os::processes::start_time::{self, ProcessStat, StatLine};
use rustix::buffer::spare_capacity;
use rustix::fs::{CWD, Mode, OFlags, fstat, openat, readlinkat};
use std::collections::HashMap;
use std::ffi::{CString, OsStr};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// `PF_EXITING` and `PF_FORKNOEXEC` of the kernel's `sched.h`.
const EXITING: u64 = 0x4;
const FORKED_NO_EXEC: u64 = 0x40;

/// Its parent, its group, its session, its terminal and when it started.
const STABLE_FIELDS: [usize; 5] = [4, 5, 6, 7, 22];

/// Where code, stack and arguments lie, which the kernel chooses anew in each exec; 0 for who may not be looked into.
const ADDRESS_FIELDS: [usize; 3] = [26, 28, 48];

/// What execve(2) takes at the usual limit of the stack. A process may show all of its memory as its arguments
/// (`PR_SET_MM_MAP`), and no more than this is read of them.
const MAX_COMMAND_BYTES: usize = 2 << 20;

/// Linux cuts names at this many bytes (`TASK_COMM_LEN` with its closing 0).
const MAX_COMM_LEN: usize = 15;

/// A trace of what one `/proc/PID/stat` tells of a process and an exec changes.
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

/// Reads these processes; those that ended or may not be seen are absent.
pub fn read(pids: impl Iterator<Item = Pid>) -> HashMap<Pid, Reading> {
    let mut buffer = Vec::new();
    pids.filter_map(|pid| Some((pid, read_process(pid, &mut buffer)?)))
        .collect()
}

/// Whether a process shows another mark than it did, for one read. An exec hides only where the process is another user's
/// and keeps its name, its parent and its terminal.
pub fn exec_changed(pid: Pid, fingerprint: ExecFingerprint) -> bool {
    let mut buffer = StatLine::MAX_LEN;
    StatLine::of(pid, &mut buffer).is_some_and(|line| ExecFingerprint::of(&line) != fingerprint)
}

/// What these processes have used so far; those that ended are absent.
pub fn usage(of: &[ProcessId]) -> Vec<ProcessUsage> {
    let usage = of.iter().filter_map(|id| {
        let mut buffer = StatLine::MAX_LEN;
        let line = StatLine::of(id.pid, &mut buffer)?;
        let (processor, memory) = cpu_and_memory(&line)?;
        (line.start()? == id.start).then(|| ProcessUsage {
            process: *id,
            at: now().instant,
            processor,
            memory,
        })
    });
    usage.collect()
}

/// How all processes stand to one another.
pub fn all_links() -> HashMap<Pid, ProcessLinks> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return HashMap::new();
    };
    entries
        .filter_map(|entry| Some(Pid(entry.ok()?.file_name().to_str()?.parse().ok()?)))
        .filter_map(|pid| Some((pid, links(&start_time::stat(pid)?))))
        .collect()
}

fn links(stat: &ProcessStat) -> ProcessLinks {
    ProcessLinks {
        parent: stat.parent,
        group: stat.group,
    }
}

/// Processor time and resident memory: the 14th and 15th field are ticks in user and kernel mode, the 24th pages.
fn cpu_and_memory(line: &StatLine) -> Option<(Duration, u64)> {
    let ticks = line.number::<u64>(14)?.saturating_add(line.number(15)?);
    let page = u64::try_from(rustix::param::page_size()).ok()?;
    Some((
        clock::since_ticks(ticks),
        line.number::<u64>(24)?.saturating_mul(page),
    ))
}

fn read_process(pid: Pid, buffer: &mut Vec<u8>) -> Option<Reading> {
    read_in(&open_directory(pid)?, pid, buffer)
}

fn open_directory(pid: Pid) -> Option<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(CWD, format!("/proc/{pid}"), flags, Mode::empty()).ok()
}

/// The mark is read before all else but the user: an exec meanwhile then leaves the mark of before it, and is seen.
///
/// The directory belongs to the effective user. Unlike its files it does so even where the process may not be dumped
/// (`task_dump_owner` of the kernel's `fs/proc/base.c`), and asking costs a tenth of what reading `status` does.
fn read_in(directory: &OwnedFd, pid: Pid, buffer: &mut Vec<u8>) -> Option<Reading> {
    let uid = fstat(directory).ok()?.st_uid;
    let mut room = StatLine::MAX_LEN;
    let line = StatLine::read(directory, "stat", &mut room)?;
    let stat = line.stat()?;
    read_command(directory, buffer);
    let command: Vec<&[u8]> = split_command(buffer).collect();
    let executable = link(directory, "exe");
    let executable = executable
        .as_ref()
        .map(|path| without_deleted_suffix(path.as_bytes()));
    let process = Process {
        id: ProcessId {
            pid,
            start: stat.start,
        },
        name: full_name(line.name, executable, command.first().copied()),
        command: command.iter().map(|part| SystemText::new(part)).collect(),
        executable: executable.and_then(text),
        directory: link(directory, "cwd").and_then(|path| text(path.as_bytes())),
        started_at: clock::started_at(stat.start),
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
        is_ending: line.has_flag(EXITING),
    })
}

/// The content of `cmdline`; nothing where it cannot be read.
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

/// The arguments, each of which ends with a zero. Where a title was written over them, as its blanks or a row of zeros
/// behind it tell, empty ones are what was left of others.
fn split_command(command: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_padded = command.ends_with(&[0, 0, 0]);
    let command = command.strip_suffix(&[0]).unwrap_or(command);
    let is_title = command
        .split(|byte| *byte == 0)
        .next()
        .is_none_or(|first| is_padded || first.is_empty() || first.contains(&b' '));
    command
        .split(|byte| *byte == 0)
        .filter(move |part| !(is_title && part.is_empty()))
}

fn link(directory: impl AsFd, name: &str) -> Option<CString> {
    readlinkat(directory, name, Vec::new()).ok()
}

/// Without what the kernel adds once the file was removed or replaced.
fn without_deleted_suffix(executable: &[u8]) -> &[u8] {
    let path = executable.strip_suffix(b" (deleted)");
    path.unwrap_or(executable)
}

fn text(path: &[u8]) -> Option<SystemText> {
    (!path.is_empty()).then(|| SystemText::new(path))
}

/// A name that the kernel cut, completed from the executable or the first argument if that begins with it.
fn full_name(short: &[u8], executable: Option<&[u8]>, argument: Option<&[u8]>) -> SystemText {
    let longer = |path: &[u8]| {
        let name = Path::new(OsStr::from_bytes(path)).file_name()?;
        let is_longer = short.len() == MAX_COMM_LEN && name.as_bytes().starts_with(short);
        is_longer.then(|| name.into())
    };
    let paths = [executable, argument].into_iter().flatten();
    let mut names = paths.filter_map(longer);
    names.next().unwrap_or_else(|| SystemText::new(short))
}

#[cfg(test)]
mod tests;
