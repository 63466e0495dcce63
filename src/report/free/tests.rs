use super::json::JsonFreeReport;
use super::no_owner::report;
use super::preview::preview_lines;
use super::text::{PortPlan, explained, question};
use super::*;
use crate::free::{FreeContext, PlanResult, TargetSet, Warning, plan_port};
use crate::model::port::{BindResult, EphemeralRange};
use crate::model::process::{Manager, Pid, ProcessTree, Restriction, Supervisor, Unit};
use crate::model::socket::{Endpoint, State};
use crate::model::testing::{SocketBuilder, environment, instant, moment, process, socket};
use crate::table::row::DisplayContext;
use crate::wording;
use serde_json::{Value, json};

fn spec(text: &str) -> PortSpec {
    text.parse().expect(text)
}

fn context() -> FreeContext<'static> {
    FreeContext::new(
        environment(|it| {
            it.self_pids = vec![Pid(50), Pid(40)];
            it.executable = Some("/opt/portmon".to_owned());
        }),
        moment(0.0),
    )
}

fn asked(spec: PortSpec, table: &[Endpoint]) -> Option<PlanResult> {
    let table: Vec<&Endpoint> = table.iter().collect();
    plan_port(spec, &table, &context())
}

fn plan(word: &str, table: &[Endpoint]) -> PortPlan {
    let spec = spec(word);
    let Some(Ok(kill_plan)) = asked(spec, table) else {
        panic!("{spec} can be freed");
    };
    PortPlan {
        spec,
        kill_plan,
        targets: TargetSet::Topmost,
        signal: Signal::Terminate,
    }
}

fn display_context() -> DisplayContext<'static> {
    DisplayContext {
        now: moment(0.0),
        home: Some("/home/dev"),
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    }
}

#[test]
fn of_several_ports_the_worst_is_the_exit_code() {
    use FreeOutcome::{Free, NotPermitted, Refused, StillHeld, TakenAgain};
    let code = |outcomes: &[FreeOutcome]| {
        let of =
            |outcome: &FreeOutcome| FreeReport::without_signal(spec("1"), *outcome, String::new());
        exit_code(&outcomes.iter().map(of).collect::<Vec<_>>())
    };
    assert_eq!(code(&[Free]), 0);
    assert_eq!(code(&[StillHeld, Free]), 3);
    assert_eq!(code(&[StillHeld, TakenAgain]), 5);
    assert_eq!(code(&[NotPermitted, TakenAgain, Free]), 4);
    assert_eq!(
        code(&[Refused, NotPermitted, TakenAgain, StillHeld, Free]),
        6
    );
    assert_eq!(code(&[]), 0);
}

#[test]
fn a_range_means_what_stands_in_it_and_a_number_means_itself() {
    let node = process(4242, "node").build();
    let table = [
        socket("127.0.0.1:3002").owner(&node).endpoint(),
        socket("[::1]:3002").owner(&node).endpoint(),
        socket("127.0.0.1:3001").state(State::Bound).endpoint(),
        socket("127.0.0.1:3003").to("127.0.0.1:9").endpoint(),
        socket("127.0.0.1:3004").udp().endpoint(),
    ];
    let meant = |words: &[&str]| {
        let targets = PortRange::parse_list(words.iter().copied()).expect("targets");
        let port_specs = port_specs(&targets, &table);
        port_specs.map(|port_specs| {
            port_specs
                .iter()
                .map(PortSpec::to_argument)
                .collect::<Vec<_>>()
        })
    };
    let named = |words: &[&str]| Ok(words.iter().map(|word| (*word).to_owned()).collect());
    assert_eq!(meant(&["3000-3010"]), named(&["3001", "3002"]));
    assert_eq!(meant(&["3000-3010/udp"]), named(&["3004/udp"]));
    assert_eq!(meant(&["3999", "3002"]), named(&["3999", "3002"]));
    assert_eq!(meant(&["3002", "3000-3010"]), named(&["3002", "3001"]));
    assert_eq!(meant(&["127.0.0.1:3002", "3002"]), named(&["3002"]));
    assert_eq!(
        meant(&["127.0.0.1:3002", "[::1]:3002"]),
        Err(
            "127.0.0.1:3002 and [::1]:3002 are addresses of one port: free them one after the other, or 3002 on all \
             of them"
                .to_owned()
        )
    );
}

