use super::*;
use crate::free::{FreeContext, KillPlan, TargetSet, Unseen, plan_port};
use crate::model::port::{AddressSpec, PortSpec};
use crate::model::process::{Pid, ProcessState, ProcessTree, Restriction, RunState, Signal};
use crate::model::socket::{Endpoint, Protocol};
use crate::model::testing::{SocketBuilder, environment, moment, process, process_tree, socket};
use std::sync::Arc;

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn java() -> Arc<Process> {
    process(812, "java").user(33, "ops").build()
}

fn plan(port: u16, table: &[Endpoint]) -> KillPlan {
    let context = FreeContext::new(environment(|_| {}), moment(0.0));
    let table: Vec<&Endpoint> = table.iter().collect();
    let spec = PortSpec {
        protocol: Protocol::Tcp,
        address: AddressSpec::Any,
        port,
    };
    match plan_port(spec, &table, &context) {
        Some(Ok(plan)) => plan,
        other => panic!("a proposal: {other:?}"),
    }
}

fn held_by(owners: &[&Arc<Process>]) -> KillPlan {
    plan(3000, &[socket("127.0.0.1:3000").owners(owners).endpoint()])
}

/// Adds the ancestors and group of a process, and what this user may not do with them: read, and signal.
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
    plan.add_trees(&[ProcessTree {
        ancestors: others.to_vec(),
        group: std::iter::once(of).chain(others).cloned().collect(),
        restrictions: denied.iter().map(restriction).collect(),
        ..process_tree(of.id)
    }]);
}

/// The texts of all lines with this label.
fn texts(plans: &[KillPlan], targets: TargetSet, label: &str) -> Vec<String> {
    let describer = Describer {
        most: 6,
        now: moment(0.0),
        describe: &|_| "node".to_owned(),
    };
    let preview = Preview::new(plans, targets, Signal::Terminate);
    let mut current = String::new();
    preview_lines(&preview, &describer)
        .into_iter()
        .filter_map(|line| {
            if !line.label.is_empty() {
                current = line.label;
            }
            (current == label).then_some(line.text)
        })
        .collect()
}

fn closes(plan: &KillPlan, targets: TargetSet) -> String {
    texts(std::slice::from_ref(plan), targets, "Also closes").concat()
}

fn warnings(plan: &KillPlan, targets: TargetSet) -> Vec<String> {
    texts(std::slice::from_ref(plan), targets, "Warning")
}

fn of_root(count: u32) -> Vec<Arc<Process>> {
    (0..count)
        .map(|place| process(5000 + place, "sh").user(0, "root").build())
        .collect()
}

#[test]
fn nothing_else_closes_only_if_everything_is_visible() {
    let mut own = held_by(&[&node()]);
    assert_eq!(closes(&own, TargetSet::Topmost), "…");
    let npm = process(4000, "npm").build();
    learn(&mut own, &node(), &[npm], &[]);
    assert_eq!(
        [TargetSet::Topmost, TargetSet::Group].map(|targets| closes(&own, targets)),
        ["nothing else", "no other port"]
    );
}

#[test]
fn ports_and_connections_of_the_targets_are_listed_once() {
    let worker = process(4243, "node").parent(4242).build();
    let client = socket("127.0.0.1:50000").to("127.0.0.1:5432");
    let mut table = vec![
        socket("127.0.0.1:3000")
            .owners(&[&node(), &worker])
            .endpoint(),
        socket("127.0.0.1:3001")
            .owners(&[&node(), &worker])
            .endpoint(),
        socket("127.0.0.1:3002").owner(&worker).endpoint(),
        client.owners(&[&node(), &worker]).endpoint(),
    ];
    let mut few = plan(3000, &table);
    learn(&mut few, &node(), &[], &[]);
    assert_eq!(
        closes(&few, TargetSet::Topmost),
        "tcp 127.0.0.1:3001, 1 connection"
    );
    let all = "tcp 127.0.0.1:3001, tcp 127.0.0.1:3002, 1 connection";
    assert_eq!(closes(&few, TargetSet::All), all);
    let more = (4000..4007).map(|port| socket(&format!("127.0.0.1:{port}")).owner(&node()));
    table.extend(more.map(SocketBuilder::endpoint));
    let mut many = plan(3000, &table);
    learn(&mut many, &node(), &[], &[]);
    let end = "tcp 127.0.0.1:4004, 2 more ports, 1 connection";
    assert!(closes(&many, TargetSet::Topmost).ends_with(end));
    assert_eq!(
        warnings(&many, TargetSet::Topmost),
        ["closes 8 other ports"]
    );
}

