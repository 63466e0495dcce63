//! Whether the engine of a port proxy runs no container for it any more.

use super::engine::EngineAnswer;
use super::port_proxy;
use crate::model::port::Port;
use crate::model::process::{Engine, Process};
use crate::os::processes;

/// Programs of which an engine starts one for each published port or container, and its daemon, if it needs one to run.
/// Those that serve a whole machine, as rootlesskit does, are none of them.
const RELAYS: [(&str, Engine, Option<&str>); 3] = [
    ("docker-proxy", Engine::Docker, Some("dockerd")),
    ("rootlessport", Engine::Podman, None),
    ("rootlessport-child", Engine::Podman, None),
];

/// True if the process may be left over: only then are engines asked.
pub fn is_relay(process: &Process) -> bool {
    relay(process).is_some()
}

fn relay(process: &Process) -> Option<(Engine, Option<&'static str>)> {
    let mut relays = RELAYS.into_iter();
    relays.find_map(|(program, engine, daemon)| {
        port_proxy::is_called(process, program).then_some((engine, daemon))
    })
}

/// Returns the engine that has left the process over: every engine that could have started it has answered in full, no
/// container of any engine publishes the port, and none of its daemons was not asked.
pub fn left_over_from(process: &Process, port: Port, answers: &[EngineAnswer]) -> Option<Engine> {
    let (engine, daemon) = relay(process)?;
    let daemons = daemon.map_or(0, processes::count_named);
    is_left_over(process, port, (engine, daemons), answers).then_some(engine)
}

/// An engine runs as the user of its proxies; `daemons` is how many of its kind run.
fn is_left_over(
    process: &Process,
    port: Port,
    (engine, daemons): (Engine, usize),
    answers: &[EngineAnswer],
) -> bool {
    let published = port_proxy::container(process, None).map(|container| container.published);
    // podman's proxy is told its ports on its standard input.
    let is_for_port = match published {
        Some(ports) => ports.iter().any(|published| published.port() == port),
        None => engine == Engine::Podman,
    };
    let mut containers = answers.iter().flat_map(|answer| &answer.containers);
    let is_published = containers.any(|container| container.publishes(port));
    let is_own = |answer: &&EngineAnswer| answer.engine == engine && answer.uid == process.uid;
    let own: Vec<&EngineAnswer> = answers.iter().filter(is_own).collect();
    let are_complete = own.iter().all(|answer| answer.is_complete);
    is_for_port
        && !is_published
        && process.uid.is_some()
        && !own.is_empty()
        && are_complete
        && daemons <= own.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::process::{Container, Manager};
    use crate::model::socket::Protocol;
    use crate::model::testing::process;
    use crate::os::supervisors::system::testing::published;

    const PORT: Port = Port {
        protocol: Protocol::Tcp,
        number: 8080,
    };

    fn answer(engine: Engine, uid: u32, ports: &[u16], is_complete: bool) -> EngineAnswer {
        let mut container = Container::new(engine, Manager::System, None);
        let ports = ports.iter();
        container.published = ports
            .map(|port| published("", *port, (80, Protocol::Tcp)))
            .collect();
        EngineAnswer {
            engine,
            uid: Some(uid),
            containers: vec![container],
            is_complete,
        }
    }

    fn proxy(name: &str, host_port: u16) -> std::sync::Arc<Process> {
        let line =
            format!("{name} -proto tcp -host-ip 0.0.0.0 -host-port {host_port} -container-port 80");
        process(812, name).command(&line).user(0, "root").build()
    }

    #[test]
    fn a_proxy_is_left_over_if_each_of_its_engines_says_so() {
        use Engine::{Docker, Podman};
        let nothing = answer(Docker, 0, &[], true);
        let cases = [
            (vec![nothing.clone()], 0, true),
            (vec![nothing.clone()], 1, true),
            (vec![answer(Docker, 0, &[80, 9090], true)], 1, true),
            // It publishes the port, whichever engine says so.
            (vec![answer(Docker, 0, &[8080], true)], 1, false),
            (
                vec![nothing.clone(), answer(Podman, 1000, &[8080], true)],
                1,
                false,
            ),
            // Not asked, silent, incomplete, of another user, of another kind.
            (vec![], 0, false),
            (vec![nothing.clone()], 2, false),
            (vec![answer(Docker, 0, &[], false)], 0, false),
            (
                vec![nothing.clone(), answer(Docker, 0, &[], false)],
                0,
                false,
            ),
            (vec![answer(Docker, 1000, &[], true)], 0, false),
            (vec![answer(Podman, 0, &[], true)], 0, false),
            // These cannot have started it.
            (
                vec![nothing.clone(), answer(Podman, 0, &[], false)],
                1,
                true,
            ),
            (vec![nothing, answer(Docker, 1000, &[], false)], 1, true),
        ];
        let proxy = proxy("docker-proxy", 8080);
        for (answers, daemons, expected) in cases {
            let found = is_left_over(&proxy, PORT, (Docker, daemons), &answers);
            assert_eq!(found, expected, "{answers:?} {daemons}");
        }
    }

    #[test]
    fn only_a_proxy_of_single_ports_can_be_left_over() {
        let answers = [Engine::Docker, Engine::Podman].map(|engine| answer(engine, 0, &[], true));
        let cases = [
            ("docker-proxy", 8080, true),
            ("docker-proxy", 9090, false),
            ("rootlessport", 0, true),
            ("rootlesskit", 8080, false),
            ("dockerd", 8080, false),
            ("com.docker.backend", 8080, false),
            ("node", 8080, false),
        ];
        for (name, host_port, expected) in cases {
            let process = proxy(name, host_port);
            let found = relay(&process)
                .is_some_and(|(engine, _)| is_left_over(&process, PORT, (engine, 0), &answers));
            assert_eq!(found, expected, "{name} {host_port}");
        }
    }
}
