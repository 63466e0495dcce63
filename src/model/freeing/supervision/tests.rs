use super::*;
use crate::model::endpoint::{Endpoint, Protocol};
use crate::model::freeing::{Circumstances, Question, ask};
use crate::model::inspection::{Asker, Kin, Subject};
use crate::model::process::Pid;
use crate::model::provenance::{Engine, Manager, Published};
use crate::model::testing::{moment, process, socket};
use std::sync::Arc;

fn node() -> Arc<Process> {
    process(812, "node").build()
}

fn circumstances() -> Circumstances {
    Circumstances {
        me: Some(1000),
        is_root: false,
        host: "here".to_owned(),
        lineage: Vec::new(),
        executable: None,
        row_is_meant: false,
        is_gone: false,
        now: moment(0.0),
        state_since: None,
    }
}

/// The question about node's :3000, with this behind node.
fn learned(provenance: Provenance) -> Proposal {
    let endpoint: Endpoint = socket("0.0.0.0:3000").owner(&node()).endpoint();
    let Question::Free(mut proposal) = ask(&endpoint, &[&endpoint], &circumstances()) else {
        panic!("nothing is asked");
    };
    proposal.learn(&[Kin {
        process: node().id,
        ancestors: Vec::new(),
        descendants: Vec::new(),
        group: Vec::new(),
        provenance,
    }]);
    proposal
}

fn of_unit(name: &str, manager: Manager, change: impl FnOnce(&mut Unit)) -> Provenance {
    let mut unit = Unit::new(name.into(), manager);
    change(&mut unit);
    Provenance {
        unit: Some(unit),
        container: None,
    }
}

fn of_container(published: Vec<Published>) -> Provenance {
    let mut container = Container::new(Engine::Docker, Manager::System, Some("abc".to_owned()));
    container.name = Some("shop-db-1".into());
    container.published = published;
    Provenance {
        unit: None,
        container: Some(container),
    }
}

/// Who may bring it back, the command that is offered, and why nothing is ended.
type Said = (Vec<String>, Option<String>, Option<String>);

fn said(provenance: Provenance) -> Said {
    let proposal = learned(provenance);
    let barred = proposal.barred();
    let why = barred.and_then(|explanation| explanation.lines.into_iter().next());
    (proposal.bringing_back(), proposal.offer(), why)
}

#[test]
fn what_belongs_to_a_service_is_ended_with_its_command_offered() {
    let part = of_unit("shop.service", Manager::User, |unit| {
        unit.main = Some(Pid(700));
        unit.restart = Some("always".to_owned());
    });
    let expected = (
        vec!["shop.service (user), Restart=always".to_owned()],
        Some("systemctl --user stop shop.service".to_owned()),
        None,
    );
    assert_eq!(said(part), expected);
}

#[test]
fn the_main_process_of_a_service_is_left_to_systemd() {
    let main = of_unit("nginx.service", Manager::System, |unit| {
        unit.main = Some(Pid(812));
    });
    let (_, offer, why) = said(main);
    assert_eq!(offer.as_deref(), Some("systemctl stop nginx.service"));
    let expected = "node 812 is the main process of nginx.service, which systemd starts and ends.";
    assert_eq!(why.as_deref(), Some(expected));
}

#[test]
fn a_service_that_a_socket_starts_is_left_to_systemd_whoever_its_main_process_is() {
    let activated = of_unit("shop.service", Manager::System, |unit| {
        unit.triggered_by = vec!["shop.socket".into()];
    });
    let (_, offer, why) = said(activated);
    let command = "systemctl stop shop.socket shop.service";
    assert_eq!(offer.as_deref(), Some(command));
    let expected = "shop.socket of systemd starts shop.service again with the next connection.";
    assert_eq!(why.as_deref(), Some(expected));
}

#[test]
fn what_a_session_only_holds_brings_nothing_back() {
    let scope = of_unit("session-41.scope", Manager::System, |_| {});
    assert_eq!(said(scope), (Vec::new(), None, None));
}

#[test]
fn a_published_port_is_freed_by_stopping_its_container_and_no_other() {
    let published = |host_port| Published {
        address: None,
        host_port,
        protocol: Protocol::Tcp,
        container_port: 80,
    };
    let (_, offer, why) = said(of_container(vec![published(3000)]));
    assert_eq!(offer.as_deref(), Some("docker stop shop-db-1"));
    let expected = "node 812 only carries the published port of docker shop-db-1; to end it would lose the port and leave \
                    the container.";
    assert_eq!(why.as_deref(), Some(expected));

    let (back, _, why) = said(of_container(vec![published(8080)]));
    assert_eq!((back, why), (vec!["docker shop-db-1".to_owned()], None));
}

#[test]
fn what_is_behind_a_port_whose_holder_may_not_be_seen_is_told_and_its_command_offered() {
    let endpoint: Endpoint = socket("0.0.0.0:3000").user(0, "root").endpoint();
    let Question::Explain(mut explanation) = ask(&endpoint, &[&endpoint], &circumstances()) else {
        panic!("it may not be seen");
    };
    let subject = Subject {
        asker: Asker::Dialog,
        endpoint: endpoint.id(),
        processes: Vec::new(),
        port: explanation.port,
        unused_near: None,
    };
    explanation.learn(&Inspection {
        subject,
        kin: Vec::new(),
        provenance: of_container(Vec::new()),
        fates: Vec::new(),
        addresses: Vec::new(),
        unused: None,
    });
    assert!(explanation.port.is_some());
    let last = explanation.lines.last().map(String::as_str);
    assert_eq!(last, Some("It belongs to docker shop-db-1."));
    assert_eq!(explanation.offer.as_deref(), Some("docker stop shop-db-1"));
}
