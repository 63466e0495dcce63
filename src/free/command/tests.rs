use super::*;
use crate::free::{FreeContext, KillPlan, Protected, TargetChoice, TargetSet, plan_port};
use crate::model::port::{
    AddressProbe, BindOutcome, Doubt, Holding, PortBinds, PortRange, WhyUnseen,
};
use crate::model::process::{Manager, Pid, ProcessTree, Unit};
use crate::model::socket::{Endpoint, Protocol};
use crate::model::testing::{
    SocketBuilder, environment, instant, moment, process, process_tree, socket,
};
use std::net::SocketAddr;

fn spec(text: &str) -> PortSpec {
    text.parse().expect(text)
}

#[test]
fn of_several_ports_the_worst_is_the_exit_code() {
    let free = || Conclusion::NotHeld {
        availability: Availability::Usable,
        left: Vec::new(),
    };
    let without_address = || Conclusion::NotHeld {
        availability: Availability::NoSuchAddress,
        left: Vec::new(),
    };
    let held = || Conclusion::Freed(None);
    let freed = |kind| {
        let port = crate::model::port::Port::of(&socket("127.0.0.1:1").build());
        let outcomes = Vec::new();
        let verdict = Verdict {
            port,
            outcomes,
            kind,
        };
        Conclusion::Freed(Some(Box::new(verdict)))
    };
    let taken = || {
        freed(VerdictKind::TakenAgain {
            free_for: None,
            by: socket("127.0.0.1:1").build(),
            starter: None,
        })
    };
    let not_permitted = || {
        let denied = SignalError::NotPermitted(process(1, "init").build());
        freed(VerdictKind::NothingSent(denied))
    };
    let refused = || Conclusion::Refused(Refusal::NotConfirmed);
    let cases = [
        (vec![], 0),
        (vec![free()], 0),
        (vec![held(), free()], 3),
        (vec![free(), without_address()], 3),
        (vec![held(), taken()], 5),
        (vec![not_permitted(), taken(), free()], 4),
        (vec![refused(), not_permitted(), taken(), held(), free()], 6),
    ];
    for (conclusions, code) in cases {
        let report = |conclusion| FreeReport::new(spec("1"), conclusion, Vec::new());
        let reports: Vec<FreeReport> = conclusions.into_iter().map(report).collect();
        assert_eq!(exit_code(&reports), code, "{reports:?}");
    }
}

#[test]
fn a_range_means_its_held_ports_and_a_number_itself() {
    let node = process(4242, "node").build();
    let table = [
        socket("127.0.0.1:3002").owner(&node).endpoint(),
        socket("[::1]:3002").owner(&node).endpoint(),
        socket("127.0.0.1:3001").state(State::Bound).endpoint(),
        socket("127.0.0.1:3003").to("127.0.0.1:9").endpoint(),
        socket("127.0.0.1:3004").udp().endpoint(),
    ];
    let cases = [
        ("3000-3010", Ok("3001 3002")),
        ("3000-3010/udp", Ok("3004/udp")),
        ("3999 3002", Ok("3999 3002")),
        ("3002 3000-3010", Ok("3002 3001")),
        ("127.0.0.1:3002 3002", Ok("3002")),
        (
            "127.0.0.1:3002 [::1]:3002",
            Err(["127.0.0.1:3002", "[::1]:3002"].map(spec)),
        ),
    ];
    for (targets, expected) in cases {
        let ranges = PortRange::parse_list(targets.split(' ')).expect(targets);
        let arguments = |specs: Vec<PortSpec>| {
            let specs = specs.iter().map(PortSpec::to_argument);
            specs.collect::<Vec<_>>().join(" ")
        };
        let meant = port_specs(&ranges, &table).map(arguments);
        assert_eq!(meant, expected.map(str::to_owned), "{targets}");
    }
}

