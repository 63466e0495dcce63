use super::*;
use crate::os::supervisors::system::testing::ID;

const ME: u32 = 1000;

/// Parses a line of the unified hierarchy, with a container id for the word `ID`.
fn unified(path: &str) -> Supervisor {
    supervisor(&format!("0::{}\n", path.replace("ID", ID)), Some(ME))
}

fn of_unit(name: &str, manager: Manager) -> Supervisor {
    Supervisor {
        unit: Some(Unit::new(name.into(), manager)),
        ..Supervisor::default()
    }
}

fn of_container(engine: Engine, manager: Manager) -> Supervisor {
    Supervisor {
        container: Some(Container::new(engine, manager, Some(ID.to_owned()))),
        ..Supervisor::default()
    }
}

#[test]
fn the_unit_is_the_first_one_below_its_manager() {
    let system = |name| of_unit(name, Manager::System);
    let user = |name| of_unit(name, Manager::User);
    let cases = [
        ("/", Supervisor::default()),
        ("/init.scope", Supervisor::default()),
        ("/system.slice/nginx.service", system("nginx.service")),
        (
            "/system.slice/system-postgresql.slice/postgresql@16-main.service",
            system("postgresql@16-main.service"),
        ),
        ("/system.slice/ssh.service (deleted)", system("ssh.service")),
        ("/system.slice/_memory.service", system("memory.service")),
        (
            "/system.slice/systemd-udevd.service/udev",
            system("systemd-udevd.service"),
        ),
        (
            "/user.slice/user-1000.slice/session-41.scope",
            system("session-41.scope"),
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/init.scope",
            Supervisor::default(),
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service",
            user("shop.service"),
        ),
        (
            r"/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome\x2dterminal-4100.scope",
            user(r"app-gnome\x2dterminal-4100.scope"),
        ),
        (
            "/user.slice/user-1000.slice/user@1000.service/tmux-spawn-0b3d0b3e-3c2d-4d3c-8c39-0c2e0ad3f0a4.scope",
            user("tmux-spawn-0b3d0b3e-3c2d-4d3c-8c39-0c2e0ad3f0a4.scope"),
        ),
        (
            "/user.slice/user-1001.slice/user@1001.service/app.slice/shop.service",
            of_unit("shop.service", Manager::OtherUser(1001)),
        ),
        (
            "/system.slice/build.service/user@1000.service/x.service",
            system("build.service"),
        ),
    ];
    for (path, expected) in cases {
        assert_eq!(unified(path), expected, "{path}");
    }
}

#[test]
fn units_inside_a_container_are_ignored() {
    let cases = [
        ("/lxc/web/system.slice/nginx.service", Supervisor::default()),
        (
            "/lxc.payload.web/system.slice/nginx.service",
            Supervisor::default(),
        ),
        (
            "/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service",
            of_unit("systemd-nspawn@web.service", Manager::System),
        ),
        (
            "/system.slice/docker-ID.scope/system.slice/nginx.service",
            of_container(Engine::Docker, Manager::System),
        ),
    ];
    for (path, expected) in cases {
        assert_eq!(unified(path), expected, "{path}");
    }
}

#[test]
fn the_outermost_container_counts() {
    let system = |engine| of_container(engine, Manager::System);
    let cases = [
        ("/docker/ID", system(Engine::Docker)),
        (
            "/docker/ID/docker/1111111111111111111111111111111111111111111111111111111111111111",
            system(Engine::Docker),
        ),
        ("/system.slice/docker-ID.scope", system(Engine::Docker)),
        (
            "/machine.slice/libpod-ID.scope/container",
            system(Engine::Podman),
        ),
        (
            "/machine.slice/libpod-conmon-ID.scope",
            system(Engine::Podman),
        ),
        ("/libpod_parent/libpod-ID", system(Engine::Podman)),
        (
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope/container",
            of_container(Engine::Podman, Manager::User),
        ),
        ("/system.slice/nerdctl-ID.scope", system(Engine::Containerd)),
        (
            "/kubepods/besteffort/poda41662f7-b03a-4c65-8ef9-6e4e55c3cf27/ID",
            system(Engine::Kubernetes),
        ),
        (
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2c48913c.slice/docker-ID.scope",
            system(Engine::Kubernetes),
        ),
        (
            "/kubepods.slice/kubepods-pod2c48913c.slice/cri-containerd-ID.scope",
            system(Engine::Kubernetes),
        ),
        (
            "/kubepods.slice/kubepods-pod2c48913c.slice/crio-ID.scope/container",
            system(Engine::Kubernetes),
        ),
        (
            "/system.slice/containerd.service/kubepods-besteffort-podb41662f7.slice:cri-containerd:ID",
            system(Engine::Kubernetes),
        ),
        ("/system.slice:docker:ID", system(Engine::Docker)),
        (
            "/system.slice/docker.service",
            of_unit("docker.service", Manager::System),
        ),
        ("/ID", Supervisor::default()),
        ("/docker/9ec39b91f3d7", Supervisor::default()),
        ("/docker/buildx", Supervisor::default()),
    ];
    for (path, expected) in cases {
        assert_eq!(unified(path), expected, "{path}");
    }
}

#[test]
fn a_podman_container_keeps_its_unit() {
    let path =
        "/user.slice/user-1000.slice/user@1000.service/app.slice/redis.service/libpod-payload-ID";
    let expected = Supervisor {
        unit: Some(Unit::new("redis.service".into(), Manager::User)),
        ..of_container(Engine::Podman, Manager::User)
    };
    assert_eq!(unified(path), expected);
}

#[test]
fn cgroup_v1_gives_the_same_result() {
    let legacy = "12:pids:/system.slice/nginx.service\n\
                  4:memory:/user.slice/user@1000.service/never.service\n\
                  1:name=systemd:/system.slice/nginx.service\n";
    let hybrid = "1:name=systemd:/system.slice/nginx.service\n0::/\n";
    let both = "0::/system.slice/nginx.service\n1:name=systemd:/system.slice/nginx.service\n";
    let docker = format!("9:name=systemd:/\n4:memory:/docker/{ID}\n1:cpu:/\n0::/\n");
    let cases = [
        (legacy, of_unit("nginx.service", Manager::System)),
        (hybrid, of_unit("nginx.service", Manager::System)),
        (both, of_unit("nginx.service", Manager::System)),
        (&docker, of_container(Engine::Docker, Manager::System)),
    ];
    for (text, expected) in cases {
        assert_eq!(supervisor(text, Some(ME)), expected, "{text}");
    }
}

#[test]
fn malformed_lines_are_ignored() {
    for text in [
        "",
        "\n\n",
        "0:",
        "0::",
        "nonsense",
        "::::",
        "0::/docker-\u{fffd}",
        "0::/::",
        "0::/:x:",
    ] {
        assert_eq!(supervisor(text, None), Supervisor::default(), "{text}");
    }
}
