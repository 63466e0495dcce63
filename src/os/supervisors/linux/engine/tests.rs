use super::*;
use crate::os::supervisors::system::testing::{FakeEngine, ID, published};
use std::io::Write;
use std::sync::mpsc::channel;

const LONG: Duration = Duration::from_secs(10);

/// Two containers as docker lists them; one publishes nothing.
const LISTED: &str = r#"[
  {"Id":"ID","Names":["/web/db","/shop-db-1"],"Image":"postgres:17","Labels":{"a":"b"},"State":"running","Ports":[
    {"IP":"0.0.0.0","PrivatePort":5432,"PublicPort":15432,"Type":"tcp"},
    {"IP":"::","PrivatePort":5432,"PublicPort":15432,"Type":"tcp"},
    {"PrivatePort":9000,"Type":"tcp"},
    {"IP":"","PrivatePort":53,"PublicPort":5353,"Type":"udp"},
    {"IP":"0.0.0.0","PrivatePort":1,"PublicPort":1,"Type":"sctp"}]},
  {"Id":"short","Names":null,"Ports":null}]"#;

fn answer(server: &str, body: &str) -> String {
    let body = body.replace("\"ID\"", &format!("\"{ID}\""));
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nServer: {server}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn docker_at(engine: &FakeEngine) -> EngineSocket {
    EngineSocket {
        path: engine.socket(),
        engine: Engine::Docker,
        manager: Manager::System,
    }
}

fn containers(answers: Vec<EngineAnswer>) -> Vec<Container> {
    let containers = answers.into_iter().map(|answer| answer.containers);
    containers.flatten().collect()
}

/// The containers of that list.
fn expected(engine: Engine) -> Vec<Container> {
    let database = Container {
        name: Some("shop-db-1".into()),
        published: vec![
            published("0.0.0.0", 15432, (5432, Protocol::Tcp)),
            published("::", 15432, (5432, Protocol::Tcp)),
            published("", 5353, (53, Protocol::Udp)),
        ],
        ..Container::new(engine, Manager::System, Some(ID.to_owned()))
    };
    vec![database, Container::new(engine, Manager::System, None)]
}

#[test]
fn an_engine_lists_its_containers_with_their_ports() {
    let cases = [
        ("Docker/27.3.1 (linux)", Engine::Docker),
        ("Libpod/5.2.3 (linux)", Engine::Podman),
    ];
    for (server, engine) in cases {
        let fake = FakeEngine::answering(answer(server, LISTED));
        let found = containers(ask(&[docker_at(&fake)], LONG));
        assert_eq!(found, expected(engine));
        assert!(fake.request().starts_with("GET /containers/json?all=true "));
    }
}

#[test]
fn an_answer_is_complete_only_with_the_ports_of_each_container() {
    let cases = [
        ("[]", true),
        (r#"[{"Id":"x","Ports":[]}]"#, true),
        (r#"[{"Id":"x","Ports":null}]"#, false),
        (r#"[{"Id":"x"}]"#, false),
        (r#"[{"Id":"x","Ports":[]}"#, false),
        (r#"{"message":"denied"}"#, false),
        ("", false),
    ];
    for (body, is_complete) in cases {
        let fake = FakeEngine::answering(answer("Docker/27.3.1 (linux)", body));
        let answers = ask(&[docker_at(&fake)], LONG);
        let own = rustix::process::geteuid().as_raw();
        let found = answers.iter().map(|one| (one.uid, one.is_complete));
        let expected = [(Some(own), is_complete)];
        assert_eq!(found.collect::<Vec<_>>(), expected, "{body}");
    }
}

#[test]
fn a_container_in_any_state_but_ended_may_publish_ports() {
    let ports = r#"[{"PrivatePort":80,"PublicPort":8080,"Type":"tcp"}]"#;
    let cases = [
        ("running", ports, Engine::Docker, (1, true)),
        ("running", "[]", Engine::Docker, (1, true)),
        ("paused", ports, Engine::Podman, (1, true)),
        ("created", ports, Engine::Podman, (1, true)),
        ("created", "[]", Engine::Docker, (0, true)),
        ("restarting", "[]", Engine::Docker, (1, false)),
        ("restarting", ports, Engine::Docker, (1, true)),
        ("removing", "[]", Engine::Docker, (1, false)),
        ("exited", ports, Engine::Podman, (0, true)),
        ("exited", "null", Engine::Docker, (0, true)),
        ("dead", ports, Engine::Docker, (0, true)),
    ];
    for (state, ports, engine, expected) in cases {
        let is_podman = engine == Engine::Podman;
        let server = if is_podman {
            "Libpod/5.2.3 (linux)"
        } else {
            "Docker/27.3.1 (linux)"
        };
        let body = format!(r#"[{{"Id":"x","State":"{state}","Ports":{ports}}}]"#);
        let fake = FakeEngine::answering(answer(server, &body));
        let answers = ask(&[docker_at(&fake)], LONG);
        let found = answers
            .iter()
            .map(|one| (one.containers.len(), one.is_complete));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [expected],
            "{state} {ports} {engine:?}"
        );
    }
}

#[test]
fn a_broken_engine_does_not_hide_the_others() {
    let (done, is_done) = channel();
    let silent = FakeEngine::serving(move |_| is_done.recv().expect("the others were asked"));
    let wrong = FakeEngine::answering(answer("x", r#"{"message":"denied"}"#));
    let listed = answer("Docker/27.3.1 (linux)", LISTED);
    let right = FakeEngine::serving(move |stream| {
        stream.write_all(listed.as_bytes()).expect("it listens");
        done.send(()).expect("the silent one waits");
    });
    let nowhere = EngineSocket {
        path: silent.socket().with_file_name("nowhere"),
        ..docker_at(&silent)
    };
    let mut engine_sockets: Vec<EngineSocket> = [&silent, &wrong, &right].map(docker_at).into();
    engine_sockets.insert(0, nowhere);
    let found = containers(ask(&engine_sockets, LONG));
    assert_eq!(found, expected(Engine::Docker));
}

#[test]
fn engine_sockets_are_the_default_ones_and_docker_host() {
    let sockets = |host| -> Vec<(String, Manager)> {
        let engine_sockets = engine_sockets_of(host, Path::new("/run/user/1000"));
        let reported = |engine_socket: EngineSocket| {
            (
                engine_socket.path.display().to_string(),
                engine_socket.manager,
            )
        };
        engine_sockets.into_iter().map(reported).collect()
    };
    let usual = [
        ("/var/run/docker.sock", Manager::System),
        ("/run/user/1000/docker.sock", Manager::User),
        ("/run/podman/podman.sock", Manager::System),
        ("/run/user/1000/podman/podman.sock", Manager::User),
    ]
    .map(|(path, manager)| (path.to_owned(), manager));
    let own = ("/home/dev/docker.sock".to_owned(), Manager::System);
    let with_own = [&usual[..], &[own]].concat();
    assert_eq!(sockets(Some("unix:///home/dev/docker.sock")), with_own);
    for host in [
        None,
        Some("tcp://10.0.0.1:2375"),
        Some("unix:///var/run/docker.sock"),
    ] {
        assert_eq!(sockets(host), usual, "{host:?}");
    }
}
