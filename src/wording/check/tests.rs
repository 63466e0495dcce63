use super::*;
use crate::check::testing::{LOCAL, V4, V6, ip, port};
use crate::check::{Banner, ConnectOutcome, ConnectProbe, Findings};
use crate::model::port::BindOutcome;
use crate::model::process::{Container, Engine, Manager, Process, ProcessState};
use crate::model::socket::State;
use crate::model::testing::{instant, process, socket};
use crate::model::text::SystemText;
use std::sync::Arc;
use std::time::Duration;

fn java() -> Arc<Process> {
    process(812, "java")
        .command("/usr/bin/java -jar shop.jar")
        .directory("/srv/shop")
        .user(1001, "ops")
        .build()
}

fn vite() -> Arc<Process> {
    process(9120, "vite").build()
}

fn shop_db() -> Container {
    Container {
        name: Some("shop-db".into()),
        ..Container::new(Engine::Docker, Manager::System, None)
    }
}

/// The headline and a line for each reason.
fn lines(findings: Findings) -> Vec<String> {
    let report = CheckReport::of(findings);
    let headline = headline(&report);
    assert_eq!(report.is_free, headline.starts_with("FREE "));
    [headline]
        .into_iter()
        .chain(reason_lines(&report))
        .collect()
}

#[test]
fn a_port_without_sockets_that_always_binds_is_free() {
    assert_eq!(lines(port(3000)), ["FREE :3000"]);
    assert_eq!(lines(port(3000).udp()), ["FREE :3000/udp"]);
}

#[test]
fn the_owner_is_reported_as_far_as_it_is_visible() {
    let all = || port(8080).refused(&LOCAL);
    let dual = || socket("[::]:8080").v6only(false);
    let cases = [
        (
            all().sees(dual().owner(&java())),
            vec![
                "HELD :8080 by java 812 of ops on *:8080",
                "java 812 of ops listens on *:8080 (java -jar shop.jar, in /srv/shop)",
                "* covers every IPv4 and IPv6 address, also 127.0.0.1:8080 and ::1:8080",
            ],
        ),
        (
            all().sees(dual().user(0, "root")),
            vec![
                "HELD :8080 by a process of root on *:8080",
                "a process of root listens on *:8080 (owner hidden; sudo shows it)",
                "* covers every IPv4 and IPv6 address, also 127.0.0.1:8080 and ::1:8080",
            ],
        ),
        (
            all()
                .sees(dual().user(0, "root"))
                .with(|findings| findings.is_root = true),
            vec![
                "HELD :8080 by a process of root on *:8080",
                "a process of root listens on *:8080 (owner hidden even from root: it may be in another container or belong to the kernel)",
                "* covers every IPv4 and IPv6 address, also 127.0.0.1:8080 and ::1:8080",
            ],
        ),
        (
            port(62920)
                .refused(&V4)
                .sees(socket("127.0.0.1:62920").state(State::Bound).owner(&vite())),
            vec![
                "HELD :62920 by vite 9120 of dev on 127.0.0.1:62920",
                "vite 9120 of dev is bound to 127.0.0.1:62920 and does not listen",
                "only IPv4 is taken: ::1 and :: can be bound",
            ],
        ),
        (
            port(8000)
                .refused(&V4)
                .sees(socket("127.0.0.1:8000").owners(&[&java(), &vite()])),
            vec![
                "HELD :8000 by java 812 of ops (one of 2 that share the socket) on 127.0.0.1:8000",
                "java 812 of ops (one of 2 that share the socket) listens on 127.0.0.1:8000 (java -jar shop.jar, in /srv/shop)",
                "only IPv4 is taken: ::1 and :: can be bound",
            ],
        ),
    ];
    for (findings, expected) in cases {
        assert_eq!(lines(findings), expected);
    }
}

#[test]
fn a_bound_socket_holds_the_port_even_if_every_bind_works() {
    let bound = socket("127.0.0.1:62920").state(State::Bound).owner(&vite());
    let lines = lines(port(62920).sees(bound));
    assert_eq!(
        lines[0],
        "HELD :62920 by vite 9120 of dev on 127.0.0.1:62920"
    );
}

#[test]
fn a_udp_check_covers_only_udp_and_has_no_listeners() {
    let findings = port(5353).refused(&LOCAL).udp();
    assert_eq!(
        lines(findings.sees(socket("[::]:5353").udp().v6only(false).owner(&vite())))[..2],
        [
            "HELD :5353/udp by vite 9120 of dev on *:5353/udp",
            "vite 9120 of dev is bound to *:5353/udp",
        ]
    );
}

