//! What is asked about each kind of row, and what is explained instead.

use super::*;
use crate::model::freeing::{Barrier, Demand, Signal, Target, words};
use crate::model::inspection::Kin;
use crate::model::process::{Process, StartTime};
use crate::model::provenance::Provenance;
use crate::model::testing::{SocketBuilder, instant, moment, process, socket};
use std::sync::Arc;
use std::time::Duration;

fn circumstances() -> Circumstances {
    Circumstances {
        me: Some(1000),
        is_root: false,
        host: "build-07".to_owned(),
        lineage: vec![Pid(500), Pid(400)],
        executable: Some("/home/dev/.cargo/bin/portmon".to_owned()),
        row_is_meant: false,
        is_gone: false,
        now: moment(100.0),
        state_since: None,
    }
}

fn meant() -> Circumstances {
    Circumstances {
        row_is_meant: true,
        ..circumstances()
    }
}

fn on(side: Side, socket: SocketBuilder) -> Endpoint {
    let mut endpoint = socket.endpoint();
    endpoint.relation.side = side;
    endpoint
}

/// Asks about the first of these.
fn question(table: &[Endpoint], circumstances: &Circumstances) -> Question {
    let all: Vec<&Endpoint> = table.iter().collect();
    ask(&table[0], &all, circumstances)
}

fn proposal(table: &[Endpoint], circumstances: &Circumstances) -> Proposal {
    match question(table, circumstances) {
        Question::Free(proposal) => proposal,
        Question::Explain(explanation) => panic!("explained: {explanation:?}"),
    }
}

fn explanation(table: &[Endpoint], circumstances: &Circumstances) -> Explanation {
    match question(table, circumstances) {
        Question::Free(proposal) => panic!("proposed: {proposal:?}"),
        Question::Explain(explanation) => explanation,
    }
}

fn standing(socket: SocketBuilder) -> Endpoint {
    on(Side::Standing, socket)
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
            Side::Client,
            socket("127.0.0.1:51324")
                .to("127.0.0.1:3000")
                .owner(&chrome()),
        ),
        on(
            Side::Server,
            socket("127.0.0.1:3000")
                .to("127.0.0.1:51324")
                .owner(&node()),
        ),
        standing(socket("127.0.0.1:3000").owner(&node())),
    ]
}

#[test]
fn a_listener_is_asked_about_with_every_holder_of_its_port_on_all_addresses_its_own_first() {
    let (own, other) = (node(), process(99, "vite").build());
    let table = [
        standing(socket("[::1]:3000").owner(&own)),
        standing(socket("127.0.0.1:3000").owner(&other)),
        standing(socket("127.0.0.1:3001").owner(&chrome())),
        standing(socket("127.0.0.1:3000").udp().owner(&chrome())),
    ];
    let proposal = proposal(&table, &circumstances());
    let holders: Vec<String> = proposal
        .holders
        .iter()
        .map(|holder| holder.process.to_string())
        .collect();
    let named = (proposal.host.as_str(), proposal.protocol, proposal.port);
    assert_eq!(named, ("build-07", Protocol::Tcp, 3000));
    assert_eq!(holders, ["node 4242", "vite 99"]);
    assert_eq!(proposal.sockets[0].id, table[0].id());
    assert_eq!(proposal.sockets.len(), 2);
}

#[test]
fn bound_and_udp_sockets_are_asked_about_as_listeners_are() {
    let bound = standing(socket("127.0.0.1:3000").state(State::Bound).owner(&node()));
    let datagrams = standing(socket("0.0.0.0:5353").udp().owner(&node()));
    for row in [bound, datagrams] {
        assert_eq!(proposal(&[row], &circumstances()).holders.len(), 1);
    }
}

#[test]
fn the_server_side_of_a_connection_is_the_listeners_question() {
    let [_, server, listener] = connection();
    let worker = process(5000, "worker").build();
    let mut accepted = server;
    accepted.socket.owners = Owners::Known([worker].into());
    let proposal = proposal(&[accepted, listener.clone()], &circumstances());
    let holders: Vec<String> = proposal
        .holders
        .iter()
        .map(|holder| holder.process.to_string())
        .collect();
    assert_eq!(holders, ["node 4242"]);
    assert_eq!(proposal.sockets, [listener.socket]);
}

