//! What is asked about each kind of row, and what is explained instead.

use super::*;
use crate::free::{Confirmation, Preview, Protected, Target, TypingReason, Warning};
use crate::model::environment::Environment;
use crate::model::process::{LoginKind, Pid, Process, ProcessTree, Signal, StartTime};
use crate::model::socket::{NotFoundCause, Protocol};
use crate::model::testing::{
    SocketBuilder, environment, instant, moment, process, process_tree, socket,
};
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
    question(table, context).expect("a plan")
}

fn lines(explanation: &Explanation) -> Vec<String> {
    wording::explanation_lines(explanation, None)
}

fn title(explanation: &Explanation) -> String {
    wording::explanation_title(explanation)
}

fn explanation(table: &[Endpoint], context: &FreeContext) -> Explanation {
    *question(table, context).expect_err("an explanation")
}

fn preview(plan: KillPlan, targets: TargetSet) -> Preview {
    Preview::new(&[plan], targets, Signal::Terminate)
}

fn unconnected(socket: SocketBuilder) -> Endpoint {
    on(SocketRole::Unconnected, socket)
}

fn listener(local: &str, owner: &Arc<Process>) -> Endpoint {
    unconnected(socket(local).owner(owner))
}

fn client(local: &str, to: &str, owner: &Arc<Process>) -> Endpoint {
    on(SocketRole::Client, socket(local).to(to).owner(owner))
}

fn owners(plan: &KillPlan) -> Vec<String> {
    let owners = plan.owners.iter();
    owners.map(|owner| owner.process.to_string()).collect()
}

fn target_pids(plan: &KillPlan, targets: TargetSet) -> Vec<u32> {
    let targets = plan.targets(targets).into_iter();
    targets.map(|target| target.id().pid.0).collect()
}

fn node() -> Arc<Process> {
    process(4242, "node").build()
}

fn chrome() -> Arc<Process> {
    process(942, "chrome").build()
}

/// The server's end of chrome's connection.
fn accepted() -> SocketBuilder {
    socket("127.0.0.1:3000").to("127.0.0.1:51324")
}

/// chrome 942 is connected to node 4242 on :3000: the client's row, the server's, the listener.
fn connection() -> [Endpoint; 3] {
    [
        client("127.0.0.1:51324", "127.0.0.1:3000", &chrome()),
        on(SocketRole::Server, accepted().owner(&node())),
        listener("127.0.0.1:3000", &node()),
    ]
}

#[test]
fn a_preview_lists_owners_on_all_addresses_the_rows_own_first() {
    let (own, other) = (node(), process(99, "vite").build());
    let table = [
        listener("[::1]:3000", &own),
        listener("127.0.0.1:3000", &other),
        listener("127.0.0.1:3001", &chrome()),
        unconnected(socket("127.0.0.1:3000").udp().owner(&chrome())),
    ];
    let plan = plan(&table, &context());
    let named = (plan.host.as_str(), plan.port.to_string());
    assert_eq!(named, ("build-07", ":3000".to_owned()));
    assert_eq!(owners(&plan), ["node 4242", "vite 99"]);
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
    let [_, _, listener] = connection();
    let worker = process(5000, "worker").build();
    let accepted = on(SocketRole::Server, accepted().owner(&worker));
    let plan = plan(&[accepted, listener.clone()], &context());
    assert_eq!(owners(&plan), ["node 4242"]);
    assert_eq!(plan.sockets, [listener.socket]);
}

#[test]
fn an_unaccepted_connection_previews_its_listener() {
    let [_, _, listener] = connection();
    let queued = || accepted().without_owner();
    for row in [queued().state(State::SynRecv), queued()] {
        let table = [on(SocketRole::Server, row), listener.clone()];
        let plan = plan(&table, &context());
        assert_eq!(plan.sockets, std::slice::from_ref(&listener.socket));
        assert_eq!(target_pids(&plan, TargetSet::Topmost), [4242]);
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
            "To free :51324 instead, set the filter to exactly 51324.",
        ]
    );
    assert_eq!(explained.go_to(), Some(table[2].id()));
    let plan = plan(&table, &meant());
    assert_eq!(
        (plan.port.number, owners(&plan)),
        (51324, vec!["chrome 942".to_owned()])
    );
}

