use super::*;

fn read(text: &str) -> Result<Option<EndpointSpec>, String> {
    endpoint_spec(Token { text, start: 0 }).map_err(|error| error.what)
}

#[test]
fn an_endpoint_is_parsed_in_every_form() {
    let ip = |text: &str| Host::Ip(text.parse().expect("an address"));
    let on = |text: &str, interface| {
        let name = InterfaceName::new(interface).expect("a name");
        Host::OnInterface(text.parse().expect("an address"), name)
    };
    let cases = [
        (":3000", 3000, Host::Any),
        ("*:3000", 3000, Host::Any),
        (":::3000", 3000, Host::Any),
        ("[::]:3000", 3000, Host::Any),
        ("0.0.0.0:3000", 3000, Host::Any),
        (
            "localhost:3000",
            3000,
            Host::Localhost(Localhost::default()),
        ),
        (
            "LocalHost:3000",
            3000,
            Host::Localhost(Localhost::default()),
        ),
        ("127.0.0.1:5432", 5432, ip("127.0.0.1")),
        ("[::ffff:127.0.0.1]:5432", 5432, ip("127.0.0.1")),
        ("[::1]:5173", 5173, ip("::1")),
        ("::1:5173", 5173, ip("::1")),
        ("[fe80::1%eth0]:22", 22, on("fe80::1", "eth0")),
        ("127.0.0.53%lo:53", 53, on("127.0.0.53", "lo")),
        ("*%lo:80", 80, on("::", "lo")),
        (":8080:", 8080, Host::Any),
        ("127.0.0.1:80,", 80, ip("127.0.0.1")),
        ("127.0.0.1:80).", 80, ip("127.0.0.1")),
        (
            "localhost:3000/index.html",
            3000,
            Host::Localhost(Localhost::default()),
        ),
        (
            "http://localhost:5173/x?a=b,c|d",
            5173,
            Host::Localhost(Localhost::default()),
        ),
        ("http://[::1]:5173/", 5173, ip("::1")),
        ("http://[::1]", 80, ip("::1")),
        (
            "https://localhost",
            443,
            Host::Localhost(Localhost::default()),
        ),
        ("postgres://dev:pw@127.0.0.1/shop", 5432, ip("127.0.0.1")),
        ("HTTP://shop.test:3000.", 3000, Host::Name),
    ];
    for (text, port, host) in cases {
        let protocol = None;
        let expected = EndpointSpec {
            port,
            protocol,
            host,
        };
        assert_eq!(read(text), Ok(Some(expected)), "{text}");
    }
}

#[test]
fn a_protocol_may_follow_the_port() {
    let cases = [
        ("3000/tcp", Protocol::Tcp),
        (":53/UDP", Protocol::Udp),
        ("0.0.0.0:8080->80/tcp", Protocol::Tcp),
    ];
    for (text, protocol) in cases {
        let found = read(text).map(|spec| spec.and_then(|spec| spec.protocol));
        assert_eq!(found, Ok(Some(protocol)), "{text}");
    }
}

#[test]
fn other_text_is_not_an_endpoint() {
    for text in [
        "node", "3000", "::1", "cmd:vite", "a:3000", "fe80::1", "a/b", "->",
    ] {
        assert_eq!(read(text), Ok(None), "{text}");
    }
}

#[test]
fn an_invalid_endpoint_says_why() {
    let cases = [
        (":", "missing port after :"),
        ("localhost:", "missing port after localhost:"),
        ("[::1]", "missing port after [::1]"),
        (":x", "not a port: x"),
        (":99999", "not a port: 99999 (the highest is 65535)"),
        ("3000/", "missing protocol after 3000/ (try tcp or udp)"),
        ("3000/t", "not a protocol: t (try tcp or udp)"),
        ("http://", "missing host after http://"),
        (
            "foo://localhost",
            "foo has no default port: write foo://localhost:PORT",
        ),
    ];
    for (text, what) in cases {
        assert_eq!(read(text), Err(what.to_owned()), "{text}");
    }
}

#[test]
fn localhost_is_what_the_name_resolves_to() {
    use crate::model::testing::socket;
    let five: IpAddr = "127.0.0.5".parse().expect("an address");
    let found = |localhost| {
        let spec = EndpointSpec {
            port: 3000,
            protocol: None,
            host: Host::Localhost(localhost),
        };
        ["127.0.0.1", "127.0.0.2", "127.0.0.5", "[::1]", "0.0.0.0"]
            .map(|host| spec.is_of(&socket(&format!("{host}:3000")).build()))
    };
    assert_eq!(
        found(Localhost::default()),
        [true, false, false, true, true]
    );
    assert_eq!(
        found(Localhost::new(&[five])),
        [false, false, true, false, true]
    );
}

#[test]
fn an_address_of_one_interface_is_told_from_others() {
    use crate::model::testing::socket;
    use crate::table::query::parse_finished;
    let context = crate::table::row::DisplayContext::new(
        crate::model::testing::environment(|_| {}),
        crate::model::testing::moment(0.0),
    );
    let rows = [
        socket("0.0.0.0:53").interface(1, "lo", &[]),
        socket("0.0.0.0:53").interface(2, "v0", &[]),
        socket("0.0.0.0:53"),
    ]
    .map(|socket| crate::table::row::Row::from(socket.endpoint()));
    let found = |text: &str| {
        let query = parse_finished(text).query.exact();
        rows.each_ref().map(|row| query.matches(row, &context))
    };
    assert_eq!(found("addr:0.0.0.0%lo"), [true, false, false]);
    assert_eq!(found("addr:0.0.0.0"), [true, true, true]);
    assert_eq!(found("0.0.0.0%lo:53"), [true, false, true]);
    assert_eq!(found("127.0.0.1:53"), [true, true, true]);
}
