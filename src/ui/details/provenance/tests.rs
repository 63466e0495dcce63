use super::*;
use crate::app::testing::Stage;
use crate::app::{Effect, Event};
use crate::model::endpoint::Protocol;
use crate::model::inspection::{Inspection, Kin};
use crate::model::process::Pid;
use crate::model::provenance::{Engine, Manager, Published};
use crate::model::testing::{SocketBuilder, process, socket};

fn shop() -> Provenance {
    let mut unit = Unit::new("shop.service".into(), Manager::User);
    unit.main = Some(Pid(4242));
    unit.restart = Some("always\u{7}".to_owned());
    unit.triggered_by = vec!["shop.socket".into(), "admin.socket".into()];
    Provenance {
        unit: Some(unit),
        container: None,
    }
}

fn database() -> Provenance {
    let mut container = Container::new(Engine::Docker, Manager::System, None);
    container.name = Some("shop-db-1".into());
    container.published = [None, Some("127.0.0.1")]
        .map(|ip| Published {
            address: ip.map(|ip| ip.parse().expect("an address")),
            host_port: 15432,
            protocol: Protocol::Tcp,
            container_port: 5432,
        })
        .into();
    Provenance {
        unit: None,
        container: Some(container),
    }
}

/// The details of a row once this was found behind its holders, or behind its port where they are hidden.
fn details(socket: SocketBuilder, holders: &Provenance, port: &Provenance) -> Vec<Entry> {
    let mut stage = Stage::with(vec![socket]);
    let effects = stage.keys("i");
    let asked = effects.iter().find_map(|effect| match effect {
        Effect::Inspect(subject) => Some(subject.clone()),
        _ => None,
    });
    let subject = asked.expect("a question");
    let processes = subject.processes.iter();
    let kin = processes.map(|process| Kin {
        process: *process,
        ancestors: Vec::new(),
        descendants: Vec::new(),
        condition: None,
        group: Vec::new(),
        restrictions: Vec::new(),
        provenance: holders.clone(),
    });
    stage.event(Event::Inspected(Inspection {
        kin: kin.collect(),
        provenance: port.clone(),
        fates: Vec::new(),
        addresses: Vec::new(),
        unused: None,
        subject,
    }));
    let row = stage.app.current().expect("a row");
    let mut entries = crate::ui::details::entries(&stage.app, row);
    entries.retain(|(label, _)| ["unit", "container"].contains(label));
    entries
}

#[test]
fn details_tell_what_stands_behind_a_holder_or_behind_the_port_of_a_hidden_one() {
    let unit = "shop.service (user) · main process 4242 · Restart=always\\x07 · started by shop.socket, admin.socket";
    let container = "docker shop-db-1 · *:15432->5432/tcp, 127.0.0.1:15432->5432/tcp";
    let node = process(4242, "node").build();
    let seen = details(socket("127.0.0.1:3000").owner(&node), &shop(), &database());
    assert_eq!(seen, [("unit", unit.to_owned())]);
    let hidden = details(socket("127.0.0.1:15432"), &shop(), &database());
    assert_eq!(hidden, [("container", container.to_owned())]);
}

#[test]
fn a_socket_of_systemd_tells_what_it_starts() {
    let mut unit = Unit::new("cups.socket".into(), Manager::System);
    unit.triggers = vec!["cups.service".into()];
    assert_eq!(super::unit(&unit), "cups.socket · starts cups.service");
}
