use super::*;
use crate::model::socket::Protocol;
use crate::model::text::SystemText;

const ID: &str = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d";

fn unit(name: &str, manager: Manager) -> Unit {
    Unit::new(name.into(), manager)
}

fn container(engine: Engine, manager: Manager) -> Container {
    Container::new(engine, manager, Some(ID.to_owned()))
}

fn published(host_port: u16) -> Published {
    Published {
        address: None,
        host_port,
        protocol: Protocol::Tcp,
        container_port: 80,
    }
}

#[test]
fn a_unit_has_a_stop_command_of_its_manager_a_scope_none() {
    let cases = [
        (
            unit("shop.service", Manager::System),
            Some("systemctl stop shop.service"),
        ),
        (
            unit("shop.service", Manager::User),
            Some("systemctl --user stop shop.service"),
        ),
        (
            unit("shop.service", Manager::OtherUser(1001)),
            Some("sudo systemctl --user --machine=1001@ stop shop.service"),
        ),
        (
            unit(r"my\x2dapp@1.service", Manager::System),
            Some(r"systemctl stop 'my\x2dapp@1.service'"),
        ),
        (unit("session-41.scope", Manager::System), None),
        (unit("app-firefox-1.scope", Manager::User), None),
        (unit("evil\x1b[2J.service", Manager::System), None),
        (unit("-M.service", Manager::System), None),
    ];
    for (unit, command) in cases {
        assert_eq!(unit.stop_command().as_deref(), command, "{unit}");
    }
}

#[test]
fn a_name_that_systemctl_takes_for_another_is_in_no_command() {
    let names = [
        "*.service",
        "?.service",
        "[a-z]hop.service",
        "../etc/shop.service",
        "/shop.service",
        "-shop.service",
        "two words.service",
        "shop;reboot.service",
        "$(reboot).service",
        "~root.service",
        "café.service",
        "shop\n.service",
    ];
    for name in names {
        let mut service = unit(name, Manager::System);
        let told = (service.has_valid_name(), service.stop_command());
        assert_eq!(told, (false, None), "{name:?}");
        service.name = "shop.service".into();
        service.triggered_by = vec![name.into()];
        assert_eq!(service.stop_command(), None, "{name:?}");
    }
}

#[test]
fn triggers_of_a_service_are_stopped_before_it() {
    let mut service = unit("cups.service", Manager::System);
    service.triggered_by = vec!["cups.socket".into()];
    let mut socket = unit("cups.socket", Manager::System);
    socket.triggers = vec!["cups.service".into()];
    let mut template = unit("sshd.socket", Manager::System);
    template.triggers = vec!["sshd@.service".into()];
    let commands = [service, socket, template].map(|unit| unit.stop_command());
    assert_eq!(
        commands.map(Option::unwrap_or_default),
        [
            "systemctl stop cups.socket cups.service",
            "systemctl stop cups.socket cups.service",
            "systemctl stop sshd.socket",
        ]
    );
}

#[test]
fn the_unit_portmon_runs_in_has_no_stop_command() {
    let mut own = unit("code-server.service", Manager::User);
    own.is_own = true;
    assert_eq!(own.stop_command(), None);
}

#[test]
fn a_service_may_restart_unless_known_otherwise() {
    let with = |name: &str, restart: Option<&str>, sockets: &[&str]| {
        let mut unit = unit(name, Manager::System);
        unit.restart = restart.map(str::to_owned);
        unit.triggered_by = sockets.iter().copied().map(SystemText::from).collect();
        unit.may_restart()
    };
    let cases = [
        (with("shop.service", None, &[]), true),
        (with("shop.service", Some("always"), &[]), true),
        (with("shop.service", Some("no"), &[]), false),
        (with("shop.service", Some("no"), &["shop.socket"]), true),
        (with("shop.socket", None, &[]), true),
        (with("session-41.scope", None, &[]), false),
        (with("tmux-spawn-1.scope", None, &[]), false),
    ];
    for (place, (may_restart, expected)) in cases.into_iter().enumerate() {
        assert_eq!(may_restart, expected, "case {place}");
    }
}

