//! `portmon wait --http`: until a server answers plain HTTP that it is ready.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crate::harness::helper_process::listen;
use crate::harness::launch::{PORTMON, Printed, run};
use crate::harness::requirements::skipped;

/// A server that gives each of these answers to one request, in their order, and the last to all others. It reports the
/// first line of each request.
struct Server {
    port: u16,
    requests: Receiver<String>,
}

fn serve(listener: TcpListener, answers: &[&'static [u8]]) -> Server {
    let port = listener.local_addr().expect("an address").port();
    let (sender, requests) = channel();
    let answers = answers.to_vec();
    thread::spawn(move || {
        for number in 0.. {
            let Ok((mut client, _)) = listener.accept() else {
                return;
            };
            let answer = answers.get(number).or(answers.last()).copied();
            let request = answer_with(&mut client, answer.unwrap_or_default());
            // The test may have ended.
            let _ = sender.send(request);
        }
    });
    Server { port, requests }
}

fn answer_with(client: &mut TcpStream, answer: &[u8]) -> String {
    let mut request = [0; 1024];
    let count = client.read(&mut request).unwrap_or(0);
    let _ = client.write_all(answer);
    let request = String::from_utf8_lossy(request.get(..count).unwrap_or_default()).into_owned();
    request.lines().next().unwrap_or_default().to_owned()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\r\n";
const MOVED: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n";

fn wait(port: u16, words: &[&str]) -> Printed {
    let port = port.to_string();
    run(&[&["wait", port.as_str()], words].concat())
}

/// Waits for a moment for a server that does not become ready; returns what was said.
fn not_ready(answer: &'static [u8]) -> String {
    let server = serve(listen("127.0.0.1:0"), &[answer]);
    let printed = wait(server.port, &["--http", "--timeout", "0.3"]);
    assert_eq!(
        (printed.code, printed.stdout.as_str()),
        (Some(124), ""),
        "{printed:?}"
    );
    let begin = format!(
        "portmon: :{} does not answer GET / with 2xx or 3xx after ",
        server.port
    );
    assert!(printed.stderr.starts_with(&begin), "{printed:?}");
    printed.stderr
}

#[test]
fn a_server_is_ready_once_it_answers_with_success() {
    for ready in [OK, MOVED] {
        let server = serve(
            listen("127.0.0.1:0"),
            &[UNAVAILABLE, b"", UNAVAILABLE, ready],
        );
        let printed = wait(server.port, &["--http=/health?now", "--timeout", "60"]);
        assert_eq!(printed.code, Some(0), "{printed:?}");
        let begin = format!(":{} answers GET /health?now after ", server.port);
        let status = String::from_utf8_lossy(ready.get(..15).unwrap_or_default()).into_owned();
        let status = status.trim_end();
        assert!(
            printed.stdout.starts_with(&begin) && printed.stdout.contains(status),
            "{printed:?}"
        );
        let requests: Vec<String> = server.requests.try_iter().collect();
        assert_eq!(requests, vec!["GET /health?now HTTP/1.1"; 4]);
    }
}

#[test]
fn a_server_that_is_not_ready_is_quoted_at_the_timeout() {
    let cases: [(&'static [u8], &str); 5] = [
        (UNAVAILABLE, "answers HTTP/1.1 503 Service Unavailable"),
        (
            b"HTTP/1.1 404 Not Found\r\n\r\n",
            "answers HTTP/1.1 404 Not Found",
        ),
        (
            b"\x15\x03\x01\x00\x02\x02\x46",
            "answers with TLS, not plain HTTP",
        ),
        (
            b"SSH-2.0-OpenSSH_9\r\n",
            "answers \"SSH-2.0-OpenSSH_9\", not HTTP",
        ),
        (b"", "closes the connection without an answer"),
    ];
    for (answer, words) in cases {
        let said = not_ready(answer);
        assert!(said.contains(words), "{said}");
    }
}

/// Like most TLS servers, this one closes the connection of a GET without a word.
#[test]
fn a_tls_server_is_named_even_if_it_closes_the_connection() {
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        while let Ok((mut client, _)) = listener.accept() {
            let mut bytes = [0; 256];
            let count = client.read(&mut bytes).unwrap_or(0);
            if let Some([0x16, 3, _, high, low, 1, ..]) = bytes.get(..count) {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                assert_eq!(count, 5 + length, "one whole record");
                // A fatal alert: handshake failure.
                let _ = client.write_all(&[0x15, 3, 3, 0, 2, 2, 40]);
            }
        }
    });
    let printed = wait(port, &["--http", "--timeout", "0"]);
    assert_eq!(printed.code, Some(124), "{printed:?}");
    let words = format!("127.0.0.1:{port} answers with TLS, not plain HTTP");
    assert!(printed.stderr.contains(&words), "{printed:?}");
}

#[test]
fn a_server_that_hangs_delays_the_timeout_by_little() {
    // The kernel accepts, and nobody answers.
    let listener = listen("127.0.0.1:0");
    let port = listener.local_addr().expect("an address").port();
    let began = std::time::Instant::now();
    let printed = wait(port, &["--http", "--timeout", "0.4"]);
    assert_eq!(printed.code, Some(124), "{printed:?}");
    assert!(
        printed
            .stderr
            .contains("accepts the connection and does not answer"),
        "{printed:?}"
    );
    assert!(began.elapsed().as_secs() < 8, "{printed:?}");
}

#[test]
fn the_other_family_answers_where_the_first_does_not() {
    let Ok(v6) = TcpListener::bind("[::1]:0") else {
        skipped("no ::1");
        return;
    };
    let server = serve(v6, &[OK]);
    let printed = wait(server.port, &["--http", "--timeout", "60"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    assert!(
        printed
            .stdout
            .contains(&format!("[::1]:{} answers", server.port)),
        "{printed:?}"
    );
    let address = format!("127.0.0.1:{}", server.port);
    let printed = run(&["wait", &address, "--http", "--timeout", "0"]);
    assert_eq!(printed.code, Some(124), "{printed:?}");
}

#[test]
fn a_wait_for_http_outlasts_the_time_before_the_server_starts() {
    let reserved = listen("127.0.0.1:0");
    let port = reserved.local_addr().expect("an address").port();
    drop(reserved);
    let said = wait(port, &["--http", "--timeout", "0"]).stderr;
    assert!(
        said.contains(&format!(":{port} is not listening after ")),
        "{said}"
    );
    let waiting: Child = Command::new(PORTMON)
        .args(["wait", &port.to_string(), "--http", "--timeout", "60"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("portmon");
    let listener = loop {
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(listener) => break listener,
            Err(_) => thread::yield_now(),
        }
    };
    let _server = serve(listener, &[OK]);
    let output = waiting.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn http_goes_with_a_tcp_port_and_not_with_free() {
    let cases: [(&[&str], &str); 3] = [
        (
            &["3000", "--http", "--free"],
            "--http cannot be used with --free",
        ),
        (
            &["3000/udp", "--http"],
            "--http needs a TCP port, not :3000/udp",
        ),
        (
            &["3000", "--http=health"],
            "not a path: \"health\" (try --http=/health)",
        ),
    ];
    for (words, expected) in cases {
        let printed = run(&[&["wait"], words].concat());
        assert_eq!(
            (printed.code, printed.stdout.as_str()),
            (Some(2), ""),
            "{printed:?}"
        );
        assert!(printed.stderr.contains(expected), "{printed:?}");
    }
}