#[test]
fn a_client_port_is_reported_with_its_remote_end() {
    let chrome = process(942, "chrome").build();
    let connection = || {
        socket("127.0.0.1:51324")
            .to("127.0.0.1:3000")
            .owner(&chrome)
    };
    let far = || socket("10.0.0.1:51324").to("10.9.9.9:443").owner(&chrome);
    let near = port(51324).refused(&V4).sees_client(connection(), true);
    let both = port(51324)
        .refused(&V4)
        .sees_client(far(), false)
        .sees_client(connection(), true);
    let headline = "HELD :51324 by chrome 942 of dev as the local port of a connection";
    assert_eq!(
        lines(near),
        [
            headline,
            "51324 is the local port of chrome 942's connection to :3000",
            "only IPv4 is taken: ::1 and :: can be bound",
        ]
    );
    assert_eq!(
        lines(both)[..2],
        [
            headline,
            "51324 is the local port of chrome 942's connection to 10.9.9.9:443 and of 1 more connection",
        ]
    );
}

#[test]
fn leftovers_of_a_server_are_reported_with_the_bind_results() {
    let waiting = |remote: &str| {
        socket("127.0.0.1:3000")
            .to(remote)
            .state(State::TimeWait)
            .without_owner()
    };
    let two = |findings: Findings| {
        findings
            .sees(waiting("127.0.0.1:40001"))
            .sees(waiting("127.0.0.1:40002"))
    };
    let left = |findings: Findings| {
        let worker = process(7003, "gunicorn").build();
        let connection = || socket("127.0.0.1:3000").owner(&worker);
        findings
            .sees(connection().to("127.0.0.1:40001"))
            .sees(connection().to("127.0.0.1:40002").state(State::CloseWait))
    };
    let cases = [
        (
            two(port(3000).bound_only_with_reuse(&V4)),
            vec![
                "FREE :3000 with SO_REUSEADDR",
                "2 connections are in TIME_WAIT, the last for at most 60 s; the port can be bound with SO_REUSEADDR, which most servers set",
            ],
        ),
        (
            two(port(3000).refused(&V4)),
            vec![
                "HELD :3000 by connections in TIME_WAIT",
                "2 connections are in TIME_WAIT, the last for at most 60 s; until they end 127.0.0.1 and 0.0.0.0 cannot be bound, not even with SO_REUSEADDR",
                "only IPv4 is taken: ::1 and :: can be bound",
            ],
        ),
        (
            left(port(3000).refused(&V4)),
            vec![
                "HELD :3000 by connections without a listener (1 ESTABLISHED and 1 CLOSE_WAIT)",
                "nobody listens, but connections are left: 1 ESTABLISHED and 1 CLOSE_WAIT of gunicorn 7003 of dev; until they end 127.0.0.1 and 0.0.0.0 cannot be bound, not even with SO_REUSEADDR",
                "only IPv4 is taken: ::1 and :: can be bound",
            ],
        ),
        (
            port(3000)
                .bound_only_with_reuse(&V4)
                .sees(waiting("127.0.0.1:40001").waits_until(instant(47.3))),
            vec![
                "FREE :3000 with SO_REUSEADDR",
                "1 connection is in TIME_WAIT for 48 s; the port can be bound with SO_REUSEADDR, which most servers set",
            ],
        ),
        (
            port(3000)
                .refused(&["127.0.0.1"])
                .sees(waiting("127.0.0.1:40001").waits_until(instant(47.3))),
            vec![
                "HELD :3000 by connections in TIME_WAIT",
                "1 connection is in TIME_WAIT for 48 s; until it ends 127.0.0.1 cannot be bound, not even with SO_REUSEADDR",
                "only some addresses are taken: ::1, 0.0.0.0 and :: can be bound",
            ],
        ),
        (two(port(3000)), vec!["FREE :3000"]),
    ];
    for (findings, expected) in cases {
        assert_eq!(lines(findings), expected);
    }
}

#[test]
fn a_listener_on_one_address_leaves_the_others_usable() {
    let findings = port(80)
        .refused(&["0.0.0.0"])
        .sees(socket("10.0.0.5:80").owner(&vite()));
    assert_eq!(
        lines(findings)[2..],
        ["only some addresses are taken: 127.0.0.1, ::1 and :: can be bound"]
    );
    let v6only = port(80)
        .refused(&V6)
        .sees(socket("[::1]:80").owner(&vite()));
    assert_eq!(
        lines(v6only)[2..],
        ["only IPv6 is taken: 127.0.0.1 and 0.0.0.0 can be bound"]
    );
}

