//! The processes that hold a socket, in the details and in the dialog.

use crate::app::App;
use crate::model::endpoint::{Endpoint, Owners};
use crate::model::process::Process;
use crate::model::text::SystemText;
use crate::table::fields::{Column, field};
use crate::table::row::{Row, Surroundings};
use crate::table::value::{Bound, shown_age};
use crate::ui::details::provenance::behind;
use crate::ui::details::traffic::uses;
use crate::ui::details::{Entry, Scene};
use std::sync::Arc;
use std::time::SystemTime;

/// Everything that is known of the holders of a socket.
pub fn holders(scene: &Scene) -> Vec<Entry> {
    match &scene.row.endpoint.socket.owners {
        Owners::Known(processes) => {
            let mut entries = Vec::new();
            for (place, process) in processes.iter().enumerate() {
                let label = if place == 0 { "holder" } else { "also" };
                entries.push((label, described(process)));
                entries.extend(holder(scene, process));
            }
            entries
        }
        Owners::Hidden => {
            let mut entries = vec![("holder", hidden_holder(scene.row, &scene.around))];
            let provenance = scene.inspection.map(|found| &found.provenance);
            entries.extend(provenance.into_iter().flat_map(behind));
            entries
        }
        Owners::Sought => vec![("holder", sought_holder(scene.row).to_owned())],
        Owners::None => Vec::new(),
    }
}

fn holder(scene: &Scene, process: &Process) -> Vec<Entry> {
    let mut entries = vec![("command", process.command_line())];
    entries.extend(uses(scene, process.id));
    let text = |text: &Option<SystemText>| text.as_ref().map(ToString::to_string);
    entries.extend(text(&process.directory).map(|directory| ("directory", directory)));
    entries.extend(
        process
            .started_at
            .map(|at| ("started", started(at, &scene.around))),
    );
    entries.extend(other_ports(scene.app, process).map(|ports| ("ports", ports)));
    let kin = scene.inspection.and_then(|found| found.kin_of(process.id));
    match kin {
        Some(kin) => {
            entries.push(("started by", kin.chain()));
            if !kin.descendants.is_empty() {
                entries.push(("children", named(&kin.descendants)));
            }
            entries.extend(behind(&kin.provenance));
        }
        None => entries.push(("started by", "…".to_owned())),
    }
    entries.extend(text(&process.executable).map(|executable| ("program", executable)));
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

fn started(at: SystemTime, around: &Surroundings) -> String {
    let when = jiff::Timestamp::try_from(at)
        .map(|at| format!("{at:.0}"))
        .unwrap_or_default();
    format!(
        "{when} · up {}",
        shown_age(Bound::Exact, around.now.since(at))
    )
}

/// The other ports that the process listens on.
fn other_ports(app: &App, process: &Process) -> Option<String> {
    let holds = |endpoint: &&Endpoint| {
        endpoint.socket.is_standing()
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

pub fn named(processes: &[Arc<Process>]) -> String {
    processes
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn sought_holder(row: &Row) -> &'static str {
    if row.is_gone() {
        "closed before it was found"
    } else {
        "still being looked for"
    }
}

fn hidden_holder(row: &Row, around: &Surroundings) -> String {
    let user = (field(Column::User).value)(row, around).to_string();
    format!("a process of {user} that may not be seen")
}
