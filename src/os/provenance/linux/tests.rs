use super::*;
use crate::model::process::{ProcessId, StartTime};
use crate::model::provenance::{Manager, Published, Unit};
use crate::model::testing::process;
use crate::os::testing::{sleeper, until, waiting};
use std::fs::File;

const ID: &str = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d";

fn container(engine: Engine, id: Option<&str>) -> Container {
    Container::new(engine, Manager::System, id.map(str::to_owned))
}

fn unit(name: &str) -> Unit {
    Unit::new(name.into(), Manager::System)
}

#[test]
fn what_stands_behind_a_process_is_what_its_control_group_says_and_portmon_shares_it() {
    let child = sleeper(File::open("/dev/null").expect("the null device"));
    let start = identity::start_time(child.pid()).expect("it lives");
    let known = |start: StartTime| process(child.pid().0, "sleep").with(|it| it.id.start = start);
    let text = control_group(child.pid()).expect("a control group");
    let mut expected = cgroup::provenance(&text, processes::own_uid());
    expected.container = None;
    if let Some(unit) = &mut expected.unit {
        unit.is_own = true;
    }
    assert_eq!(of(&known(start).build()), expected);
    let later = StartTime(start.0 + 1);
    assert_eq!(of(&known(later).build()), Provenance::default());
}

#[test]
fn the_kin_of_a_process_tells_what_stands_behind_it() {
    let directory = testing::Directory::new();
    // No program listens on port 1 these days, and so no container is found that publishes it.
    let arguments = "-proto tcp -host-ip 127.0.0.1 -host-port 1 -container-port 80";
    let program = directory.program("docker-proxy", "read line");
    let (child, _input) = waiting(&format!("exec {} {arguments}", program.display()));
    let mut processes = processes::Processes::new();
    let mut container = || {
        let start = identity::start_time(child.pid())?;
        let id = ProcessId {
            pid: child.pid(),
            start,
        };
        let kin = processes.kin(&[id], |_| None).pop()?;
        kin.provenance.container
    };
    let expected = Published {
        address: "127.0.0.1".parse().ok(),
        host_port: 1,
        protocol: Protocol::Tcp,
        container_port: 80,
    };
    let found = until("a container", &mut container);
    assert_eq!(
        (found.engine, found.published),
        (Engine::Docker, vec![expected])
    );
}

#[test]
fn what_relays_ports_of_docker_is_told_by_its_container_and_not_by_the_unit_of_all() {
    let in_docker = Provenance {
        unit: Some(unit("docker.service")),
        container: None,
    };
    let told = container(Engine::Docker, None);
    let expected = Provenance {
        unit: None,
        container: Some(told.clone()),
    };
    assert_eq!(with_relayed(in_docker.clone(), Some(told)), expected);
    assert_eq!(with_relayed(in_docker.clone(), None), in_docker);
}

#[test]
fn the_arguments_of_a_relay_add_the_name_and_never_another_container() {
    let by_group = Provenance {
        unit: Some(unit("web.service")),
        container: Some(container(Engine::Podman, Some(ID))),
    };
    let mut told = container(Engine::Podman, Some(ID));
    told.name = Some("web".into());
    let mut expected = by_group.clone();
    expected.container = Some(told.clone());
    assert_eq!(with_relayed(by_group.clone(), Some(told.clone())), expected);
    told.id = Some(ID.replace('9', "8"));
    assert_eq!(with_relayed(by_group.clone(), Some(told)), by_group);
}

#[test]
fn what_portmon_itself_runs_in_is_told_apart() {
    let own = Provenance {
        unit: Some(unit("code-server.service")),
        container: Some(container(Engine::Docker, Some(ID))),
    };
    let alike = apart_from(&own, own.clone());
    let is_own = alike.unit.as_ref().map(|unit| unit.is_own);
    assert_eq!((is_own, alike.container), (Some(true), None));
    let other = Provenance {
        unit: Some(unit("shop.service")),
        container: Some(container(Engine::Docker, None)),
    };
    assert_eq!(apart_from(&own, other.clone()), other);
}

#[test]
fn a_user_s_unit_is_not_the_system_s_of_that_name() {
    let own = Provenance {
        unit: Some(unit("shop.service")),
        container: None,
    };
    let other = Provenance {
        unit: Some(Unit::new("shop.service".into(), Manager::User)),
        container: None,
    };
    assert_eq!(apart_from(&own, other.clone()), other);
}
