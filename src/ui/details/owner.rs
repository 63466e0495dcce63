//! The owners of a socket in the details.

use crate::app::App;
use crate::model::process::ExitStatus;
use crate::model::process::Process;
use crate::model::socket::{Endpoint, Owners};
use crate::model::text::SystemText;
use crate::table::fields::{Column, field};
use crate::table::row::{DisplayContext, Row};
use crate::ui::details::DetailsView;
use crate::ui::details::supervisor::supervisor_lines;
use crate::ui::details::traffic::usage_line;
use crate::ui::labeled_text::LabeledText;
use crate::wording;
use std::sync::Arc;
use std::time::SystemTime;

/// Lines about all owners of a socket.
pub fn owner_lines(view: &DetailsView) -> Vec<LabeledText> {
    match &view.row.endpoint.socket.owners {
        Owners::Known(processes) => {
            let mut entries = Vec::new();
            for (place, process) in processes.iter().enumerate() {
                let label = if place == 0 { "owner" } else { "also" };
                entries.push(LabeledText::new(label, described(process)));
                entries.extend(process_lines(view, process));
            }
            entries
        }
        Owners::NoPermission => {
            let mut entries = vec![LabeledText::new(
                "owner",
                hidden_owner(view.row, &view.context),
            )];
            let supervisor = view.inspection.map(|found| &found.supervisor);
            entries.extend(supervisor.into_iter().flat_map(supervisor_lines));
            entries
        }
        Owners::Pending => vec![LabeledText::new(
            "owner",
            pending_owner(view.row).to_owned(),
        )],
        Owners::NoProcess => Vec::new(),
    }
}

fn process_lines(view: &DetailsView, process: &Process) -> Vec<LabeledText> {
    let mut entries = vec![LabeledText::new("command", process.command_line())];
    entries.extend(usage_line(view, process.id));
    let text = |text: &Option<SystemText>| text.as_ref().map(ToString::to_string);
    entries
        .extend(text(&process.directory).map(|directory| LabeledText::new("directory", directory)));
    entries.extend(
        process
            .started_at
            .map(|at| LabeledText::new("started", started(at, view, process))),
    );
    entries.extend(other_ports(view.app, process).map(|ports| LabeledText::new("ports", ports)));
    let kin = view.inspection.and_then(|found| found.tree_of(process.id));
    match kin {
        Some(kin) => {
            entries.push(LabeledText::new(
                "started by",
                wording::origin(&kin.origin()),
            ));
            if !kin.descendants.is_empty() {
                entries.push(LabeledText::new("children", process_list(&kin.descendants)));
            }
            entries.extend(supervisor_lines(&kin.supervisor));
        }
        None => entries.push(LabeledText::new("started by", "…".to_owned())),
    }
    entries.extend(
        text(&process.executable).map(|executable| LabeledText::new("program", executable)),
    );
    entries
}

fn described(process: &Process) -> String {
    let user = process
        .user
        .as_ref()
        .map(|user| format!(" · user {user}"))
        .unwrap_or_default();
    let terminal = process
        .terminal
        .as_ref()
        .map(|terminal| format!(" · on {terminal}"))
        .unwrap_or_default();
    format!("{process}{user}{terminal}")
}

/// `2026-01-31T09:00:00Z · up 62 s`; without `up` if the process has ended or may have.
fn started(at: SystemTime, view: &DetailsView, process: &Process) -> String {
    let when = jiff::Timestamp::try_from(at)
        .map(|at| format!("{at:.0}"))
        .unwrap_or_default();
    let is_running = match view.app.exit_status(process) {
        ExitStatus::Unknown => !view.row.is_closed(),
        ExitStatus::StillRunning => true,
        ExitStatus::EndedAfter(..) | ExitStatus::Ended => false,
    };
    if is_running {
        let up = wording::duration(view.context.now.since(at));
        format!("{when} · up {up}")
    } else {
        when
    }
}

/// The other ports that the process listens on.
fn other_ports(app: &App, process: &Process) -> Option<String> {
    let holds = |endpoint: &&Endpoint| {
        endpoint.socket.holds_port()
            && endpoint
                .socket
                .owners
                .known()
                .iter()
                .any(|other| other.id == process.id)
    };
    let written =
        |endpoint: &Endpoint| format!("{} {}", endpoint.socket.protocol, endpoint.socket.local);
    let mut ports: Vec<String> = app.listing.endpoints().filter(holds).map(written).collect();
    ports.sort();
    (ports.len() > 1).then(|| ports.join("  "))
}

fn process_list(processes: &[Arc<Process>]) -> String {
    processes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn pending_owner(row: &Row) -> &'static str {
    if row.is_closed() {
        "closed before it was looked up"
    } else {
        "still being looked up"
    }
}

fn hidden_owner(row: &Row, context: &DisplayContext) -> String {
    let user = (field(Column::User).value)(row, context).to_string();
    format!("hidden (a process of {user}; sudo shows it)")
}
