use super::*;
use crate::model::testing::process;
use crate::os::supervisors::system::testing::{ID, published};

/// Returns the container in the arguments of a program run by root.
fn container_of(name: &str, line: &str) -> Option<Container> {
    let line = line.replace("ID", ID);
    let process = process(7, name).command(&line).user(0, "root").build();
    container(&process, Some(1000))
}

fn publishing(engine: Engine, published: Vec<Published>) -> Container {
    Container {
        published,
        ..Container::new(engine, Manager::System, None)
    }
}

#[test]
fn docker_proxy_arguments_name_the_port_in_every_form() {
    let tcp = published("0.0.0.0", 8080, (80, Protocol::Tcp));
    let cases = [
        (
            "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80",
            Some(publishing(Engine::Docker, vec![tcp])),
        ),
        (
            "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 -container-port 80 -use-listen-fd",
            Some(publishing(Engine::Docker, vec![tcp])),
        ),
        (
            "docker-proxy --proto=tcp --host-ip=0.0.0.0 --host-port=8080 --container-port=80",
            Some(publishing(Engine::Docker, vec![tcp])),
        ),
        (
            "docker-proxy -proto udp -host-ip :: -host-port 53 -container-ip fd00::2 -container-port 5353",
            Some(publishing(
                Engine::Docker,
                vec![published("::", 53, (5353, Protocol::Udp))],
            )),
        ),
        (
            "docker-proxy -proto sctp -host-ip :: -host-port 1 -container-port 1",
            None,
        ),
        ("docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port", None),
        (
            "docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 80800 -container-port 80",
            None,
        ),
        ("docker-proxy", None),
    ];
    for (line, expected) in cases {
        assert_eq!(container_of("docker-proxy", line), expected, "{line}");
    }
}

#[test]
fn conmon_arguments_name_the_container_and_its_id() {
    let line = "/usr/bin/conmon --api-version 1 -c ID -u ID -r /usr/bin/crun -b /x -n shop-db --exit-dir /run";
    let expected = Container {
        name: Some("shop-db".into()),
        ..Container::new(Engine::Podman, Manager::System, Some(ID.to_owned()))
    };
    assert_eq!(container_of("conmon", line), Some(expected));
    assert_eq!(container_of("conmon", "conmon -c short -n x"), None);
}

#[test]
fn pasta_arguments_name_the_ports() {
    let rest = "--dns-forward 169.254.1.1 -T none -U none --no-map-gw --netns /run/user/1000/netns/netns-eeaeb5d8";
    let tcp = published("", 9090, (80, Protocol::Tcp));
    let udp = published("127.0.0.1", 53, (5353, Protocol::Udp));
    let cases = [
        (
            format!("pasta --config-net -t 9090-9090:80-80 -u none {rest}"),
            vec![tcp],
        ),
        (
            format!("pasta -t 9090:80 -u 127.0.0.1/53-53:5353-5353 {rest}"),
            vec![tcp, udp],
        ),
        (format!("pasta -t auto -t 8000-8010 -u none {rest}"), vec![]),
    ];
    for (line, ports) in cases {
        let expected = Some(publishing(Engine::Podman, ports));
        assert_eq!(container_of("pasta.avx2", &line), expected, "{line}");
    }
    assert_eq!(
        container_of("pasta", "pasta --config-net -t 9090:80 -- sh"),
        None
    );
}

#[test]
fn a_port_proxy_is_known_by_its_name_or_file() {
    let child = process(7, "exe").with(|process| {
        process.executable = Some("/usr/libexec/podman/rootlessport".into());
    });
    let engines =
        [child, process(7, "dockerd"), process(7, "node")].map(|one| engine(&one.build()));
    assert_eq!(engines, [Some(Engine::Podman), Some(Engine::Docker), None]);
    let line = format!("conmon -c {ID}");
    let managers = [(0, "root"), (1000, "dev"), (1001, "ops")].map(|(uid, user)| {
        let relay = process(7, "conmon").command(&line).user(uid, user).build();
        container(&relay, Some(1000)).map(|container| container.manager)
    });
    let expected = [Manager::System, Manager::User, Manager::OtherUser(1001)];
    assert_eq!(managers, expected.map(Some));
}

#[test]
fn port_proxies_of_containers_are_protected() {
    use crate::free::protected;
    let spared = PORT_PROXIES.map(|(name, _)| protected(&process(7, name).build(), &[]).is_some());
    assert_eq!(spared, [true; PORT_PROXIES.len()]);
}
