use super::*;
use crate::model::endpoint::{Endpoint, Protocol};
use crate::model::freeing::{Circumstances, Question, ask};
use crate::model::inspection::Kin;
use crate::model::process::Pid;
use crate::model::provenance::{Engine, Manager, Published};
use crate::model::testing::{moment, process, socket};
use std::sync::Arc;

fn node() -> Arc<Process> {
    process(812, "node").build()
}

fn circumstances() -> Circumstances {
    Circumstances {
        me: Some(1000),
        is_root: false,
        host: "here".to_owned(),
        lineage: Vec::new(),
        executable: None,
        row_is_meant: false,
        is_gone: false,
        now: moment(0.0),
        state_since: None,
    }
}

fn kin(provenance: Provenance) -> Kin {
    Kin {
        process: node().id,
        ancestors: Vec::new(),
        descendants: Vec::new(),
        condition: None,
        group: Vec::new(),
        restrictions: Vec::new(),
        provenance,
    }
}

/// The question about node's :3000, with this behind node.
fn learned(provenance: Provenance) -> Proposal {
    let endpoint: Endpoint = socket("0.0.0.0:3000").owner(&node()).endpoint();
    let Question::Free(mut proposal) = ask(&endpoint, &[&endpoint], &circumstances()) else {
        panic!("nothing is asked");
    };
    proposal.learn(&[kin(provenance)]);
    proposal
}

fn of_unit(name: &str, manager: Manager, change: impl FnOnce(&mut Unit)) -> Provenance {
    let mut unit = Unit::new(name.into(), manager);
    change(&mut unit);
    Provenance {
        unit: Some(unit),
        container: None,
    }
}

fn of_container(published: Vec<Published>) -> Provenance {
    let mut container = Container::new(Engine::Docker, Manager::System, Some("abc".to_owned()));
    container.name = Some("shop-db-1".into());
    container.published = published;
    Provenance {
        unit: None,
        container: Some(container),
    }
}

/// Who may bring it back, the command that is offered, and why nothing is ended.
type Said = (Vec<String>, Option<String>, Option<String>);

fn said(provenance: Provenance) -> Said {
    let proposal = learned(provenance);
    let barred = proposal.barred();
    let why = barred.and_then(|explanation| explanation.lines.into_iter().next());
    (proposal.bringing_back(), proposal.offer(), why)
}

#[test]
fn what_belongs_to_a_service_is_ended_with_its_command_offered() {
    let part = of_unit("shop.service", Manager::User, |unit| {
        unit.main = Some(Pid(700));
        unit.restart = Some("always".to_owned());
    });
    let expected = (
        vec!["shop.service (user), Restart=always".to_owned()],
        Some("systemctl --user stop shop.service".to_owned()),
        None,
    );
    assert_eq!(said(part), expected);
}

#[test]
fn the_main_process_of_a_service_is_left_to_systemd() {
    let main = of_unit("nginx.service", Manager::System, |unit| {
        unit.main = Some(Pid(812));
    });
    let (_, offer, why) = said(main);
    assert_eq!(offer.as_deref(), Some("systemctl stop nginx.service"));
    let expected = "node 812 is the main process of nginx.service, which systemd starts and ends.";
    assert_eq!(why.as_deref(), Some(expected));
}

#[test]
fn a_service_that_a_socket_starts_is_left_to_systemd_whoever_its_main_process_is() {
    let activated = of_unit("shop.service", Manager::System, |unit| {
        unit.triggered_by = vec!["shop.socket".into()];
    });
    let (_, offer, why) = said(activated);
    let command = "systemctl stop shop.socket shop.service";
    assert_eq!(offer.as_deref(), Some(command));
    let expected = "shop.socket of systemd starts shop.service again with the next connection.";
    assert_eq!(why.as_deref(), Some(expected));
}

#[test]
fn what_a_session_only_holds_brings_nothing_back() {
    let scope = of_unit("session-41.scope", Manager::System, |_| {});
    assert_eq!(said(scope), (Vec::new(), None, None));
}

#[test]
fn a_published_port_is_freed_by_stopping_its_container_and_no_other() {
    let published = |host_port| Published {
        address: None,
        host_port,
        protocol: Protocol::Tcp,
        container_port: 80,
    };
    let (_, offer, why) = said(of_container(vec![published(3000)]));
    assert_eq!(offer.as_deref(), Some("docker stop shop-db-1"));
    let expected = "node 812 only carries the published port of docker shop-db-1; to end it would lose the port and leave \
                    the container.";
    assert_eq!(why.as_deref(), Some(expected));

    let (back, _, why) = said(of_container(vec![published(8080)]));
    assert_eq!((back, why), (vec!["docker shop-db-1".to_owned()], None));
}

