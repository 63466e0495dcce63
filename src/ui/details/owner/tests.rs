use crate::app::testing::{AppHarness, inspection};
use crate::app::{Effect, Event};
use crate::model::process::{
    Container, Engine, InspectRequest, Inspection, Manager, Pid, ProcessState, ProcessTree,
    Published, RunState, Supervisor, Unit,
};
use crate::model::socket::Protocol;
use crate::model::testing::{SocketBuilder, process, process_tree, socket, socket_candidates};

fn shop() -> Supervisor {
    let mut unit = Unit::new("shop.service".into(), Manager::User);
    unit.main = Some(Pid(4242));
    unit.restart = Some("always\u{7}".to_owned());
    unit.triggered_by = vec!["shop.socket".into(), "admin.socket".into()];
    Supervisor {
        unit: Some(unit),
        ..Supervisor::default()
    }
}

fn database() -> Supervisor {
    let mut container = Container::new(Engine::Docker, Manager::System, None);
    container.name = Some("shop-db-1".into());
    container.published = [None, Some("127.0.0.1")]
        .map(|ip| Published {
            address: ip.map(|ip| ip.parse().expect("an address")),
            host_port: 15432,
            protocol: Protocol::Tcp,
            container_port: 5432,
        })
        .into();
    Supervisor {
        container: Some(container),
        ..Supervisor::default()
    }
}

/// The open details of a row, and what they request.
fn details_of(socket: SocketBuilder) -> (AppHarness, InspectRequest) {
    let mut harness = AppHarness::with(vec![socket]);
    let effects = harness.keys("i");
    let requests = effects.into_iter().filter_map(|effect| match effect {
        Effect::Inspect(request) => Some(request),
        _ => None,
    });
    let request = requests.last().expect("a request");
    (harness, request)
}

/// The supervisors in the details of a row, whose owners and whose port have these.
fn details(socket: SocketBuilder, holders: &Supervisor, port: &Supervisor) -> String {
    let (mut harness, request) = details_of(socket);
    let trees = request.processes.iter().map(|process| ProcessTree {
        supervisor: holders.clone(),
        ..process_tree(*process)
    });
    harness.event(Event::Inspected(Inspection {
        described: Vec::new(),
        trees: trees.collect(),
        supervisor: port.clone(),
        ..inspection(request)
    }));
    crate::ui::tests::details(&harness, &["unit", "container"])
}

#[test]
fn details_say_that_an_owner_may_not_act_on_a_signal() {
    let owner = process(4242, "node").build();
    let (mut harness, request) = details_of(socket("127.0.0.1:3000").owner(&owner));
    let mut inspection = inspection(request);
    inspection.trees = vec![ProcessTree {
        run_states: vec![RunState {
            state: Some(ProcessState::Frozen),
            ..RunState::plain(owner.id)
        }],
        ..process_tree(owner.id)
    }];
    harness.event(Event::Inspected(inspection));
    let shown = crate::ui::tests::details(&harness, &["run state"]);
    assert_eq!(shown, "run state: frozen with its control group");
}

#[test]
fn details_name_the_candidates_of_a_hidden_owner() {
    let hidden = socket("127.0.0.1:3000").build();
    let candidates = socket_candidates(hidden.id, &[&process(4242, "webserver").build()]);
    let (mut harness, request) = details_of(socket("127.0.0.1:3000"));
    assert_eq!(request.unowned.len(), 1);
    let mut inspection = inspection(request);
    inspection.candidates = vec![candidates];
    harness.event(Event::Inspected(inspection));
    let shown = crate::ui::tests::details(&harness, &["probably"]);
    // It may end at any time.
    let asks_again = |effects: Vec<Effect>| {
        let mut effects = effects.into_iter();
        effects.any(|effect| matches!(effect, Effect::Inspect(_)))
    };
    assert!(!asks_again(harness.wait(4.0)));
    assert!(asks_again(harness.wait(1.0)));
    insta::assert_snapshot!(shown, @"probably: webserver 4242 · its descriptors are not readable");
}

#[test]
fn details_count_the_candidates_where_they_are_many() {
    let (mut harness, request) = details_of(socket("127.0.0.1:3000"));
    let hidden = socket("127.0.0.1:3000").build();
    let mut candidates = socket_candidates(hidden.id, &[&process(4242, "webserver").build()]);
    candidates.others = 67;
    let mut inspection = inspection(request);
    inspection.candidates = vec![candidates];
    harness.event(Event::Inspected(inspection));
    let shown = crate::ui::tests::details(&harness, &["owner", "probably", "possibly"]);
    insta::assert_snapshot!(shown, @"
    owner: hidden (opened by dev; sudo shows it)
    possibly: one of 68 processes of dev whose descriptors are not readable
    ");
}

#[test]
fn details_show_the_supervisor_of_known_and_hidden_owners() {
    let node = process(4242, "node").build();
    let known = details(socket("127.0.0.1:3000").owner(&node), &shop(), &database());
    insta::assert_snapshot!(known, @r"unit: shop.service (user) · main process 4242 · Restart=always\x07 · started by shop.socket, admin.socket");
    let hidden = details(socket("127.0.0.1:15432"), &shop(), &database());
    insta::assert_snapshot!(hidden, @"container: docker shop-db-1 · *:15432->5432/tcp, 127.0.0.1:15432->5432/tcp");
}