#[test]
fn workers_are_counted_and_other_children_named() {
    let worker = process(4243, "node").parent(4242).build();
    let esbuild = process(4300, "esbuild").parent(4242).build();
    let mut plan = held_by(&[&node(), &worker]);
    plan.add_trees(&[ProcessTree {
        descendants: vec![worker, esbuild],
        ..process_tree(node().id)
    }]);
    let plans = std::slice::from_ref(&plan);
    let stops = |targets| texts(plans, targets, "May also stop");
    assert_eq!(
        [TargetSet::Topmost, TargetSet::All].map(stops),
        [
            vec!["its 1 worker and its child esbuild 4300".to_owned()],
            vec!["its child esbuild 4300".to_owned()],
        ]
    );
    assert_eq!(
        texts(plans, TargetSet::Topmost, "Shared with"),
        ["node 4243   up\u{a0}1h"]
    );
}

#[test]
fn what_others_of_the_group_hold_is_unknown() {
    let others = of_root(15);
    let denied: Vec<_> = others.iter().map(|one| (one, true, true)).collect();
    let mut plan = held_by(&[&node()]);
    learn(&mut plan, &node(), &others, &denied);
    let unknown = "15 of these 16 belong to other users; what else they hold is unknown";
    assert_eq!(closes(&plan, TargetSet::Group), unknown);
    let parent = TargetSet::WithAncestors(others[0].id);
    assert_eq!(
        closes(&plan, parent),
        "sh 5000 belongs to root; what else it holds is unknown"
    );
    assert_eq!(closes(&plan, TargetSet::Topmost), "nothing else");
}

#[test]
fn own_unreadable_processes_are_not_called_foreign() {
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
        closes(&plan, TargetSet::WithAncestors(agent.id)),
        "what else ssh-agent 4000 holds is unknown"
    );
    assert_eq!(warnings(&plan, TargetSet::Group), [""; 0]);
}

#[test]
fn all_targets_that_cannot_be_read_are_told_in_plain_words() {
    let said = |number: u32, of, are_foreign| {
        let processes = of_root(number);
        crate::wording::unseen_text(&Unseen {
            processes,
            of,
            are_foreign,
        })
    };
    let they_hold = "what else they hold is unknown";
    assert_eq!([said(2, 2, false), said(3, 3, false)], [they_hold; 2]);
    let foreign = [said(2, 2, true), said(2, 3, true), said(3, 3, true)];
    assert_eq!(
        foreign,
        ["both", "2 of these 3", "all 3"]
            .map(|who| format!("{who} belong to other users; {they_hold}"))
    );
}

#[test]
fn targets_that_may_not_be_signaled_are_counted_first() {
    let others = of_root(15);
    let denied: Vec<_> = others.iter().map(|one| (one, true, true)).collect();
    let mut plan = held_by(&[&node()]);
    learn(&mut plan, &node(), &others, &denied);
    let start = "Nothing would be sent for :3000: you are not permitted to signal";
    let cases = [
        (
            TargetSet::Group,
            "15 of these 16 processes, including sh 5000 of root",
        ),
        (
            TargetSet::WithAncestors(others[2].id),
            "3 of these 4 processes, including sh 5000 of root",
        ),
    ];
    for (targets, end) in cases {
        let warnings = warnings(&plan, targets);
        assert_eq!(warnings.last(), Some(&format!("{start} {end}")));
    }
    assert_eq!(warnings(&plan, TargetSet::Topmost), [""; 0]);
}

#[test]
fn visible_owners_may_still_be_out_of_reach() {
    let root = process(5000, "sh").user(0, "root").build();
    let cases: [(&[&Arc<Process>], TargetSet, &str); 3] = [
        (&[&java()], TargetSet::Topmost, "java 812 of ops"),
        (&[&java(), &node()], TargetSet::All, "java 812 of ops"),
        (
            &[&java(), &root],
            TargetSet::All,
            "any of these 2 processes, including java 812 of ops",
        ),
    ];
    for (owners, targets, end) in cases {
        let mut plan = held_by(owners);
        let denied = [(&java(), false, true), (&root, false, true)];
        learn(&mut plan, &java(), &[], &denied);
        let expected =
            format!("Nothing would be sent for :3000: you are not permitted to signal {end}");
        assert_eq!(warnings(&plan, targets).last(), Some(&expected));
    }
}

#[test]
fn targets_of_several_ports_are_counted_once() {
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
    assert_eq!(
        texts(&plans, TargetSet::All, "Also closes"),
        ["java 812 belongs to ops; what else it holds is unknown"]
    );
    let stops = |port: u16| texts(&plans, TargetSet::Topmost, &format!("Stops :{port}"));
    assert_eq!(stops(3000), ["java 812   node   ops   up\u{a0}1h"]);
}