#[test]
fn what_waits_to_be_accepted_has_no_owner_and_is_the_listeners_question() {
    let [_, _, listener] = connection();
    let queued = || {
        socket("127.0.0.1:3000")
            .to("127.0.0.1:51324")
            .without_owner()
    };
    for row in [queued().state(State::SynRecv), queued()] {
        let table = [on(Side::Server, row), listener.clone()];
        let proposal = proposal(&table, &circumstances());
        let targets = proposal.targets(Targets::Topmost);
        let ended: Vec<_> = targets.iter().map(Target::id).collect();
        assert_eq!(
            (&proposal.sockets[..], ended),
            (&[listener.socket.clone()][..], vec![node().id])
        );
    }
}

#[test]
fn a_client_is_not_ended_unless_its_own_port_is_meant() {
    let table = connection();
    let explained = explanation(&table, &circumstances());
    assert_eq!(
        explained.lines,
        [
            "chrome 942 is a client of :3000. It is held by node 4242; ending chrome would not free :3000.",
            "To free :51324 itself, filter for exactly 51324.",
        ]
    );
    assert_eq!(explained.go_to, Some(table[2].id()));
    let proposal = proposal(&table, &meant());
    assert_eq!((proposal.port, proposal.holders.len()), (51324, 1));
    assert_eq!(proposal.holders[0].process.name, "chrome".into());
}

#[test]
fn a_client_of_another_machine_frees_nothing_here() {
    let row = on(
        Side::Client,
        socket("10.0.0.2:51324")
            .to("93.184.216.34:443")
            .owner(&chrome()),
    );
    let explained = explanation(&[row], &circumstances());
    assert_eq!(
        explained.lines[0],
        "chrome 942 is a client of 93.184.216.34:443."
    );
    assert_eq!(explained.lines[1], "Nothing on this machine listens there.");
    assert_eq!(explained.go_to, None);
}

#[test]
fn where_nobody_listens_what_is_left_is_named_and_ended_only_if_it_is_meant() {
    let left = |peer: &str| {
        on(
            Side::Unknown,
            socket("127.0.0.1:3000").to(peer).owner(&node()),
        )
    };
    let wait = on(
        Side::Unknown,
        socket("127.0.0.1:3000")
            .to("127.0.0.1:7")
            .state(State::TimeWait)
            .without_owner(),
    );
    let table = [left("127.0.0.1:9"), left("127.0.0.1:8"), wait];
    assert_eq!(
        explanation(&table, &circumstances()).lines,
        [
            "nobody listens on :3000; what is left is 2 ESTABLISHED and 1 TIME_WAIT.",
            "This one is held by node 4242.",
            "To end it, filter for exactly 3000.",
            "No process holds TIME_WAIT; the kernel keeps each for at most 60 s.",
        ]
    );
    assert_eq!(proposal(&table, &meant()).sockets.len(), 2);
    let ends = |peer, seconds: f64| {
        let wait = socket("127.0.0.1:3000").to(peer).without_owner();
        on(Side::Unknown, wait.waits_until(instant(seconds)))
    };
    let now = circumstances().now.instant - instant(0.0);
    let at = |seconds: f64| now.as_secs_f64() + seconds;
    let table = [
        left("127.0.0.1:9"),
        ends("127.0.0.1:8", at(7.0)),
        ends("127.0.0.1:7", at(47.5)),
    ];
    let lines = explanation(&table, &circumstances()).lines;
    let last = "No process holds TIME_WAIT; the kernel keeps the last for about 48 s.";
    assert_eq!(lines.last().map(String::as_str), Some(last));
}

#[test]
fn time_wait_is_nobodys_and_ends_by_itself() {
    let row = || {
        on(
            Side::Client,
            socket("127.0.0.1:51324")
                .to("127.0.0.1:3000")
                .state(State::TimeWait)
                .without_owner(),
        )
    };
    let seen = |since: Option<f64>| Circumstances {
        state_since: since.map(instant),
        ..meant()
    };
    let explained = explanation(&[row()], &seen(Some(88.0)));
    assert_eq!(
        explained.lines,
        ["no process holds it; the kernel keeps it for at most 48 s."]
    );
    let told = on(
        Side::Client,
        socket("127.0.0.1:51324")
            .to("127.0.0.1:3000")
            .without_owner()
            .waits_until(meant().now.instant + Duration::from_millis(47_300)),
    );
    let explained = explanation(&[told], &seen(Some(88.0)));
    assert_eq!(
        explained.lines,
        ["no process holds it; the kernel keeps it for about 48 s."]
    );
    let listener = standing(socket("127.0.0.1:3000").owner(&node()));
    let explained = explanation(&[row(), listener], &seen(None));
    assert_eq!(
        explained.lines,
        [
            "no process holds it; the kernel keeps it for at most 60 s.",
            ":3000 is held by node 4242.",
        ]
    );
}

