use super::*;
use crate::os::supervisors::system::testing::{FakeEngine, TempDir};
use rustix::net::{bind, listen, socket};

const LONG: Duration = Duration::from_secs(10);
const SHORT: Duration = Duration::from_millis(50);

fn body(answer: &[u8]) -> Option<String> {
    let answer = super::read_response(answer)?;
    Some(String::from_utf8(answer.body).expect("text"))
}

#[test]
fn a_body_has_the_length_in_its_header() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{ok}Transfer-Encoding: chunked\r\n\r\n3\r\n[1]\r\n0\r\n\r\n");
    let cases = [
        (format!("{ok}Content-Length: 3\r\n\r\n[1]more"), Some("[1]")),
        (format!("{ok}content-length:3\r\n\r\n[1]"), Some("[1]")),
        ("HTTP/1.1 200 OK\n\n[1]".to_owned(), Some("[1]")),
        ("HTTP/1.0 200\r\n\r\n".to_owned(), Some("")),
        (chunked, None),
        (format!("{ok}Content-Length: 4\r\n\r\n[1]"), None),
        (format!("{ok}Content-Length: -1\r\n\r\n[1]"), None),
        (
            format!("{ok}Content-Length: 99999999999999\r\n\r\n[1]"),
            None,
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\n[]".to_owned(),
            None,
        ),
        (format!("{ok}Content-Length: 2"), None),
    ];
    for (answer, expected) in cases {
        assert_eq!(body(answer.as_bytes()).as_deref(), expected, "{answer}");
    }
    assert_eq!(body(b"\xff\xfe\x00 garbage"), None);
}

#[test]
fn a_response_over_the_limit_is_discarded() {
    let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    answer.resize(usize::try_from(MAX_BYTES).expect("a size") - 1, b' ');
    assert!(super::read_response(&answer[..]).is_some());
    answer.push(b' ');
    assert_eq!(super::read_response(&answer[..]), None);
}

#[test]
fn a_request_has_its_path_and_allows_no_chunks() {
    let engine =
        FakeEngine::answering("HTTP/1.1 200 OK\r\nServer: Docker/27.3.1 (linux)\r\n\r\n[]");
    let answer = get(&engine.socket(), "/containers/json", LONG).expect("an answer");
    assert_eq!(
        header(&answer.head, "SERVER"),
        Some("Docker/27.3.1 (linux)")
    );
    assert_eq!(answer.body, b"[]");
    let question = engine.request();
    assert!(
        question.starts_with("GET /containers/json HTTP/1.0\r\nHost: "),
        "{question}"
    );
}

#[test]
fn slow_responses_time_out() {
    let silent = FakeEngine::serving(|stream| {
        // Until the client gives up.
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(get(&silent.socket(), "/", SHORT), None);
    let trickling = FakeEngine::serving(|stream| {
        let head = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while head.is_ok() && stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(get(&trickling.socket(), "/", SHORT), None);
}

#[test]
fn a_full_listener_queue_times_out() {
    let directory = TempDir::new();
    let path = directory.path().join("socket");
    let listener = socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a socket");
    bind(&listener, &SocketAddrUnix::new(&path).expect("a path")).expect("binds");
    listen(&listener, 0).expect("listens");
    let _first = UnixStream::connect(&path).expect("the one that fits");
    assert_eq!(get(&path, "/", SHORT), None);
}

#[test]
fn without_a_listener_there_is_no_response() {
    let directory = TempDir::new();
    assert_eq!(get(&directory.path().join("none"), "/", LONG), None);
    let long = "x".repeat(200);
    assert_eq!(get(Path::new(&long), "/", LONG), None);
}