#[test]
fn two_owners_of_localhost_name_the_one_reached_first() {
    let two = |localhost: &[&str]| {
        let localhost = localhost.iter().map(|text| ip(text)).collect();
        port(5173)
            .refused(&LOCAL)
            .sees(socket("0.0.0.0:5173").owner(&java()))
            .sees(socket("[::1]:5173").owner(&vite()))
            .with(|findings| findings.localhost = localhost)
    };
    let words = "127.0.0.1:5173 is java 812 of ops, ::1:5173 is vite 9120 of dev";
    let cases: [(&[&str], &str); 3] = [
        (&["::1", "127.0.0.1"], "; localhost reaches ::1 first"),
        (&["127.0.0.1"], "; localhost is 127.0.0.1 only"),
        (&[], ""),
    ];
    for (localhost, order) in cases {
        let lines = lines(two(localhost));
        assert_eq!(lines.last(), Some(&format!("{words}{order}")));
        assert_eq!(
            lines[0],
            "HELD :5173 by java 812 of ops on 0.0.0.0:5173 and 1 more"
        );
    }
    let one = port(5173)
        .refused(&LOCAL)
        .sees(socket("127.0.0.1:5173").owner(&vite()))
        .sees(socket("[::1]:5173").owner(&vite()));
    assert!(!lines(one).iter().any(|line| line.contains("localhost")));
}

#[test]
fn a_listener_that_does_not_serve_is_reported_with_the_reason() {
    let held = |process_state| {
        let with =
            |findings: &mut Findings| findings.process_states.push((java().id, process_state));
        let listener = socket("127.0.0.1:3000").owner(&java()).queue(6, 5);
        lines(port(3000).refused(&V4).sees(listener).with(with)).split_off(3)
    };
    let full = "backlog of 127.0.0.1:3000 is full (6 / 5): new clients time out";
    let cases = [
        (
            ProcessState::Suspended,
            "java 812 is suspended and does not answer (kill -CONT 812 resumes it)",
        ),
        (
            ProcessState::Traced,
            "java 812 is stopped by a debugger and does not answer",
        ),
        (
            ProcessState::Uninterruptible,
            "java 812 is in an uninterruptible wait, so no signal reaches it now",
        ),
        (
            ProcessState::Zombie,
            "java 812 has exited, but its parent 1 has not reaped it",
        ),
    ];
    for (process_state, words) in cases {
        assert_eq!(held(process_state), [full, words]);
    }
    let room = socket("127.0.0.1:3000").owner(&java()).queue(5, 5);
    assert_eq!(lines(port(3000).refused(&V4).sees(room)).len(), 3);
}

#[test]
fn a_bind_refused_by_the_system_names_the_setting() {
    let denied = |findings: Findings| {
        findings.binds(
            &LOCAL,
            &BindOutcome::NotPermitted,
            &BindOutcome::NotPermitted,
        )
    };
    let failed = BindOutcome::Failed("an excluded range".to_owned());
    let missing = BindOutcome::NoSuchAddress;
    let cases = [
        (
            denied(port(80)),
            vec![
                "HELD :80: you are not permitted to bind it",
                "you are not permitted to bind ports below 1024 (net.ipv4.ip_unprivileged_port_start): root or CAP_NET_BIND_SERVICE may",
            ],
        ),
        (
            denied(port(8080)),
            vec![
                "HELD :8080: you are not permitted to bind it",
                "the system does not permit you to bind it",
            ],
        ),
        (
            port(8080)
                .on("127.0.0.1")
                .binds(&["127.0.0.1"], &failed, &failed),
            vec![
                "HELD 127.0.0.1:8080: the bind fails: an excluded range",
                "127.0.0.1:8080 cannot be bound: an excluded range",
            ],
        ),
        (
            port(8080).with(|findings| findings.settings.reserved = vec![8000..=8100]),
            vec![
                "FREE :8080",
                "8080 is in net.ipv4.ip_local_reserved_ports: a program that asks for it gets it, but the system never assigns it",
            ],
        ),
        (
            port(8080).binds(&V6, &missing, &missing),
            vec![
                "FREE :8080",
                "not tried, since this machine lacks them: ::1 and ::",
            ],
        ),
        (
            port(8080).on("::1").binds(&["::1"], &missing, &missing),
            vec![
                "HELD [::1]:8080: this machine has no such address",
                "::1 is not an address of this machine",
            ],
        ),
        (
            port(8080).with(|findings| {
                findings.published = vec![shop_db()];
            }),
            vec![
                "FREE :8080",
                "docker shop-db publishes :8080, so connections go into the container (docker stop shop-db)",
            ],
        ),
    ];
    for (findings, expected) in cases {
        assert_eq!(lines(findings), expected);
    }
}

