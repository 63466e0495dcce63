use super::*;
use crate::free::{FreeContext, PlanResult, Refusal, TargetChoice, TargetSet, Warning, plan_port};
use crate::model::port::{Availability, EphemeralRange, PortSpec};
use crate::model::process::{Manager, Pid, ProcessTree, Restriction, Unit};
use crate::model::socket::Endpoint;
use crate::model::testing::{SocketBuilder, environment, moment, process, process_tree, socket};
use serde_json::{Value, json};
use std::time::Duration;

fn spec(text: &str) -> PortSpec {
    text.parse().expect(text)
}

fn planned(port: &str, table: &[Endpoint]) -> Option<PlanResult> {
    let environment = environment(|it| {
        it.self_pids = vec![Pid(50), Pid(40)];
        it.executable = Some("/opt/portmon".to_owned());
    });
    let context = FreeContext::new(environment, moment(0.0));
    let (table, spec): (Vec<&Endpoint>, _) = (table.iter().collect(), spec(port));
    plan_port(spec, &table, &context)
}

/// A plan for the topmost owners, of which the first has this tree.
fn plan(port: &str, table: &[Endpoint], tree: impl FnOnce(&mut ProcessTree)) -> PortPlan {
    let Some(Ok(mut kill_plan)) = planned(port, table) else {
        panic!("{port} can be freed");
    };
    let mut of_first = process_tree(kill_plan.process_ids()[0]);
    tree(&mut of_first);
    kill_plan.add_trees(&[of_first]);
    PortPlan {
        spec: spec(port),
        kill_plan,
        choice: TargetChoice::Topmost,
        targets: TargetSet::Topmost,
        signal: Signal::Terminate,
    }
}

fn preview(plan: &PortPlan) -> Vec<String> {
    let context = DisplayContext {
        now: moment(0.0),
        home: Some("/home/dev"),
        ephemeral: EphemeralRange::IANA,
        is_ascii: false,
    };
    preview_lines(plan, &context)
}

fn json_of(report: &FreeReport, is_dry_run: bool) -> Value {
    serde_json::to_value(JsonFreeReport::new(report, is_dry_run)).expect("JSON")
}

#[test]
fn the_preview_names_targets_and_what_else_closes() {
    let npm = process(3970, "npm").build();
    let zsh = process(3801, "zsh").terminal("pts/4").build();
    let child = process(4000, "esbuild").parent(3977).build();
    let node = process(3977, "node").command("node vite");
    let node = node.directory("/home/dev/shop").parent(3970).build();
    let worker = process(3990, "node").parent(3977).build();
    let table = [
        socket("127.0.0.1:5173").owners(&[&node, &worker]),
        socket("[::1]:5173").owner(&node),
        socket("127.0.0.1:9229").owner(&node),
        socket("127.0.0.1:5173").to("127.0.0.1:9").owner(&node),
    ];
    let plan = plan(
        "127.0.0.1:5173",
        &table.map(SocketBuilder::endpoint),
        |tree| {
            tree.ancestors = vec![npm, zsh];
            tree.descendants = vec![worker, child];
            tree.supervisor.unit = Some(Unit::new("shop.service".into(), Manager::User));
        },
    );
    let expected = [
        "127.0.0.1:5173 on build-07 is held:",
        "  Stops         node 3977   vite · ~/shop   dev   up 1h",
        "  Shared with   node 3990   node   dev   up 1h",
        "  Also closes   tcp [::1]:5173, tcp 127.0.0.1:9229, 1 connection",
        "  May also stop its 1 worker and its child esbuild 4000",
        "  Started by    npm 3970   npm   dev   up 1h   may restart it   ← zsh 3801 (pts/4)",
        "  Restarted by  shop.service (user)",
        "  To stop it    systemctl --user stop shop.service",
        "  Signal        SIGTERM to node 3977",
    ];
    assert_eq!(preview(&plan), expected);
    let question = wording::free_question(&plan);
    assert_eq!(
        question,
        "Send SIGTERM to node 3977 to free 127.0.0.1:5173? [y/N] "
    );
}

#[test]
fn reasons_for_a_typed_confirmation_are_shown_first() {
    let java = process(812, "java").user(33, "ops").build();
    let table = [socket("127.0.0.1:8080").owner(&java).endpoint()];
    let lines = preview(&plan("8080", &table, |_| {}));
    let warning = "  Warning       java 812 belongs to ops".to_owned();
    assert!(lines.contains(&warning), "{lines:#?}");
}

