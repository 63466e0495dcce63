//! What can be done next about a port that is not free: as a button, and as a command to run.

use crate::free::{NextSteps, RestKind, TargetChoice, VerdictKind};
use crate::model::port::PortSpec;
use crate::model::process::Process;
use crate::model::text::escaped;
use crate::wording::{count, list};

/// Returns what stops the rest: `stop the 3 workers`, `stop python3 4250`
pub fn stop_rest(steps: &NextSteps) -> String {
    match (steps.rest.as_slice(), steps.rest_kind) {
        ([one], RestKind::Owners | RestKind::TookAgain) => format!("stop {one}"),
        (workers, RestKind::Workers) => format!("stop the {}", count(workers.len(), "worker")),
        (owners, RestKind::Owners | RestKind::TookAgain) => {
            format!("stop the {}", count(owners.len(), "owner"))
        }
    }
}

/// Returns what stops the rest together with its parent: `python3 4250 and respawn.sh 4100`
pub fn rest_with_parent(steps: &NextSteps, parent: &Process) -> String {
    let mut processes: Vec<String> = steps.rest.iter().map(ToString::to_string).collect();
    processes.push(parent.to_string());
    list(&processes)
}

/// Returns the next steps as commands, the likeliest first, each behind what it does:
/// `to stop the 3 workers too: portmon free 8000 --all-holders`
pub fn next_commands(
    port: PortSpec,
    verdict: &VerdictKind,
    steps: &NextSteps,
    choice: TargetChoice,
) -> Vec<String> {
    let mut commands = Vec::new();
    if let VerdictKind::NotEnded {
        offer: Some(signal),
        ..
    } = verdict
    {
        let free = free_command(port, choice);
        let signal_name = signal.name().trim_start_matches("SIG");
        commands.push(format!("to send {signal}: {free} --signal {signal_name}"));
    }
    // Each with the owners of every address, of which the verdict speaks.
    let all = port.on_all_addresses();
    if let Some(command) = &steps.stop_command {
        commands.push(format!("to stop what runs it: {}", escaped(command)));
    } else if let Some(parent) = &steps.parent {
        let both = rest_with_parent(steps, parent);
        let free = free_command(all, TargetChoice::WithParent);
        commands.push(format!("to stop {both}: {free}"));
    } else if !steps.rest.is_empty() {
        let free = free_command(all, steps.rest_choice());
        let too = match steps.rest_kind {
            RestKind::Owners | RestKind::Workers => " too",
            RestKind::TookAgain => "",
        };
        commands.push(format!("to {}{too}: {free}", stop_rest(steps)));
    } else if steps.is_hidden {
        let free = free_command(all, TargetChoice::Topmost);
        commands.push(format!("to see how to stop it: {free}"));
    }
    commands
}

/// `portmon free 8000 --all-holders`
fn free_command(port: PortSpec, choice: TargetChoice) -> String {
    let flag = match choice {
        TargetChoice::Topmost => "",
        TargetChoice::All => " --all-holders",
        TargetChoice::Group => " --group",
        TargetChoice::WithParent => " --parent",
    };
    format!("portmon free {}{flag}", port.to_argument())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::process;

    /// The commands for 3000 after it was taken again.
    fn commands(steps: &NextSteps) -> Vec<String> {
        let verdict = VerdictKind::HeldByOthers(crate::free::RemainingOwners::Others(Vec::new()));
        next_commands(PortSpec::tcp(3000), &verdict, steps, TargetChoice::Topmost)
    }

    #[test]
    fn each_step_is_a_command_that_says_what_it_does() {
        let [node, vite] =
            [(4242, "node"), (4300, "vite")].map(|(pid, name)| process(pid, name).build());
        let steps = |rest: &[&std::sync::Arc<Process>], rest_kind| NextSteps {
            rest: rest.iter().map(|one| std::sync::Arc::clone(one)).collect(),
            rest_kind,
            ..NextSteps::default()
        };
        let cases = [
            (NextSteps::default(), None),
            (
                steps(&[&node, &vite], RestKind::Workers),
                Some("to stop the 2 workers too: portmon free 3000 --all-holders"),
            ),
            (
                steps(&[&node], RestKind::Owners),
                Some("to stop node 4242 too: portmon free 3000 --all-holders"),
            ),
            (
                steps(&[&node], RestKind::TookAgain),
                Some("to stop node 4242: portmon free 3000"),
            ),
            (
                NextSteps {
                    parent: Some(vite.clone()),
                    ..steps(&[&node], RestKind::TookAgain)
                },
                Some("to stop node 4242 and vite 4300: portmon free 3000 --parent"),
            ),
            (
                NextSteps {
                    stop_command: Some("systemctl stop shop.service".to_owned()),
                    ..steps(&[&node], RestKind::TookAgain)
                },
                Some("to stop what runs it: systemctl stop shop.service"),
            ),
        ];
        for (steps, expected) in cases {
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(commands(&steps), expected);
        }
    }
}