#[test]
fn a_client_of_another_machine_frees_nothing_here() {
    let row = client("10.0.0.2:51324", "93.184.216.34:443", &chrome());
    let explained = explanation(&[row], &context());
    assert_eq!(
        lines(&explained)[..2],
        [
            "chrome 942 is a client of 93.184.216.34:443.",
            "Nothing on this machine listens there.",
        ]
    );
    assert_eq!(explained.go_to(), None);
}

#[test]
fn without_a_listener_leftovers_are_targets_only_if_meant() {
    let to = |peer| socket("127.0.0.1:3000").to(peer);
    let left = |peer| on(SocketRole::Unknown, to(peer).owner(&node()));
    let wait = to("127.0.0.1:7").state(State::TimeWait).without_owner();
    let wait = on(SocketRole::Unknown, wait);
    let table = [left("127.0.0.1:9"), left("127.0.0.1:8"), wait];
    assert_eq!(
        lines(&explanation(&table, &context())),
        [
            "nothing listens on :3000, but sockets remain: 2 ESTABLISHED and 1 TIME_WAIT.",
            "The selected socket is held by node 4242.",
            "To stop that process, set the filter to exactly 3000.",
            "No process holds a socket in TIME_WAIT; the kernel keeps each for at most 60 s.",
        ]
    );
    assert_eq!(plan(&table, &meant()).sockets.len(), 2);
    let ends = |peer, seconds| {
        let wait = to(peer).without_owner();
        on(SocketRole::Unknown, wait.waits_until(instant(seconds)))
    };
    let table = [
        left("127.0.0.1:9"),
        ends("127.0.0.1:8", 107.0),
        ends("127.0.0.1:7", 147.5),
    ];
    let lines = lines(&explanation(&table, &context()));
    let last = "No process holds a socket in TIME_WAIT; the kernel keeps the last for about 48 s.";
    assert_eq!(lines.last().map(String::as_str), Some(last));
}

#[test]
fn time_wait_has_no_owner_and_ends_by_itself() {
    let wait = || {
        socket("127.0.0.1:51324")
            .to("127.0.0.1:3000")
            .without_owner()
    };
    let row = || on(SocketRole::Client, wait().state(State::TimeWait));
    let timed = on(SocketRole::Client, wait().waits_until(instant(147.3)));
    let kept = |left| format!("no process holds it; the kernel keeps it for {left}.");
    let held = ":3000 is held by node 4242.".to_owned();
    let cases = [
        (vec![row()], Some(88.0), vec![kept("at most 48 s")]),
        (vec![timed], Some(88.0), vec![kept("about 48 s")]),
        (
            vec![row(), listener("127.0.0.1:3000", &node())],
            None,
            vec![kept("at most 60 s"), held],
        ),
    ];
    for (table, since, expected) in cases {
        let context = FreeContext {
            state_since: since.map(instant),
            ..meant()
        };
        assert_eq!(lines(&explanation(&table, &context)), expected);
    }
}

#[test]
fn a_closed_row_names_the_current_owner_of_the_port() {
    let row = listener("127.0.0.1:3000", &node());
    let next = unconnected(socket("127.0.0.1:3000").owner_hint(2).owner(&chrome()));
    let gone = FreeContext {
        is_gone: true,
        ..context()
    };
    let explained = plan_row(&row, &[&next], &gone).expect_err("an explanation");
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
        ["It was opened by user ops. Use sudo, or take another port."]
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
}