#[test]
fn a_closed_row_is_already_closed_and_who_holds_the_port_now_is_named() {
    let row = standing(socket("127.0.0.1:3000").owner(&node()));
    let next = standing(socket("127.0.0.1:3000").mark(2).owner(&chrome()));
    let gone = Circumstances {
        is_gone: true,
        ..circumstances()
    };
    let explained = ask(&row, &[&next], &gone);
    let Question::Explain(explained) = explained else {
        panic!("proposed: {explained:?}");
    };
    assert_eq!(
        explained.lines,
        [
            "already closed: nothing is left to end.",
            "127.0.0.1:3000 is held by chrome 942 now.",
        ]
    );
    assert_eq!(explained.go_to, Some(next.id()));
}

#[test]
fn a_hidden_owner_is_named_by_its_user_with_the_command_that_sees_it() {
    let row = || standing(socket("0.0.0.0:8080").user(1001, "ops"));
    let explained = explanation(&[row()], &circumstances());
    assert_eq!(explained.title, ":8080 belongs to ops");
    assert_eq!(
        explained.lines,
        ["You may not see or end the process (socket of user ops)."]
    );
    let offer = "sudo /home/dev/.cargo/bin/portmon free 8080";
    assert_eq!(explained.offer.as_deref(), Some(offer));
    assert_eq!(explained.unused_near, Some(8080));

    let odd = Circumstances {
        executable: Some("/opt/it's here/portmon".to_owned()),
        ..circumstances()
    };
    let offer = r"sudo '/opt/it'\''s here/portmon' free 8080";
    assert_eq!(explanation(&[row()], &odd).offer.as_deref(), Some(offer));
    let root = Circumstances {
        is_root: true,
        ..circumstances()
    };
    let explained = explanation(&[row()], &root);
    let said = "Not even root sees a process here (socket of user ops): it is in another container, or the kernel's own.";
    assert_eq!(
        (explained.lines, explained.offer),
        (vec![said.to_owned()], None)
    );
}

#[test]
fn a_question_about_an_owner_that_is_not_found_yet_waits() {
    let sought = socket("0.0.0.0:8080").user(1001, "ops").sought();
    let explained = explanation(&[standing(sought)], &circumstances());
    let said = "who holds 0.0.0.0:8080 is still being looked for; the question comes as soon as it is known.";
    let (title, lines) = (":8080 is held".to_owned(), vec![said.to_owned()]);
    let expected = Explanation::new(Barrier::Sought, title, lines);
    assert_eq!(explained, expected);
}

#[test]
fn a_port_is_asked_about_with_all_that_stands_on_it_or_on_one_address() {
    let client = on(
        Side::Client,
        socket("127.0.0.1:3000").to("127.0.0.1:80").owner(&chrome()),
    );
    let here = standing(socket("127.0.0.1:3000").owner(&node()));
    let there = standing(socket("[::1]:3000").mark(2).owner(&node()));
    let hidden = standing(socket("0.0.0.0:5432").user(0, "root"));
    let seen = standing(socket("[::1]:5432").owner(&node()));
    let table = [client, here, there, hidden, seen];
    let all: Vec<&Endpoint> = table.iter().collect();
    let asked = |port, on: Option<&str>| {
        let on = on.map(|ip| ip.parse().unwrap());
        match ask_port(Protocol::Tcp, port, on, &all, &circumstances()) {
            None => vec!["nothing".to_owned()],
            Some(Question::Free(proposal)) => proposal.sockets.iter().map(words::place).collect(),
            Some(Question::Explain(explanation)) => vec![explanation.title],
        }
    };
    assert_eq!(asked(3000, None), ["127.0.0.1:3000", "::1:3000"]);
    assert_eq!(asked(3000, Some("::1")), ["::1:3000"]);
    assert_eq!(asked(3000, Some("0.0.0.0")), ["nothing"]);
    assert_eq!(asked(80, None), ["nothing"]);
    assert_eq!(asked(5432, None), [":5432 belongs to root"]);
    assert_eq!(asked(5432, Some("::1")), ["::1:5432"]);
}

