//! What is asked about each kind of row, and what is explained instead.

use super::*;
use crate::free::{
    Confirmation, Preview, Protected, ProtectedOwner, Target, TypingReason, Warning,
};
use crate::model::environment::Environment;
use crate::model::process::{Pid, Process, ProcessTree, Signal, StartTime, Supervisor};
use crate::model::socket::Protocol;
use crate::model::testing::{SocketBuilder, environment, instant, moment, process, socket};
use crate::wording;
use std::sync::Arc;
use std::time::Duration;

fn context() -> FreeContext<'static> {
    context_with(|_| {})
}

fn context_with(change: impl FnOnce(&mut Environment)) -> FreeContext<'static> {
    let environment = environment(|it| {
        it.self_pids = vec![Pid(500), Pid(400)];
        it.executable = Some("/home/dev/.cargo/bin/portmon".to_owned());
        change(it);
    });
    FreeContext::new(environment, moment(100.0))
}

fn meant() -> FreeContext<'static> {
    FreeContext {
        filter_names_port: true,
        ..context()
    }
}

fn on(side: SocketRole, socket: SocketBuilder) -> Endpoint {
    let mut endpoint = socket.endpoint();
    endpoint.relation.role = side;
    endpoint
}

/// Asks about the first of these.
fn question(table: &[Endpoint], context: &FreeContext) -> PlanResult {
    let all: Vec<&Endpoint> = table.iter().collect();
    plan_row(&table[0], &all, context)
}

fn plan(table: &[Endpoint], context: &FreeContext) -> KillPlan {
    match question(table, context) {
        Ok(plan) => plan,
        Err(explanation) => panic!("explained: {explanation:?}"),
    }
}

fn lines(explanation: &Explanation) -> Vec<String> {
    wording::explanation_lines(explanation, None)
}

fn title(explanation: &Explanation) -> String {
    wording::explanation_title(explanation)
}

fn explanation(table: &[Endpoint], context: &FreeContext) -> Explanation {
    match question(table, context) {
        Ok(plan) => panic!("proposed: {plan:?}"),
        Err(explanation) => *explanation,
    }
}

fn preview(plan: KillPlan, targets: TargetSet) -> Preview {
    Preview::new(&[plan], targets, Signal::Terminate)
}

fn unconnected(socket: SocketBuilder) -> Endpoint {
    on(SocketRole::Unconnected, socket)
}

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn chrome() -> Arc<Process> {
    process(942, "chrome").build()
}

/// chrome 942 is connected to node 4242 on :3000: the client's row, the server's, the listener.
fn connection() -> [Endpoint; 3] {
    [
        on(
            SocketRole::Client,
            socket("127.0.0.1:51324")
                .to("127.0.0.1:3000")
                .owner(&chrome()),
        ),
        on(
            SocketRole::Server,
            socket("127.0.0.1:3000")
                .to("127.0.0.1:51324")
                .owner(&node()),
        ),
        unconnected(socket("127.0.0.1:3000").owner(&node())),
    ]
}

#[test]
fn a_preview_lists_owners_on_all_addresses_the_rows_own_first() {
    let (own, other) = (node(), process(99, "vite").build());
    let table = [
        unconnected(socket("[::1]:3000").owner(&own)),
        unconnected(socket("127.0.0.1:3000").owner(&other)),
        unconnected(socket("127.0.0.1:3001").owner(&chrome())),
        unconnected(socket("127.0.0.1:3000").udp().owner(&chrome())),
    ];
    let plan = plan(&table, &context());
    let owners: Vec<String> = plan
        .owners
        .iter()
        .map(|holder| holder.process.to_string())
        .collect();
    let named = (plan.host.as_str(), plan.port.to_string());
    assert_eq!(named, ("build-07", ":3000".to_owned()));
    assert_eq!(owners, ["node 4242", "vite 99"]);
    assert_eq!(plan.sockets[0].id, table[0].id());
    assert_eq!(plan.sockets.len(), 2);
}

