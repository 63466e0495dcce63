//! The owners of a socket in the details.

use crate::model::process::{ExitStatus, Process, Supervisor};
use crate::model::socket::{Endpoint, Owners};
use crate::model::text::SystemText;
use crate::ui::details::traffic::usage;
use crate::ui::details::{DetailsView, PENDING, entry};
use crate::ui::labeled_text::LabeledText;
use crate::wording::{self, screen};

/// Lines about all owners of a socket.
pub fn owner_lines(view: &DetailsView) -> Vec<Option<LabeledText>> {
    let socket = &view.row.endpoint.socket;
    match &socket.owners {
        Owners::Known(processes) => {
            let labels = ["owner"].into_iter().chain(std::iter::repeat("also"));
            let owners = labels.zip(processes.iter());
            owners
                .flat_map(|(label, process)| process_lines(view, label, process))
                .collect()
        }
        Owners::NotFound(not_found) => {
            let cause = wording::owner_not_found(socket, not_found);
            let mut lines = vec![entry("owner", Some(cause))];
            let candidates = view.inspection.and_then(|found| found.candidates.first());
            let candidates = candidates.map(screen::candidates);
            lines.push(candidates.map(|(label, text)| LabeledText::new(label, text)));
            lines.extend(
                view.inspection
                    .map(|found| supervisor_lines(&found.supervisor))
                    .into_iter()
                    .flatten(),
            );
            lines
        }
        Owners::Pending => vec![entry(
            "owner",
            Some(screen::pending_owner(view.row.is_closed()).to_owned()),
        )],
        Owners::NoProcess => Vec::new(),
    }
}

fn process_lines(
    view: &DetailsView,
    label: &'static str,
    process: &Process,
) -> Vec<Option<LabeledText>> {
    let text = |text: &Option<SystemText>| text.as_ref().map(ToString::to_string);
    let tree = view.inspection.and_then(|found| found.tree_of(process.id));
    let origin = tree.map_or_else(
        || PENDING.to_owned(),
        |tree| wording::origin(&tree.origin()),
    );
    let children = tree.filter(|tree| !tree.descendants.is_empty());
    let run_state = tree.and_then(|tree| tree.run_state_of(process.id));
    let mut lines = vec![
        entry(label, Some(screen::process_with_user(process))),
        entry("command", Some(process.command_line())),
        entry("run state", run_state.map(screen::run_state)),
        entry("uses", usage(view, process.id)),
        entry("directory", text(&process.directory)),
        entry("started", started(view, process)),
        entry("ports", other_ports(view, process)),
        entry("started by", Some(origin)),
        entry(
            "children",
            children.map(|tree| wording::joined(&tree.descendants, ", ")),
        ),
    ];
    lines.extend(
        tree.map(|tree| supervisor_lines(&tree.supervisor))
            .into_iter()
            .flatten(),
    );
    lines.push(entry("program", text(&process.executable)));
    lines
}

/// `2026-01-31T09:00:00Z · up 62 s`; without `up` if the process has ended or may have.
fn started(view: &DetailsView, process: &Process) -> Option<String> {
    let at = process.started_at?;
    let is_running = match view.app.port_history.exit_status(process.id) {
        ExitStatus::Unknown => !view.row.is_closed(),
        ExitStatus::StillRunning => true,
        ExitStatus::EndedAfter(..) | ExitStatus::Ended => false,
    };
    Some(screen::started(at, is_running.then_some(view.context.now)))
}

/// The ports that the process holds, if there is another.
fn other_ports(view: &DetailsView, process: &Process) -> Option<String> {
    let is_owner = |endpoint: &&Endpoint| {
        let socket = &endpoint.socket;
        socket.holds_port()
            && socket
                .owners
                .known()
                .iter()
                .any(|owner| owner.id == process.id)
    };
    let endpoints = view.app.listing.endpoints().filter(is_owner);
    let ports = endpoints.map(|endpoint| {
        let socket = &endpoint.socket;
        format!("{} {}", socket.protocol, socket.local_end())
    });
    let mut ports: Vec<String> = ports.collect();
    ports.sort();
    (ports.len() > 1).then(|| ports.join("  "))
}

/// Lines about the supervisor of a process, or of a port whose owner is hidden.
fn supervisor_lines(supervisor: &Supervisor) -> [Option<LabeledText>; 2] {
    [
        entry("unit", supervisor.unit.as_ref().map(screen::unit_details)),
        entry(
            "container",
            supervisor.container.as_ref().map(screen::container_details),
        ),
    ]
}

#[cfg(test)]
mod tests;
