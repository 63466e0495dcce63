use super::testing::{LOCAL, V4, V6, ip, port};
use super::*;
use crate::model::bind::BindOutcome;
use crate::model::endpoint::{SocketRole, State};
use crate::model::process::{Process, ProcessState};
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

/// The headline and the reasons, as they are said.
fn said(findings: Findings) -> Vec<String> {
    let answer = CheckReport::of(findings);
    assert_eq!(answer.is_free, answer.headline.starts_with("FREE "));
    let reasons = answer.reasons.iter().map(ToString::to_string);
    std::iter::once(answer.headline.clone())
        .chain(reasons)
        .collect()
}

#[test]
fn a_port_without_sockets_that_always_binds_is_free() {
    assert_eq!(said(port(3000)), ["FREE :3000"]);
    assert_eq!(said(port(3000).udp()), ["FREE :3000/udp"]);
}

#[test]
fn the_owner_is_reported_as_far_as_it_is_visible() {
    let all = || port(8080).refused(&LOCAL);
    let dual = || socket("[::]:8080").only_v6(false);
    let cases = [
        (
            all().sees(dual().owner(&java())),
            vec![
                "HELD :8080 by java 812 of ops on *:8080",
                "java 812 of ops listens on *:8080 (java -jar shop.jar, in /srv/shop)",
                "* is every address of both families: 127.0.0.1:8080 and ::1:8080 are taken by it, without rows of their own",
            ],
        ),
        (
            all().sees(dual().user(0, "root")),
            vec![
                "HELD :8080 by a process of root on *:8080",
                "a process of root listens on *:8080; only root may see which",
                "* is every address of both families: 127.0.0.1:8080 and ::1:8080 are taken by it, without rows of their own",
            ],
        ),
        (
            all()
                .sees(dual().user(0, "root"))
                .with(|findings| findings.is_root = true),
            vec![
                "HELD :8080 by a process of root on *:8080",
                "a process of root listens on *:8080; not even root sees it: it is in another container, or the kernel's own",
                "* is every address of both families: 127.0.0.1:8080 and ::1:8080 are taken by it, without rows of their own",
            ],
        ),
        (
            port(62920)
                .refused(&V4)
                .sees(socket("127.0.0.1:62920").state(State::Bound).owner(&vite())),
            vec![
                "HELD :62920 by vite 9120 of dev on 127.0.0.1:62920",
                "vite 9120 of dev has bound 127.0.0.1:62920 and does not listen",
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
        assert_eq!(said(findings), expected);
    }
}

#[test]
fn a_bound_socket_holds_the_port_even_if_every_bind_works() {
    let bound = socket("127.0.0.1:62920").state(State::Bound).owner(&vite());
    let answer = said(port(62920).sees(bound));
    assert_eq!(
        answer[0],
        "HELD :62920 by vite 9120 of dev on 127.0.0.1:62920"
    );
}

#[test]
fn a_udp_check_covers_only_udp_and_has_no_listeners() {
    let findings = port(5353).refused(&LOCAL).udp();
    assert_eq!(
        said(findings.sees(socket("[::]:5353").udp().only_v6(false).owner(&vite())))[..2],
        [
            "HELD :5353/udp by vite 9120 of dev on *:5353/udp",
            "vite 9120 of dev has *:5353/udp",
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
        said(near),
        [
            headline,
            "51324 is the local port of chrome 942's connection to :3000",
            "only IPv4 is taken: ::1 and :: can be bound",
        ]
    );
    assert_eq!(
        said(both)[..2],
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
            two(port(3000).needs_reuse(&V4)),
            vec![
                "FREE :3000 with SO_REUSEADDR",
                "2 connections are in TIME_WAIT, the last for at most 60 s; it can be bound with SO_REUSEADDR, as most servers do",
            ],
        ),
        (
            two(port(3000).refused(&V4)),
            vec![
                "HELD :3000 by connections in TIME_WAIT",
                "2 connections are in TIME_WAIT, the last for at most 60 s; until then it cannot be bound, not even with SO_REUSEADDR",
                "only IPv4 is taken: ::1 and :: can be bound",
            ],
        ),
        (
            left(port(3000).refused(&V4)),
            vec![
                "HELD :3000 by 1 ESTABLISHED and 1 CLOSE_WAIT without a listener",
                "nobody listens; what is left is 1 ESTABLISHED and 1 CLOSE_WAIT of gunicorn 7003 of dev; until then it cannot be bound, not even with SO_REUSEADDR",
                "only IPv4 is taken: ::1 and :: can be bound",
            ],
        ),
        (
            port(3000)
                .needs_reuse(&V4)
                .sees(waiting("127.0.0.1:40001").waits_until(instant(47.3))),
            vec![
                "FREE :3000 with SO_REUSEADDR",
                "1 connection is in TIME_WAIT for 48 s; it can be bound with SO_REUSEADDR, as most servers do",
            ],
        ),
        (two(port(3000)), vec!["FREE :3000"]),
    ];
    for (findings, expected) in cases {
        assert_eq!(said(findings), expected);
    }
}

#[test]
fn accepted_connections_are_not_a_reason_beside_a_listener() {
    let mut findings = port(3000)
        .refused(&V4)
        .sees(socket("0.0.0.0:3000").owner(&vite()))
        .sees(
            socket("127.0.0.1:3000")
                .to("127.0.0.1:40001")
                .state(State::TimeWait),
        );
    findings.endpoints[1].relation.role = SocketRole::Server;
    let wildcard = CheckReport::of(findings.clone()).reasons[1].to_string();
    assert_eq!(
        wildcard,
        "0.0.0.0 is every address of IPv4: 127.0.0.1:3000 is taken by it, without a row of its own"
    );
    let causes: Vec<&str> = CheckReport::of(findings)
        .reasons
        .iter()
        .map(Reason::cause)
        .collect();
    assert_eq!(causes, ["holder", "wildcard", "only_ipv4"]);
}

#[test]
fn a_listener_on_one_address_leaves_the_others_usable() {
    let findings = port(80)
        .refused(&["0.0.0.0"])
        .sees(socket("10.0.0.5:80").owner(&vite()));
    assert_eq!(
        said(findings)[2..],
        ["not every address is taken: 127.0.0.1, ::1 and :: can be bound"]
    );
    let only_v6 = port(80)
        .refused(&V6)
        .sees(socket("[::1]:80").owner(&vite()));
    assert_eq!(
        said(only_v6)[2..],
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
        let answer = said(two(localhost));
        assert_eq!(answer.last(), Some(&format!("{words}{order}")));
        assert_eq!(
            answer[0],
            "HELD :5173 by java 812 of ops on 0.0.0.0:5173 and by 1 more"
        );
    }
    let one = port(5173)
        .refused(&LOCAL)
        .sees(socket("127.0.0.1:5173").owner(&vite()))
        .sees(socket("[::1]:5173").owner(&vite()));
    assert!(!said(one).iter().any(|line| line.contains("localhost")));
}

#[test]
fn a_listener_that_does_not_serve_is_reported_with_the_reason() {
    let held = |process_state| {
        let with =
            |findings: &mut Findings| findings.process_states.push((java().id, process_state));
        let listener = socket("127.0.0.1:3000").owner(&java()).queue(6, 5);
        said(port(3000).refused(&V4).sees(listener).with(with)).split_off(3)
    };
    let full = "the backlog of 127.0.0.1:3000 is full: 6 of 5 connections wait to be accepted, new clients time out";
    let cases = [
        (
            ProcessState::Suspended,
            "java 812 is stopped and answers nobody: kill -CONT 812 lets it go on",
        ),
        (
            ProcessState::Traced,
            "java 812 is stopped by a debugger and answers nobody",
        ),
        (
            ProcessState::Uninterruptible,
            "java 812 waits in the kernel at this moment, where no signal reaches it",
        ),
        (
            ProcessState::Zombie,
            "java 812 has ended and its parent 1 has not reaped it",
        ),
    ];
    for (process_state, words) in cases {
        assert_eq!(held(process_state), [full, words]);
    }
    let room = socket("127.0.0.1:3000").owner(&java()).queue(5, 5);
    assert_eq!(said(port(3000).refused(&V4).sees(room)).len(), 3);
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
                "HELD :80 as you may not bind it",
                "you may not bind ports below 1024 (net.ipv4.ip_unprivileged_port_start): that needs root or CAP_NET_BIND_SERVICE",
            ],
        ),
        (
            denied(port(8080)),
            vec![
                "HELD :8080 as you may not bind it",
                "you may not bind it: the system refuses that to this user",
            ],
        ),
        (
            port(8080)
                .on("127.0.0.1")
                .binds(&["127.0.0.1"], &failed, &failed),
            vec![
                "HELD 127.0.0.1:8080 as it cannot be bound: an excluded range",
                "127.0.0.1:8080 cannot be bound: an excluded range",
            ],
        ),
        (
            port(8080).with(|findings| findings.settings.reserved = vec![8000..=8100]),
            vec![
                "FREE :8080",
                "8080 is in net.ipv4.ip_local_reserved_ports: the system never hands it out by itself, who asks for it gets it",
            ],
        ),
        (
            port(8080).binds(&V6, &missing, &missing),
            vec!["FREE :8080", "this machine has no ::1 and no ::: not tried"],
        ),
        (
            port(8080).on("::1").binds(&["::1"], &missing, &missing),
            vec![
                "HELD [::1]:8080 as this machine has no such address",
                "::1 is no address of this machine",
            ],
        ),
        (
            port(8080).with(|findings| {
                findings.published = vec!["docker shop-db publishes it".to_owned()];
            }),
            vec!["FREE :8080", "docker shop-db publishes it"],
        ),
    ];
    for (findings, expected) in cases {
        assert_eq!(said(findings), expected);
    }
}

