use super::*;
use crate::free::{FreeContext, plan_port};
use crate::model::endpoint::{Endpoint, Protocol};
use crate::model::inspection::ProcessTree;
use crate::model::supervisor::Supervisor;
use crate::model::testing::{moment, process, socket};

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn java() -> Arc<Process> {
    process(812, "java").user(33, "ops").build()
}

fn plan(port: u16, table: &[Endpoint]) -> KillPlan {
    let context = FreeContext {
        me: Some(1000),
        is_root: false,
        host: "build-07".to_owned(),
        self_pids: Vec::new(),
        executable: None,
        filter_names_port: false,
        is_gone: false,
        now: moment(0.0),
        state_since: None,
    };
    let table: Vec<&Endpoint> = table.iter().collect();
    match plan_port(Protocol::Tcp, port, None, &table, &context) {
        Some(Ok(plan)) => plan,
        other => panic!("a proposal: {other:?}"),
    }
}

fn held_by(owners: &[&Arc<Process>]) -> KillPlan {
    plan(3000, &[socket("127.0.0.1:3000").owners(owners).endpoint()])
}

/// Takes in who is above a process and in its group, and what this user may not do with them: read, and signal.
fn learn(
    plan: &mut KillPlan,
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
    plan.add_trees(&[ProcessTree {
        process: of.id,
        ancestors: others.to_vec(),
        descendants: Vec::new(),
        process_state: None,
        group,
        supervisor: Supervisor::default(),
        restrictions: denied.iter().map(restriction).collect(),
    }]);
}

fn closes(plan: &KillPlan, targets: TargetSet) -> String {
    closes_words(&[], &[plan], targets)
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
        [TargetSet::Topmost, TargetSet::Group].map(|targets| closes(&own, targets)),
        ["nothing else (no other port, no child)", "no other port"]
    );
    let seen = ["1 connection".to_owned()];
    assert_eq!(closes_words(&seen, &[&own], TargetSet::Topmost), seen[0]);
}

#[test]
fn what_others_of_the_group_hold_is_said_to_be_unknown() {
    let others = of_root(15);
    let denied: Vec<_> = others.iter().map(|one| (one, true, true)).collect();
    let mut plan = held_by(&[&node()]);
    learn(&mut plan, &node(), &others, &denied);
    let unknown = "15 of these 16 belong to other users; what else they hold is unknown";
    assert_eq!(closes(&plan, TargetSet::Group), unknown);
    let seen = ["1 connection".to_owned()];
    assert_eq!(
        closes_words(&seen, &[&plan], TargetSet::Group),
        format!("1 connection; {unknown}")
    );
    let parent = TargetSet::Parent(others[0].id);
    assert_eq!(
        closes(&plan, parent),
        "sh 5000 belongs to root; what else it holds is unknown"
    );
    assert_eq!(
        closes(&plan, TargetSet::Topmost),
        "nothing else (no other port, no child)"
    );
}

#[test]
fn what_ones_own_hide_is_not_said_to_be_of_other_users() {
    let agent = process(4000, "ssh-agent").build();
    let keyring = process(4001, "keyring").build();
    let mut plan = held_by(&[&node()]);
    let others = [agent.clone(), keyring.clone()];
    let denied = [(&agent, true, false), (&keyring, true, false)];
    learn(&mut plan, &node(), &others, &denied);
    assert_eq!(
        closes(&plan, TargetSet::Group),
        "what else 2 of these 3 hold is unknown"
    );
    assert_eq!(
        closes(&plan, TargetSet::Parent(agent.id)),
        "what else ssh-agent 4000 holds is unknown"
    );
    assert_eq!(plan.not_permitted_words(TargetSet::Group), None);
}

#[test]
fn whoever_may_not_be_signalled_is_counted_before_the_yes() {
    let others = of_root(15);
    let denied: Vec<_> = others.iter().map(|one| (one, true, true)).collect();
    let mut plan = held_by(&[&node()]);
    learn(&mut plan, &node(), &others, &denied);
    let start = "Nothing would be sent for :3000: you are not permitted to end";
    let cases = [
        (
            TargetSet::Group,
            "15 of these 16 processes, as sh 5000 of root.",
        ),
        (TargetSet::Parent(others[2].id), "sh 5002 of root."),
    ];
    for (targets, end) in cases {
        assert_eq!(plan.warnings(targets), [format!("{start} {end}")]);
    }
    assert_eq!(plan.warnings(TargetSet::Topmost), [""; 0]);
}

#[test]
fn holders_may_be_seen_and_not_be_signalled() {
    let root = process(5000, "sh").user(0, "root").build();
    let cases: [(&[&Arc<Process>], TargetSet, &str); 3] = [
        (&[&java()], TargetSet::Topmost, "java 812 of ops."),
        (&[&java(), &node()], TargetSet::All, "java 812 of ops."),
        (
            &[&java(), &root],
            TargetSet::All,
            "any of these 2 processes, as java 812 of ops.",
        ),
    ];
    for (owners, targets, end) in cases {
        let mut plan = held_by(owners);
        let denied = [(&java(), false, true), (&root, false, true)];
        learn(&mut plan, &java(), &[], &denied);
        let start = "Nothing would be sent for :3000: you are not permitted to end";
        assert_eq!(
            plan.not_permitted_words(targets),
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
    let plans = [3000, 3001].map(|port| {
        let mut plan = plan(port, &table);
        learn(&mut plan, &java(), &[], &[(&java(), true, true)]);
        plan
    });
    let both: Vec<&KillPlan> = plans.iter().collect();
    assert_eq!(
        unknown_words(&both, TargetSet::All).as_deref(),
        Some("java 812 belongs to ops; what else it holds is unknown")
    );
}