/// These outcomes of the binds on the IPv4 addresses.
fn ipv4_binds(spec: PortSpec, with: &BindOutcome, without: &BindOutcome) -> PortBinds {
    let addresses = spec.address.bind_addresses(spec.port).into_iter();
    let probe = |address| AddressProbe {
        address,
        takes_ipv4: false,
        with_reuseaddr: (spec.protocol == Protocol::Tcp).then(|| with.clone()),
        without_reuseaddr: without.clone(),
    };
    PortBinds {
        probes: addresses.filter(SocketAddr::is_ipv4).map(probe).collect(),
        shows_bound: true,
    }
}

#[test]
fn an_unowned_port_is_free_unless_a_bind_fails() {
    use BindOutcome::{Bound, Failed, InUse, NoSuchAddress, NotPermitted};
    let [chrome, java] =
        [(942, "chrome"), (812, "java")].map(|(pid, name)| process(pid, name).build());
    let client = socket("127.0.0.1:51324")
        .to("127.0.0.1:3000")
        .owner(&chrome);
    let wait = socket("127.0.0.1:8080")
        .to("127.0.0.1:9")
        .state(State::TimeWait)
        .without_owner();
    let wildcard = socket("0.0.0.0:5432").owner(&java);
    let table = [client, wait, wildcard].map(SocketBuilder::endpoint);
    let [client, _, wildcard] = table.each_ref().map(|one| Box::new(one.socket.clone()));
    let waiting = vec![Some(State::TimeWait)];
    let left = Some(TimeWaitLeft::AtMost(Duration::from_mins(1)));
    let not_held = |availability, left| Conclusion::NotHeld { availability, left };
    let both = |outcome: BindOutcome| (outcome.clone(), outcome);
    let odd = || Failed("odd".to_owned());
    let cases = [
        (
            "3000",
            both(Bound),
            not_held(Availability::Usable, vec![]),
            vec![],
        ),
        (
            "80",
            both(NotPermitted),
            not_held(Availability::NotPermitted, vec![]),
            vec![],
        ),
        (
            "127.0.0.9:80",
            both(NoSuchAddress),
            not_held(Availability::NoSuchAddress, vec![]),
            vec![],
        ),
        (
            "127.0.0.9:5432",
            both(NoSuchAddress),
            Conclusion::StillHeld(wildcard.clone()),
            vec![Arc::clone(&java)],
        ),
        (
            "8080",
            (Bound, InUse),
            not_held(Availability::OnlyWithReuseAddr, waiting.clone()),
            vec![],
        ),
        (
            "8080",
            both(InUse),
            Conclusion::TimeWait {
                states: waiting,
                left,
            },
            vec![],
        ),
        (
            "51324",
            both(InUse),
            Conclusion::HeldByConnection(client),
            vec![chrome],
        ),
        (
            "127.0.0.1:5432",
            (Bound, InUse),
            Conclusion::StillHeld(wildcard),
            vec![java],
        ),
        (
            "3000",
            (Bound, InUse),
            not_held(
                Availability::Held(Holding::Unseen(WhyUnseen::NotKnown)),
                vec![],
            ),
            vec![],
        ),
        (
            "3000/udp",
            both(odd()),
            not_held(
                Availability::Unknown(Doubt::BindFailed("odd".to_owned())),
                vec![],
            ),
            vec![],
        ),
    ];
    for (port, (with, without), conclusion, holders) in cases {
        let spec = spec(port);
        let binds = ipv4_binds(spec, &with, &without);
        let report = FreeReport::unowned(spec, &table, &binds, instant(0.0));
        assert_eq!(report, FreeReport::new(spec, conclusion, holders));
    }
}

#[test]
fn a_partly_free_port_is_free_for_whom_asks_for_that_part() {
    let held = || vec![socket("10.0.0.5:5173").build()];
    let on = |text: &str| vec![text.parse::<SocketAddr>().expect(text)];
    let cases = [
        ("localhost:5173", "127.0.0.1:5173", FreeOutcome::Free),
        ("localhost:5173", "[::1]:5173", FreeOutcome::Free),
        ("localhost:5173", "10.0.0.6:5173", FreeOutcome::StillHeld),
        ("127.0.0.1:5173", "127.0.0.1:5173", FreeOutcome::Free),
        ("127.0.0.1:5173", "10.0.0.6:5173", FreeOutcome::StillHeld),
        ("10.0.0.5:5173", "10.0.0.5:5173", FreeOutcome::StillHeld),
        ("5173", "127.0.0.1:5173", FreeOutcome::StillHeld),
    ];
    for (target, free, expected) in cases {
        let spec = spec(target);
        let verdict = Verdict {
            port: crate::model::port::Port::of(&socket("127.0.0.1:5173").build()),
            outcomes: Vec::new(),
            kind: VerdictKind::PartlyFree {
                free: on(free),
                localhost: None,
                held: held(),
            },
        };
        assert_eq!(
            outcome_of_verdict(spec, &verdict),
            expected,
            "{target} {free}"
        );
    }
}