#[test]
fn bound_and_udp_sockets_are_previewed_like_listeners() {
    let bound = unconnected(socket("127.0.0.1:3000").state(State::Bound).owner(&node()));
    let datagrams = unconnected(socket("0.0.0.0:5353").udp().owner(&node()));
    for row in [bound, datagrams] {
        assert_eq!(plan(&[row], &context()).owners.len(), 1);
    }
}

#[test]
fn a_server_side_connection_previews_its_listener() {
    let [_, server, listener] = connection();
    let worker = process(5000, "worker").build();
    let mut accepted = server;
    accepted.socket.owners = Owners::Known([worker].into());
    let plan = plan(&[accepted, listener.clone()], &context());
    let owners: Vec<String> = plan
        .owners
        .iter()
        .map(|holder| holder.process.to_string())
        .collect();
    assert_eq!(owners, ["node 4242"]);
    assert_eq!(plan.sockets, [listener.socket]);
}

#[test]
fn an_unaccepted_connection_previews_its_listener() {
    let [_, _, listener] = connection();
    let queued = || {
        socket("127.0.0.1:3000")
            .to("127.0.0.1:51324")
            .without_owner()
    };
    for row in [queued().state(State::SynRecv), queued()] {
        let table = [on(SocketRole::Server, row), listener.clone()];
        let plan = plan(&table, &context());
        let targets = plan.targets(TargetSet::Topmost);
        let ended: Vec<_> = targets.iter().map(Target::id).collect();
        assert_eq!(
            (&plan.sockets[..], ended),
            (&[listener.socket.clone()][..], vec![node().id])
        );
    }
}

#[test]
fn a_client_is_a_target_only_if_its_own_port_is_meant() {
    let table = connection();
    let explained = explanation(&table, &context());
    assert_eq!(
        lines(&explained),
        [
            "chrome 942 is a client of :3000. It is held by node 4242; ending chrome would not free :3000.",
            "To free :51324 itself, filter for exactly 51324.",
        ]
    );
    assert_eq!(explained.go_to(), Some(table[2].id()));
    let plan = plan(&table, &meant());
    assert_eq!((plan.port.number, plan.owners.len()), (51324, 1));
    assert_eq!(plan.owners[0].process.name, "chrome".into());
}

#[test]
fn a_client_of_another_machine_frees_nothing_here() {
    let row = on(
        SocketRole::Client,
        socket("10.0.0.2:51324")
            .to("93.184.216.34:443")
            .owner(&chrome()),
    );
    let explained = explanation(&[row], &context());
    assert_eq!(
        lines(&explained)[0],
        "chrome 942 is a client of 93.184.216.34:443."
    );
    assert_eq!(
        lines(&explained)[1],
        "Nothing on this machine listens there."
    );
    assert_eq!(explained.go_to(), None);
}

#[test]
fn without_a_listener_leftovers_are_targets_only_if_meant() {
    let left = |peer: &str| {
        on(
            SocketRole::Unknown,
            socket("127.0.0.1:3000").to(peer).owner(&node()),
        )
    };
    let wait = on(
        SocketRole::Unknown,
        socket("127.0.0.1:3000")
            .to("127.0.0.1:7")
            .state(State::TimeWait)
            .without_owner(),
    );
    let table = [left("127.0.0.1:9"), left("127.0.0.1:8"), wait];
    assert_eq!(
        lines(&explanation(&table, &context())),
        [
            "nobody listens on :3000; what is left is 2 ESTABLISHED and 1 TIME_WAIT.",
            "This one is held by node 4242.",
            "To stop it, filter for exactly 3000.",
            "No process holds a socket in TIME_WAIT; the kernel keeps each for at most 60 s.",
        ]
    );
    assert_eq!(plan(&table, &meant()).sockets.len(), 2);
    let ends = |peer, seconds: f64| {
        let wait = socket("127.0.0.1:3000").to(peer).without_owner();
        on(SocketRole::Unknown, wait.waits_until(instant(seconds)))
    };
    let now = context().now.instant - instant(0.0);
    let at = |seconds: f64| now.as_secs_f64() + seconds;
    let table = [
        left("127.0.0.1:9"),
        ends("127.0.0.1:8", at(7.0)),
        ends("127.0.0.1:7", at(47.5)),
    ];
    let lines = lines(&explanation(&table, &context()));
    let last = "No process holds a socket in TIME_WAIT; the kernel keeps the last for about 48 s.";
    assert_eq!(lines.last().map(String::as_str), Some(last));
}

