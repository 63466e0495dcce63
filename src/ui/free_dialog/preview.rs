//! The question: who would end, what else goes with them, and where they come from.

use crate::app::App;
use crate::app::free_dialog::ConfirmPrompt;
use crate::free::{KillPlan, OtherPort, PortOwner, Signal, TreeNode, closes_words};
use crate::model::endpoint::{Endpoint, Protocol, Socket};
use crate::model::inspection::{Inspection, ProcessTree};
use crate::model::process::{Process, ProcessId};
use crate::table::description;
use crate::ui::details::process_list;
use crate::ui::free_dialog::{DialogLine, DialogText};
use crate::ui::theme::Role;
use crate::wording::count;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn preview(app: &App, prompt: &ConfirmPrompt, inspection: Option<&Inspection>) -> DialogText {
    let mut body = match prompt.single() {
        Some(plan) => process_tree(app, prompt, plan),
        None => prompt
            .plans
            .iter()
            .flat_map(|plan| port_lines(app, prompt, plan))
            .collect(),
    };
    let essential = essential(&body);
    body.push(plain("Also closes", also_closes(app, prompt, inspection)));
    if let Some(plan) = prompt.single() {
        body.extend(started_by(plan, inspection));
        let back = plan.restarted_by();
        body.extend(
            (!back.is_empty())
                .then(|| plain("Brought back", format!("perhaps by {}", back.join(" and ")))),
        );
    }
    let why = prompt
        .typed_confirmation()
        .map(|typed| format!("{}.", typed.why.join(", ")));
    let plans = prompt.plans.iter();
    let warnings = plans.flat_map(|plan| plan.warnings(prompt.targets));
    let warnings = why
        .into_iter()
        .chain(warnings)
        .chain(prompt.skipped.clone());
    body.extend(warnings.enumerate().map(|(place, text)| {
        let label = if place == 0 { "Beware" } else { "" };
        (label.to_owned(), text, Role::Warning)
    }));
    DialogText {
        title: title(prompt),
        body,
        pinned: confirmation_lines(prompt),
        essential,
    }
}

/// The labels of those who get the signal.
const ENDS_LABEL: &str = "Ends";
const WAKES_LABEL: &str = "Wakes";

fn verb(prompt: &ConfirmPrompt) -> &'static str {
    if prompt.signal == Signal::Continue {
        WAKES_LABEL
    } else {
        ENDS_LABEL
    }
}

/// All entries up to the last that names somebody who would end.
fn essential(body: &[DialogLine]) -> usize {
    let mut is_ending = false;
    let mut last = 0;
    for (place, (label, ..)) in body.iter().enumerate() {
        is_ending = label.starts_with(ENDS_LABEL)
            || label.starts_with(WAKES_LABEL)
            || label.is_empty() && is_ending;
        if is_ending {
            last = place + 1;
        }
    }
    last
}

fn plain(label: &str, text: String) -> DialogLine {
    (label.to_owned(), text, Role::Plain)
}

fn title(prompt: &ConfirmPrompt) -> String {
    match prompt.plans.as_slice() {
        [one] => format!("Free {} :{} on {}?", one.protocol, one.port, one.host),
        many => {
            let host = many.first().map_or("", |one| one.host.as_str());
            format!("Free {} ports on {host}?", many.len())
        }
    }
}

/// Who started the holders that stand at the top, each chain once.
fn started_by(plan: &KillPlan, inspection: Option<&Inspection>) -> Vec<DialogLine> {
    let topmost = plan.owners.iter().filter(|holder| holder.is_topmost);
    let holders: Vec<&PortOwner> = topmost.collect();
    let chain_of = |holder: &PortOwner| {
        let kin = inspection.and_then(|inspection| inspection.tree_of(holder.process.id));
        kin.map_or_else(|| "…".to_owned(), ProcessTree::chain)
    };
    let mut chains: Vec<(String, Vec<&PortOwner>)> = Vec::new();
    for holder in &holders {
        let chain = chain_of(holder);
        match chains.iter_mut().find(|(known, _)| *known == chain) {
            Some((_, of)) => of.push(holder),
            None => chains.push((chain, vec![holder])),
        }
    }
    let is_one = chains.len() == 1;
    let whose = |(chain, of): (String, Vec<&PortOwner>)| {
        let names: Vec<String> = of.iter().map(|holder| holder.process.to_string()).collect();
        let whose = if is_one {
            chain
        } else {
            format!("{}: {chain}", names.join(", "))
        };
        plain("Started by", whose)
    };
    chains.into_iter().map(whose).collect()
}

