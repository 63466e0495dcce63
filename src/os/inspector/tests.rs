use super::*;
use crate::model::endpoint::EndpointId;
use crate::model::inspection::Asker;
use crate::model::process::Pid;
use crate::os::testing::shell;
use std::collections::HashSet;
use std::net::TcpListener;

#[test]
fn an_inspection_tells_ancestors_descendants_and_an_unused_port() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = listener.local_addr().expect("an address").port();
    let family = shell(listener, "sleep 60 & echo $!; wait", 1);
    let described = Processes::new().describe(&HashSet::from([family.pid()]));
    let subject = Subject {
        asker: Asker::Details,
        endpoint: EndpointId::Cookie(1),
        processes: vec![described[&family.pid()].id],
        port: None,
        unused_near: Some(taken - 1),
    };
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let inspector = Inspector::start(sender).expect("a thread");
    inspector.inspect(subject.clone());
    let answer = receiver.blocking_recv().expect("an answer");
    assert_eq!(answer.subject, subject);
    let kin = answer.kin_of(subject.processes[0]).expect("its kin");
    let pids = |list: &[std::sync::Arc<crate::model::process::Process>]| -> Vec<Pid> {
        list.iter().map(|process| process.pid()).collect()
    };
    assert_eq!(pids(&kin.ancestors).first(), Some(&Pid(std::process::id())));
    assert!(!pids(&kin.ancestors).contains(&Pid(1)));
    assert_eq!(pids(&kin.descendants), family.others());
    let in_group: Vec<Pid> = [family.pid()]
        .into_iter()
        .chain(family.others().to_vec())
        .collect();
    assert!(in_group.iter().all(|pid| pids(&kin.group).contains(pid)));
    assert!(kin.group.is_sorted_by_key(|process| process.pid()));
    assert_eq!(
        kin.group.first().map(|process| process.group),
        kin.group.last().map(|process| process.group)
    );
    assert!(answer.unused.is_some_and(|unused| unused > taken));
    drop(inspector);
    assert!(receiver.blocking_recv().is_none());
}
