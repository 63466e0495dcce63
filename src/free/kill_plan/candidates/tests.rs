use super::*;
use crate::free::{Confirmation, FreeContext, Preview, Warning, plan_row};
use crate::model::process::{Manager, Restriction};
use crate::model::process::{Pid, Signal, Supervisor, Unit};
use crate::model::testing::{
    SocketBuilder, environment, instant, moment, process, process_tree, socket, socket_candidates,
};
use crate::wording;

fn webserver() -> Arc<Process> {
    process(4242, "webserver").build()
}

fn api() -> Arc<Process> {
    process(4300, "api").build()
}

/// The explanation for the first of these sockets, whose owner is hidden, and the plan for its candidates.
fn asked(
    sockets: Vec<SocketBuilder>,
    candidates: &[&Arc<Process>],
    trees: &[ProcessTree],
) -> (Explanation, Option<KillPlan>) {
    let environment = environment(|it| it.self_pids = vec![Pid(500), Pid(400)]);
    let table: Vec<Endpoint> = sockets.into_iter().map(SocketBuilder::endpoint).collect();
    let table: Vec<&Endpoint> = table.iter().collect();
    let context = FreeContext::new(environment, moment(0.0));
    let mut explanation = *plan_row(table[0], &table, &context).expect_err("an explanation");
    let of_socket =
        |query: &crate::model::process::CandidateQuery| socket_candidates(query.socket, candidates);
    let found: Vec<SocketCandidates> = explanation.unowned().iter().map(of_socket).collect();
    let plan = KillPlan::of_candidates(&explanation, &found, trees, &table, environment);
    explanation.add_candidates(&found, &environment.self_pids);
    (explanation, plan)
}

fn hidden() -> SocketBuilder {
    socket("127.0.0.1:8080")
}

fn pids(plan: &KillPlan, targets: TargetSet) -> Vec<u32> {
    let targets = plan.targets(targets).into_iter();
    targets.map(|target| target.id().pid.0).collect()
}

#[test]
fn of_many_candidates_none_is_named_and_no_pid_is_typed() {
    let many = |count: u32| -> Vec<_> {
        let one = |place| process(4000 + place, "sh").build();
        (0..count).map(one).collect()
    };
    let planned = |count| asked(vec![hidden()], &many(count).iter().collect::<Vec<_>>(), &[]);
    let (few, plan) = planned(3);
    assert!(plan.is_some());
    let said = &wording::explanation_lines(&few, None)[1];
    assert!(said.starts_with("It is probably one of sh 4000, sh 4001 and sh 4002; "));
    let (many, plan) = planned(4);
    assert!(plan.is_none());
    assert_eq!(
        wording::explanation_lines(&many, None),
        [
            "It was opened by user dev; its process is hidden from you.",
            "It may be one of 4 processes of dev whose descriptors are not readable.",
        ]
    );
    assert!(few.candidates()[0].named().len() == 3 && many.candidates()[0].named().is_empty());
}

#[test]
fn a_candidate_is_stopped_only_if_its_pid_is_typed() {
    let (explanation, plan) = asked(vec![hidden()], &[&webserver()], &[]);
    let plan = plan.expect("a plan");
    assert_eq!(
        wording::explanation_lines(&explanation, None)[1],
        "It is probably webserver 4242; its descriptors are not readable, so portmon cannot prove it."
    );
    let preview = Preview::new(
        std::slice::from_ref(&plan),
        TargetSet::Topmost,
        Signal::Kill,
    );
    let typed = Confirmation::TypePid {
        pids: vec![Pid(4242)],
        why: Vec::new(),
    };
    assert_eq!(preview.confirmation, typed);
    let accepted = ["", "8080", "424", "4242"].map(|text| typed.accepts(text));
    assert_eq!(accepted, [false, false, false, true]);
    let warnings: Vec<String> = preview.warnings.iter().map(wording::warning).collect();
    assert_eq!(
        warnings,
        ["portmon cannot prove that webserver 4242 holds :8080: its descriptors are not readable"]
    );
    for untyped in [TargetSet::Topmost, TargetSet::All, TargetSet::Group] {
        let request = plan.confirm(untyped, Signal::Kill, instant(0.0));
        assert_eq!(request.targets(), [], "{untyped:?}");
    }
    let typed = plan.typed_candidate("4242").expect("the candidate");
    let request = plan.confirm(typed, Signal::Kill, instant(0.0));
    let [target] = request.targets() else {
        panic!("one target: {request:?}")
    };
    assert!(target.is_candidate() && !target.is_owner());
    assert_eq!(plan.owner_processes(), [], "a candidate is no owner");
}

