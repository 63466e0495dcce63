//! What `portmon free` found of a port and what it would do, a line each, before it asks.

use super::text::Plan;
use crate::model::endpoint::{Endpoint, Socket};
use crate::model::freeing::{Demand, closes_words};
use crate::model::process::Process;
use crate::model::text::escaped;
use crate::model::words;
use crate::table::row::Surroundings;
use crate::table::value::shown_roughly;
use crate::table::what;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What was found of one port and what would be done, a line each.
pub fn block(plan: &Plan, table: &[Endpoint], around: &Surroundings) -> Vec<String> {
    let Plan { proposal, spot, .. } = plan;
    let recipients = plan.recipients();
    let mut lines = vec![format!("{spot} on {} is held:", proposal.host)];
    for process in &recipients {
        let place = places(plan, process);
        lines.push(line("ends", &described(process, place, around)));
    }
    let is_spared = |process: &&Arc<Process>| recipients.iter().all(|one| one.id != process.id);
    let holders = proposal.holders.iter().map(|holder| &holder.process);
    for process in holders.filter(is_spared) {
        let place = places(plan, process);
        lines.push(line("also holds it", &described(process, place, around)));
    }
    lines.push(line("also closes", &also_closes(plan, &recipients, table)));
    lines.extend(came_from(plan, &recipients));
    lines.extend(comes_back(plan));
    if let Demand::TypePort { why } = proposal.demand(plan.targets) {
        lines.push(line("beware", &format!("{}.", why.join(", "))));
    }
    let warnings = proposal.warnings(plan.targets);
    lines.extend(warnings.iter().map(|warning| line("beware", warning)));
    let (signal, names) = (plan.signal, words::list(&recipients));
    lines.push(line("signal", &format!("{signal} goes to {names}")));
    lines
}

fn line(label: &str, text: &str) -> String {
    format!("  {label:<14}{text}")
}

/// The addresses that a holder has the port on, where the port has several.
fn places(plan: &Plan, process: &Process) -> Option<String> {
    let all: BTreeSet<String> = plan
        .proposal
        .sockets
        .iter()
        .map(Socket::local_address)
        .collect();
    let holder = plan
        .proposal
        .holders
        .iter()
        .find(|one| one.process.id == process.id)?;
    let own: BTreeSet<String> = holder.sockets.iter().map(Socket::local_address).collect();
    let own: Vec<String> = own.into_iter().collect();
    (all.len() > 1).then(|| format!("on {}", own.join(", ")))
}

/// `node 3977   vite · ~/code/shop-old   dev   up 3d`
fn described(process: &Process, place: Option<String>, around: &Surroundings) -> String {
    let what = what::of_process(process, around).joined(around);
    let user = process.user.as_ref().map(ToString::to_string);
    let up = process.started_at;
    let up = up.map(|at| format!("up {}", shown_roughly(around.now.since(at))));
    let parts = [Some(process.to_string()), place, Some(what), user, up];
    parts.into_iter().flatten().collect::<Vec<_>>().join("   ")
}

/// How many other ports are named before they are only counted.
const NAMED: usize = 6;

/// What else goes with these processes: other ports, the same port on other addresses, connections, children.
fn also_closes(plan: &Plan, recipients: &[Arc<Process>], table: &[Endpoint]) -> String {
    let holds = |socket: &Socket| {
        let mut owners = socket.owners.known().iter();
        owners.any(|owner| recipients.iter().any(|one| one.id == owner.id))
    };
    let is_meant = |socket: &Socket| plan.proposal.sockets.iter().any(|one| one.id == socket.id);
    let sockets = table.iter().map(|endpoint| &endpoint.socket);
    let (standing, connected): (Vec<&Socket>, Vec<&Socket>) = sockets
        .filter(|socket| holds(socket) && !is_meant(socket))
        .partition(|socket| socket.is_standing());
    let ports: BTreeSet<(u16, String)> = standing
        .iter()
        .map(|socket| {
            let place = format!("{}:{}", socket.local_address(), socket.port());
            (socket.port(), format!("{} {place}", socket.protocol))
        })
        .collect();
    let mut said: Vec<String> = ports
        .iter()
        .take(NAMED)
        .map(|(_, name)| name.clone())
        .collect();
    if ports.len() > NAMED {
        said.push(words::count(ports.len() - NAMED, "more port"));
    }
    if !connected.is_empty() {
        said.push(words::count(connected.len(), "connection"));
    }
    let children = children(plan, recipients);
    if !children.is_empty() {
        let names: Vec<String> = children.iter().map(ToString::to_string).collect();
        said.push(format!("perhaps its children {}", names.join(", ")));
    }
    closes_words(&said, &[&plan.proposal], plan.targets)
}

/// The children of those that would end, other than those that end themselves or are told as holders.
fn children(plan: &Plan, recipients: &[Arc<Process>]) -> Vec<Arc<Process>> {
    let told = |process: &Arc<Process>| {
        let mut holders = plan.proposal.holders.iter();
        recipients.iter().any(|one| one.id == process.id)
            || holders.any(|holder| holder.process.id == process.id)
    };
    let mut children: Vec<Arc<Process>> = Vec::new();
    let kin = recipients
        .iter()
        .filter_map(|process| plan.proposal.kin_of(process.id));
    for child in kin.flat_map(|kin| &kin.descendants) {
        if !told(child) && !children.iter().any(|known| known.id == child.id) {
            children.push(Arc::clone(child));
        }
    }
    children
}

/// Who started each of those that would end.
fn came_from(plan: &Plan, recipients: &[Arc<Process>]) -> Vec<String> {
    let kin = recipients
        .iter()
        .filter_map(|process| Some((process, plan.proposal.kin_of(process.id)?)));
    let mut lines: Vec<String> = kin
        .map(|(process, kin)| {
            let chain = kin.chain();
            if recipients.len() > 1 {
                format!("{process}: {chain}")
            } else {
                chain
            }
        })
        .collect();
    lines.dedup();
    lines
        .iter()
        .map(|words| line("started by", words))
        .collect()
}

/// What would start them again, and the command that keeps it from that.
fn comes_back(plan: &Plan) -> Vec<String> {
    let by = plan.proposal.bringing_back();
    let offer = plan.proposal.offer();
    let offer = offer.map(|command| format!("to stop it for good: {}", escaped(&command)));
    let lines = by.into_iter().map(|by| format!("perhaps by {by}"));
    lines
        .chain(offer)
        .map(|words| line("brought back", &words))
        .collect()
}