/// How many processes are told with all that is known of them; more are only named.
const MAX_DESCRIBED: usize = 6;

/// A line for each process of the tree, or all their names where they are many or there is little room.
fn process_tree(app: &App, prompt: &ConfirmPrompt, plan: &KillPlan) -> Vec<DialogLine> {
    let members = plan.target_tree(prompt.targets);
    let label = |member: &TreeNode| {
        if member.is_target {
            verb(prompt)
        } else {
            "Also hold it"
        }
    };
    let most = if app.layout().is_low {
        1
    } else {
        MAX_DESCRIBED
    };
    if members.len() > most {
        let (ended, spared): (Vec<&TreeNode>, Vec<&TreeNode>) =
            members.iter().partition(|member| member.is_target);
        let lists = [(verb(prompt), ended), ("Also hold it", spared)].into_iter();
        let lists = lists.filter(|(_, list)| !list.is_empty());
        return lists
            .map(|(label, list)| plain(label, process_list_text(&list)))
            .collect();
    }
    let mut before = "";
    let line = |member: &TreeNode| {
        let own = label(member);
        let shown = if own == before { "" } else { own };
        before = own;
        plain(shown, process_text(app, plan, member))
    };
    members.iter().map(line).collect()
}

/// Who would end so that one of several ports is free, behind that port.
fn port_lines(app: &App, prompt: &ConfirmPrompt, plan: &KillPlan) -> Vec<DialogLine> {
    let members = plan.target_tree(prompt.targets);
    let ended: Vec<&TreeNode> = members.iter().filter(|member| member.is_target).collect();
    let text = match ended.as_slice() {
        [one] => process_text(app, plan, one),
        many => process_list_text(many),
    };
    let protocol = match plan.protocol {
        Protocol::Tcp => String::new(),
        Protocol::Udp => format!("/{}", plan.protocol),
    };
    vec![plain(
        &format!("{} :{}{protocol}", verb(prompt), plan.port),
        text,
    )]
}

/// `node 4242`, `3 processes: node 4242, node 4243, sh 4244`
fn process_list_text(members: &[&TreeNode]) -> String {
    let names: Vec<String> = members
        .iter()
        .map(|member| member.process.to_string())
        .collect();
    match names.as_slice() {
        [one] => one.clone(),
        many => format!("{} processes: {}", many.len(), many.join(", ")),
    }
}

/// Where a port must be typed: what was typed so far.
fn confirmation_lines(prompt: &ConfirmPrompt) -> Vec<DialogLine> {
    if prompt.is_truncated {
        let words =
            "Not all who would end fit here: a taller screen names them, and so does portmon free.";
        return vec![(String::new(), words.to_owned(), Role::Warning)];
    }
    let typed = prompt
        .typed_confirmation()
        .filter(|_| !prompt.is_choosing_signal);
    let line = typed.map(|typed| {
        let (port, typed) = (typed.port, &prompt.typed);
        let words = format!("Type {port} and Enter to end it: {typed}_");
        ("Sure?".to_owned(), words, Role::Warning)
    });
    line.into_iter().collect()
}

