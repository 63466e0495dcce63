use super::*;
use crate::model::endpoint::{Endpoint, Protocol};
use crate::model::freeing::{Circumstances, Question, ask_port};
use crate::model::inspection::Kin;
use crate::model::provenance::Provenance;
use crate::model::testing::{moment, process, socket};

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn java() -> Arc<Process> {
    process(812, "java").user(33, "ops").build()
}

fn proposal(port: u16, table: &[Endpoint]) -> Proposal {
    let circumstances = Circumstances {
        me: Some(1000),
        is_root: false,
        host: "build-07".to_owned(),
        lineage: Vec::new(),
        executable: None,
        row_is_meant: false,
        is_gone: false,
        now: moment(0.0),
        state_since: None,
    };
    let table: Vec<&Endpoint> = table.iter().collect();
    match ask_port(Protocol::Tcp, port, None, &table, &circumstances) {
        Some(Question::Free(proposal)) => proposal,
        other => panic!("a proposal: {other:?}"),
    }
}

fn held_by(owners: &[&Arc<Process>]) -> Proposal {
    proposal(3000, &[socket("127.0.0.1:3000").owners(owners).endpoint()])
}

/// Takes in who is above a process and in its group, and what this user may not do with them: read, and signal.
fn learn(
    proposal: &mut Proposal,
    of: &Arc<Process>,
    others: &[Arc<Process>],
    denied: &[(&Arc<Process>, bool, bool)],
) {
    let restriction = |(process, no_fds, no_signal): &(&Arc<Process>, bool, bool)| Restriction {
        process: process.id,
        no_fds: *no_fds,
        no_signal: *no_signal,
    };
    let group = std::iter::once(of).chain(others).cloned().collect();
    proposal.learn(&[Kin {
        process: of.id,
        ancestors: others.to_vec(),
        descendants: Vec::new(),
        condition: None,
        group,
        provenance: Provenance::default(),
        restrictions: denied.iter().map(restriction).collect(),
    }]);
}

fn closes(proposal: &Proposal, targets: Targets) -> String {
    closes_words(&[], &[proposal], targets)
}

fn of_root(count: u32) -> Vec<Arc<Process>> {
    (0..count)
        .map(|place| process(5000 + place, "sh").user(0, "root").build())
        .collect()
}

#[test]
fn nothing_else_closes_only_where_everything_is_seen() {
    let mut own = held_by(&[&node()]);
    let shell = process(4000, "npm").build();
    learn(&mut own, &node(), &[shell], &[]);
    assert_eq!(
        [Targets::Topmost, Targets::Group].map(|targets| closes(&own, targets)),
        ["nothing else (no other port, no child)", "no other port"]
    );
    let seen = ["1 connection".to_owned()];
    assert_eq!(closes_words(&seen, &[&own], Targets::Topmost), seen[0]);
}

#[test]
fn what_others_of_the_group_hold_is_said_to_be_unknown() {
    let others = of_root(15);
    let denied: Vec<_> = others.iter().map(|one| (one, true, true)).collect();
    let mut proposal = held_by(&[&node()]);
    learn(&mut proposal, &node(), &others, &denied);
    let unknown = "15 of these 16 belong to other users; what else they hold is unknown";
    assert_eq!(closes(&proposal, Targets::Group), unknown);
    let seen = ["1 connection".to_owned()];
    assert_eq!(
        closes_words(&seen, &[&proposal], Targets::Group),
        format!("1 connection; {unknown}")
    );
    let parent = Targets::Parent(others[0].id);
    assert_eq!(
        closes(&proposal, parent),
        "sh 5000 belongs to root; what else it holds is unknown"
    );
    assert_eq!(
        closes(&proposal, Targets::Topmost),
        "nothing else (no other port, no child)"
    );
}

#[test]
fn what_ones_own_hide_is_not_said_to_be_of_other_users() {
    let agent = process(4000, "ssh-agent").build();
    let keyring = process(4001, "keyring").build();
    let mut proposal = held_by(&[&node()]);
    let others = [agent.clone(), keyring.clone()];
    let denied = [(&agent, true, false), (&keyring, true, false)];
    learn(&mut proposal, &node(), &others, &denied);
    assert_eq!(
        closes(&proposal, Targets::Group),
        "what else 2 of these 3 hold is unknown"
    );
    assert_eq!(
        closes(&proposal, Targets::Parent(agent.id)),
        "what else ssh-agent 4000 holds is unknown"
    );
    assert_eq!(proposal.not_permitted_words(Targets::Group), None);
}

#[test]
fn whoever_may_not_be_signalled_is_counted_before_the_yes() {
    let others = of_root(15);
    let denied: Vec<_> = others.iter().map(|one| (one, true, true)).collect();
    let mut proposal = held_by(&[&node()]);
    learn(&mut proposal, &node(), &others, &denied);
    let start = "Nothing would be sent for :3000: you are not permitted to end";
    let cases = [
        (
            Targets::Group,
            "15 of these 16 processes, as sh 5000 of root.",
        ),
        (Targets::Parent(others[2].id), "sh 5002 of root."),
    ];
    for (targets, end) in cases {
        assert_eq!(proposal.warnings(targets), [format!("{start} {end}")]);
    }
    assert_eq!(proposal.warnings(Targets::Topmost), [""; 0]);
}

#[test]
fn holders_may_be_seen_and_not_be_signalled() {
    let root = process(5000, "sh").user(0, "root").build();
    let cases: [(&[&Arc<Process>], Targets, &str); 3] = [
        (&[&java()], Targets::Topmost, "java 812 of ops."),
        (&[&java(), &node()], Targets::All, "java 812 of ops."),
        (
            &[&java(), &root],
            Targets::All,
            "any of these 2 processes, as java 812 of ops.",
        ),
    ];
    for (owners, targets, end) in cases {
        let mut proposal = held_by(owners);
        let denied = [(&java(), false, true), (&root, false, true)];
        learn(&mut proposal, &java(), &[], &denied);
        let start = "Nothing would be sent for :3000: you are not permitted to end";
        assert_eq!(
            proposal.not_permitted_words(targets),
            Some(format!("{start} {end}"))
        );
    }
}

#[test]
fn of_several_ports_the_targets_are_counted_once() {
    let table = [
        socket("127.0.0.1:3000").owner(&java()).endpoint(),
        socket("127.0.0.1:3001")
            .owners(&[&java(), &node()])
            .endpoint(),
    ];
    let proposals = [3000, 3001].map(|port| {
        let mut proposal = proposal(port, &table);
        learn(&mut proposal, &java(), &[], &[(&java(), true, true)]);
        proposal
    });
    let both: Vec<&Proposal> = proposals.iter().collect();
    assert_eq!(
        unknown_words(&both, Targets::All).as_deref(),
        Some("java 812 belongs to ops; what else it holds is unknown")
    );
}