#[test]
fn known_and_hidden_holders_of_one_port_are_told_apart() {
    let hidden = || standing(socket("0.0.0.0:5432").user(0, "root"));
    let seen = || standing(socket("[::1]:5432").owner(&node()));
    let explained = explanation(&[hidden(), seen()], &circumstances());
    assert_eq!(
        explained.lines[1],
        "::1:5432 is another one, held by node 4242; ending that would not free 0.0.0.0:5432."
    );
    assert_eq!(explained.go_to, Some(seen().id()));
    let proposal = proposal(&[seen(), hidden()], &circumstances());
    assert_eq!(
        proposal.warnings(Targets::Topmost),
        ["0.0.0.0:5432 is held by a process of root that may not be seen; it stays held."]
    );
}

#[test]
fn by_default_a_master_is_ended_and_its_workers_only_if_all_are_meant() {
    let master = process(7001, "gunicorn").build();
    let worker = process(7003, "gunicorn").parent(7001).build();
    let row = standing(socket("127.0.0.1:8000").owners(&[&worker, &master]));
    let proposal = proposal(&[row], &circumstances());
    let pids = |targets| -> Vec<u32> {
        let order = proposal.confirm(targets, Signal::Terminate, instant(100.0));
        order.targets().iter().map(|one| one.id().pid.0).collect()
    };
    assert_eq!(pids(Targets::Topmost), [7001]);
    assert_eq!(pids(Targets::All), [7001, 7003]);
    assert!(proposal.has_more_than_topmost());
}

#[test]
fn what_is_never_ended_is_refused_in_words() {
    let systemd = process(900, "systemd").build();
    let kernel = process(77, "kworker").with(|process| process.is_kernel_thread = true);
    let cases = [
        (
            process(1, "init").build(),
            "init 1 is never ended: it belongs to the system itself.",
        ),
        (
            kernel.build(),
            "kworker 77 is never ended: it is a thread of the kernel, which no signal ends.",
        ),
        (
            process(500, "portmon").build(),
            "portmon 500 is never ended: it is this portmon.",
        ),
        (
            process(400, "zsh").build(),
            "zsh 400 is never ended: it runs this portmon, which would end with it.",
        ),
        (
            systemd,
            "systemd 900 is never ended: it manages the services of a whole session.",
        ),
    ];
    for (holder, said) in cases {
        let row = standing(socket("127.0.0.1:3000").owner(&holder));
        assert_eq!(explanation(&[row], &circumstances()).lines, [said]);
    }
}

#[test]
fn a_refused_holder_beside_others_is_left_out_of_every_order() {
    let (shell, node) = (process(400, "zsh").build(), node());
    let shared = socket("127.0.0.1:3000").owners(&[&shell, &node]);
    let proposal = proposal(&[standing(shared)], &circumstances());
    let order = proposal.confirm(Targets::All, Signal::Terminate, instant(100.0));
    let ended: Vec<_> = order.targets().iter().map(Target::id).collect();
    assert_eq!(ended, [node.id]);
    assert_eq!(
        proposal.warnings(Targets::Topmost),
        ["zsh 400 is not ended: it runs this portmon, which would end with it."]
    );
    // Its own row: ending the neighbour would free something else than what was asked about.
    let table = [
        standing(socket("[::1]:3000").owner(&shell)),
        standing(socket("127.0.0.1:3000").owner(&node)),
    ];
    assert_eq!(
        explanation(&table, &circumstances()).title,
        ":3000 is not freed"
    );
}

#[test]
fn the_port_is_typed_where_more_is_lost_than_the_port() {
    let typed = |why: &str| Demand::TypePort {
        why: vec![why.to_owned()],
    };
    let others = |ports: std::ops::Range<u16>| {
        ports.map(|port| standing(socket(&format!("127.0.0.1:{port}")).owner(&node())))
    };
    let row = |owner: &Arc<Process>| standing(socket("127.0.0.1:3000").owner(owner));
    let ops = process(5, "java").user(1001, "ops").build();
    let ssh = process(6, "ssh")
        .command("ssh host")
        .terminal("pts/4")
        .build();
    let cases = [
        (
            std::iter::once(row(&node()))
                .chain(others(4000..4003))
                .collect::<Vec<_>>(),
            Demand::Key,
        ),
        (
            std::iter::once(row(&node()))
                .chain(others(4000..4004))
                .collect(),
            typed("it also closes 4 other ports"),
        ),
        (vec![row(&ops)], typed("java 5 belongs to ops")),
        (vec![row(&ssh)], typed("ssh 6 is a login on a terminal")),
    ];
    for (table, demand) in cases {
        let proposal = proposal(&table, &circumstances());
        assert_eq!(proposal.demand(Targets::Topmost), demand);
    }
    let unknown = Circumstances {
        me: None,
        ..circumstances()
    };
    assert_eq!(
        proposal(&[row(&ops)], &unknown).demand(Targets::All),
        Demand::Key
    );
}

