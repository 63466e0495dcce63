//! What `portmon free` found of a port and what it would do, a line each, before it asks.

use super::text::PortPlan;
use crate::free::{Confirmation, closes_words};
use crate::model::endpoint::{Endpoint, Socket};
use crate::model::process::Process;
use crate::model::text::escaped;
use crate::table::description;
use crate::table::row::DisplayContext;
use crate::wording;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What was found of one port and what would be done, a line each.
pub fn preview_lines(plan: &PortPlan, table: &[Endpoint], context: &DisplayContext) -> Vec<String> {
    let PortPlan {
        kill_plan,
        single_port,
        ..
    } = plan;
    let processes = plan.processes();
    let mut lines = vec![format!("{single_port} on {} is held:", kill_plan.host)];
    for process in &processes {
        let place = addresses(plan, process);
        lines.push(labeled_line("ends", &described(process, place, context)));
    }
    let is_spared = |process: &&Arc<Process>| processes.iter().all(|one| one.id != process.id);
    let holders = kill_plan.owners.iter().map(|holder| &holder.process);
    for process in holders.filter(is_spared) {
        let place = addresses(plan, process);
        lines.push(labeled_line(
            "also holds it",
            &described(process, place, context),
        ));
    }
    lines.push(labeled_line(
        "also closes",
        &also_closes(plan, &processes, table),
    ));
    lines.extend(started_by(plan, &processes));
    lines.extend(brought_back(plan));
    if let Confirmation::TypePort { why } = kill_plan.required_confirmation(plan.targets) {
        lines.push(labeled_line("beware", &format!("{}.", why.join(", "))));
    }
    let warnings = kill_plan.warnings(plan.targets);
    lines.extend(
        warnings
            .iter()
            .map(|warning| labeled_line("beware", warning)),
    );
    let (signal, names) = (plan.signal, wording::list(&processes));
    lines.push(labeled_line("signal", &format!("{signal} goes to {names}")));
    lines
}

fn labeled_line(label: &str, text: &str) -> String {
    format!("  {label:<14}{text}")
}

/// The addresses that a holder has the port on, where the port has several.
fn addresses(plan: &PortPlan, process: &Process) -> Option<String> {
    let all: BTreeSet<String> = plan
        .kill_plan
        .sockets
        .iter()
        .map(Socket::local_address)
        .collect();
    let holder = plan
        .kill_plan
        .owners
        .iter()
        .find(|one| one.process.id == process.id)?;
    let own: BTreeSet<String> = holder.sockets.iter().map(Socket::local_address).collect();
    let own: Vec<String> = own.into_iter().collect();
    (all.len() > 1).then(|| format!("on {}", own.join(", ")))
}

/// `node 3977   vite · ~/code/shop-old   dev   up 3d`
fn described(process: &Process, place: Option<String>, context: &DisplayContext) -> String {
    let what = description::describe_process(process, context).text(context);
    let user = process.user.as_ref().map(ToString::to_string);
    let up = process.started_at;
    let up = up.map(|at| {
        format!(
            "up {}",
            crate::wording::duration_cell(context.now.since(at))
        )
    });
    let parts = [Some(process.to_string()), place, Some(what), user, up];
    parts.into_iter().flatten().collect::<Vec<_>>().join("   ")
}

/// How many other ports are named before they are only counted.
const MAX_NAMED: usize = 6;

/// What else goes with these processes: other ports, the same port on other addresses, connections, children.
fn also_closes(plan: &PortPlan, processes: &[Arc<Process>], table: &[Endpoint]) -> String {
    let holds = |socket: &Socket| {
        let mut owners = socket.owners.known().iter();
        owners.any(|owner| processes.iter().any(|one| one.id == owner.id))
    };
    let is_meant = |socket: &Socket| plan.kill_plan.sockets.iter().any(|one| one.id == socket.id);
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let (standing, connected): (Vec<&Socket>, Vec<&Socket>) = sockets
        .filter(|socket| holds(socket) && !is_meant(socket))
        .partition(|socket| socket.holds_port());
    let ports: BTreeSet<(u16, String)> = standing
        .iter()
        .map(|socket| {
            let place = format!("{}:{}", socket.local_address(), socket.port());
            (socket.port(), format!("{} {place}", socket.protocol))
        })
        .collect();
    let mut said: Vec<String> = ports
        .iter()
        .take(MAX_NAMED)
        .map(|(_, name)| name.clone())
        .collect();
    if ports.len() > MAX_NAMED {
        said.push(wording::count(ports.len() - MAX_NAMED, "more port"));
    }
    if !connected.is_empty() {
        said.push(wording::count(connected.len(), "connection"));
    }
    let children = children(plan, processes);
    if !children.is_empty() {
        let names: Vec<String> = children.iter().map(ToString::to_string).collect();
        said.push(format!("perhaps its children {}", names.join(", ")));
    }
    closes_words(&said, &[&plan.kill_plan], plan.targets)
}

/// The children of those that would end, other than those that end themselves or are told as holders.
fn children(plan: &PortPlan, processes: &[Arc<Process>]) -> Vec<Arc<Process>> {
    let told = |process: &Arc<Process>| {
        let mut holders = plan.kill_plan.owners.iter();
        processes.iter().any(|one| one.id == process.id)
            || holders.any(|holder| holder.process.id == process.id)
    };
    let mut children: Vec<Arc<Process>> = Vec::new();
    let kin = processes
        .iter()
        .filter_map(|process| plan.kill_plan.tree_of(process.id));
    for child in kin.flat_map(|kin| &kin.descendants) {
        if !told(child) && !children.iter().any(|known| known.id == child.id) {
            children.push(Arc::clone(child));
        }
    }
    children
}

/// Who started each of those that would end.
fn started_by(plan: &PortPlan, processes: &[Arc<Process>]) -> Vec<String> {
    let kin = processes
        .iter()
        .filter_map(|process| Some((process, plan.kill_plan.tree_of(process.id)?)));
    let mut lines: Vec<String> = kin
        .map(|(process, kin)| {
            let chain = kin.chain();
            if processes.len() > 1 {
                format!("{process}: {chain}")
            } else {
                chain
            }
        })
        .collect();
    lines.dedup();
    lines
        .iter()
        .map(|words| labeled_line("started by", words))
        .collect()
}

/// What would start them again, and the command that keeps it from that.
fn brought_back(plan: &PortPlan) -> Vec<String> {
    let by = plan.kill_plan.restarted_by();
    let offer = plan.kill_plan.offer();
    let offer = offer.map(|command| format!("to stop it for good: {}", escaped(&command)));
    let lines = by.into_iter().map(|by| format!("perhaps by {by}"));
    lines
        .chain(offer)
        .map(|words| labeled_line("brought back", &words))
        .collect()
}