#[test]
fn an_unowned_port_is_free_unless_a_bind_fails() {
    let chrome = process(942, "chrome").build();
    let java = process(812, "java").build();
    let client = socket("127.0.0.1:51324")
        .to("127.0.0.1:3000")
        .owner(&chrome)
        .endpoint();
    let wait = socket("127.0.0.1:8080")
        .to("127.0.0.1:9")
        .state(State::TimeWait)
        .without_owner()
        .endpoint();
    let wildcard = socket("0.0.0.0:5432").owner(&java).endpoint();
    let table = [client, wait, wildcard];
    let failed = || BindResult::Failed("in use".to_owned());
    let said = [
        ("3000", BindResult::Usable),
        ("80", BindResult::NotPermitted),
        ("8080", BindResult::OnlyWithReuseAddr),
        ("8080", failed()),
        ("51324", failed()),
        ("127.0.0.1:5432", failed()),
        ("3000/udp", failed()),
    ]
    .map(|(word, bind)| {
        let report = report(spec(word), &table, &bind, instant(0.0));
        let holders: Vec<u32> = report.holders.iter().map(|one| one.pid().0).collect();
        (report.outcome, holders, report.message)
    });
    let (free, held) = (Some(FreeOutcome::Free), Some(FreeOutcome::StillHeld));
    let expected = [
        (free, vec![], ":3000 is free: nothing holds it"),
        (
            free,
            vec![],
            ":80 is free: nothing holds it. You are not permitted to bind it, so only the socket tables show this.",
        ),
        (
            free,
            vec![],
            ":8080 is free: nothing holds it, but it can be bound only with SO_REUSEADDR (1 TIME_WAIT)",
        ),
        (
            held,
            vec![],
            ":8080 is STILL HELD: no process holds it; the kernel keeps 1 TIME_WAIT for at most 60 s",
        ),
        (
            held,
            vec![942],
            ":51324 is STILL HELD: nobody listens, but chrome 942 has a connection to 127.0.0.1:3000 on it, and no \
             connection is ended",
        ),
        (
            held,
            vec![812],
            "127.0.0.1:5432 is STILL HELD: java 812 has the port on 0.0.0.0; portmon free 5432 is about every address",
        ),
        (
            held,
            vec![],
            ":3000/udp is STILL HELD: nothing is seen there, but a bind fails: in use",
        ),
    ]
    .map(|(outcome, holders, message)| (outcome, holders, message.to_owned()));
    assert_eq!(said, expected);
}

#[test]
fn the_preview_names_targets_and_what_else_closes() {
    let npm = process(3970, "npm").build();
    let zsh = process(3801, "zsh").terminal("pts/4").build();
    let child = process(4000, "esbuild").parent(3977).build();
    let node = process(3977, "node")
        .command("node vite")
        .directory("/home/dev/shop")
        .parent(3970)
        .build();
    let worker = process(3990, "node").parent(3977).build();
    let table = [
        socket("127.0.0.1:5173")
            .owners(&[&node, &worker])
            .endpoint(),
        socket("[::1]:5173").owner(&node).endpoint(),
        socket("127.0.0.1:9229").owner(&node).endpoint(),
        socket("127.0.0.1:5173")
            .to("127.0.0.1:9")
            .owner(&node)
            .endpoint(),
    ];
    let mut plan = plan("127.0.0.1:5173", &table);
    let mut tree = empty_tree(&node);
    tree.ancestors = vec![npm, zsh];
    tree.descendants = vec![worker, child];
    tree.supervisor.unit = Some(Unit::new("shop.service".into(), Manager::User));
    plan.kill_plan.add_trees(&[tree]);
    let expected = [
        "127.0.0.1:5173 on build-07 is held:",
        "  Stops         node 3977   vite · ~/shop   dev   up 1h",
        "  Shared with   node 3990   up 1h",
        "  Also closes   tcp [::1]:5173, tcp 127.0.0.1:9229, 1 connection",
        "  May also stop its 1 worker and its child esbuild 4000",
        "  Started by    npm 3970 ← zsh 3801 (pts/4)",
        "  Restarted by  shop.service (user)",
        "  To stop it    systemctl --user stop shop.service",
        "  Signal        SIGTERM to node 3977",
    ];
    assert_eq!(preview_lines(&plan, &display_context()), expected);
    let asked = question(&plan);
    assert_eq!(asked, "Free 127.0.0.1:5173: SIGTERM to node 3977? [y/N] ");
}