#[test]
fn a_suspended_owner_is_mentioned_before_it_is_signaled() {
    let mut plan = held_by(&[&node()]);
    plan.add_trees(&[ProcessTree {
        run_states: vec![RunState {
            state: Some(ProcessState::Suspended),
            ..RunState::plain(node().id)
        }],
        ..process_tree(node().id)
    }]);
    assert_eq!(
        warnings(&plan, TargetSet::Topmost),
        ["node 4242 is suspended: SIGCONT is sent after SIGTERM"]
    );
}

#[test]
fn what_keeps_an_owner_from_ending_is_said_before_the_signal() {
    let unhindered = || RunState::plain(node().id);
    let init = RunState {
        is_namespace_init: true,
        drops: vec![Signal::Terminate],
        ..unhindered()
    };
    let traced = RunState {
        tracer: Some(Pid(99)),
        ..unhindered()
    };
    let frozen = RunState {
        state: Some(ProcessState::Frozen),
        ..unhindered()
    };
    let cases = [
        (
            init,
            "is the first process of its PID namespace and has no handler for SIGTERM, so the kernel drops it",
        ),
        (
            traced,
            "is traced by process 99, which may withhold SIGTERM",
        ),
        (
            frozen,
            "is frozen, and takes SIGTERM only once it is thawed",
        ),
    ];
    for (state, words) in cases {
        let mut plan = held_by(&[&node()]);
        plan.add_trees(&[ProcessTree {
            run_states: vec![state],
            ..process_tree(node().id)
        }]);
        let expected = format!("node 4242 {words}");
        assert_eq!(warnings(&plan, TargetSet::Topmost), [expected]);
    }
}

#[test]
fn owners_that_share_an_origin_are_named_only_if_others_differ() {
    let other = process(4300, "vite").build();
    let npm = process(3970, "npm").build();
    let systemd = process(1, "systemd").build();
    let mut plan = held_by(&[&node(), &other]);
    let below = |process: &Arc<Process>| ProcessTree {
        ancestors: vec![Arc::clone(&npm)],
        init: Some(Arc::clone(&systemd)),
        ..process_tree(process.id)
    };
    plan.add_trees(&[below(&node()), below(&other)]);
    let started = |plan: &KillPlan| texts(std::slice::from_ref(plan), TargetSet::All, "Started by");
    let npm = "npm 3970   node   dev   up\u{a0}1h";
    assert_eq!(started(&plan), [npm]);
    plan.add_trees(&[below(&node())]);
    assert_eq!(
        started(&plan),
        [format!("node 4242: {npm}"), "vite 4300: …".to_owned()]
    );
}

#[test]
fn a_stopped_parent_is_not_its_own_and_shares_no_socket() {
    let shell = process(3000, "bash")
        .terminal("pts/4")
        .with(|it| it.started_at = None)
        .build();
    let sup = process(3767, "sup.sh").parent(3000).build();
    let python = process(24564, "python3").parent(3767).build();
    let mut plan = held_by(&[&python]);
    plan.add_trees(&[ProcessTree {
        ancestors: vec![sup.clone(), shell],
        group: vec![python.clone(), sup.clone()],
        ..process_tree(python.id)
    }]);
    let plans = std::slice::from_ref(&plan);
    let of = |targets| {
        ["Held by", "Shared with", "Started by"].map(|label| texts(plans, targets, label).concat())
    };
    let above = "sup.sh 3767   node   dev   up\u{a0}1h   may restart it   ← bash 3000 (pts/4)";
    let shell = "bash 3000 (pts/4)   node   dev";
    let cases = [
        (TargetSet::Topmost, above),
        (TargetSet::WithAncestors(sup.id), shell),
        (TargetSet::Group, shell),
    ];
    for (targets, started) in cases {
        assert_eq!(of(targets), ["", "", started], "{targets:?}");
    }
}

#[test]
fn what_closes_is_unknown_while_owners_are_looked_up() {
    let node = node();
    let own = || socket("127.0.0.1:3000").owner(&node).endpoint();
    let pending = || socket("127.0.0.1:80").pending().endpoint();
    let inspected = |table: &[Endpoint]| {
        let mut plan = plan(3000, table);
        learn(&mut plan, &node, &[], &[]);
        plan
    };
    let mut early = inspected(&[own(), pending()]);
    assert_eq!(
        closes(&early, TargetSet::Topmost),
        "the owners of 1 other socket are still being looked up"
    );
    let found = [own(), socket("127.0.0.1:80").owner(&node).endpoint()];
    early.update_others(&found.iter().collect::<Vec<_>>());
    assert_eq!(closes(&early, TargetSet::Topmost), "tcp 127.0.0.1:80");
}
