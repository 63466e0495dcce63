use super::*;
use crate::model::process::{Manager, StartTime, Unit};
use crate::model::socket::Protocol;
use crate::model::testing::process;
use crate::os::supervisors::system::testing::{ID, published, system_unit as unit};
use crate::os::testing::{sleeper, until, waiting};
use std::fs::File;

fn container(engine: Engine, id: Option<&str>) -> Container {
    Container::new(engine, Manager::System, id.map(str::to_owned))
}

#[test]
fn a_unit_shared_with_portmon_is_marked_as_own() {
    let child = sleeper(File::open("/dev/null").expect("the null device"));
    let id = stat::process_id(child.pid()).expect("it lives");
    let known = |start: StartTime| process(child.pid().0, "sleep").with(|it| it.id.start = start);
    let text = read_cgroup(child.pid()).expect("a control group");
    let mut expected = cgroup::supervisor(&text, processes::invoking_uid());
    expected.container = None;
    if let Some(unit) = &mut expected.unit {
        unit.is_own = true;
    }
    assert_eq!(of(&known(id.start).build()), expected);
    let later = StartTime(id.start.0 + 1);
    assert_eq!(of(&known(later).build()), Supervisor::default());
}

#[test]
fn a_process_tree_includes_the_supervisor() {
    let directory = testing::TempDir::new();
    // Nothing listens on port 1, so no container publishes it.
    let arguments = "-proto tcp -host-ip 127.0.0.1 -host-port 1 -container-port 80";
    let program = directory.program("docker-proxy", "read line");
    let (child, _input) = waiting(&format!("exec {} {arguments}", program.display()));
    let mut processes = processes::Processes::default();
    let mut container = || {
        let id = stat::process_id(child.pid())?;
        let tree = processes::process_trees(&mut processes, &[id], |_| None).pop()?;
        tree.supervisor.container
    };
    let expected = published("127.0.0.1", 1, (80, Protocol::Tcp));
    let found = until("a container", &mut container);
    assert_eq!(
        (found.engine, found.published),
        (Engine::Docker, vec![expected])
    );
}

#[test]
fn docker_proxy_shows_its_container_not_the_unit_of_docker() {
    let in_docker = Supervisor {
        unit: Some(unit("docker.service")),
        ..Supervisor::default()
    };
    let reported = container(Engine::Docker, None);
    let expected = Supervisor {
        container: Some(reported.clone()),
        ..Supervisor::default()
    };
    assert_eq!(with_proxied(in_docker.clone(), Some(reported)), expected);
    assert_eq!(with_proxied(in_docker.clone(), None), in_docker);
}

#[test]
fn proxy_arguments_add_a_name_but_never_another_container() {
    let by_group = Supervisor {
        unit: Some(unit("web.service")),
        container: Some(container(Engine::Podman, Some(ID))),
        ..Supervisor::default()
    };
    let mut reported = container(Engine::Podman, Some(ID));
    reported.name = Some("web".into());
    let mut expected = by_group.clone();
    expected.container = Some(reported.clone());
    assert_eq!(
        with_proxied(by_group.clone(), Some(reported.clone())),
        expected
    );
    reported.id = Some(ID.replace('9', "8"));
    assert_eq!(with_proxied(by_group.clone(), Some(reported)), by_group);
}

#[test]
fn the_container_of_portmon_itself_is_no_supervisor() {
    let own = Supervisor {
        unit: Some(unit("code-server.service")),
        container: Some(container(Engine::Docker, Some(ID))),
        ..Supervisor::default()
    };
    let alike = without_own(&own, own.clone());
    let is_own = alike.unit.as_ref().map(|unit| unit.is_own);
    assert_eq!((is_own, alike.container), (Some(true), None));
    let other = Supervisor {
        unit: Some(unit("shop.service")),
        container: Some(container(Engine::Docker, None)),
        ..Supervisor::default()
    };
    assert_eq!(without_own(&own, other.clone()), other);
}

#[test]
fn user_and_system_units_of_one_name_differ() {
    let own = Supervisor {
        unit: Some(unit("shop.service")),
        ..Supervisor::default()
    };
    let other = Supervisor {
        unit: Some(Unit::new("shop.service".into(), Manager::User)),
        ..Supervisor::default()
    };
    assert_eq!(without_own(&own, other.clone()), other);
}