fn empty_tree(of: &Process) -> ProcessTree {
    ProcessTree {
        process: of.id,
        ancestors: Vec::new(),
        descendants: Vec::new(),
        process_state: None,
        group: Vec::new(),
        restrictions: Vec::new(),
        supervisor: Supervisor::default(),
    }
}

#[test]
fn a_group_is_ended_as_a_whole_or_not_at_all() {
    let node = process(3977, "node").build();
    let tail = process(3978, "tail").build();
    let shell = process(40, "bash").build();
    let table = [socket("127.0.0.1:5173").owner(&node).endpoint()];
    let processes = |group: &[&Arc<Process>]| {
        let mut plan = plan("5173", &table);
        plan.targets = TargetSet::Group;
        let mut tree = empty_tree(&node);
        tree.group = group.iter().map(|one| Arc::clone(one)).collect();
        plan.kill_plan.add_trees(&[tree]);
        let processes = plan.processes();
        processes.iter().map(|one| one.pid().0).collect::<Vec<_>>()
    };
    assert_eq!(processes(&[&node, &tail]), [3977, 3978]);
    assert_eq!(processes(&[&node]), [3977]);
    // portmon runs in that shell.
    assert_eq!(processes(&[&shell, &node]), [0; 0]);
    assert_eq!(processes(&[]), [0; 0]);
}

#[test]
fn a_dry_run_says_what_would_stay_held() {
    let node = process(3977, "node").parent(3900).build();
    let init = process(1, "init").build();
    let told = |other: SocketBuilder| {
        let own = socket("127.0.0.1:5173").owner(&node).endpoint();
        let mut plan = plan("5173", &[own, other.endpoint()]);
        plan.kill_plan.add_trees(&[empty_tree(&node)]);
        plan.dry_run().message
    };
    let other = || socket("[::1]:5173");
    let warning = wording::warning(&Warning::StaysHeld(other().pending().build()));
    assert_eq!(
        told(other().pending()),
        format!(":5173 would not be freed completely: {warning}; SIGTERM to node 3977")
    );
    let protected = told(other().owner(&init));
    let kept = ":5173 would not be freed completely: init 1 is not stopped: ";
    assert!(protected.starts_with(kept), "{protected}");
}

#[test]
fn a_dry_run_promises_only_what_may_be_done_and_is_known() {
    let node = process(3977, "node").build();
    let shell = process(3900, "sh").user(0, "root").build();
    let table = [socket("127.0.0.1:5173").owner(&node).endpoint()];
    let told = |no_signal: bool| {
        let mut plan = plan("5173", &table);
        plan.targets = TargetSet::Group;
        let mut tree = empty_tree(&node);
        tree.group = vec![Arc::clone(&node), Arc::clone(&shell)];
        tree.restrictions = vec![Restriction {
            process: shell.id,
            no_fds: true,
            no_signal,
        }];
        plan.kill_plan.add_trees(&[tree]);
        let closes = "  Also closes   sh 3900 belongs to root; what else it holds is unknown";
        assert!(preview_lines(&plan, &display_context()).contains(&closes.to_owned()));
        let report = plan.dry_run();
        let would = report.would_signal.expect("a list").len();
        (report.outcome, would, report.message)
    };
    assert_eq!(
        told(false),
        (
            None,
            2,
            ":5173 would be freed: SIGTERM to node 3977 and sh 3900; sh 3900 belongs to root; what else it holds is \
             unknown"
                .to_owned()
        )
    );
    assert_eq!(
        told(true),
        (
            Some(FreeOutcome::NotPermitted),
            0,
            "Nothing would be sent for :5173: you may not signal sh 3900 of root; sh 3900 belongs to root; \
             what else it holds is unknown"
                .to_owned()
        )
    );
}