/// `node 3977   vite · ~/code/shop-old   dev   up 3d`; the address too where there are several. Below its parent a
/// process tells only what is its own.
fn process_text(app: &App, plan: &KillPlan, member: &TreeNode) -> String {
    let context = app.display_context();
    let process = &member.process;
    let name = format!("{}{process}", member.branch);
    let Some(holder) = &member.owner else {
        return format!("{name}   holds no socket of it");
    };
    let on = addresses(plan, holder);
    let what = description::describe_process(process, &context).text(&context);
    let user = process.user.as_ref().map(ToString::to_string);
    // The blanks within a part are ones that no line is broken at.
    let up = process.started_at.map(|at| {
        format!(
            "up\u{a0}{}",
            crate::wording::duration_cell(context.now.since(at))
        )
    });
    let is_top = member.branch.is_empty();
    let parts = [
        Some(name),
        on,
        Some(what).filter(|_| is_top),
        user.filter(|_| is_top),
        up,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("   ")
}

/// The addresses that the holder has, where the port has several.
fn addresses(plan: &KillPlan, holder: &PortOwner) -> Option<String> {
    let local_addresses = |sockets: &[Socket]| -> BTreeSet<String> {
        sockets.iter().map(Socket::local_address).collect()
    };
    let own: Vec<String> = local_addresses(&holder.sockets).into_iter().collect();
    let has_several = local_addresses(&plan.sockets).len() > 1;
    has_several.then(|| format!("on\u{a0}{}", own.join(",\u{a0}")))
}

/// How many other ports are named before they are only counted.
const MAX_NAMED: usize = 4;

/// What else goes when these processes end: other ports, connections, children.
fn also_closes(app: &App, prompt: &ConfirmPrompt, inspection: Option<&Inspection>) -> String {
    let ports = other_ports(prompt);
    let named_ports = ports
        .iter()
        .take(MAX_NAMED)
        .map(|other| format!("{} {}", other.protocol, other.local));
    let mut words: Vec<String> = named_ports.collect();
    if ports.len() > MAX_NAMED {
        words.push(count(ports.len() - MAX_NAMED, "more port"));
    }
    match connections(app, prompt) {
        0 => {}
        connections => words.push(count(connections, "connection")),
    }
    let Some(inspection) = inspection else {
        words.push("…".to_owned());
        return words.join(", ");
    };
    let children = children(prompt, inspection);
    let holders = prompt.process_ids();
    let others: Vec<Arc<Process>> = children
        .iter()
        .filter(|child| !holders.contains(&child.id))
        .cloned()
        .collect();
    if !others.is_empty() {
        words.push(format!("perhaps its children {}", process_list(&others)));
    }
    if others.len() < children.len() {
        words.push("perhaps the children that also hold it".to_owned());
    }
    let plans: Vec<&KillPlan> = prompt.plans.iter().collect();
    closes_words(&words, &plans, prompt.targets)
}

/// The ports that close beside those that are asked about.
fn other_ports(prompt: &ConfirmPrompt) -> Vec<&OtherPort> {
    let is_asked = |other: &OtherPort| {
        let mut plans = prompt.plans.iter();
        plans.any(|one| (one.protocol, one.port) == (other.protocol, other.local.port()))
    };
    let plans = prompt.plans.iter();
    let all = plans.flat_map(|plan| plan.also_closes(prompt.targets));
    let mut others: Vec<&OtherPort> = all.filter(|other| !is_asked(other)).collect();
    let mut seen = BTreeSet::new();
    others.retain(|other| seen.insert((other.protocol, other.local)));
    others
}

/// The processes that would be signalled.
fn target_ids(prompt: &ConfirmPrompt) -> Vec<ProcessId> {
    let plans = prompt.plans.iter();
    let targets = plans.flat_map(|plan| plan.targets(prompt.targets));
    targets.map(|target| target.id()).collect()
}

/// How many connections the processes have that would end.
fn connections(app: &App, prompt: &ConfirmPrompt) -> usize {
    let ended = target_ids(prompt);
    let is_theirs = |endpoint: &&Endpoint| {
        let owners = endpoint.socket.owners.known();
        !endpoint.socket.holds_port() && owners.iter().any(|owner| ended.contains(&owner.id))
    };
    app.listing.endpoints().filter(is_theirs).count()
}

/// The children of those that would end, other than those that end themselves.
fn children(prompt: &ConfirmPrompt, inspection: &Inspection) -> Vec<Arc<Process>> {
    let ended = target_ids(prompt);
    let kin = ended.iter().filter_map(|id| inspection.tree_of(*id));
    let mut children: Vec<Arc<Process>> = kin
        .flat_map(|kin| kin.descendants.iter().cloned())
        .collect();
    children.retain(|child| !ended.contains(&child.id));
    children
}