#[test]
fn other_ports_are_named_once_an_address_and_only_for_who_is_ended() {
    let master = process(7001, "node").build();
    let worker = process(7003, "node").parent(7001).build();
    let table = [
        standing(socket("127.0.0.1:3000").owners(&[&master, &worker])),
        standing(socket("127.0.0.1:9229").owners(&[&master, &worker])),
        standing(socket("127.0.0.1:9230").owner(&worker)),
        on(
            Side::Client,
            socket("127.0.0.1:50000")
                .to("127.0.0.1:5432")
                .owner(&master),
        ),
    ];
    let proposal = proposal(&table, &circumstances());
    let ports = |targets| -> Vec<u16> {
        let others = proposal.also_closes(targets);
        others.iter().map(|other| other.local.port()).collect()
    };
    assert_eq!(ports(Targets::Topmost), [9229]);
    assert_eq!(ports(Targets::All), [9229, 9230]);
}

#[test]
fn two_lives_of_one_pid_are_two_holders() {
    let (old, new) = (node(), process(4242, "node"));
    let new = new.with(|process| process.id.start = StartTime(1)).build();
    let table = [
        standing(socket("127.0.0.1:3000").owner(&old)),
        standing(socket("[::1]:3000").owner(&new)),
    ];
    assert_eq!(
        proposal(&table, &circumstances()).process_ids(),
        [old.id, new.id]
    );
}

#[test]
fn of_a_client_it_is_said_that_ending_it_frees_nothing_only_where_that_is_known() {
    let (node, chrome) = (
        process(4242, "node").build(),
        process(942, "chrome").build(),
    );
    let told = |listener: SocketBuilder, client: SocketBuilder| {
        let (listener, mut client) = (listener.endpoint(), client.endpoint());
        client.relation.side = Side::Client;
        let table = [&listener, &client];
        match ask(&client, &table, &circumstances()) {
            Question::Explain(explanation) => explanation.lines[0].clone(),
            Question::Free(proposal) => panic!("{proposal:?}"),
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
        "may not be seen.",
    ];
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
}

/// node 4242 on :3000, with these ancestors and this process group.
fn with_kin(ancestors: &[Arc<Process>], group: &[Arc<Process>]) -> Proposal {
    let row = standing(socket("127.0.0.1:3000").owner(&node()));
    let mut proposal = proposal(&[row], &circumstances());
    proposal.learn(&[Kin {
        process: node().id,
        ancestors: ancestors.to_vec(),
        condition: None,
        descendants: Vec::new(),
        group: group.to_vec(),
        restrictions: Vec::new(),
        provenance: Provenance::default(),
    }]);
    proposal
}

#[test]
fn a_group_ends_as_a_whole_or_not_at_all() {
    let esbuild = process(4243, "esbuild").build();
    let ended = |group: &[Arc<Process>]| {
        let proposal = with_kin(&[], group);
        let targets = proposal.targets(Targets::Group);
        let ended: Vec<u32> = targets.iter().map(|target| target.id().pid.0).collect();
        (proposal.has_group(), ended)
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
fn parents_are_offered_up_to_whoever_leads_a_terminal_or_runs_portmon() {
    let (npm, make) = (process(3970, "npm").build(), process(3960, "make").build());
    let shell = |pid: u32| {
        process(pid, "zsh")
            .terminal("pts/4")
            .with(move |one| one.session = Some(Pid(pid)))
    };
    let offered = |third: Arc<Process>| {
        let tmux = process(3000, "tmux").build();
        let proposal = with_kin(&[npm.clone(), make.clone(), third, tmux], &[]);
        let parents = proposal.parents().into_iter();
        parents.map(|one| one.id.pid.0).collect::<Vec<u32>>()
    };
    let with_terminal = process(3801, "watch").terminal("pts/4").build();
    assert_eq!(offered(with_terminal), [3970, 3960, 3801, 3000]);
    for end in [shell(3801), process(400, "sh"), process(900, "systemd")] {
        assert_eq!(offered(end.build()), [3970, 3960]);
    }
}
