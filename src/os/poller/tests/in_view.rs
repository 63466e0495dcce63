//! What is on the screen is true within two polls.

use super::*;
use crate::model::text::SystemText;
use crate::os::processes::stat;
use crate::os::testing::helper_process::HelperProcess;
use crate::os::testing::{Pids, inode, owners_in_proc};
use rustix::process::{Pid as RawPid, Signal, kill_process};
use std::fs;
use std::process::Command;

/// A poller with this listener, owned by these processes, on its screen.
fn poller_showing(local: SocketAddr, owners: &[Pid]) -> (SocketPoller, EndpointId) {
    let mut poller = poller();
    let id = poller.wait_for_owners(local, owners).id;
    poller.set_in_view(&[id]);
    poller.poll();
    (poller, id)
}

/// The socket after two polls.
fn polled_twice(poller: &mut SocketPoller, id: EndpointId) -> Socket {
    poller.poll();
    poller.poll();
    let endpoints = poller.endpoints().into_iter();
    let mut sockets = endpoints.map(|endpoint| endpoint.socket);
    sockets.find(|socket| socket.id == id).expect("a row")
}

#[test]
fn a_passed_socket_has_both_owners() {
    let mut helper = HelperProcess::new();
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let (mut poller, id) = poller_showing(local, &[own()]);
    helper.take(&listener);
    let found = owners(&polled_twice(&mut poller, id));
    assert!(found.contains(&own()), "{found:?}");
    assert!(found.contains(&Pid(helper.pid())), "{found:?}");
}

#[test]
fn a_socket_that_was_passed_and_closed_has_the_new_owner_only() {
    let mut helper = HelperProcess::new();
    // With few other sockets the round robin would find it as soon.
    let _others: Vec<_> = (0..100).filter_map(|_| listen("127.0.0.1")).collect();
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let (mut poller, id) = poller_showing(local, &[own()]);
    helper.take(&listener);
    drop(listener);
    let found = owners(&polled_twice(&mut poller, id));
    assert!(!found.contains(&own()), "{found:?}");
    assert!(found.contains(&Pid(helper.pid())), "{found:?}");
}

#[test]
fn a_receiver_that_closes_the_socket_is_no_owner() {
    let mut helper = HelperProcess::new();
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    helper.take(&listener);
    let (mut poller, id) = poller_showing(local, &[own(), Pid(helper.pid())]);
    helper.close(&[inode(&listener)]);
    let found = owners(&polled_twice(&mut poller, id));
    assert!(!found.contains(&Pid(helper.pid())), "{found:?}");
}

/// A shell that holds the listener and runs `script` when it is resumed.
fn suspended(listener: TcpListener, script: &str) -> SocketHolder {
    let child = shell(listener, &format!("kill -STOP $$; {script}"), 0);
    until("a suspended child", || {
        let stat = stat::read(child.pid())?;
        (stat.state == Some('T')).then_some(())
    });
    child
}

fn resume(child: &SocketHolder) {
    let pid = RawPid::from_raw(child.pid().0.cast_signed()).expect("a pid");
    kill_process(pid, Signal::CONT).expect("its own child");
}

#[test]
fn a_fork_that_shares_the_socket_is_an_owner() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let inode = inode(&listener);
    let parent = suspended(listener, "sleep 60 <&3 & wait");
    let (mut poller, id) = poller_showing(local, &[parent.pid()]);
    resume(&parent);
    let expected = until("a fork", || {
        let owners = owners_in_proc(&[inode]).remove(0);
        (owners.len() == 2).then_some(owners)
    });
    let found = owners(&polled_twice(&mut poller, id));
    let found: Pids = found.into_iter().map(|pid| pid.0).collect();
    assert_eq!(found, expected);
    // It would outlive its parent.
    let child = expected.into_iter().find(|pid| *pid != parent.pid().0);
    let child = child.and_then(|pid| RawPid::from_raw(pid.cast_signed()));
    kill_process(child.expect("a pid"), Signal::KILL).expect("its own");
}

#[test]
fn a_new_program_title_and_directory_are_described() {
    if Command::new("perl").arg("-v").output().is_err() {
        skipped("no perl");
        return;
    }
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let program = "exec perl -e '$0 = \"shop: worker 7\"; chdir \"/\"; sleep 60'";
    let child = suspended(listener, program);
    let (mut poller, id) = poller_showing(local, &[child.pid()]);
    resume(&child);
    let proc = format!("/proc/{}", child.pid());
    until("a new directory", || {
        (fs::read_link(format!("{proc}/cwd")).ok()?.as_os_str() == "/").then_some(())
    });
    let socket = polled_twice(&mut poller, id);
    let process = socket.owners.first().expect("an owner");
    let seen = (process.command_line(), process.directory.clone());
    assert_eq!(seen, ("shop: worker 7".to_owned(), Some("/".into())));
}

/// Pids and start times are all that stays.
#[test]
fn every_owner_is_described_anew_by_a_full_poll() {
    let (listener, local) = listen("127.0.0.1").expect("IPv4");
    let child = suspended(listener, "exec sleep 60");
    let mut poller = poller();
    let before = poller.wait_for_owners(local, &[child.pid()]);
    resume(&child);
    until("an exec", || {
        let comm = fs::read_to_string(format!("/proc/{}/comm", child.pid())).ok()?;
        (comm == "sleep\n").then_some(())
    });
    poller.poll_uncached();
    let after = poller
        .endpoints()
        .into_iter()
        .map(|endpoint| endpoint.socket);
    let after = after.filter(|socket| socket.id == before.id);
    let names: Vec<SystemText> = after
        .filter_map(|socket| Some(socket.owners.first()?.name.clone()))
        .collect();
    assert_eq!(names, ["sleep".into()]);
}