#[test]
fn time_wait_has_no_owner_and_ends_by_itself() {
    let row = || {
        on(
            SocketRole::Client,
            socket("127.0.0.1:51324")
                .to("127.0.0.1:3000")
                .state(State::TimeWait)
                .without_owner(),
        )
    };
    let seen = |since: Option<f64>| FreeContext {
        state_since: since.map(instant),
        ..meant()
    };
    let explained = explanation(&[row()], &seen(Some(88.0)));
    assert_eq!(
        lines(&explained),
        ["no process holds it; the kernel keeps it for at most 48 s."]
    );
    let told = on(
        SocketRole::Client,
        socket("127.0.0.1:51324")
            .to("127.0.0.1:3000")
            .without_owner()
            .waits_until(meant().now.instant + Duration::from_millis(47_300)),
    );
    let explained = explanation(&[told], &seen(Some(88.0)));
    assert_eq!(
        lines(&explained),
        ["no process holds it; the kernel keeps it for about 48 s."]
    );
    let listener = unconnected(socket("127.0.0.1:3000").owner(&node()));
    let explained = explanation(&[row(), listener], &seen(None));
    assert_eq!(
        lines(&explained),
        [
            "no process holds it; the kernel keeps it for at most 60 s.",
            ":3000 is held by node 4242.",
        ]
    );
}

#[test]
fn a_closed_row_names_the_current_owner_of_the_port() {
    let row = unconnected(socket("127.0.0.1:3000").owner(&node()));
    let next = unconnected(socket("127.0.0.1:3000").owner_hint(2).owner(&chrome()));
    let gone = FreeContext {
        is_gone: true,
        ..context()
    };
    let explained = plan_row(&row, &[&next], &gone);
    let Err(explained) = explained else {
        panic!("proposed: {explained:?}");
    };
    assert_eq!(
        lines(&explained),
        [
            "already closed: there is nothing to stop.",
            "127.0.0.1:3000 is now held by chrome 942.",
        ]
    );
    assert_eq!(explained.go_to(), Some(next.id()));
}

#[test]
fn a_hidden_owner_shows_its_user_and_the_sudo_command() {
    let row = || unconnected(socket("0.0.0.0:8080").user(1001, "ops"));
    let explained = explanation(&[row()], &context());
    assert_eq!(title(&explained), ":8080 belongs to ops");
    assert_eq!(
        lines(&explained),
        ["Its process belongs to user ops. Use sudo, or take another port."]
    );
    let offer = "sudo /home/dev/.cargo/bin/portmon free 8080";
    assert_eq!(explained.command().as_deref(), Some(offer));
    assert_eq!(explained.unused_near(), Some(8080));

    let odd = context_with(|it| it.executable = Some("/opt/it's here/portmon".to_owned()));
    let offer = r"sudo '/opt/it'\''s here/portmon' free 8080";
    assert_eq!(
        explanation(&[row()], &odd).command().as_deref(),
        Some(offer)
    );
    let root = context_with(|it| it.is_root = true);
    let explained = explanation(&[row()], &root);
    let said = "Its process belongs to user ops; root cannot see it: it may be in another container or belong to the kernel.";
    assert_eq!(
        (lines(&explained), explained.command()),
        (vec![said.to_owned()], None)
    );
}

#[test]
fn a_preview_waits_for_an_owner_that_is_still_pending() {
    let pending = socket("0.0.0.0:8080").user(1001, "ops").pending();
    let explained = explanation(&[unconnected(pending)], &context());
    let said = "the owner of 0.0.0.0:8080 is still being looked up; the question follows as soon as it is found.";
    assert_eq!(title(&explained), ":8080 is held");
    assert_eq!(lines(&explained), [said]);
    assert_eq!((explained.go_to(), explained.unused_near()), (None, None));
}

