use super::*;
use crate::os::testing::{SocketHolder, sleeper, until, waiting};
use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

fn child() -> SocketHolder {
    sleeper(File::open("/dev/null").expect("the null device"))
}

/// Reads a child once its exec is done.
fn settled(child: &SocketHolder) -> Reading {
    let is_whole =
        |found: &Reading| found.process.name == "sleep".into() && !found.process.command.is_empty();
    until("sleep", || {
        read_process(child.pid(), &mut Vec::new()).filter(is_whole)
    })
}

/// Returns the same process by sysinfo, with its start in seconds.
fn by_sysinfo(like: &Process) -> Process {
    let pid = sysinfo::Pid::from_u32(like.id.pid.0);
    let mut system = System::new().expect("sysinfo");
    let wanted = ProcessRefreshKind::nothing()
        .without_tasks()
        .with_cmd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_user(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
    let found = system.process(pid).expect("a process that lives");
    let (executable, command) = (found.exe(), found.cmd());
    Process {
        comm: Some(found.name().into()),
        command: command.iter().map(|part| part.as_os_str().into()).collect(),
        executable: executable.map(|path| path.as_os_str().into()),
        directory: found.cwd().map(|path| path.as_os_str().into()),
        started_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(found.start_time())),
        parent: found.parent().map(|pid| Pid(pid.as_u32())),
        uid: found.effective_user_id().map(|uid| **uid),
        ..like.clone()
    }
}

#[test]
fn a_reading_matches_sysinfo() {
    let child = child();
    settled(&child);
    // Process 1 of another user shows neither executable nor directory.
    let pids = [child.pid(), Pid(std::process::id()), Pid(1)];
    for Reading { mut process, .. } in read(pids.into_iter()) {
        let expected = by_sysinfo(&process);
        let [started, rounded] = [process.started_at, expected.started_at]
            .map(|at| at.expect("a start").duration_since(SystemTime::UNIX_EPOCH))
            .map(|since| since.expect("a start after 1970").as_secs());
        assert!(started.abs_diff(rounded) < 3, "{started} {rounded}");
        process.started_at = expected.started_at;
        assert_eq!(process, expected);
    }
}

#[test]
fn a_proc_directory_never_reads_a_later_process() {
    let child = child();
    let (pid, directory) = (child.pid(), open_directory(child.pid()).expect("a process"));
    assert!(read_in(&directory, pid, &mut Vec::new()).is_some());
    drop(child);
    assert_eq!(read_in(&directory, pid, &mut Vec::new()), None);
}

#[test]
fn the_fingerprint_changes_on_exec_and_nothing_else() {
    let (child, input) = waiting("read line; exec sh -c 'kill -STOP $$' and more");
    let is_sh = |found: &Reading| found.process.command.len() == 3;
    let has_stayed = |found: &Reading| !exec_changed(child.pid(), found.fingerprint);
    let before = until("a sh that is done with its own exec", || {
        let found = read_process(child.pid(), &mut Vec::new()).filter(is_sh);
        found.filter(has_stayed)
    });
    drop(input);
    let is_other = |found: &Reading| found.process.command.len() == 5;
    let after = until("another sh", || {
        read_process(child.pid(), &mut Vec::new()).filter(is_other)
    });
    assert_eq!(before.process.name, after.process.name);
    assert!(exec_changed(child.pid(), before.fingerprint));
}

#[test]
fn a_zombie_is_read_as_ending() {
    let (child, input) = waiting("read line");
    let is_ending = |found: &Reading| found.is_ending;
    let found = || read_process(child.pid(), &mut Vec::new());
    assert!(found().is_some_and(|found| !found.is_ending));
    drop(input);
    let ended = until("an end", || found().filter(is_ending));
    assert_eq!(ended.process.executable, None);
}

#[test]
fn cpu_time_covers_both_modes_and_memory_counts_pages() {
    let line = b"42 (sh) S 7 42 42 0 42 0 1 2 3 4 130 250 9 9 20 0 1 0 5 4096 3 6";
    let line = StatLine::parse(line).expect("a line");
    let page = u64::try_from(rustix::param::page_size()).expect("a size");
    let ticks = rustix::param::clock_ticks_per_second();
    let expected = Duration::from_millis(380_000 / ticks);
    assert_eq!(cpu_and_memory(&line), Some((expected, 3 * page)));
}

#[test]
fn every_started_process_has_a_parent_and_a_group() {
    let child = child();
    let stats = all_stats();
    let [of_child, of_first] =
        [child.pid(), Pid(1)].map(|pid| stats.get(&pid).expect("a process that lives"));
    let own_group = rustix::process::getpgrp().as_raw_nonzero().get();
    let expected = [std::process::id(), own_group.cast_unsigned()].map(|pid| Some(Pid(pid)));
    assert_eq!([of_child.parent, of_child.group], expected);
    assert_eq!(of_first.parent, None);
}

#[test]
fn a_renamed_main_thread_leaves_the_program_its_name() {
    for (comm, written) in [("MainThread", "MainThread"), ("", r"\000")] {
        let (child, _input) = waiting(&format!("printf '{written}' >/proc/$$/comm; read line"));
        let is_renamed = |found: &Process| found.comm == Some(comm.into());
        let process = until("a new name", || {
            let found = read_process(child.pid(), &mut Vec::new())?.process;
            is_renamed(&found).then_some(found)
        });
        let executable = fs::read_link(format!("/proc/{}/exe", child.pid()));
        assert_eq!(process.name, file_name(&executable.expect("a program")));
    }
}

fn file_name(path: &Path) -> SystemText {
    path.file_name().expect("a name").into()
}

/// A program in a directory of its own, copied by another process: a file that this one has open for writing while a
/// thread forks cannot be executed (ETXTBSY of execve(2)).
fn program_called(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("portmon-{}-{name}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let path = directory.join(name);
    let copied = Command::new("cp").arg("/bin/sleep").arg(&path).status();
    assert!(copied.expect("cp runs").success());
    path
}

/// The name and the file of a program with this name once it runs, and once its file was removed.
fn before_and_after_removal(name: &str) -> [(SystemText, Option<SystemText>); 2] {
    let path = program_called(name);
    let child = Command::new(&path).arg("60").spawn();
    let mut child = SocketHolder::of(child.expect("it runs"));
    let is_whole = |found: &Process| found.command.len() == 2;
    let read = || {
        let found = read_process(child.pid(), &mut Vec::new())?.process;
        is_whole(&found).then_some((found.name, found.executable.as_ref().map(base)))
    };
    let before = until("the program", read);
    fs::remove_dir_all(path.parent().expect("a directory")).expect("removed");
    let after = until("the program", read);
    child.end();
    [before, after]
}

fn base(path: &SystemText) -> SystemText {
    file_name(Path::new(&*path.raw()))
}

#[test]
fn a_removed_program_keeps_its_name() {
    let names = ["app", "app (deleted)", "a-program-with-a-long-name"];
    for name in names {
        let text = SystemText::from(name);
        let expected = (text.clone(), Some(text));
        assert_eq!(
            before_and_after_removal(name),
            [expected.clone(), expected],
            "{name}"
        );
    }
}
