#![cfg(target_os = "linux")]

use super::*;
use crate::model::process::{Pid, Requester};
use crate::model::socket::EndpointId;
use crate::os::testing::{SocketHolder, shell, sleeper, until};
use std::collections::HashSet;
use std::net::TcpListener;

#[test]
fn an_inspection_has_ancestors_descendants_and_an_unused_port() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = listener.local_addr().expect("an address").port();
    let family = shell(listener, "sleep 60 & echo $!; wait", 1);
    let described = Processes::default().describe(&HashSet::from([family.pid()]));
    let request = InspectRequest {
        unowned: Vec::new(),
        requester: Requester::Details,
        endpoint: EndpointId::Cookie(1),
        processes: vec![described[&family.pid()].id],
        port: None,
        ports: Vec::new(),
        unused_near: Some(taken - 1),
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let inspector = Inspector::start(sender).expect("a thread");
    inspector.inspect(request.clone());
    let inspection = receiver.blocking_recv().expect("an inspection");
    assert_eq!(inspection.request, request);
    let tree = inspection.tree_of(request.processes[0]).expect("its tree");
    let pids = |list: &[std::sync::Arc<crate::model::process::Process>]| -> Vec<Pid> {
        list.iter().map(|process| process.pid()).collect()
    };
    assert_eq!(
        pids(&tree.ancestors).first(),
        Some(&Pid(std::process::id()))
    );
    assert!(!pids(&tree.ancestors).contains(&Pid(1)));
    assert_eq!(pids(&tree.descendants), family.others());
    let in_group: Vec<Pid> = [family.pid()]
        .into_iter()
        .chain(family.others().to_vec())
        .collect();
    assert!(in_group.iter().all(|pid| pids(&tree.group).contains(pid)));
    assert!(tree.group.is_sorted_by_key(|process| process.pid()));
    assert_eq!(
        tree.group.first().map(|process| process.group),
        tree.group.last().map(|process| process.group)
    );
    assert!(inspection.unused.is_some_and(|unused| unused > taken));
    drop(inspector);
    assert!(receiver.blocking_recv().is_none());
}

#[test]
fn an_exit_status_belongs_to_the_identity_not_the_pid() {
    let holder = || sleeper(TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let (running, unreaped, mut ended) = (holder(), holder(), holder());
    let ids = [&running, &unreaped, &ended].map(SocketHolder::process_id);
    let [alive, zombie, gone] = ids;
    let earlier = ProcessId {
        start: crate::model::process::StartTime(alive.start.0 - 1),
        ..alive
    };
    ended.end();
    let raw = rustix::process::Pid::from_raw(zombie.pid.0.cast_signed()).expect("a pid");
    rustix::process::kill_process(raw, rustix::process::Signal::KILL).expect("its own child");
    until("a child that is not reaped", || {
        let state = stat::read(zombie.pid)?.state;
        (state == Some('Z')).then_some(())
    });
    let reported = {
        let of = [alive, zombie, gone, earlier];
        exit_statuses(&of, &Processes::default().describe_known(&of))
    };
    let expected = [
        (alive, ExitStatus::StillRunning),
        (zombie, ExitStatus::Ended),
        (gone, ExitStatus::Ended),
        (earlier, ExitStatus::Ended),
    ];
    assert_eq!(reported, expected);
}
