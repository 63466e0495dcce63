use super::*;
use crate::model::process::Published;
use crate::model::socket::Protocol;
use crate::model::testing::process;
use crate::os::supervisors::system::testing::{ID, TempDir, published, system_unit};
use std::fs;

/// Port 80 of a container.
fn port_80(ip: &str, host_port: u16) -> Published {
    published(ip, host_port, (80, Protocol::Tcp))
}

fn container(engine: Engine, name: &str, published: Vec<Published>) -> Container {
    Container {
        name: Some(name.into()),
        published,
        ..Container::new(engine, Manager::System, Some(ID.replace("9ec", name)))
    }
}

fn tcp(number: u16) -> Port {
    Port {
        protocol: Protocol::Tcp,
        number,
    }
}

/// A lookup with these containers and this `systemctl`.
fn lookup(systemctl: Systemctl, containers: &[Container]) -> SupervisorLookup {
    SupervisorLookup {
        systemctl,
        engine_sockets: Vec::new(),
        answers: Some(vec![EngineAnswer {
            engine: Engine::Docker,
            uid: Some(0),
            containers: containers.to_vec(),
            is_complete: true,
        }]),
        units: Vec::new(),
    }
}

fn behind(unit: Option<&str>, container: Option<Container>) -> Supervisor {
    let unit = unit.map(system_unit);
    Supervisor {
        unit,
        container,
        ..Supervisor::default()
    }
}

#[test]
fn a_container_is_found_by_id_proxy_or_port() {
    let web = container(Engine::Docker, "aaa", vec![port_80("0.0.0.0", 8080)]);
    let local = container(Engine::Docker, "bbb", vec![port_80("127.0.0.1", 8080)]);
    let pod = container(Engine::Podman, "ccc", vec![port_80("", 9090)]);
    let known = [web.clone(), local.clone(), pod.clone()];
    let bare = |of: &Container| Container::new(of.engine, Manager::System, of.id.clone());
    let relayed = |ip| {
        let published = vec![port_80(ip, 8080)];
        Container {
            published,
            ..Container::new(Engine::Docker, Manager::System, None)
        }
    };
    let on = |port| Some(tcp(port));
    let stranger = Container::new(Engine::Docker, Manager::System, Some(ID.to_owned()));
    let cases = [
        (
            "node",
            behind(None, Some(bare(&web))),
            None,
            behind(None, Some(web.clone())),
        ),
        (
            "docker-proxy",
            behind(None, Some(relayed("127.0.0.1"))),
            None,
            behind(None, Some(local)),
        ),
        (
            "docker-proxy",
            behind(None, Some(relayed("::1"))),
            None,
            behind(None, Some(web.clone())),
        ),
        (
            "rootlesskit",
            behind(Some("docker.service"), None),
            on(8080),
            behind(None, Some(web)),
        ),
        (
            "rootlessport",
            behind(Some("pod.scope"), None),
            on(9090),
            behind(Some("pod.scope"), Some(pod)),
        ),
        (
            "rootlessport",
            behind(None, None),
            on(9091),
            behind(None, None),
        ),
        ("rootlessport", behind(None, None), None, behind(None, None)),
        ("node", behind(None, None), on(8080), behind(None, None)),
        (
            "node",
            behind(None, Some(stranger.clone())),
            on(8080),
            behind(None, Some(stranger)),
        ),
    ];
    for (place, (name, mut found, port, expected)) in cases.into_iter().enumerate() {
        let directory = TempDir::new();
        let process = process(7, name).build();
        lookup(Systemctl::fake(&directory, "exit 1"), &known).complete(&mut found, &process, port);
        assert_eq!(found, expected, "case {place}: {name}");
    }
}

#[test]
fn services_are_queried_once_and_scopes_never() {
    let directory = TempDir::new();
    let log = directory.path().join("log");
    let script = format!(
        "echo asked >> {}; echo Id=shop.service; echo LoadState=loaded; echo MainPID=7; echo Restart=no",
        log.display()
    );
    let mut lookup = lookup(Systemctl::fake(&directory, &script), &[]);
    let mut complete = |name| {
        let mut found = behind(Some(name), None);
        lookup.complete(&mut found, &process(7, "node").build(), None);
        found.unit.expect("a unit")
    };
    let [first, second] = [complete("shop.service"), complete("shop.service")];
    assert_eq!(
        (first.main, first.restart.as_deref()),
        (Some(Pid(7)), Some("no"))
    );
    assert_eq!(second, first);
    assert_eq!(complete("session-2.scope").restart, None);
    assert_eq!(fs::read_to_string(log).expect("it was asked"), "asked\n");
}

#[test]
fn a_port_owned_by_systemd_belongs_to_a_socket_unit() {
    let directory = TempDir::new();
    let script = "echo Id=cups.socket; echo ActiveState=active; echo 'Listen=[::1]:631 (Stream)'";
    let mut lookup = lookup(Systemctl::fake(&directory, script), &[]);
    let mut unit = |pid, name, port| {
        let mut found = Supervisor::default();
        let holder = process(pid, name).user(0, "root").build();
        lookup.complete(&mut found, &holder, Some(tcp(port)));
        found.unit
    };
    let expected = system_unit("cups.socket");
    assert_eq!(unit(1, "systemd", 631), Some(expected));
    assert_eq!(unit(1, "systemd", 632), None);
    assert_eq!(unit(1, "init", 631), None);
}

#[test]
fn a_port_with_a_hidden_owner_may_have_a_container_or_socket() {
    let directory = TempDir::new();
    let script = "echo Id=cups.socket; echo ActiveState=active; echo 'Listen=[::1]:631 (Stream)'; echo 'Listen=[::1]:8080 (Stream)'";
    let web = container(Engine::Docker, "aaa", vec![port_80("0.0.0.0", 8080)]);
    let mut lookup = lookup(
        Systemctl::fake(&directory, script),
        std::slice::from_ref(&web),
    );
    let found = [8080, 631, 632].map(|port| lookup.of_port(tcp(port)));
    let expected = [
        behind(None, Some(web)),
        behind(Some("cups.socket"), None),
        behind(None, None),
    ];
    assert_eq!(found, expected);
}