#[test]
fn connect_results_are_listed_line_by_line() {
    let at = |text: &str| text.parse().expect("an address");
    let accepted = |said| ConnectOutcome::Accepted {
        took: Duration::from_micros(240),
        banner: said,
    };
    let http = Banner::Http {
        status: "HTTP/1.1 200 OK".into(),
        server: Some(SystemText::new(b"ng\x1binx")),
    };
    let cases = [
        (
            accepted(http),
            "connected in 240 µs: HTTP/1.1 200 OK · server: ng\\x1binx",
        ),
        (
            accepted(Banner::Other("SSH-2.0".into())),
            "connected in 240 µs: not HTTP: SSH-2.0",
        ),
        (
            accepted(Banner::Nothing),
            "connected in 240 µs: no answer to GET /",
        ),
        (ConnectOutcome::Refused, "refused: nothing listens there"),
        (
            ConnectOutcome::TimedOut,
            "no answer in 1 s: the backlog is full, or a firewall drops it",
        ),
    ];
    for (outcome, words) in cases {
        let connect = ConnectProbe {
            address: at("[::1]:3000"),
            outcome,
        };
        assert_eq!(connect_line(&connect), format!("::1:3000 {words}"));
    }
    let udp = port(53)
        .udp()
        .with(|findings| findings.connects = Some(Vec::new()));
    assert_eq!(
        connect_lines(&CheckReport::of(udp)),
        ["UDP has no connections, so nothing tells whether anything answers"]
    );
}

#[test]
fn an_unread_table_neither_names_an_owner_nor_means_free() {
    use crate::model::snapshot::Problem;
    use crate::model::socket::Family;
    let unread = |mut findings: Findings| {
        findings.problems.push(Problem {
            protocol: findings.request.spec.protocol,
            family: Family::Ipv6,
            reason: "out of memory".to_owned(),
        });
        lines(findings)
    };
    let rest = || {
        socket("127.0.0.1:3000")
            .to("127.0.0.1:9")
            .state(State::TimeWait)
    };
    let beside = "could not be read: tcp6 sockets: out of memory";
    assert_eq!(unread(port(3000)), ["FREE :3000", beside]);
    for findings in [
        port(3000).refused(&V4).sees(rest().without_owner()),
        port(3000)
            .bound_only_with_reuse(&V4)
            .sees(rest().without_owner()),
    ] {
        let words = unread(findings);
        assert_eq!(
            words.first().map(String::as_str),
            Some("HELD :3000 by an unknown owner: not every socket table could be read")
        );
        assert!(
            !words.iter().any(|line| line.contains("TIME_WAIT")),
            "{words:?}"
        );
    }
}

#[test]
fn a_bind_that_nothing_explains_is_reported_as_such() {
    assert_eq!(
        lines(port(3000).refused(&V4))[..2],
        [
            "HELD :3000 by something that is in no socket table",
            "127.0.0.1:3000 and 0.0.0.0:3000 are in use, but no socket table shows by what",
        ]
    );
    assert_eq!(
        lines(port(3000).bound_only_with_reuse(&V4)),
        [
            "FREE :3000 with SO_REUSEADDR",
            "it can be bound only with SO_REUSEADDR, which most servers set",
        ]
    );
}

#[test]
fn a_socket_on_another_address_does_not_conflict() {
    let findings = port(5432)
        .refused(&V4)
        .on("::1")
        .sees(socket("127.0.0.1:5432").owner(&vite()));
    assert_eq!(
        lines(findings),
        [
            "FREE [::1]:5432",
            "on another address: vite 9120 of dev listens on 127.0.0.1:5432",
        ]
    );
}

#[test]
fn the_number_of_binds_is_reported() {
    let with = |binds| {
        let findings = port(3000).with(|findings| findings.binds = binds);
        binds_line(&CheckReport::of(findings))
    };
    assert_eq!(
        [0, 1, 8].map(with),
        [
            "tested without a bind",
            "tested with 1 bind, closed immediately",
            "tested with 8 binds, each closed immediately",
        ]
    );
}
