use super::*;
use crate::check::testing::{LOCAL, V4, V6, ip, port};
use crate::check::{Banner, ConnectOutcome, ConnectProbe, Findings};
use crate::model::port::BindOutcome;
use crate::model::process::{Container, Engine, Manager, Process, ProcessState, SocketCandidates};
use crate::model::snapshot::Problem;
use crate::model::socket::{Family, NotFoundCause, State};
use crate::model::testing::{SocketBuilder, instant, process, socket, socket_candidates};
use crate::model::text::SystemText;
use insta::assert_snapshot;
use std::net::SocketAddr;
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

/// The candidates of a socket of user 1000 on port 8080, beside this many that may not be signaled.
fn with_candidates(processes: &[&Arc<Process>], others: usize) -> Findings {
    let found = port(8080).refused(&V4).sees(socket("127.0.0.1:8080"));
    let id = found.endpoints[0].socket.id;
    found.with(|findings| {
        findings.candidates.push(SocketCandidates {
            others,
            ..socket_candidates(id, processes)
        });
    })
}

#[test]
fn candidates_are_named_as_probable_and_unproved() {
    let api = process(4300, "api").build();
    assert_snapshot!(lines(with_candidates(&[&vite()], 0)), @"
    HELD :8080 by a hidden process of dev, probably vite 9120, on 127.0.0.1:8080
    a hidden process of dev listens on 127.0.0.1:8080 (owner hidden; sudo shows it)
    probably vite 9120: its descriptors are not readable, so portmon cannot prove it
    only IPv4 is taken: ::1 and :: can be bound
    ");
    assert_snapshot!(lines(with_candidates(&[&api, &vite()], 1)), @"
    HELD :8080 by a hidden process of dev, probably one of api 4300, vite 9120 and 1 other that you may not signal, on 127.0.0.1:8080
    a hidden process of dev listens on 127.0.0.1:8080 (owner hidden; sudo shows it)
    probably one of api 4300, vite 9120 and 1 other that you may not signal: their descriptors are not readable, so portmon cannot prove it
    only IPv4 is taken: ::1 and :: can be bound
    ");
    let report = CheckReport::of(with_candidates(&[&vite()], 0));
    assert_eq!(report.owners(), []);
}

#[test]
fn many_candidates_are_counted_and_called_possible() {
    let api = process(4300, "api").build();
    assert_snapshot!(lines(with_candidates(&[&api, &vite()], 66)), @"
    HELD :8080 by a hidden process of dev on 127.0.0.1:8080
    a hidden process of dev listens on 127.0.0.1:8080 (owner hidden; sudo shows it)
    it may be one of 68 processes of dev whose descriptors are not readable
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

fn in_time_wait(remote: &str) -> SocketBuilder {
    let socket = socket("127.0.0.1:3000").to(remote);
    socket.state(State::TimeWait).without_owner()
}

/// The headline and a line for each reason.
fn lines(findings: Findings) -> String {
    let report = CheckReport::of(findings);
    let headline = headline(&report);
    assert_eq!(report.is_free(), headline.starts_with("FREE "));
    let lines = [headline].into_iter().chain(reason_lines(&report));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_port_without_sockets_that_always_binds_is_free() {
    assert_eq!(lines(port(3000)), "FREE :3000");
    assert_eq!(lines(port(3000).udp()), "FREE :3000/udp");
}

#[test]
fn the_owner_is_reported_as_far_as_it_is_visible() {
    let all = || port(8080).refused(&LOCAL);
    let dual = || socket("[::]:8080").v6only(false);
    let hidden = || all().sees(dual().user(0, "root"));
    assert_snapshot!(lines(all().sees(dual().owner(&java()))), @"
    HELD :8080 by java 812 of ops on *:8080
    java 812 of ops listens on *:8080 (java -jar shop.jar, in /srv/shop)
    * covers every IPv4 and IPv6 address, including 127.0.0.1:8080 and [::1]:8080
    ");
    assert_snapshot!(lines(hidden()), @"
    HELD :8080 by a hidden process of root on *:8080
    a hidden process of root listens on *:8080 (owner hidden; sudo shows it)
    * covers every IPv4 and IPv6 address, including 127.0.0.1:8080 and [::1]:8080
    ");
    let cause = NotFoundCause::MissingPtrace;
    let no_ptrace = all().sees(dual().user(65534, "nobody").not_found(cause));
    assert_snapshot!(lines(no_ptrace), @"
    HELD :8080 by a hidden process of nobody on *:8080
    a hidden process of nobody listens on *:8080 (owner hidden; this root lacks CAP_SYS_PTRACE)
    * covers every IPv4 and IPv6 address, including 127.0.0.1:8080 and [::1]:8080
    ");
    let pending = all().sees(dual().user(0, "root").pending());
    assert_snapshot!(lines(pending), @"
    HELD :8080 by a process of root on *:8080
    a process of root listens on *:8080 (owner still being looked up)
    * covers every IPv4 and IPv6 address, including 127.0.0.1:8080 and [::1]:8080
    ");
    let shared = socket("127.0.0.1:8000").owners(&[&java(), &vite()]);
    assert_snapshot!(lines(port(8000).refused(&V4).sees(shared)), @"
    HELD :8000 by java 812 of ops (one of 2 processes that share the socket) on 127.0.0.1:8000
    java 812 of ops (one of 2 processes that share the socket) listens on 127.0.0.1:8000 (java -jar shop.jar, in /srv/shop)
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

#[test]
fn a_bound_socket_holds_the_port_even_if_every_bind_works() {
    let bound = || socket("127.0.0.1:62920").state(State::Bound).owner(&vite());
    assert_snapshot!(lines(port(62920).refused(&V4).sees(bound())), @"
    HELD :62920 by vite 9120 of dev on 127.0.0.1:62920
    vite 9120 of dev is bound to 127.0.0.1:62920 but does not listen
    only IPv4 is taken: ::1 and :: can be bound
    ");
    assert_snapshot!(lines(port(62920).sees(bound())), @"
    HELD :62920 by vite 9120 of dev on 127.0.0.1:62920
    vite 9120 of dev is bound to 127.0.0.1:62920 but does not listen
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

#[test]
fn a_udp_check_covers_only_udp_and_has_no_listeners() {
    let bound = socket("[::]:5353").udp().v6only(false).owner(&vite());
    assert_snapshot!(lines(port(5353).refused(&LOCAL).udp().sees(bound)), @"
    HELD :5353/udp by vite 9120 of dev on *:5353/udp
    vite 9120 of dev is bound to *:5353/udp
    * covers every IPv4 and IPv6 address, including 127.0.0.1:5353/udp and [::1]:5353/udp
    ");
}

#[test]
fn a_client_port_is_reported_with_its_remote_end() {
    let chrome = process(942, "chrome").build();
    let from = |local, remote| socket(local).to(remote).owner(&chrome);
    let near = || from("127.0.0.1:51324", "127.0.0.1:3000");
    let far = from("10.0.0.1:51324", "10.9.9.9:443");
    let used = || port(51324).refused(&V4);
    assert_snapshot!(lines(used().sees_client(near(), true)), @"
    HELD :51324 by chrome 942 of dev as the local port of a connection
    51324 is the local port of chrome 942's connection to :3000
    only IPv4 is taken: ::1 and :: can be bound
    ");
    assert_snapshot!(lines(used().sees_client(far, false).sees_client(near(), true)), @"
    HELD :51324 by chrome 942 of dev as the local port of a connection
    51324 is the local port of chrome 942's connection to 10.9.9.9:443 and of 1 more connection
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

#[test]
fn connections_in_time_wait_are_reported_with_the_bind_results() {
    let two = |findings: Findings| {
        let first = findings.sees(in_time_wait("127.0.0.1:40001"));
        first.sees(in_time_wait("127.0.0.1:40002"))
    };
    let one = || in_time_wait("127.0.0.1:40001").waits_until(instant(47.3));
    assert_eq!(lines(two(port(3000))), "FREE :3000");
    assert_snapshot!(lines(two(port(3000).bound_only_with_reuse(&V4))), @"
    FREE :3000 with SO_REUSEADDR
    2 connections are in TIME_WAIT (the last ends in at most 60 s); the port can be bound with SO_REUSEADDR, which most servers set
    ");
    assert_snapshot!(lines(two(port(3000).refused(&V4))), @"
    HELD :3000 by connections in TIME_WAIT
    2 connections are in TIME_WAIT (the last ends in at most 60 s); until they end, 127.0.0.1 and 0.0.0.0 cannot be bound, even with SO_REUSEADDR
    only IPv4 is taken: ::1 and :: can be bound
    ");
    assert_snapshot!(lines(port(3000).bound_only_with_reuse(&V4).sees(one())), @"
    FREE :3000 with SO_REUSEADDR
    1 connection is in TIME_WAIT (ends in 48 s); the port can be bound with SO_REUSEADDR, which most servers set
    ");
    assert_snapshot!(lines(port(3000).refused(&["127.0.0.1"]).sees(one())), @"
    HELD :3000 by connections in TIME_WAIT
    1 connection is in TIME_WAIT (ends in 48 s); until it ends, 127.0.0.1 cannot be bound, even with SO_REUSEADDR
    only some addresses are taken: ::1, 0.0.0.0 and :: can be bound
    ");
}

#[test]
fn connections_of_a_gone_listener_are_reported_with_their_owner() {
    let worker = process(7003, "gunicorn").build();
    let connection = |remote| socket("127.0.0.1:3000").to(remote).owner(&worker);
    let findings = port(3000)
        .refused(&V4)
        .sees(connection("127.0.0.1:40001"))
        .sees(connection("127.0.0.1:40002").state(State::CloseWait));
    assert_snapshot!(lines(findings), @"
    HELD :3000 by connections without a listener (1 ESTABLISHED and 1 CLOSE_WAIT)
    nothing listens, but connections remain: 1 ESTABLISHED and 1 CLOSE_WAIT (gunicorn 7003 of dev); until they end, 127.0.0.1 and 0.0.0.0 cannot be bound, even with SO_REUSEADDR
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

#[test]
fn a_listener_on_one_address_leaves_the_others_usable() {
    let held = |ips: &[&str], at| {
        let listener = socket(at).owner(&vite());
        lines(port(80).refused(ips).sees(listener))
    };
    assert_snapshot!(held(&["0.0.0.0"], "10.0.0.5:80"), @"
    HELD :80 by vite 9120 of dev on 10.0.0.5:80
    vite 9120 of dev listens on 10.0.0.5:80
    only some addresses are taken: 127.0.0.1, ::1 and :: can be bound
    ");
    assert_snapshot!(held(&V6, "[::1]:80"), @"
    HELD :80 by vite 9120 of dev on [::1]:80
    vite 9120 of dev listens on [::1]:80
    only IPv6 is taken: 127.0.0.1 and 0.0.0.0 can be bound
    ");
}

#[test]
fn two_owners_of_localhost_name_the_one_reached_first() {
    let held = |v4: SocketBuilder, v6: SocketBuilder, localhost: &[&str]| {
        let localhost = localhost.iter().map(|text| ip(text)).collect();
        let findings = port(5173).refused(&LOCAL).sees(v4).sees(v6);
        lines(findings.with(|findings| findings.localhost = localhost))
    };
    let two = |localhost: &[&str]| {
        let java = socket("0.0.0.0:5173").owner(&java());
        held(java, socket("[::1]:5173").owner(&vite()), localhost)
    };
    assert_snapshot!(two(&["::1", "127.0.0.1"]), @"
    HELD :5173 by java 812 of ops on 0.0.0.0:5173 and 1 more socket
    java 812 of ops listens on 0.0.0.0:5173 (java -jar shop.jar, in /srv/shop)
    vite 9120 of dev listens on [::1]:5173
    0.0.0.0 covers every IPv4 address, including 127.0.0.1:5173
    127.0.0.1:5173 is held by java 812 of ops, [::1]:5173 by vite 9120 of dev; localhost reaches ::1 first
    ");
    assert!(
        two(&["127.0.0.1"]).ends_with("vite 9120 of dev; localhost resolves only to 127.0.0.1")
    );
    assert!(two(&[]).ends_with("[::1]:5173 by vite 9120 of dev"));
    let [v4, v6] = ["127.0.0.1:5173", "[::1]:5173"].map(|at| socket(at).owner(&vite()));
    assert!(!held(v4, v6, &["::1"]).contains("localhost"));
}

#[test]
fn a_listener_that_does_not_serve_is_reported_with_the_reason() {
    let queue = |incoming| socket("127.0.0.1:3000").owner(&java()).queue(incoming, 5);
    let held = |socket| port(3000).refused(&V4).sees(socket);
    assert_snapshot!(lines(held(queue(6))), @"
    HELD :3000 by java 812 of ops on 127.0.0.1:3000
    java 812 of ops listens on 127.0.0.1:3000 (java -jar shop.jar, in /srv/shop)
    only IPv4 is taken: ::1 and :: can be bound
    the backlog of 127.0.0.1:3000 is full (6 / 5): new clients time out
    ");
    let cases = [
        (
            ProcessState::Suspended,
            "java 812 is suspended and does not answer (to resume it: kill -CONT 812)",
        ),
        (
            ProcessState::Traced,
            "java 812 is stopped by a debugger and does not answer",
        ),
        (
            ProcessState::Frozen,
            "java 812 is frozen with its control group and does not answer until that is thawed",
        ),
        (
            ProcessState::Uninterruptible,
            "java 812 is in uninterruptible sleep (state D): signals reach it only once it wakes",
        ),
        (
            ProcessState::Zombie,
            "java 812 has exited, but its parent 1 has not reaped it",
        ),
    ];
    for (process_state, words) in cases {
        let states = vec![(java().id, process_state)];
        let lines = lines(held(queue(5)).with(|findings| findings.process_states = states));
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[3..], [words]);
    }
}

#[test]
fn a_proxy_that_is_left_over_may_be_freed() {
    let left_over = vec![(java().id, Engine::Docker)];
    let held = port(3000).refused(&V4);
    let held = held.sees(socket("127.0.0.1:3000").owner(&java()));
    let lines = lines(held.with(|findings| findings.left_over = left_over));
    assert_eq!(
        lines.lines().last(),
        Some(
            "java 812 is left over: docker answers that no running container publishes :3000, so it may be stopped \
             (portmon free 3000)"
        )
    );
}

#[test]
fn a_bind_refused_by_the_system_names_the_cause() {
    let refused = |findings: Findings, ips: &[&str], with: BindOutcome| {
        lines(findings.binds(ips, &with, &with))
    };
    assert_snapshot!(refused(port(80), &LOCAL, BindOutcome::NotPermitted), @"
    FREE :80: nothing holds it, but you are not permitted to bind it
    ports below 1024 need root or CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start)
    ");
    assert_snapshot!(refused(port(8080), &LOCAL, BindOutcome::NotPermitted), @"
    FREE :8080: nothing holds it, but you are not permitted to bind it
    the system does not permit you to bind it
    ");
    let failed = BindOutcome::Failed("an excluded range".to_owned());
    assert_snapshot!(refused(port(8080).on("127.0.0.1"), &["127.0.0.1"], failed), @"
    UNKNOWN 127.0.0.1:8080: a bind fails: an excluded range
    127.0.0.1:8080 cannot be bound: an excluded range
    ");
    assert_snapshot!(refused(port(8080).on("::1"), &["::1"], BindOutcome::NoSuchAddress), @"
    HELD [::1]:8080: this machine has no such address
    ::1 is not an address of this machine
    ");
    assert_snapshot!(refused(port(8080), &V6, BindOutcome::NoSuchAddress), @"
    FREE :8080
    not tried, because this machine does not have them: ::1 and ::
    ");
}

#[test]
fn settings_and_published_ports_of_a_free_port_are_reported() {
    let shop_db = Container {
        name: Some("shop-db".into()),
        ..Container::new(Engine::Docker, Manager::System, None)
    };
    let findings = port(8080).with(|findings| {
        findings.settings.reserved = vec![8000..=8100];
        findings.published = vec![shop_db];
    });
    assert_snapshot!(lines(findings), @"
    FREE :8080
    8080 is in net.ipv4.ip_local_reserved_ports: a program can bind it, but the system never assigns it
    docker shop-db publishes :8080, but no socket here holds it: iptables or nft forwards connections, or it is published in another network namespace (docker stop shop-db)
    ");
}

#[test]
fn an_answer_of_what_no_table_shows_is_named_beside_free() {
    let answered = |findings: Findings| {
        findings.with(|findings| {
            let at = |ip: &str, outcome| ConnectProbe {
                address: SocketAddr::new(ip.parse().expect("an address"), 3000),
                outcome,
            };
            let accepted = ConnectOutcome::Accepted {
                took: Duration::from_micros(240),
                banner: Banner::Nothing,
            };
            let refused = ConnectOutcome::Refused;
            findings.connects = Some(vec![at("127.0.0.1", accepted), at("::1", refused)]);
        })
    };
    assert_snapshot!(lines(answered(port(3000))), @"
    FREE :3000, but connections are answered by something that no socket table shows
    127.0.0.1:3000 is answered by something that no socket table shows: a redirect (nft, iptables, eBPF) or a listener in another network namespace
    ");
    let heard = port(3000)
        .refused(&V4)
        .sees(socket("0.0.0.0:3000").owner(&vite()));
    assert!(!lines(answered(heard)).contains("no socket table"));
    // What hears only other interfaces does not answer.
    let deaf = socket("0.0.0.0:3000").interface(2, "v0", &["10.77.0.1"]);
    let deaf = port(3000).refused(&V4).sees(deaf.owner(&vite()));
    assert!(lines(answered(deaf)).contains("answered by something that no socket table shows"));
    let shared = answered(port(3000)).with(|findings| {
        findings.settings.shares_ports_with_windows = true;
        findings.published = vec![Container::new(Engine::Docker, Manager::System, None)];
    });
    assert_snapshot!(lines(shared), @"
    FREE :3000, but connections are answered by something that no socket table shows
    127.0.0.1:3000 is answered by something that no socket table shows: a redirect (nft, iptables, eBPF) or a listener in another network namespace
    WSL shares ports with Windows here (networkingMode=mirrored), so a Windows program may use it; to look, in Windows: netstat -ano | findstr :3000
    a docker container publishes :3000: iptables or nft forwards connections to the container
    ");
}

#[test]
fn ports_of_windows_are_named_where_nothing_explains_a_bind() {
    let mirrored = |findings: Findings| {
        findings.with(|findings| findings.settings.shares_ports_with_windows = true)
    };
    assert_eq!(lines(mirrored(port(3000))), "FREE :3000");
    assert_snapshot!(lines(mirrored(port(3000).refused(&V4))), @"
    HELD :3000 by something not in any socket table
    127.0.0.1:3000 and 0.0.0.0:3000 are in use, but no socket table shows an owner
    WSL shares ports with Windows here (networkingMode=mirrored), so a Windows program may use it; to look, in Windows: netstat -ano | findstr :3000
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

#[test]
fn a_socket_connected_to_itself_is_what_holds_its_port() {
    let node = process(4242, "node").build();
    let itself = socket("127.0.0.1:3000").to("127.0.0.1:3000").owner(&node);
    let report = CheckReport::of(port(3000).refused(&V4).sees(itself));
    assert_eq!(report.owners(), [node]);
    assert_snapshot!(lines(report.findings), @"
    HELD :3000 by node 4242 of dev, connected to itself
    node 4242 of dev is connected to itself: both ends of the connection are 127.0.0.1:3000
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

#[test]
fn a_socket_of_another_interface_is_deaf_and_in_the_way() {
    let lo = || {
        socket("0.0.0.0:3000")
            .interface(1, "lo", &[])
            .owner(&vite())
    };
    assert_snapshot!(lines(port(3000).refused(&V4).sees(lo())), @"
    HELD :3000 by vite 9120 of dev on 0.0.0.0%lo:3000
    vite 9120 of dev listens on 0.0.0.0%lo:3000
    0.0.0.0%lo covers every IPv4 address of lo, including 127.0.0.1:3000
    only IPv4 is taken: ::1 and :: can be bound
    ");
    let elsewhere = port(3000).binds(&["10.77.0.1"], &BindOutcome::InUse, &BindOutcome::InUse);
    assert_snapshot!(lines(elsewhere.on("10.77.0.1").sees(lo())), @"
    HELD 10.77.0.1:3000 by vite 9120 of dev on 0.0.0.0%lo:3000
    vite 9120 of dev listens on 0.0.0.0%lo:3000
    0.0.0.0%lo receives only what arrives on lo: clients of 10.77.0.1:3000 do not reach it, but it prevents a bind there
    ");
}

#[test]
fn connect_results_are_listed_line_by_line() {
    let accepted = |banner| ConnectOutcome::Accepted {
        took: Duration::from_micros(240),
        banner,
    };
    let http = Banner::Http {
        status: "HTTP/1.1 200 OK".into(),
        server: Some(SystemText::new(b"ng\x1binx")),
    };
    let outcomes = [
        accepted(http),
        accepted(Banner::Other("SSH-2.0".into())),
        accepted(Banner::Nothing),
        ConnectOutcome::Refused,
        ConnectOutcome::TimedOut,
    ];
    let probes = outcomes.map(|outcome| ConnectProbe {
        address: "[::1]:3000".parse().expect("an address"),
        outcome,
    });
    let connect_lines = |findings: Findings, connects: &[ConnectProbe]| {
        let findings = findings.with(|findings| findings.connects = Some(connects.to_vec()));
        connect_lines(&CheckReport::of(findings)).join("\n")
    };
    assert_snapshot!(connect_lines(port(3000), &probes), @"
    [::1]:3000 connected in 240 µs: HTTP/1.1 200 OK · server: ng\\x1binx
    [::1]:3000 connected in 240 µs: not HTTP: SSH-2.0
    [::1]:3000 connected in 240 µs: no answer to GET /
    [::1]:3000 connection refused
    [::1]:3000 no answer in 1 s: the backlog is full, or a firewall drops packets
    ");
    assert_eq!(
        connect_lines(port(53).udp(), &[]),
        "UDP is connectionless, so a connect does not tell whether anything answers"
    );
}

#[test]
fn an_unread_table_neither_names_an_owner_nor_means_free() {
    let unread = |findings: Findings| {
        lines(findings.with(|findings| {
            findings.problems = vec![Problem {
                protocol: findings.request.spec.protocol,
                family: Family::Ipv6,
                reason: "out of memory".to_owned(),
            }];
        }))
    };
    assert_snapshot!(unread(port(3000)), @"
    FREE :3000
    cannot read tcp6 sockets: out of memory
    ");
    let time_wait = || in_time_wait("127.0.0.1:9");
    assert_snapshot!(unread(port(3000).refused(&V4).sees(time_wait())), @"
    HELD :3000 by an unknown owner: not every socket table could be read
    it is unknown what holds 127.0.0.1:3000 and 0.0.0.0:3000: not every socket table could be read
    only IPv4 is taken: ::1 and :: can be bound
    cannot read tcp6 sockets: out of memory
    ");
    assert_snapshot!(unread(port(3000).bound_only_with_reuse(&["::1"]).sees(time_wait())), @"
    UNKNOWN :3000: it can be bound only with SO_REUSEADDR, and not every socket table could be read
    it is unknown what holds [::1]:3000: not every socket table could be read
    only some addresses are taken: 127.0.0.1, 0.0.0.0 and :: can be bound
    cannot read tcp6 sockets: out of memory
    ");
}

#[test]
fn a_bind_that_nothing_explains_is_reported_as_such() {
    assert_snapshot!(lines(port(3000).refused(&V4)), @"
    HELD :3000 by something not in any socket table
    127.0.0.1:3000 and 0.0.0.0:3000 are in use, but no socket table shows an owner
    only IPv4 is taken: ::1 and :: can be bound
    ");
    assert_snapshot!(lines(port(3000).bound_only_with_reuse(&V4)), @"
    HELD :3000 by something not in any socket table
    127.0.0.1:3000 and 0.0.0.0:3000 are in use, but no socket table shows an owner
    only IPv4 is taken: ::1 and :: can be bound
    ");
    let unseen = port(3000).bound_only_with_reuse(&V4);
    let unseen = unseen.with(|findings| findings.tried.shows_bound = false);
    assert_snapshot!(lines(unseen), @"
    HELD :3000 by something that this socket source does not show (a bound socket)
    127.0.0.1:3000 and 0.0.0.0:3000 are in use: this socket source shows no sockets that are bound without listening
    only IPv4 is taken: ::1 and :: can be bound
    ");
}

#[test]
fn a_privileged_port_is_free_only_if_the_tables_would_show_more() {
    let denied = BindOutcome::NotPermitted;
    let findings = port(81).binds(&LOCAL, &denied, &denied);
    assert_snapshot!(lines(findings.with(|findings| findings.tried.shows_bound = false)), @"
    UNKNOWN :81: you are not permitted to bind it, and this socket source does not show bound sockets
    ports below 1024 need root or CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start)
    ");
}

#[test]
fn a_listener_on_ipv4_leaves_the_other_wildcard_ipv6_alone() {
    use BindOutcome::{Bound, InUse};
    let other = || socket("127.0.0.1:5432").owner(&vite());
    let held = port(5432).refused(&V4).on_both_families(&InUse, &InUse);
    assert_snapshot!(lines(held.sees(other())), @"
    HELD [::]:5432 by vite 9120 of dev on 127.0.0.1:5432
    vite 9120 of dev listens on 127.0.0.1:5432
    [::]:5432 is free for IPv6 alone (IPV6_V6ONLY)
    ");
    let alone = socket("[::]:5432").v6only(true).owner(&vite());
    let held = port(5432).refused(&V6).on_both_families(&InUse, &InUse);
    assert_snapshot!(lines(held.sees(alone)), @"
    HELD [::]:5432 by vite 9120 of dev on [::]:5432
    vite 9120 of dev listens on [::]:5432
    ");
    let free = port(5432).on_both_families(&Bound, &Bound);
    assert_eq!(lines(free), "FREE [::]:5432");
}

#[test]
fn a_socket_on_another_address_does_not_conflict() {
    let other = socket("127.0.0.1:5432").owner(&vite());
    assert_snapshot!(lines(port(5432).refused(&V4).on("::1").sees(other)), @"
    FREE [::1]:5432
    on another address: vite 9120 of dev listens on 127.0.0.1:5432
    ");
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
            "not tested: every bind failed before it reached the port",
            "tested with 1 bind, closed immediately",
            "tested with 8 binds, each closed immediately",
        ]
    );
}