#[test]
fn of_several_candidates_only_the_typed_one_is_a_target() {
    let (_, plan) = asked(vec![hidden()], &[&webserver(), &api()], &[]);
    let plan = plan.expect("a plan");
    assert_eq!(pids(&plan, TargetSet::Topmost), [4242, 4300]);
    let typed = ["4300", "4242", "8080", ""].map(|text| plan.typed_candidate(text));
    let expected = [Some(api().id), Some(webserver().id), None, None];
    assert_eq!(typed, expected.map(|id| id.map(TargetSet::Candidate)));
    assert_eq!(pids(&plan, TargetSet::Candidate(api().id)), [4300]);
}

#[test]
fn one_candidate_for_two_addresses_is_one_target() {
    let (_, plan) = asked(vec![hidden(), socket("[::1]:8080")], &[&webserver()], &[]);
    let targets = plan.expect("a plan").targets(TargetSet::Topmost);
    let sockets: Vec<usize> = targets.iter().map(|target| target.sockets.len()).collect();
    assert_eq!(sockets, [2]);
}

#[test]
fn visible_owners_and_groups_are_not_stopped_with_a_candidate() {
    let node = process(77, "node").build();
    let tree = ProcessTree {
        ancestors: vec![process(70, "make").build()],
        group: vec![webserver(), node.clone()],
        ..process_tree(webserver().id)
    };
    let sockets = vec![hidden(), socket("[::1]:8080").owner(&node)];
    let (_, plan) = asked(sockets, &[&webserver()], &[tree]);
    let plan = plan.expect("a plan");
    for targets in [TargetSet::Topmost, TargetSet::All, TargetSet::Group] {
        assert_eq!(pids(&plan, targets), [4242], "{targets:?}");
    }
    assert!(!plan.has_group() && plan.parents().is_empty());
    assert_eq!(plan.owner_processes(), [node]);
}

#[test]
fn a_protected_candidate_is_named_and_not_asked_about() {
    let sshd = process(400, "sshd").build();
    let (explanation, plan) = asked(vec![hidden()], &[&sshd], &[]);
    assert_eq!(plan, None);
    assert_eq!(
        wording::explanation_lines(&explanation, None)[2],
        "sshd 400 is protected: it is an ancestor of portmon, and stopping it could end portmon."
    );
}

#[test]
fn a_candidate_that_systemd_manages_is_not_asked_about() {
    let mut unit = Unit::new("web.service".into(), Manager::User);
    unit.main = Some(Pid(4242));
    let tree = ProcessTree {
        supervisor: Supervisor {
            unit: Some(unit),
            ..Supervisor::default()
        },
        ..process_tree(webserver().id)
    };
    let (_, plan) = asked(vec![hidden()], &[&webserver()], std::slice::from_ref(&tree));
    assert_eq!(plan, None);
    let (_, plan) = asked(vec![hidden()], &[&webserver(), &api()], &[tree]);
    assert_eq!(pids(&plan.expect("a plan"), TargetSet::Topmost), [4300]);
}

#[test]
fn a_candidate_that_may_hold_more_is_said_to() {
    let tree = ProcessTree {
        restrictions: vec![Restriction {
            process: webserver().id,
            no_fds: true,
            no_signal: false,
        }],
        ..process_tree(webserver().id)
    };
    let (_, plan) = asked(vec![hidden()], &[&webserver()], &[tree]);
    let plan = plan.expect("a plan");
    let preview = Preview::new(&[plan], TargetSet::Topmost, Signal::Terminate);
    let unseen = preview.also_closes.unseen.expect("something unseen");
    assert_eq!(
        wording::unseen_text(&unseen),
        "what else webserver 4242 holds is unknown"
    );
    assert!(matches!(preview.warnings[..], [Warning::Unproved(..)]));
}