#[test]
fn what_is_behind_a_port_whose_holder_may_not_be_seen_is_told_and_its_command_offered() {
    let endpoint: Endpoint = socket("0.0.0.0:3000").user(0, "root").endpoint();
    let Question::Explain(mut explanation) = ask(&endpoint, &[&endpoint], &circumstances()) else {
        panic!("it may not be seen");
    };
    explanation.learn(&[of_container(Vec::new())]);
    assert!(explanation.port.is_some());
    let last = explanation.lines.last().map(String::as_str);
    assert_eq!(last, Some("It belongs to docker shop-db-1."));
    assert_eq!(explanation.offer.as_deref(), Some("docker stop shop-db-1"));
}

#[test]
fn what_bars_the_way_does_so_without_a_command_to_offer() {
    let mut of_a_pod = of_container(vec![Published {
        address: None,
        host_port: 3000,
        protocol: Protocol::Tcp,
        container_port: 80,
    }]);
    if let Some(container) = &mut of_a_pod.container {
        container.engine = Engine::Kubernetes;
    }
    let own = of_unit("shop.service", Manager::System, |unit| {
        unit.main = Some(Pid(812));
        unit.is_own = true;
    });
    let said = |provenance| {
        let barred = learned(provenance).barred().expect("a bar");
        (barred.lines, barred.offer)
    };
    let carries = "node 812 only carries the published port of kubernetes shop-db-1; to end it would lose the port and \
                   leave the container.";
    let main = "node 812 is the main process of shop.service, which systemd starts and ends.";
    assert_eq!(
        [said(of_a_pod), said(own)],
        [carries, main].map(|why| (vec![why.to_owned()], None))
    );
}

#[test]
fn a_relay_is_never_ended_though_no_engine_tells_whose_port_it_carries() {
    let relay = process(812, "docker-proxy").build();
    let endpoint: Endpoint = socket("0.0.0.0:3000").owner(&relay).endpoint();
    let Question::Explain(explanation) = ask(&endpoint, &[&endpoint], &circumstances()) else {
        panic!("it is never ended");
    };
    let why = "docker-proxy 812 is never ended: it only carries published ports of containers, which would lose them and \
               run on.";
    assert_eq!(explanation.lines, [why]);
}

#[test]
fn neither_a_group_nor_the_parents_reach_what_runs_a_service_or_containers() {
    let [npm, shim, main] = [(700, "npm"), (600, "containerd-shim"), (500, "shop")]
        .map(|(pid, name)| process(pid, name).build());
    let of_service = || {
        of_unit("shop.service", Manager::System, |unit| {
            unit.main = Some(Pid(500));
        })
    };
    let reached = |ancestors: [&Arc<Process>; 2], provenance| {
        let mut proposal = learned(Provenance::default());
        proposal.learn(&[Kin {
            ancestors: ancestors.map(Arc::clone).to_vec(),
            condition: None,
            group: vec![node(), Arc::clone(ancestors[0]), Arc::clone(ancestors[1])],
            ..kin(provenance)
        }]);
        let parents: Vec<Pid> = proposal.parents().iter().map(|one| one.pid()).collect();
        let group = proposal.targets(Targets::Group).len();
        (parents, group)
    };
    let (npm_and_main, both) = (vec![Pid(700), Pid(500)], vec![Pid(700)]);
    assert_eq!(
        [
            reached([&npm, &main], Provenance::default()),
            reached([&npm, &main], of_service()),
            reached([&npm, &shim], Provenance::default()),
        ],
        [(npm_and_main, 3), (both.clone(), 0), (both, 0)]
    );
}

#[test]
fn that_a_holder_is_stopped_is_said_before_it_is_signalled() {
    let mut proposal = learned(Provenance::default());
    assert_eq!(proposal.warnings(Targets::Topmost), Vec::<String>::new());
    let mut kin = proposal.kin_of(node().id).expect("learned").clone();
    kin.condition = Some(crate::model::process::Condition::Stopped);
    proposal.learn(&[kin]);
    let expected =
        "node 812 is stopped and answers nobody; SIGCONT follows SIGTERM, SIGINT or SIGHUP.";
    assert_eq!(proposal.warnings(Targets::Topmost), [expected]);
}
