use super::*;
use crate::free::{FreeContext, plan_row, testing};
use crate::model::process::{Container, Engine, Manager, Pid, ProcessTree, Published, Unit};
use crate::model::socket::{Endpoint, Protocol};
use crate::model::testing::{environment, moment, process, process_tree, socket};
use crate::wording;
use std::sync::Arc;

fn node() -> Arc<Process> {
    process(812, "node").build()
}

fn context() -> FreeContext<'static> {
    FreeContext::new(environment(|_| {}), moment(0.0))
}

/// The question about node's :3000, with this behind node.
fn learned(supervisor: Supervisor) -> KillPlan {
    let mut plan = testing::plan(vec![socket("0.0.0.0:3000").owner(&node())]);
    plan.add_trees(&[ProcessTree {
        supervisor,
        ..process_tree(node().id)
    }]);
    plan
}

fn of_unit(name: &str, manager: Manager, change: impl FnOnce(&mut Unit)) -> Supervisor {
    let mut unit = Unit::new(name.into(), manager);
    change(&mut unit);
    Supervisor {
        unit: Some(unit),
        ..Supervisor::default()
    }
}

fn of_container(published: Vec<Published>) -> Supervisor {
    let mut container = Container::new(Engine::Docker, Manager::System, Some("abc".to_owned()));
    container.name = Some("shop-db-1".into());
    container.published = published;
    Supervisor {
        container: Some(container),
        ..Supervisor::default()
    }
}

/// Who may bring it back, the command that is offered, and why nothing is ended.
type Said = (Vec<String>, Option<String>, Option<String>);

fn said(supervisor: Supervisor) -> Said {
    let plan = learned(supervisor);
    let blocked_by_supervisor = plan.blocked_by_supervisor();
    let why = blocked_by_supervisor.and_then(|explanation| {
        wording::explanation_lines(&explanation, None)
            .into_iter()
            .next()
    });
    let restarters = plan.restarted_by().into_iter().map(|one| match one {
        Restarter::Unit(unit) => wording::unit_text(&unit),
        Restarter::Container(container) => container.to_string(),
    });
    (restarters.collect(), plan.stop_command(), why)
}

#[test]
fn a_service_process_can_be_signaled_and_its_stop_suggested() {
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
    let expected = "node 812 is the main process of nginx.service, which systemd manages.";
    assert_eq!(why.as_deref(), Some(expected));
}

#[test]
fn a_socket_activated_service_is_left_to_systemd() {
    let activated = of_unit("shop.service", Manager::System, |unit| {
        unit.triggered_by = vec!["shop.socket".into()];
    });
    let (_, offer, why) = said(activated);
    let command = "systemctl stop shop.socket shop.service";
    assert_eq!(offer.as_deref(), Some(command));
    let expected = "systemd's shop.socket starts shop.service again on the next connection.";
    assert_eq!(why.as_deref(), Some(expected));
}

#[test]
fn a_session_scope_restarts_nothing() {
    let scope = of_unit("session-41.scope", Manager::System, |_| {});
    assert_eq!(said(scope), (Vec::new(), None, None));
}

#[test]
fn only_the_container_publishing_the_port_is_stopped() {
    let published = |host_port| Published {
        address: None,
        host_port,
        protocol: Protocol::Tcp,
        container_port: 80,
    };
    let (_, offer, why) = said(of_container(vec![published(3000)]));
    assert_eq!(offer.as_deref(), Some("docker stop shop-db-1"));
    let expected = "node 812 only forwards the published port of docker shop-db-1; stopping it would only unpublish the port and \
                   leave the container running.";
    assert_eq!(why.as_deref(), Some(expected));

    let (back, _, why) = said(of_container(vec![published(8080)]));
    assert_eq!((back, why), (vec!["docker shop-db-1".to_owned()], None));
}

#[test]
fn the_supervisor_of_a_hidden_owner_is_shown_with_its_command() {
    let endpoint: Endpoint = socket("0.0.0.0:3000").user(0, "root").endpoint();
    let plan = plan_row(&endpoint, &[&endpoint], &context());
    let mut explanation = plan.expect_err("an explanation");
    explanation.add_supervisors(&[of_container(Vec::new())]);
    assert!(explanation.supervised_port().is_some());
    let lines = wording::explanation_lines(&explanation, None);
    let last = lines.last().map(String::as_str);
    assert_eq!(last, Some("It belongs to docker shop-db-1."));
    assert_eq!(
        explanation.command().as_deref(),
        Some("docker stop shop-db-1")
    );
}

#[test]
fn a_supervisor_blocks_even_without_a_stop_command() {
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
    let said = |supervisor| {
        let blocked_by_supervisor = learned(supervisor).blocked_by_supervisor().expect("a bar");
        (
            wording::explanation_lines(&blocked_by_supervisor, None),
            blocked_by_supervisor.command(),
        )
    };
    let carries = "node 812 only forwards the published port of kubernetes shop-db-1; stopping it would only unpublish the port and \
                   leave the container running.";
    let main = "node 812 is the main process of shop.service, which systemd manages.";
    assert_eq!(
        [said(of_a_pod), said(own)],
        [carries, main].map(|why| (vec![why.to_owned()], None))
    );
}

#[test]
fn a_port_proxy_is_protected_even_if_no_engine_answers() {
    let relay = process(812, "docker-proxy").build();
    let endpoint: Endpoint = socket("0.0.0.0:3000").owner(&relay).endpoint();
    let plan = plan_row(&endpoint, &[&endpoint], &context());
    let explanation = plan.expect_err("an explanation");
    let why = "docker-proxy 812 is protected: it only forwards published ports of containers, which would keep running \
               without it.";
    assert_eq!(wording::explanation_lines(&explanation, None), [why]);
}

#[test]
fn group_and_parents_exclude_services_and_container_engines() {
    let [npm, shim, main] = [(700, "npm"), (600, "containerd-shim"), (500, "shop")]
        .map(|(pid, name)| process(pid, name).build());
    let of_service = || {
        of_unit("shop.service", Manager::System, |unit| {
            unit.main = Some(Pid(500));
        })
    };
    let reached = |ancestors: [&Arc<Process>; 2], supervisor| {
        let mut plan = learned(Supervisor::default());
        plan.add_trees(&[ProcessTree {
            ancestors: ancestors.map(Arc::clone).to_vec(),
            group: vec![node(), Arc::clone(ancestors[0]), Arc::clone(ancestors[1])],
            supervisor,
            ..process_tree(node().id)
        }]);
        let parents: Vec<Pid> = plan.parents().iter().map(|one| one.pid()).collect();
        let group = plan.targets(TargetSet::Group).len();
        (parents, group)
    };
    let (npm_and_main, both) = (vec![Pid(700), Pid(500)], vec![Pid(700)]);
    assert_eq!(
        [
            reached([&npm, &main], Supervisor::default()),
            reached([&npm, &main], of_service()),
            reached([&npm, &shim], Supervisor::default()),
        ],
        [(npm_and_main, 3), (both.clone(), 0), (both, 0)]
    );
}
