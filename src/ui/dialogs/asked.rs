//! The question: who would end, what else goes with them, and where they come from.

use crate::app::App;
use crate::app::free_dialog::Asking;
use crate::model::endpoint::{Endpoint, Socket};
use crate::model::freeing::{Demand, Holder};
use crate::model::inspection::Inspection;
use crate::model::process::{Process, ProcessId};
use crate::table::value::shown_roughly;
use crate::table::what;
use crate::ui::details::{chain, named};
use crate::ui::dialogs::{Entry, Words};
use crate::ui::theme::Role;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn asked(app: &App, asking: &Asking, inspection: Option<&Inspection>) -> Words {
    let proposal = &asking.proposal;
    let targets = proposal.targets(asking.targets);
    let plain = |label: &str, text: String| (label.to_owned(), text, Role::Plain);
    let mut body = ends(app, asking);
    let is_spared = |holder: &&Holder| {
        targets
            .iter()
            .all(|target| target.process.id != holder.process.id)
    };
    let spared: Vec<String> = proposal
        .holders
        .iter()
        .filter(is_spared)
        .map(|holder| holder.process.to_string())
        .collect();
    if !spared.is_empty() {
        body.push(plain("Also hold it", spared.join(", ")));
    }
    body.push(plain("Also closes", also_closes(app, asking, inspection)));
    let topmost: Vec<&&Holder> = targets.iter().filter(|holder| holder.is_topmost).collect();
    for holder in &topmost {
        let kin = inspection.and_then(|inspection| inspection.kin_of(holder.process.id));
        let chain = kin.map_or_else(|| "…".to_owned(), chain);
        let of_several = topmost.len() > 1;
        let whose = if of_several {
            format!("{}: {chain}", holder.process)
        } else {
            chain
        };
        body.push(plain("Started by", whose));
    }
    let why = match asking.demand() {
        Demand::Key => None,
        Demand::TypePort { why } => Some(format!("{}.", why.join(", "))),
    };
    let warnings = why.into_iter().chain(proposal.warnings());
    body.extend(warnings.map(|text| (String::new(), text, Role::Warning)));
    Words {
        title: format!(
            "Free {} :{} on {}?",
            proposal.protocol, proposal.port, proposal.host
        ),
        body,
        pinned: demanded(asking),
    }
}

/// How many processes are told with all that is known of them; more are only named.
const DESCRIBED: usize = 3;

/// A line for each process that would end, or all their names where they are many or there is little room.
fn ends(app: &App, asking: &Asking) -> Vec<Entry> {
    let targets = asking.proposal.targets(asking.targets);
    let entry = |label: &str, text| (label.to_owned(), text, Role::Plain);
    let most = if app.frame().is_low { 1 } else { DESCRIBED };
    if targets.len() > most {
        let names: Vec<String> = targets
            .iter()
            .map(|holder| holder.process.to_string())
            .collect();
        return vec![entry(
            "Ends",
            format!("{} processes: {}", names.len(), names.join(", ")),
        )];
    }
    let label = |place| if place == 0 { "Ends" } else { "" };
    let lines = targets.iter().enumerate();
    lines
        .map(|(place, holder)| entry(label(place), described(app, asking, holder)))
        .collect()
}

/// Where the port must be typed: what was typed so far.
fn demanded(asking: &Asking) -> Vec<Entry> {
    match asking.demand() {
        Demand::Key => Vec::new(),
        Demand::TypePort { .. } => {
            let (port, typed) = (asking.proposal.port, &asking.typed);
            let words = format!("Type {port} and Enter to end it: {typed}_");
            vec![("Sure?".to_owned(), words, Role::Warning)]
        }
    }
}

/// `node 3977   vite · ~/code/shop-old   dev   up 3d`; the address too where there are several.
fn described(app: &App, asking: &Asking, holder: &Holder) -> String {
    let around = app.surroundings();
    let process = &holder.process;
    let addresses: BTreeSet<String> = asking
        .proposal
        .sockets
        .iter()
        .map(Socket::local_address)
        .collect();
    let own: BTreeSet<String> = holder.sockets.iter().map(Socket::local_address).collect();
    let own: Vec<String> = own.into_iter().collect();
    let on = (addresses.len() > 1).then(|| format!("on\u{a0}{}", own.join(",\u{a0}")));
    let what = what::of_process(process, &around).joined(&around);
    let user = process.user.as_ref().map(ToString::to_string);
    // The blanks within a part are ones that no line is broken at.
    let up = process
        .started_at
        .map(|at| format!("up\u{a0}{}", shown_roughly(around.now.since(at))));
    let parts = [Some(process.to_string()), on, Some(what), user, up];
    parts.into_iter().flatten().collect::<Vec<_>>().join("   ")
}

/// How many other ports are named before they are only counted.
const NAMED: usize = 4;

/// What else goes when these processes end: other ports, connections, children.
fn also_closes(app: &App, asking: &Asking, inspection: Option<&Inspection>) -> String {
    let ports = asking.proposal.also_closes(asking.targets);
    let named_ports = ports
        .iter()
        .take(NAMED)
        .map(|other| format!("{} {}", other.protocol, other.local));
    let mut words: Vec<String> = named_ports.collect();
    if ports.len() > NAMED {
        words.push(format!("{} more ports", ports.len() - NAMED));
    }
    match connections(app, asking) {
        0 => {}
        1 => words.push("1 connection".to_owned()),
        count => words.push(format!("{count} connections")),
    }
    let Some(inspection) = inspection else {
        words.push("…".to_owned());
        return words.join(", ");
    };
    let children = children(asking, inspection);
    let holders = asking.proposal.process_ids();
    let others: Vec<Arc<Process>> = children
        .iter()
        .filter(|child| !holders.contains(&child.id))
        .cloned()
        .collect();
    if !others.is_empty() {
        words.push(format!("perhaps its children {}", named(&others)));
    }
    if others.len() < children.len() {
        words.push("perhaps the children that also hold it".to_owned());
    }
    if words.is_empty() {
        "nothing else (no other port, no child)".to_owned()
    } else {
        words.join(", ")
    }
}

/// How many connections the processes have that would end.
fn connections(app: &App, asking: &Asking) -> usize {
    let targets: Vec<ProcessId> = asking
        .proposal
        .targets(asking.targets)
        .iter()
        .map(|holder| holder.process.id)
        .collect();
    let is_theirs = |endpoint: &&Endpoint| {
        let owners = endpoint.socket.owners.known();
        !endpoint.socket.is_standing() && owners.iter().any(|owner| targets.contains(&owner.id))
    };
    app.listing.endpoints().filter(is_theirs).count()
}

/// The children of those that would end, other than those that end themselves.
fn children(asking: &Asking, inspection: &Inspection) -> Vec<Arc<Process>> {
    let targets = asking.proposal.targets(asking.targets);
    let kin = targets
        .iter()
        .filter_map(|holder| inspection.kin_of(holder.process.id));
    let mut children: Vec<Arc<Process>> = kin
        .flat_map(|kin| kin.descendants.iter().cloned())
        .collect();
    children.retain(|child| targets.iter().all(|target| target.process.id != child.id));
    children
}