#[test]
fn sudo_is_offered_only_where_it_shows_the_owner() {
    let first = |cause| {
        let row = unconnected(socket("0.0.0.0:8080").user(1001, "ops").not_found(cause));
        let explained = explanation(&[row], &context());
        (lines(&explained).concat(), explained.command().is_some())
    };
    let causes = [
        (NotFoundCause::ClosedProcess, "Use sudo", true),
        (NotFoundCause::HiddenProcesses, "(hidepid). Use sudo", true),
        (NotFoundCause::MissingPtrace, "lacks CAP_SYS_PTRACE", false),
        (NotFoundCause::UserNamespace, "this user namespace", false),
        (NotFoundCause::OtherPidNamespace, "it is outside", false),
        (NotFoundCause::NoProc, "/proc cannot be read", false),
        (
            NotFoundCause::OutOfDescriptors,
            "too many open files",
            false,
        ),
        (
            NotFoundCause::NoProcess,
            "possibly the kernel itself",
            false,
        ),
        (NotFoundCause::SecurityModule, "even by root", false),
        (NotFoundCause::InFlight, "through a UNIX socket", false),
        (NotFoundCause::Unknown, "the reason is unknown", false),
    ];
    for (cause, said, has_command) in causes {
        let (text, offered) = first(cause);
        assert!(text.contains(said), "{cause:?}: {text}");
        assert_eq!(offered, has_command, "{cause:?}");
    }
}

#[test]
fn a_preview_waits_for_an_owner_that_is_still_pending() {
    let pending = socket("0.0.0.0:8080").user(1001, "ops").pending();
    let explained = explanation(&[unconnected(pending)], &context());
    let said =
        "the owner of 0.0.0.0:8080 is still being looked up; portmon asks as soon as it is found.";
    assert_eq!(title(&explained), ":8080 is held");
    assert_eq!(lines(&explained), [said]);
    assert_eq!((explained.go_to(), explained.unused_near()), (None, None));
}

#[test]
fn a_socket_connected_to_itself_is_closed_by_ending_its_process() {
    let itself = || socket("127.0.0.1:3000").to("127.0.0.1:3000");
    let row = on(SocketRole::Unknown, itself().owner(&node()));
    // Another connection from the same port is no reason to end its client.
    let other = client("127.0.0.1:3000", "10.0.0.1:80", &chrome());
    let table = [row, other];
    let planned = plan(&table, &context());
    assert_eq!(target_pids(&planned, TargetSet::Topmost), [4242]);
    let all: Vec<&Endpoint> = table.iter().collect();
    let asked = |spec: &str, all: &[&Endpoint]| {
        let spec = spec.parse().expect(spec);
        plan_port(spec, all, &context())
            .map(|plan| target_pids(&plan.expect("a plan"), TargetSet::Topmost))
    };
    assert_eq!(asked("3000", &all), Some(vec![4242]));
    assert_eq!(asked("localhost:3000", &all), Some(vec![4242]));
    assert_eq!(asked("3001", &all), None);
    let waits = on(
        SocketRole::Unknown,
        itself().state(State::TimeWait).without_owner(),
    );
    assert_eq!(asked("3000", &[&waits]), None);
}

