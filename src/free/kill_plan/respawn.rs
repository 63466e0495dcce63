//! Whether anything could start an owner again after it has ended, by what started it.

use super::{KillPlan, PortOwner, TargetSet};
use crate::free::request::Target;
use crate::model::platform::{PLATFORM, Platform};
use crate::model::process::{Pid, Process, ProcessId, ProcessTree, is_interactive_shell};
use std::sync::Arc;

/// Programs that start what they run again, some of it in a session of its own (pm2, s6-supervise).
const RESPAWNERS: [&str; 12] = [
    "circusd",
    "daemon",
    "dinit",
    "god",
    "monit",
    "nodemon",
    "runsv",
    "s6-supervise",
    "supervise",
    "supervise-daemon",
    "supervisord",
    "watchman",
];

/// First processes that adopt others and restart none of them. systemd restarts its units alone, which are known.
const ADOPTERS: [&str; 5] = ["catatonit", "docker-init", "dumb-init", "systemd", "tini"];

/// How the daemon of pm2 begins its title.
const PM2: &str = "PM2 ";

impl KillPlan {
    /// True if nothing is known that could start the owners again: no unit, no container, and what started each of them
    /// restarts nothing.
    pub fn stays_ended(&self, targets: TargetSet) -> bool {
        // Only Linux tells the session of a process and what has adopted it.
        if PLATFORM != Platform::Linux || !self.restarted_by().is_empty() {
            return false;
        }
        let stopped: Vec<ProcessId> = self.targets(targets).iter().map(Target::id).collect();
        let mut topmost = self.owners.iter().filter(|owner| owner.is_topmost);
        topmost.all(|owner| self.owner_stays_ended(owner, &stopped))
    }

    fn owner_stays_ended(&self, owner: &PortOwner, stopped: &[ProcessId]) -> bool {
        let Some(tree) = self.tree_of(owner.process.id) else {
            return false;
        };
        // The highest that is stopped, and its parent, if that is no init.
        let ancestors = tree.ancestors.iter();
        let mut line = std::iter::once(&owner.process).chain(ancestors).peekable();
        let mut highest = &owner.process;
        while let Some(process) =
            line.next_if(|one| one.id == owner.process.id || stopped.contains(&one.id))
        {
            highest = process;
        }
        !self.may_be_respawned(highest, line.next(), tree)
    }

    /// True if the parent may start the process again, or whatever else has started it.
    pub(in crate::free) fn may_be_respawned(
        &self,
        process: &Process,
        parent: Option<&Arc<Process>>,
        tree: &ProcessTree,
    ) -> bool {
        let is_child_of_init = process.parent == Some(Pid(1));
        let init = tree.init.as_ref().filter(|_| is_child_of_init);
        if parent.is_some_and(|parent| is_respawner(parent))
            || init.is_some_and(|init| is_respawner(init))
        {
            return true;
        }
        let leads_session = process.session == Some(process.pid());
        let is_left_alone = init.is_some_and(|init| is_adopter(init))
            || process
                .parent
                .is_some_and(|parent| self.self_pids.contains(&parent))
            || parent.is_some_and(|parent| {
                parent.name.raw() == "systemd" || is_interactive_shell(parent)
            });
        !leads_session && !is_left_alone
    }
}

/// True if the process restarts none of its children. In a container any program may be the first one, a loop of a shell too.
fn is_adopter(init: &Process) -> bool {
    ADOPTERS.contains(&&*init.name.raw())
}

