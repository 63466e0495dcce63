//! Proxies of published ports: they are stopped only if their engine answers that no container publishes the port.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use super::{FreeOutput, command};
use crate::harness::helper_process::{OwnerProcess, listen, scratch, unique_name};
use crate::harness::launch::{PORTMON, Printed};

/// The socket of an engine that gives this answer to every question.
fn engine(answer: impl Into<String>) -> PathBuf {
    let path = scratch("engines").join(unique_name());
    let listener = UnixListener::bind(&path).expect("a socket");
    let answer = answer.into();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a client");
            // One read takes the whole request, and the client may have gone.
            let _ = client.read(&mut [0; 4096]).expect("a request");
            client.write_all(answer.as_bytes()).ok();
        }
    });
    path
}

/// An answer of the Docker Engine API.
fn listing(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn proxy() -> OwnerProcess {
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let port = port.to_string();
    let arguments = [
        "-proto",
        "tcp",
        "-host-ip",
        "127.0.0.1",
        "-host-port",
        &port,
        "-container-port",
        "80",
    ];
    OwnerProcess::with_arguments("docker-proxy", listener, &arguments)
}

fn free_by(engine: &Path, words: &[&str]) -> FreeOutput {
    let host = format!("unix://{}", engine.display());
    let output = command(words).env("DOCKER_HOST", host).output();
    FreeOutput::from(output.expect("an output"))
}

#[test]
fn a_proxy_without_a_container_may_be_stopped() {
    let (mut proxy, engine) = (proxy(), engine(listing("[]")));
    let port = proxy.port.to_string();
    let dry_run = free_by(&engine, &[&port, "--dry-run"]);
    let words = format!(
        "docker-proxy {} is left over: docker answers that no running container publishes :{port}",
        proxy.pid()
    );
    dry_run.assert_says(&words);
    assert_eq!((dry_run.code, dry_run.would_signal()), (Some(0), 1));
    assert!(proxy.is_alive());
    let freed = free_by(&engine, &[&port, "--yes"]);
    freed.assert(0, "free", &[(proxy.pid(), "SIGTERM")], &[]);
    proxy.wait_until_ended();
}

#[test]
fn check_says_that_a_proxy_is_left_over() {
    let proxy = proxy();
    let port = proxy.port;
    let published = format!(
        r#"[{{"Id":"x","Names":["/web"],"Ports":[{{"PrivatePort":80,"PublicPort":{port},"Type":"tcp"}}]}}]"#
    );
    for (body, is_left_over) in [("[]", true), (&published, false)] {
        let host = format!("unix://{}", engine(listing(body)).display());
        let output = Command::new(PORTMON)
            .args(["check", &port.to_string()])
            .env("DOCKER_HOST", host)
            .output();
        let checked = Printed::from(output.expect("an output"));
        let words = format!(
            "docker-proxy {} is left over: docker answers that no running container publishes :{port}, so it may be stopped \
             (portmon free {port})",
            proxy.pid()
        );
        assert_eq!(checked.stdout.contains(&words), is_left_over, "{checked:?}");
    }
}

#[test]
fn a_proxy_is_protected_unless_the_engine_says_otherwise() {
    let mut proxy = proxy();
    let port = proxy.port.to_string();
    let published = format!(
        r#"[{{"Id":"x","Names":["/web"],"Ports":[{{"PrivatePort":80,"PublicPort":{port},"Type":"tcp"}}]}}]"#
    );
    let answers = [
        listing(&published),
        listing(r#"[{"Id":"x","Names":["/web"]}]"#),
        listing("[{"),
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\n[]".to_owned(),
        String::new(),
    ];
    for answer in answers {
        let shown = answer.clone();
        let refused = free_by(&engine(answer), &[&port, "--yes"]);
        refused.assert(6, "refused", &[], &[proxy.pid()]);
        // `docker stop` with the result of another command may have no argument.
        assert!(!refused.message.contains("$("), "{shown}: {refused:?}");
        let is_named = refused.message.ends_with("docker stop web");
        assert_eq!(
            is_named,
            shown.contains("PublicPort"),
            "{shown}: {refused:?}"
        );
    }
    assert!(proxy.is_alive());
}
