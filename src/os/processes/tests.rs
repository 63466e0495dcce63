#![cfg(target_os = "linux")]

use super::*;
use crate::model::process::{ProcessId, StartTime};
use crate::os::testing::{sleeper, until, waiting};
use std::fs::File;
use std::io::Write;
use std::time::Duration;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System};

pub(super) fn child() -> crate::os::testing::SocketHolder {
    sleeper(File::open("/dev/null").expect("the null device"))
}

pub(super) fn describe(processes: &mut Processes, pid: Pid) -> Option<Arc<Process>> {
    processes.describe(&HashSet::from([pid])).remove(&pid)
}

#[test]
fn a_process_is_described_as_the_system_sees_it() {
    let child = child();
    let mut processes = Processes::default();
    // During an exec a process has its new name and no arguments yet.
    let is_ready = |found: &Arc<Process>| !found.command.is_empty() && found.name == "sleep".into();
    let seen = until("sleep", || {
        describe(&mut processes, child.pid()).filter(is_ready)
    });
    let own = std::env::current_dir().expect("a directory");
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(seen.command, ["sleep".into(), "60".into()]);
    assert_eq!(seen.directory, Some(own.as_os_str().into()));
    assert_eq!(seen.parent, Some(Pid(std::process::id())));
    assert_eq!(
        (seen.uid, seen.user.clone()),
        (Some(uid), processes.user(uid))
    );
    assert!(seen.started_at.is_some() && !seen.is_kernel_thread);
}

#[test]
fn an_unchanged_process_keeps_its_arc() {
    let own = Pid(std::process::id());
    let mut processes = Processes::default();
    let first = describe(&mut processes, own).expect("this process");
    let second = describe(&mut processes, own).expect("this process");
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn an_exec_changes_the_description_and_not_the_identity() {
    let (child, input) = waiting("read line; exec sleep 60");
    let mut processes = Processes::default();
    let named = |processes: &mut Processes, name: &str| {
        let is_whole = |found: &Arc<Process>| {
            found.name == name.into() && found.command.first() == Some(&name.into())
        };
        until(name, || describe(processes, child.pid()).filter(is_whole))
    };
    let before = named(&mut processes, "sh");
    drop(input);
    let after = named(&mut processes, "sleep");
    assert_eq!(before.id, after.id);
    assert_eq!(after.command, ["sleep".into(), "60".into()]);
}

#[test]
fn an_exec_of_the_same_program_is_told_from_a_new_name() {
    let script = "read line; printf renamed > /proc/$$/comm; read line; exec sh -c 'read line; :'";
    let (child, mut input) = waiting(script);
    let mut processes = Processes::default();
    let mut seen = |what: &str, is_it: &dyn Fn(&Process) -> bool| {
        until(what, || {
            describe(&mut processes, child.pid()).filter(|found| is_it(found))?;
            // The kernel sets the addresses of a program after its arguments, and it reads a line only once both are there.
            let is_reading = stat::read(child.pid())?.state == Some('S');
            is_reading.then(|| describe(&mut processes, child.pid()))?
        })
    };
    let first = seen("sh", &|it| it.name == "sh".into() && it.command.len() == 3);
    writeln!(input).expect("it reads");
    let renamed = seen("a name", &|it| it.comm == Some("renamed".into()));
    writeln!(input).expect("it reads");
    let again = seen("an exec", &|it| {
        it.command != first.command && !it.command.is_empty()
    });
    assert_eq!(again.name, first.name);
    let is_same = [&renamed, &again].map(|now| first.is_same_program(now));
    assert_eq!(is_same, [true, false]);
}

#[test]
fn a_reused_pid_never_gets_the_previous_description() {
    let own = Pid(std::process::id());
    let mut processes = Processes::default();
    let now = describe(&mut processes, own).expect("this process");
    let stale = ProcessId {
        start: StartTime(now.id.start.0 - 1),
        ..now.id
    };
    let earlier = Process {
        id: stale,
        name: "earlier".into(),
        ..(*now).clone()
    };
    processes.described = HashMap::from([(own, Arc::new(earlier))]);
    assert_eq!(describe(&mut processes, own), Some(now));
    assert_eq!(process_trees(&mut processes, &[stale], |_| None), []);
}

#[test]
fn an_exited_process_is_absent() {
    let ended = child().pid();
    assert_eq!(describe(&mut Processes::default(), ended), None);
}

#[test]
fn a_previous_process_of_a_pid_is_unknown_and_has_no_usage() {
    let mut processes = Processes::default();
    let now = describe(&mut processes, Pid(std::process::id())).expect("this process");
    let stale = ProcessId {
        start: StartTime(now.id.start.0 - 1),
        ..now.id
    };
    assert_eq!(processes.known(stale), None);
    assert_eq!(usage(&[stale]), []);
}

#[test]
fn process_usage_grows_with_work_and_matches_sysinfo() {
    let mut processes = Processes::default();
    let own = describe(&mut processes, Pid(std::process::id())).expect("this process");
    let first = usage(&[own.id]);
    let by_sysinfo = processor_by_sysinfo(own.pid());
    let mut sum = 0_u64;
    let later = until("work", || {
        sum = (0..2_000_000).fold(sum, |sum, number| std::hint::black_box(sum ^ number));
        let later = usage(&[own.id]);
        (later[0].processor > first[0].processor).then_some(later)
    });
    assert_eq!((later.len(), later[0].process), (1, own.id));
    assert!(later[0].at > first[0].at);
    let range = first[0].processor..=later[0].processor;
    assert!(range.contains(&by_sysinfo), "{by_sysinfo:?} {range:?}");
    assert!((1 << 20..1 << 36).contains(&later[0].memory));
}

fn processor_by_sysinfo(pid: Pid) -> Duration {
    let pid = sysinfo::Pid::from_u32(pid.0);
    let mut system = System::new().expect("sysinfo");
    let wanted = ProcessRefreshKind::nothing().without_tasks().with_cpu();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, wanted);
    let found = system.process(pid).expect("a process that lives");
    Duration::from_millis(found.accumulated_cpu_time())
}
