use super::*;
use crate::model::process::StartTime;
use crate::os::testing::{sleeper, until, waiting};
use std::fs::File;

fn child() -> crate::os::testing::Held {
    sleeper(File::open("/dev/null").expect("the null device"))
}

fn describe(processes: &mut Processes, pid: Pid) -> Option<Arc<Process>> {
    processes.describe(&HashSet::from([pid])).remove(&pid)
}

#[test]
fn a_process_is_described_as_the_system_sees_it() {
    let child = child();
    let mut processes = Processes::new();
    // In the midst of an exec a process has its new name and no arguments yet.
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
fn a_process_that_did_not_change_stays_the_same_value() {
    let own = Pid(std::process::id());
    let mut processes = Processes::new();
    let first = describe(&mut processes, own).expect("this process");
    let second = describe(&mut processes, own).expect("this process");
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn an_exec_changes_the_description_and_not_the_identity() {
    let (child, input) = waiting("read line; exec sleep 60");
    let mut processes = Processes::new();
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
fn a_pid_that_was_given_to_another_process_meanwhile_is_not_described() {
    let own = Pid(std::process::id());
    let now = identity::stat(own).expect("this process");
    let before = Stat {
        start: StartTime(now.start.0 - 1),
        ..now
    };
    let system = read(std::iter::once(&own)).expect("sysinfo");
    let found = system.process(sysinfo::Pid::from_u32(own.0));
    assert_eq!(Processes::new().description(own, &before, found), None);
}

#[test]
fn what_was_known_of_an_earlier_process_is_never_told_of_a_later_one() {
    let own = Pid(std::process::id());
    let mut processes = Processes::new();
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
    processes.known = HashMap::from([(stale, Arc::new(earlier))]);
    assert_eq!(describe(&mut processes, own), Some(now));
    assert_eq!(processes.kin(&[stale]), []);
}

#[test]
fn a_process_that_ended_is_absent() {
    let ended = child().pid();
    assert_eq!(describe(&mut Processes::new(), ended), None);
}

#[test]
fn only_a_name_that_the_kernel_cut_is_completed() {
    let cases = [
        (
            "chrome_crashpad",
            "/opt/chrome_crashpad_handler",
            "x",
            "chrome_crashpad_handler",
        ),
        (
            "gunicorn: maste",
            "/usr/bin/python3.11",
            "gunicorn: master [api]",
            "gunicorn: master [api]",
        ),
        (
            "123456789012345",
            "/usr/bin/python3",
            "python3",
            "123456789012345",
        ),
        ("node", "/usr/bin/nodejs", "nodejs", "node"),
    ];
    for (short, executable, argument, expected) in cases {
        let full = full_name(short.into(), Some(Path::new(executable)), &[argument]);
        assert_eq!(full, expected.into());
    }
}