#[test]
fn a_port_preview_covers_all_addresses_or_the_given_one() {
    let client = on(
        SocketRole::Client,
        socket("127.0.0.1:3000").to("127.0.0.1:80").owner(&chrome()),
    );
    let here = unconnected(socket("127.0.0.1:3000").owner(&node()));
    let there = unconnected(socket("[::1]:3000").owner_hint(2).owner(&node()));
    let hidden = unconnected(socket("0.0.0.0:5432").user(0, "root"));
    let seen = unconnected(socket("[::1]:5432").owner(&node()));
    let table = [client, here, there, hidden, seen];
    let all: Vec<&Endpoint> = table.iter().collect();
    let asked = |port, on: Option<&str>| {
        let spec = PortSpec {
            protocol: Protocol::Tcp,
            address: on.map(|ip| ip.parse().unwrap()),
            port,
        };
        match plan_port(spec, &all, &context()) {
            None => vec!["nothing".to_owned()],
            Some(Ok(plan)) => plan.sockets.iter().map(wording::place).collect(),
            Some(Err(explanation)) => vec![title(&explanation)],
        }
    };
    assert_eq!(asked(3000, None), ["127.0.0.1:3000", "[::1]:3000"]);
    assert_eq!(asked(3000, Some("::1")), ["[::1]:3000"]);
    assert_eq!(asked(3000, Some("0.0.0.0")), ["nothing"]);
    assert_eq!(asked(80, None), ["nothing"]);
    assert_eq!(asked(5432, None), [":5432 belongs to root"]);
    assert_eq!(asked(5432, Some("::1")), ["[::1]:5432"]);
}

#[test]
fn known_and_hidden_owners_of_one_port_are_distinguished() {
    let hidden = || unconnected(socket("0.0.0.0:5432").user(0, "root"));
    let seen = || unconnected(socket("[::1]:5432").owner(&node()));
    let explained = explanation(&[hidden(), seen()], &context());
    assert_eq!(
        lines(&explained)[1],
        "[::1]:5432 is another socket, held by node 4242; stopping that would not free 0.0.0.0:5432."
    );
    assert_eq!(explained.go_to(), Some(seen().id()));
    assert_eq!(
        preview(plan(&[seen(), hidden()], &context()), TargetSet::Topmost).warnings,
        [Warning::StaysHeld(hidden().socket)]
    );
}

#[test]
fn by_default_only_the_master_is_a_target_not_its_workers() {
    let master = process(7001, "gunicorn").build();
    let worker = process(7003, "gunicorn").parent(7001).build();
    let row = unconnected(socket("127.0.0.1:8000").owners(&[&worker, &master]));
    let plan = plan(&[row], &context());
    let pids = |targets| -> Vec<u32> {
        let request = plan.confirm(targets, Signal::Terminate, instant(100.0));
        request.targets().iter().map(|one| one.id().pid.0).collect()
    };
    assert_eq!(pids(TargetSet::Topmost), [7001]);
    assert_eq!(pids(TargetSet::All), [7001, 7003]);
    assert!(plan.has_more_than_topmost());
}

#[test]
fn a_protected_process_is_refused_with_a_reason() {
    let systemd = process(900, "systemd").build();
    let kernel = process(77, "kworker").with(|process| process.is_kernel_thread = true);
    let cases = [
        (
            process(1, "init").build(),
            "init 1 is protected: it is part of the system itself.",
        ),
        (
            kernel.build(),
            "kworker 77 is protected: it is a kernel thread, which no signal can end.",
        ),
        (
            process(500, "portmon").build(),
            "portmon 500 is protected: it is portmon itself.",
        ),
        (
            process(400, "zsh").build(),
            "zsh 400 is protected: it is an ancestor of portmon, which would end with it.",
        ),
        (
            systemd,
            "systemd 900 is protected: it manages the services of a whole session.",
        ),
    ];
    for (holder, said) in cases {
        let row = unconnected(socket("127.0.0.1:3000").owner(&holder));
        assert_eq!(lines(&explanation(&[row], &context())), [said]);
    }
}