/// True if the process starts again what it runs.
fn is_respawner(process: &Process) -> bool {
    let name = process.name.raw();
    let title = process.command.first().map(|title| title.raw());
    RESPAWNERS.contains(&&*name)
        || name.starts_with(PM2)
        || title.is_some_and(|title| title.starts_with(PM2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::free::testing::plan;
    use crate::model::process::{Container, Engine, Manager, Supervisor, Unit};
    use crate::model::testing::{process, process_tree, socket};

    /// A change of the owner, of its tree, and whether it stays ended.
    type Case<'c> = (fn(&mut Process), Vec<Arc<Process>>, bool);

    fn stays_ended(change: fn(&mut Process), tree: impl FnOnce(&mut ProcessTree)) -> bool {
        let node = process(30, "node").parent(20).with(change).build();
        let mut plan = plan(vec![socket("127.0.0.1:3000").owner(&node)]);
        plan.self_pids = vec![Pid(50), Pid(40)];
        let mut of_node = process_tree(node.id);
        tree(&mut of_node);
        plan.add_trees(&[of_node]);
        plan.stays_ended(TargetSet::Topmost)
    }

    #[test]
    fn an_owner_comes_back_only_by_what_started_it() {
        let shell = |line: &str| process(20, "bash").terminal("pts/4").command(line).build();
        let cases: Vec<Case> = vec![
            (|_| {}, vec![process(20, "npm").build()], false),
            (|_| {}, vec![], false),
            (
                |it| it.session = Some(Pid(30)),
                vec![process(20, "npm").build()],
                true,
            ),
            (
                |it| it.session = Some(Pid(30)),
                vec![process(20, "s6-supervise").build()],
                false,
            ),
            (|it| it.parent = Some(Pid(1)), vec![], false),
            (
                |it| it.parent = Some(Pid(40)),
                vec![process(40, "make").build()],
                true,
            ),
            (|it| it.parent = None, vec![], false),
            (|_| {}, vec![process(20, "systemd").build()], true),
            (|_| {}, vec![shell("bash")], true),
            (|_| {}, vec![shell("-bash")], true),
            (|_| {}, vec![shell("bash --rcfile /tmp/rc -i")], true),
            (|_| {}, vec![shell("bash respawn.sh")], false),
            (|_| {}, vec![shell("bash -c while")], false),
            (|_| {}, vec![shell("bash -ec x")], false),
            (
                |_| {},
                vec![process(20, "bash").command("bash").build()],
                false,
            ),
        ];
        for (place, (change, ancestors, expected)) in cases.into_iter().enumerate() {
            let found = stays_ended(change, |tree| tree.ancestors = ancestors);
            assert_eq!(found, expected, "case {place}");
        }
    }

    #[test]
    fn a_unit_a_container_or_a_supervising_init_brings_it_back() {
        let unit = |name: &str| Supervisor {
            unit: Some(Unit::new(name.into(), Manager::System)),
            ..Supervisor::default()
        };
        let container = Supervisor {
            container: Some(Container::new(Engine::Docker, Manager::System, None)),
            ..Supervisor::default()
        };
        let of_init: fn(&mut Process) = |it| it.parent = Some(Pid(1));
        let cases = [
            (unit("shop.service"), false),
            (unit("session-4.scope"), true),
            (container, false),
        ];
        for (supervisor, expected) in cases {
            let shown = format!("{supervisor:?}");
            let found = stays_ended(of_init, |tree| {
                tree.supervisor = supervisor;
                tree.init = Some(process(1, "systemd").build());
            });
            assert_eq!(found, expected, "{shown}");
        }
        for (init, expected) in [
            ("systemd", true),
            ("tini", true),
            ("docker-init", true),
            ("supervisord", false),
            ("sh", false),
            ("init", false),
            ("npm", false),
        ] {
            let init = process(1, init).build();
            let found = stays_ended(of_init, |tree| tree.init = Some(init));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_parent_that_is_stopped_too_restarts_nothing() {
        let (node, npm, zsh) = (
            process(30, "node").parent(20).build(),
            process(20, "npm").parent(10).build(),
            process(10, "zsh").terminal("pts/4").command("-zsh").build(),
        );
        let mut plan = plan(vec![socket("127.0.0.1:3000").owner(&node)]);
        plan.add_trees(&[ProcessTree {
            ancestors: vec![Arc::clone(&npm), zsh],
            group: vec![node.clone(), Arc::clone(&npm)],
            ..process_tree(node.id)
        }]);
        let found = [
            TargetSet::Topmost,
            TargetSet::WithAncestors(npm.id),
            TargetSet::Group,
        ];
        assert_eq!(
            found.map(|targets| plan.stays_ended(targets)),
            [false, true, true]
        );
    }
}
