//! Processes in a sentence: where they come from, and why some are never signalled.

use crate::free::Protected;
use crate::model::inspection::Origin;
use crate::model::process::Process;
use std::sync::Arc;

/// `npm 3970 ← zsh 3801 (pts/4)`: where a process comes from.
pub fn origin(origin: &Origin) -> String {
    let name = |adopter: &Option<Arc<Process>>| {
        let adopter = adopter.as_ref();
        adopter.map_or_else(|| "init".to_owned(), ToString::to_string)
    };
    match origin {
        Origin::FirstProcess => "none: it is init itself".to_owned(),
        Origin::Ancestors(ancestors) => ancestors
            .iter()
            .map(|process| match &process.terminal {
                Some(terminal) => format!("{process} ({terminal})"),
                None => process.to_string(),
            })
            .collect::<Vec<_>>()
            .join(" ← "),
        Origin::Started(adopter) => name(adopter),
        Origin::Adopted(adopter) => format!("parent has exited (now under {})", name(adopter)),
        Origin::StartedOrAdopted(adopter) => {
            format!("{}, or a parent that has exited", name(adopter))
        }
        Origin::Unknown => "parent has exited or is hidden".to_owned(),
    }
}

/// The end of a sentence about a process that is never signalled: `systemd 900` …
pub fn protected(why: Protected) -> &'static str {
    match why {
        Protected::FirstProcess => "is part of the system itself",
        Protected::KernelThread => "is a kernel thread, which no signal ends",
        Protected::Itself => "is this portmon",
        Protected::Ancestor => "runs this portmon, which would end with it",
        Protected::SystemdManager => "manages the services of a whole session",
        Protected::RunsContainers => "runs containers, which would keep running without it",
        Protected::CarriesPortsOfContainers => {
            "only forwards published ports of containers, which would keep running without them"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inspection::ProcessTree;
    use crate::model::process::Pid;
    use crate::model::supervisor::{Manager, Supervisor, Unit};
    use crate::model::testing::process;

    /// The origin of a process with this parent and session, in a service with this main process.
    fn shown((pid, parent, session): (u32, u32, u32), above: &[(u32, &str)], main: u32) -> String {
        let itself = process(pid, "node")
            .parent(parent)
            .with(|it| it.session = Some(Pid(session)))
            .build();
        let ancestors = above.iter().map(|(pid, name)| process(*pid, name).build());
        let mut unit = Unit::new("shop.service".into(), Manager::System);
        unit.main = Some(Pid(main));
        let tree = ProcessTree {
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
        origin(&tree.origin())
    }

    #[test]
    fn an_adopting_process_is_not_shown_as_the_parent() {
        let manager = [(900, "systemd")];
        let cases = [
            (
                ((30, 20, 10), &[(20, "npm"), (10, "zsh")][..], 7),
                "npm 20 ← zsh 10",
            ),
            (((30, 1, 30), &[], 30), "init"),
            (((30, 1, 10), &[], 7), "parent has exited (now under init)"),
            (((30, 1, 30), &[], 7), "init, or a parent that has exited"),
            (((30, 1, 1), &[], 7), "init, or a parent that has exited"),
            (((30, 20, 10), &[], 7), "parent has exited or is hidden"),
            (((30, 900, 30), &manager, 30), "systemd 900"),
            (
                ((30, 900, 10), &manager, 7),
                "parent has exited (now under systemd 900)",
            ),
            (
                ((30, 900, 30), &manager, 7),
                "systemd 900, or a parent that has exited",
            ),
            (((1, 0, 1), &[], 7), "none: it is init itself"),
        ];
        for ((whose, above, main), expected) in cases {
            assert_eq!(shown(whose, above, main), expected, "{whose:?}");
        }
    }
}