/// What prevents that the parent is stopped too, and the group.
#[test]
fn an_obstacle_is_the_one_that_was_met() {
    use RelativeObstacle::{FirstProcess, Login, MainProcess, Protected as ByName, Unknown};
    let shell = process(40, "bash").build();
    let login = process(30, "zsh")
        .terminal("pts/4")
        .with(|it| it.session = Some(Pid(30)))
        .build();
    let service = process(20, "nginx").build();
    let cases: Vec<(u32, Vec<&Arc<Process>>, RelativeObstacle)> = vec![
        (
            40,
            vec![&shell],
            ByName(Arc::clone(&shell), Protected::Ancestor),
        ),
        (30, vec![&login], Login(Arc::clone(&login))),
        (20, vec![&service], MainProcess(Arc::clone(&service))),
        (1, vec![], FirstProcess),
        (35, vec![], Unknown),
    ];
    for (parent, ancestors, expected) in cases {
        let node = process(3977, "node").parent(parent).build();
        let mut plan = group_plan(&node, &[]).kill_plan;
        let mut unit = Unit::new("web.service".into(), Manager::System);
        unit.main = Some(Pid(20));
        let mut tree = process_tree(node.id);
        tree.supervisor.unit = Some(unit);
        tree.ancestors = ancestors.into_iter().map(Arc::clone).collect();
        tree.group = [&[Arc::clone(&node)], &*tree.ancestors].concat();
        plan.add_trees(&[tree]);
        assert_eq!(plan.parent_obstacle(), expected, "{parent}");
        let of_group = match expected {
            ByName(..) | MainProcess(_) => expected,
            FirstProcess | Login(_) | Unknown => Unknown,
        };
        assert_eq!(plan.group_obstacle(), of_group, "{parent}");
    }
}

fn group_plan(owner: &Arc<Process>, group: &[&Arc<Process>]) -> PortPlan {
    let table = [socket("127.0.0.1:5173").owner(owner).endpoint()];
    let table: Vec<&Endpoint> = table.iter().collect();
    let environment = environment(|it| it.self_pids = vec![Pid(50), Pid(40)]);
    let context = FreeContext::new(environment, moment(0.0));
    let spec = spec("5173");
    let plan = plan_port(spec, &table, &context);
    let mut kill_plan: KillPlan = plan.expect("an owner").expect("a plan");
    kill_plan.add_trees(&[ProcessTree {
        group: group.iter().map(|one| Arc::clone(one)).collect(),
        ..process_tree(owner.id)
    }]);
    PortPlan {
        spec,
        kill_plan,
        choice: TargetChoice::Group,
        targets: TargetSet::Group,
        signal: Signal::Terminate,
    }
}

#[test]
fn a_group_is_signaled_as_a_whole_or_not_at_all() {
    let [node, tail, shell] = [(3977, "node"), (3978, "tail"), (40, "bash")]
        .map(|(pid, name)| process(pid, name).build());
    let cases: [(&[&Arc<Process>], &[u32]); 4] = [
        (&[&node, &tail], &[3977, 3978]),
        (&[&node], &[3977]),
        // portmon runs in that shell.
        (&[&shell, &node], &[]),
        (&[], &[]),
    ];
    for (group, targets) in cases {
        let processes = group_plan(&node, group).processes();
        let pids: Vec<u32> = processes.iter().map(|one| one.pid().0).collect();
        assert_eq!(pids, targets);
    }
}