#[test]
fn a_port_preview_covers_all_addresses_or_the_given_one() {
    let client = client("127.0.0.1:3000", "127.0.0.1:80", &chrome());
    let here = listener("127.0.0.1:3000", &node());
    let there = unconnected(socket("[::1]:3000").owner_hint(2).owner(&node()));
    let hidden = unconnected(socket("0.0.0.0:5432").user(0, "root"));
    let seen = listener("[::1]:5432", &node());
    let table = [client, here, there, hidden, seen];
    let all: Vec<&Endpoint> = table.iter().collect();
    let asked = |port, on: Option<&str>| {
        let spec = PortSpec {
            protocol: Protocol::Tcp,
            address: on.map_or(AddressSpec::Any, |ip| {
                AddressSpec::bare(ip).expect("an address")
            }),
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
    let seen = || listener("[::1]:5432", &node());
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
    for (targets, expected) in [
        (TargetSet::Topmost, &[7001][..]),
        (TargetSet::All, &[7001, 7003]),
    ] {
        let request = plan.confirm(targets, Signal::Terminate, instant(100.0));
        let pids = request.targets().iter().map(|target| target.id().pid.0);
        assert_eq!(pids.collect::<Vec<u32>>(), expected);
    }
    assert!(plan.has_more_than_topmost());
}

#[test]
fn a_protected_process_is_refused_with_a_reason() {
    let kernel = process(77, "kworker").with(|process| process.is_kernel_thread = true);
    let cases = [
        (process(1, "init"), "is init or part of the kernel."),
        (kernel, "is a kernel thread, which no signal can end."),
        (process(500, "portmon"), "is portmon itself."),
        (
            process(400, "zsh"),
            "is an ancestor of portmon, and stopping it could end portmon.",
        ),
        (
            process(900, "systemd"),
            "manages the services of a whole session.",
        ),
    ];
    for (owner, words) in cases {
        let owner = owner.build();
        let row = listener("127.0.0.1:3000", &owner);
        let said = format!("{owner} is protected: it {words}");
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
    assert_eq!(
        preview(plan, TargetSet::Topmost).warnings,
        [Warning::Protected(shell.clone(), Protected::Ancestor)]
    );
    // Its own row: ending the neighbor would free something else than what was asked about.
    let table = [
        listener("[::1]:3000", &shell),
        listener("127.0.0.1:3000", &node),
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
    let closing = |others: u16| {
        let ports = [3000].into_iter().chain(4000..4000 + others);
        let rows = ports.map(|port| listener(&format!("127.0.0.1:{port}"), &node()));
        rows.collect::<Vec<_>>()
    };
    let row = |owner: &Arc<Process>| listener("127.0.0.1:3000", owner);
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
        (closing(3), Confirmation::Key),
        (closing(4), typed(TypingReason::ClosesPorts(4))),
        (vec![row(&ops)], typed(other_user)),
        (
            vec![row(&ssh)],
            typed(TypingReason::Login(ssh.clone(), LoginKind::Terminal)),
        ),
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
        listener("127.0.0.1:9230", &worker),
        client("127.0.0.1:50000", "127.0.0.1:5432", &master),
    ];
    let plan = plan(&table, &context());
    let ports = |targets| -> Vec<u16> {
        let others = preview(plan.clone(), targets).also_closes.ports;
        others.iter().map(|other| other.socket.port()).collect()
    };
    assert_eq!(ports(TargetSet::Topmost), [9229]);
    assert_eq!(ports(TargetSet::All), [9229, 9230]);
}

#[test]
fn two_processes_with_one_pid_are_two_owners() {
    let (old, new) = (node(), process(4242, "node"));
    let new = new.with(|process| process.id.start = StartTime(1)).build();
    let table = [
        listener("127.0.0.1:3000", &old),
        listener("[::1]:3000", &new),
    ];
    assert_eq!(plan(&table, &context()).process_ids(), [old.id, new.id]);
}

#[test]
fn ending_a_client_frees_nothing_is_said_only_if_certain() {
    let held = || listener("127.0.0.1:3000", &node());
    let hidden = unconnected(socket("127.0.0.1:3000"));
    let cases = [
        (held(), chrome(), "; ending chrome would not free :3000."),
        (held(), node(), "node 4242, the same process."),
        (hidden, chrome(), "It is held by a hidden process of dev."),
    ];
    for (listener, owner, end) in cases {
        let client = client("127.0.0.1:50000", "127.0.0.1:3000", &owner);
        let lines = lines(&explanation(&[client, listener], &context()));
        assert!(lines[0].ends_with(end), "{lines:?}");
    }
}

/// node 4242 on :3000, with these ancestors and this process group.
fn with_tree(ancestors: &[Arc<Process>], group: &[Arc<Process>]) -> KillPlan {
    let row = listener("127.0.0.1:3000", &node());
    let mut plan = plan(&[row], &context());
    plan.add_trees(&[ProcessTree {
        ancestors: ancestors.to_vec(),
        group: group.to_vec(),
        ..process_tree(node().id)
    }]);
    plan
}

#[test]
fn a_group_is_signaled_as_a_whole_or_not_at_all() {
    let esbuild = process(4243, "esbuild").build();
    let ended = |group: &[Arc<Process>]| {
        let plan = with_tree(&[], group);
        (plan.has_group(), target_pids(&plan, TargetSet::Group))
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