#[test]
fn a_unit_is_shown_without_escapes_of_either_kind() {
    let shown = [
        unit("shop.service", Manager::System),
        unit(r"app-my\x2dshop.service", Manager::User),
        unit(r"evil\x1b\x5b2J.service", Manager::OtherUser(1001)),
        unit(r"odd\x2.service\x", Manager::System),
        unit(r"caf\xc3\xa9.service", Manager::System),
    ];
    assert_eq!(
        shown.map(|unit| unit.to_string()),
        [
            "shop.service",
            "app-my-shop.service (user)",
            r"evil\x1b[2J.service (user 1001)",
            r"odd\x2.service\x",
            "café.service",
        ]
    );
}

#[test]
fn a_container_is_stopped_by_its_engine_as_the_right_user() {
    let cases = [
        (
            Engine::Docker,
            Manager::System,
            Some("docker stop 9ec39b91f3d7"),
        ),
        (
            Engine::Docker,
            Manager::User,
            Some("docker stop 9ec39b91f3d7"),
        ),
        (
            Engine::Podman,
            Manager::System,
            Some("sudo podman stop 9ec39b91f3d7"),
        ),
        (
            Engine::Podman,
            Manager::User,
            Some("podman stop 9ec39b91f3d7"),
        ),
        (Engine::Podman, Manager::OtherUser(1001), None),
        (
            Engine::Containerd,
            Manager::System,
            Some("sudo nerdctl stop 9ec39b91f3d7"),
        ),
        (Engine::Kubernetes, Manager::System, None),
    ];
    for (engine, manager, command) in cases {
        let container = container(engine, manager);
        assert_eq!(container.stop_command().as_deref(), command, "{container}");
    }
}

#[test]
fn a_container_is_named_by_name_else_id_else_port() {
    let by_id = container(Engine::Docker, Manager::System);
    let mut named = by_id.clone();
    named.name = Some("shop-db-1".into());
    let mut hostile = by_id.clone();
    hostile.name = Some("x\u{202e}y".into());
    let mut odd = by_id.clone();
    odd.name = Some("$(reboot)*".into());
    let mut by_port = Container::new(Engine::Docker, Manager::System, None);
    by_port.published = vec![published(8080)];
    let told = [by_id, named, hostile, odd, by_port]
        .map(|one| (one.to_string(), one.stop_command().unwrap_or_default()));
    let expected = [
        ("docker 9ec39b91f3d7", "docker stop 9ec39b91f3d7"),
        ("docker shop-db-1", "docker stop shop-db-1"),
        (r"docker x\u{202e}y", "docker stop 9ec39b91f3d7"),
        ("docker $(reboot)*", "docker stop 9ec39b91f3d7"),
        ("a docker container", ""),
    ];
    assert_eq!(told, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn a_container_run_by_a_unit_is_stopped_through_the_unit() {
    let both = Supervisor {
        unit: Some(unit("web.service", Manager::User)),
        container: Some(container(Engine::Podman, Manager::User)),
        ..Supervisor::default()
    };
    let in_a_login = Supervisor {
        unit: Some(unit("session-2.scope", Manager::System)),
        ..both.clone()
    };
    let commands = [both, in_a_login].map(|found| found.stop_command().unwrap_or_default());
    assert_eq!(
        commands,
        [
            "systemctl --user stop web.service",
            "podman stop 9ec39b91f3d7"
        ]
    );
}

#[test]
fn a_published_port_is_written_as_docker_writes_it() {
    let on = |ip: Option<&str>| Published {
        address: ip.map(|ip| ip.parse().expect("an address")),
        ..published(8080)
    };
    let shown = [on(None), on(Some("127.0.0.1")), on(Some("::"))].map(|port| port.to_string());
    assert_eq!(
        shown,
        [
            "*:8080->80/tcp",
            "127.0.0.1:8080->80/tcp",
            "[::]:8080->80/tcp"
        ]
    );
}