#[test]
fn a_protected_owner_is_left_out_of_every_request() {
    let (shell, node) = (process(400, "zsh").build(), node());
    let shared = socket("127.0.0.1:3000").owners(&[&shell, &node]);
    let plan = plan(&[unconnected(shared)], &context());
    let request = plan.confirm(TargetSet::All, Signal::Terminate, instant(100.0));
    let ended: Vec<_> = request.targets().iter().map(Target::id).collect();
    assert_eq!(ended, [node.id]);
    let owner = ProtectedOwner {
        process: shell.clone(),
        why: Protected::Ancestor,
    };
    assert_eq!(
        preview(plan, TargetSet::Topmost).warnings,
        [Warning::Protected(owner)]
    );
    // Its own row: ending the neighbour would free something else than what was asked about.
    let table = [
        unconnected(socket("[::1]:3000").owner(&shell)),
        unconnected(socket("127.0.0.1:3000").owner(&node)),
    ];
    assert_eq!(
        title(&explanation(&table, &context())),
        ":3000 cannot be freed"
    );
}

#[test]
fn the_port_is_typed_if_more_than_the_port_would_close() {
    let typed = |why| Confirmation::TypePort {
        port: 3000,
        why: vec![why],
    };
    let others = |ports: std::ops::Range<u16>| {
        ports.map(|port| unconnected(socket(&format!("127.0.0.1:{port}")).owner(&node())))
    };
    let row = |owner: &Arc<Process>| unconnected(socket("127.0.0.1:3000").owner(owner));
    let ops = process(5, "java").user(1001, "ops").build();
    let ssh = process(6, "ssh")
        .command("ssh host")
        .terminal("pts/4")
        .build();
    let other_user = TypingReason::OtherUser {
        first: ops.clone(),
        more: 0,
    };
    let cases = [
        (
            std::iter::once(row(&node()))
                .chain(others(4000..4003))
                .collect::<Vec<_>>(),
            Confirmation::Key,
        ),
        (
            std::iter::once(row(&node()))
                .chain(others(4000..4004))
                .collect(),
            typed(TypingReason::ClosesPorts(4)),
        ),
        (vec![row(&ops)], typed(other_user)),
        (vec![row(&ssh)], typed(TypingReason::Login(ssh.clone()))),
    ];
    for (table, demand) in cases {
        let plan = plan(&table, &context());
        assert_eq!(preview(plan, TargetSet::Topmost).confirmation, demand);
    }
    let unknown = context_with(|it| it.uid = None);
    assert_eq!(
        preview(plan(&[row(&ops)], &unknown), TargetSet::All).confirmation,
        Confirmation::Key
    );
}

#[test]
fn other_ports_are_listed_once_and_only_for_targets() {
    let master = process(7001, "node").build();
    let worker = process(7003, "node").parent(7001).build();
    let table = [
        unconnected(socket("127.0.0.1:3000").owners(&[&master, &worker])),
        unconnected(socket("127.0.0.1:9229").owners(&[&master, &worker])),
        unconnected(socket("127.0.0.1:9230").owner(&worker)),
        on(
            SocketRole::Client,
            socket("127.0.0.1:50000")
                .to("127.0.0.1:5432")
                .owner(&master),
        ),
    ];
    let plan = plan(&table, &context());
    let ports = |targets| -> Vec<u16> {
        let others = preview(plan.clone(), targets).also_closes.ports;
        others.iter().map(|other| other.local.port()).collect()
    };
    assert_eq!(ports(TargetSet::Topmost), [9229]);
    assert_eq!(ports(TargetSet::All), [9229, 9230]);
}

#[test]
fn two_processes_with_one_pid_are_two_owners() {
    let (old, new) = (node(), process(4242, "node"));
    let new = new.with(|process| process.id.start = StartTime(1)).build();
    let table = [
        unconnected(socket("127.0.0.1:3000").owner(&old)),
        unconnected(socket("[::1]:3000").owner(&new)),
    ];
    assert_eq!(plan(&table, &context()).process_ids(), [old.id, new.id]);
}