#[test]
fn a_dry_run_says_what_would_stay_held() {
    let node = process(3977, "node").parent(3900).build();
    let told = |other: SocketBuilder| {
        let own = socket("127.0.0.1:5173").owner(&node);
        let plan = plan("5173", &[own, other].map(SocketBuilder::endpoint), |_| {});
        wording::free_report(&plan.dry_run())
    };
    let other = || socket("[::1]:5173");
    let warning = wording::warning(&Warning::StaysHeld(other().pending().build()));
    assert_eq!(
        told(other().pending()),
        format!("Dry run for :5173: would send SIGTERM to node 3977; {warning}")
    );
    let protected = told(other().owner(&process(1, "init").build()));
    let kept = "Dry run for :5173: would send SIGTERM to node 3977; init 1 is not stopped: ";
    assert!(protected.starts_with(kept), "{protected}");
}

#[test]
fn a_dry_run_promises_only_what_may_be_done_and_is_known() {
    let node = process(3977, "node").build();
    let shell = process(3900, "sh").user(0, "root").build();
    let table = [socket("127.0.0.1:5173").owner(&node).endpoint()];
    let told = |no_signal: bool| {
        let mut plan = plan("5173", &table, |tree| {
            tree.group = vec![Arc::clone(&node), Arc::clone(&shell)];
            tree.restrictions = vec![Restriction {
                process: shell.id,
                no_fds: true,
                no_signal,
            }];
        });
        plan.targets = TargetSet::Group;
        let closes = "  Also closes   sh 3900 belongs to root; what else it holds is unknown";
        assert!(preview(&plan).contains(&closes.to_owned()));
        let json = json_of(&plan.dry_run(), true);
        let would_signal = json["would_signal"].as_array().map(Vec::len);
        (
            json["verdict"].clone(),
            would_signal,
            json["message"].clone(),
        )
    };
    let message = "Dry run for :5173: would send SIGTERM to node 3977 and sh 3900; sh 3900 belongs to root; what else it \
                   holds is unknown";
    assert_eq!(told(false), (Value::Null, Some(2), json!(message)));
    let message = "Nothing would be sent for :5173: you are not permitted to signal sh 3900 of root; sh 3900 belongs to \
                   root; what else it holds is unknown";
    assert_eq!(
        told(true),
        (json!("not_permitted"), Some(0), json!(message))
    );
}

#[test]
fn a_hidden_owner_is_not_permitted_a_protected_one_refused() {
    let shell = process(40, "bash").build();
    let table = [
        socket("0.0.0.0:8080").endpoint(),
        socket("127.0.0.1:3000").owner(&shell).endpoint(),
    ];
    let told = |port: &str, unused| {
        let Some(Err(explanation)) = planned(port, &table) else {
            panic!("{port} cannot be freed");
        };
        let report = FreeReport::explained(spec(port), explanation, unused);
        (report.outcome(), wording::free_report(&report))
    };
    let hidden = ":8080 belongs to dev. It was opened by user dev. Use sudo, or take another port. \
                  Port 8081 is free (bound just now). Try: sudo /opt/portmon free 8080";
    let expected = (Some(FreeOutcome::NotPermitted), hidden.to_owned());
    assert_eq!(told("8080", Some(8081)), expected);
    let protected = ":3000 cannot be freed. bash 40 is protected: it is an ancestor of portmon, and stopping it could end portmon.";
    let expected = (Some(FreeOutcome::Refused), protected.to_owned());
    assert_eq!(told("3000", None), expected);
}

#[test]
fn a_line_of_json_is_the_object_that_the_documents_promise() {
    let node = process(4242, "node").build();
    let not_held = Conclusion::NotHeld {
        availability: Availability::Usable,
        left: Vec::new(),
    };
    let freed = FreeReport {
        signalled: vec![(Arc::clone(&node), Signal::Terminate)],
        after: Some(Duration::from_micros(812_345)),
        ..FreeReport::new(spec("3000"), not_held, Vec::new())
    };
    let expected = json!({
        "port": 3000, "protocol": "tcp", "address": null, "verdict": "free",
        "signalled": [{ "pid": 4242, "name": "node", "signal": "SIGTERM" }],
        "holders": [], "after_seconds": 0.812, "message": ":3000 is free: nothing holds it"
    });
    assert_eq!(json_of(&freed, false), expected);

    let table = [socket("[::1]:3000").owner(&node).endpoint()];
    let plan = plan("[::1]:3000", &table, |_| {});
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
    let refused = json_of(&plan.refused(Refusal::NotConfirmed), false);
    assert_eq!(
        (
            &refused["verdict"],
            &refused["message"],
            refused.get("would_signal")
        ),
        (
            &json!("refused"),
            &json!("Nothing sent for [::1]:3000: not confirmed."),
            None
        )
    );
}
