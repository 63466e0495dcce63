use super::*;
use crate::model::supervisor::{Manager, Unit};
use crate::model::testing::process;

/// Who started a process below `parent`, of this session, as a member of a service with this main process.
fn chain((pid, parent, session): (u32, u32, u32), above: &[(u32, &str)], main: u32) -> String {
    let itself = process(pid, "node")
        .parent(parent)
        .with(|it| it.session = Some(Pid(session)))
        .build();
    let ancestors = above.iter().map(|(pid, name)| process(*pid, name).build());
    let mut unit = Unit::new("shop.service".into(), Manager::System);
    unit.main = Some(Pid(main));
    let kin = ProcessTree {
        process: itself.id,
        ancestors: ancestors.collect(),
        descendants: Vec::new(),
        process_state: None,
        group: vec![itself],
        restrictions: Vec::new(),
        supervisor: Supervisor {
            unit: Some(unit),
            container: None,
        },
    };
    kin.chain()
}

#[test]
fn an_adopting_process_is_not_shown_as_the_parent() {
    let manager = [(900, "systemd")];
    let cases = [
        (
            ((30, 20, 10), &[(20, "npm"), (10, "zsh")][..], 7),
            "npm 20 ← zsh 10",
        ),
        (((30, 1, 30), &[], 30), "the system's first process"),
        (
            ((30, 1, 10), &[], 7),
            "nobody who still runs (adopted by the system's first process)",
        ),
        (
            ((30, 1, 30), &[], 7),
            "the system's first process, or somebody who has ended",
        ),
        (
            ((30, 1, 1), &[], 7),
            "the system's first process, or somebody who has ended",
        ),
        (
            ((30, 20, 10), &[], 7),
            "somebody who has ended or may not be seen",
        ),
        (((30, 900, 30), &manager, 30), "systemd 900"),
        (
            ((30, 900, 10), &manager, 7),
            "nobody who still runs (adopted by systemd 900)",
        ),
        (
            ((30, 900, 30), &manager, 7),
            "systemd 900, or somebody who has ended",
        ),
        (
            ((1, 0, 1), &[], 7),
            "nobody: it is the system's first process",
        ),
    ];
    for ((whose, above, main), expected) in cases {
        assert_eq!(chain(whose, above, main), expected, "{whose:?}");
    }
}