#[test]
fn ending_a_client_frees_nothing_is_said_only_if_certain() {
    let (node, chrome) = (
        process(4242, "node").build(),
        process(942, "chrome").build(),
    );
    let told = |listener: SocketBuilder, client: SocketBuilder| {
        let (listener, mut client) = (listener.endpoint(), client.endpoint());
        client.relation.role = SocketRole::Client;
        let table = [&listener, &client];
        match plan_row(&client, &table, &context()) {
            Err(explanation) => lines(&explanation)[0].clone(),
            Ok(plan) => panic!("{plan:?}"),
        }
    };
    let listener = || socket("127.0.0.1:3000");
    let client = || socket("127.0.0.1:50000").to("127.0.0.1:3000");
    let lines = [
        told(listener().owner(&node), client().owner(&chrome)),
        told(listener().owner(&node), client().owner(&node)),
        told(listener(), client().owner(&chrome)),
    ];
    let ends = [
        "; ending chrome would not free :3000.",
        "node 4242, which is a client of itself.",
        "It is held by a hidden process of dev.",
    ];
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
}

/// node 4242 on :3000, with these ancestors and this process group.
fn with_tree(ancestors: &[Arc<Process>], group: &[Arc<Process>]) -> KillPlan {
    let row = unconnected(socket("127.0.0.1:3000").owner(&node()));
    let mut plan = plan(&[row], &context());
    plan.add_trees(&[ProcessTree {
        process: node().id,
        ancestors: ancestors.to_vec(),
        process_state: None,
        descendants: Vec::new(),
        group: group.to_vec(),
        restrictions: Vec::new(),
        supervisor: Supervisor::default(),
    }]);
    plan
}

#[test]
fn a_group_is_signalled_as_a_whole_or_not_at_all() {
    let esbuild = process(4243, "esbuild").build();
    let ended = |group: &[Arc<Process>]| {
        let plan = with_tree(&[], group);
        let targets = plan.targets(TargetSet::Group);
        let ended: Vec<u32> = targets.iter().map(|target| target.id().pid.0).collect();
        (plan.has_group(), ended)
    };
    let npm = process(4000, "npm").build();
    // The holder first, whatever its pid.
    let whole = [npm, node(), esbuild.clone()];
    assert_eq!(ended(&whole), (true, vec![4242, 4000, 4243]));
    assert_eq!(ended(&[node()]), (false, vec![4242]));
    for never in [
        process(500, "portmon"),
        process(400, "zsh"),
        process(900, "systemd"),
    ] {
        let group = [node(), never.build(), esbuild.clone()];
        assert_eq!(ended(&group), (false, vec![]), "{group:?}");
    }
}

#[test]
fn parents_are_offered_up_to_a_terminal_leader_or_portmon() {
    let (npm, make) = (process(3970, "npm").build(), process(3960, "make").build());
    let shell = |pid: u32| {
        process(pid, "zsh")
            .terminal("pts/4")
            .with(move |one| one.session = Some(Pid(pid)))
    };
    let offered = |third: Arc<Process>| {
        let tmux = process(3000, "tmux").build();
        let plan = with_tree(&[npm.clone(), make.clone(), third, tmux], &[]);
        let parents = plan.parents().into_iter();
        parents.map(|one| one.id.pid.0).collect::<Vec<u32>>()
    };
    let with_terminal = process(3801, "watch").terminal("pts/4").build();
    assert_eq!(offered(with_terminal), [3970, 3960, 3801, 3000]);
    for end in [shell(3801), process(400, "sh"), process(900, "systemd")] {
        assert_eq!(offered(end.build()), [3970, 3960]);
    }
}

#[test]
fn explanations_are_merged_by_what_they_are_about() {
    use crate::free::Obstacle;
    use crate::model::port::Port;
    use crate::model::socket::TimeWaitLeft;
    let of = |obstacle| {
        let port = Port::of(&socket("127.0.0.1:3000").build());
        Explanation::new(port, obstacle)
    };
    let waits = |left: Option<TimeWaitLeft>| {
        of(Obstacle::TimeWait {
            left,
            listener: None,
        })
    };
    let protected = |pid: u32| {
        of(Obstacle::Protected {
            protected: Vec::new(),
            owners: vec![process(pid, "node").build()],
        })
    };
    let all = [
        waits(Some(TimeWaitLeft::Exact(Duration::from_secs(58)))),
        waits(None),
        protected(1),
        protected(2),
        protected(2),
    ];
    let merged = all.into_iter().reduce(Explanation::and).expect("some");
    assert_eq!(merged.others, [protected(1), protected(2)]);
}