#[test]
fn reasons_for_a_typed_confirmation_are_shown_first() {
    let java = process(812, "java").user(33, "ops").build();
    let table = [socket("127.0.0.1:8080").owner(&java).endpoint()];
    let plan = plan("8080", &table);
    let lines = preview_lines(&plan, &display_context());
    let beware = "  Warning       java 812 belongs to ops".to_owned();
    assert!(lines.contains(&beware), "{lines:#?}");
}

#[test]
fn a_hidden_owner_is_not_permitted_a_protected_one_refused() {
    let shell = process(40, "bash").build();
    let table = [
        socket("0.0.0.0:8080").endpoint(),
        socket("127.0.0.1:3000").owner(&shell).endpoint(),
    ];
    let blocked_by_supervisor = |word: &str, unused| {
        let Some(Err(explanation)) = asked(spec(word), &table) else {
            panic!("{word} cannot be freed");
        };
        let report = FreeReport::blocked_by_supervisor(spec(word), &explanation, unused);
        assert_eq!(report.message, explained(&explanation, unused));
        (report.outcome, report.message)
    };
    assert_eq!(
        blocked_by_supervisor("8080", Some(8081)),
        (
            Some(FreeOutcome::NotPermitted),
            ":8080 belongs to dev. Its process belongs to user dev. Use sudo, or take another port. \
             Port 8081 is free (bound just now). Try: sudo /opt/portmon free 8080"
                .to_owned()
        )
    );
    assert_eq!(
        blocked_by_supervisor("3000", None),
        (
            Some(FreeOutcome::Refused),
            ":3000 is not freed. bash 40 is protected: it runs this portmon, which would end with it."
                .to_owned()
        )
    );
}

#[test]
fn a_line_of_json_is_the_object_that_the_documents_promise() {
    let node = process(4242, "node").build();
    let freed = FreeReport {
        signalled: vec![(Arc::clone(&node), Signal::Terminate)],
        after: Some(Duration::from_micros(812_345)),
        ..FreeReport::without_signal(spec("3000"), FreeOutcome::Free, "said".to_owned())
    };
    let json_of = |report: &FreeReport, dry_run| {
        serde_json::to_value(JsonFreeReport::new(report, dry_run)).expect("JSON")
    };
    let expected = json!({
        "port": 3000, "protocol": "tcp", "address": null, "verdict": "free",
        "signalled": [{ "pid": 4242, "name": "node", "signal": "SIGTERM" }],
        "holders": [], "after_seconds": 0.812, "message": "said"
    });
    assert_eq!(json_of(&freed, false), expected);

    let table = [socket("[::1]:3000").owner(&node).endpoint()];
    let plan = plan("[::1]:3000", &table);
    let value = json_of(&plan.dry_run(), true);
    let part = ["address", "verdict", "signalled", "would_signal", "dry_run"];
    let expected = [
        json!("::1"),
        Value::Null,
        json!([]),
        json!([{ "pid": 4242, "name": "node", "signal": "SIGTERM" }]),
        json!(true),
    ];
    assert_eq!(part.map(|key| value[key].clone()), expected);
    assert_eq!(value["holders"][0]["pid"], json!(4242));
    let refused = plan.refused("nobody agreed");
    assert_eq!(
        (refused.outcome, refused.message.as_str()),
        (
            Some(FreeOutcome::Refused),
            "Nothing sent for [::1]:3000: nobody agreed."
        )
    );
}
