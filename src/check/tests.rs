use super::testing::{V4, port};
use super::*;
use crate::model::port::{Availability, BindOutcome};
use crate::model::socket::{SocketRole, State};
use crate::model::testing::{process, socket};

#[test]
fn an_unexplained_bind_failure_is_reported_and_checked_again() {
    let unexplained = CheckReport::of(port(3000).refused(&V4));
    let reuse = CheckReport::of(port(3000).bound_only_with_reuse(&V4));
    assert_eq!(
        (unexplained.is_explained(), reuse.is_explained()),
        (false, false)
    );
    assert!(CheckReport::of(port(3000)).is_explained());
    for report in [&unexplained, &reuse] {
        assert!(!report.is_free());
        assert_eq!(report.reasons[0].cause(), "unexplained");
    }
}

#[test]
fn accepted_connections_are_not_a_reason_beside_a_listener() {
    let mut findings = port(3000)
        .refused(&V4)
        .sees(socket("0.0.0.0:3000").owner(&process(9120, "vite").build()))
        .sees(
            socket("127.0.0.1:3000")
                .to("127.0.0.1:40001")
                .state(State::TimeWait),
        );
    findings.endpoints[1].relation.role = SocketRole::Server;
    let causes: Vec<&str> = CheckReport::of(findings)
        .reasons
        .iter()
        .map(Reason::cause)
        .collect();
    assert_eq!(causes, ["holder", "wildcard", "only_ipv4"]);
}

#[test]
fn no_socket_holds_an_address_that_this_machine_lacks() {
    let missing = BindOutcome::NoSuchAddress;
    let findings = port(3000)
        .binds(&["203.0.113.9"], &missing, &missing)
        .on("203.0.113.9")
        .sees(socket("0.0.0.0:3000").owner(&process(9120, "vite").build()));
    let report = CheckReport::of(findings);
    let causes: Vec<&str> = report.reasons.iter().map(Reason::cause).collect();
    assert_eq!(report.availability, Availability::NoSuchAddress);
    assert_eq!(causes, ["no_such_address", "elsewhere"]);
    assert!(report.owners().is_empty());
}

#[test]
fn a_check_of_one_address_covers_only_that_address() {
    let both = |text: &str| {
        port(5432)
            .refused(&V4)
            .on(text)
            .sees(socket("127.0.0.1:5432").owner(&process(9120, "vite").build()))
    };
    for (text, holds) in [("127.0.0.1", true), ("0.0.0.0", true), ("::1", false)] {
        assert_eq!(!CheckReport::of(both(text)).is_free(), holds, "{text}");
    }
}