#[test]
fn an_unexplained_bind_failure_is_reported_and_checked_again() {
    let riddle = CheckReport::of(port(3000).refused(&V4));
    let reuse = CheckReport::of(port(3000).needs_reuse(&V4));
    assert_eq!(
        (riddle.is_explained(), reuse.is_explained()),
        (false, false)
    );
    assert!(CheckReport::of(port(3000)).is_explained());
    assert_eq!(
        riddle.headline,
        "HELD :3000 by something that is in no table"
    );
    assert_eq!(
        riddle.reasons[0].to_string(),
        "something holds 127.0.0.1:3000 and 0.0.0.0:3000 that is in no table"
    );
    assert_eq!(reuse.reasons, [Reason::NeedsReuse]);
}

#[test]
fn a_check_of_one_address_covers_only_that_address() {
    let both = |text: &str| {
        port(5432)
            .refused(&V4)
            .on(text)
            .sees(socket("127.0.0.1:5432").owner(&vite()))
    };
    assert_eq!(
        said(both("::1")),
        [
            "FREE [::1]:5432",
            "elsewhere on this port, vite 9120 of dev listens on 127.0.0.1:5432",
        ]
    );
    for (text, holds) in [("127.0.0.1", true), ("0.0.0.0", true), ("::", false)] {
        assert_eq!(!CheckReport::of(both(text)).is_free, holds, "{text}");
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
            "connected in 0.2 ms: HTTP/1.1 200 OK · server: ng\\x1binx",
        ),
        (
            accepted(Banner::Other("SSH-2.0".into())),
            "connected in 0.2 ms: no HTTP, it says SSH-2.0",
        ),
        (
            accepted(Banner::Nothing),
            "connected in 0.2 ms: says nothing to GET /",
        ),
        (ConnectOutcome::Refused, "refused: nothing listens there"),
        (
            ConnectOutcome::TimedOut,
            "gave no answer in 1 s: the backlog is full, or a firewall drops it",
        ),
    ];
    for (outcome, words) in cases {
        let connect = ConnectProbe {
            address: at("[::1]:3000"),
            outcome,
        };
        assert_eq!(connect.to_string(), format!("::1:3000 {words}"));
    }
    let udp = port(53)
        .udp()
        .with(|findings| findings.connects = Some(Vec::new()));
    assert_eq!(
        CheckReport::of(udp).connect_lines(),
        ["UDP knows no connections: nothing tells whether anybody answers"]
    );
}

#[test]
fn an_unread_table_neither_names_an_owner_nor_means_free() {
    use crate::model::address::Family;
    use crate::model::snapshot::Problem;
    let unread = |mut findings: Findings| {
        findings.problems.push(Problem {
            protocol: findings.request.spec.protocol,
            family: Family::Ipv6,
            reason: "out of memory".to_owned(),
        });
        said(findings)
    };
    let rest = || {
        socket("127.0.0.1:3000")
            .to("127.0.0.1:9")
            .state(State::TimeWait)
    };
    let beside = "not everything could be read: tcp6 sockets: out of memory";
    assert_eq!(unread(port(3000)), ["FREE :3000", beside]);
    for findings in [
        port(3000).refused(&V4).sees(rest().without_owner()),
        port(3000).needs_reuse(&V4).sees(rest().without_owner()),
    ] {
        let words = unread(findings);
        assert_eq!(
            words.first().map(String::as_str),
            Some("HELD :3000 by something unknown, as not every table could be read")
        );
        assert!(
            !words.iter().any(|line| line.contains("TIME_WAIT")),
            "{words:?}"
        );
    }
}
