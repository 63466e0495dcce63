//! The question: who would end, what else goes with them, and where they come from.

use crate::app::App;
use crate::app::free_dialog::Asking;
use crate::model::endpoint::{Endpoint, Protocol, Socket};
use crate::model::freeing::{Holder, Member, OtherPort, Proposal, Signal, closes_words};
use crate::model::inspection::{Inspection, Kin};
use crate::model::process::{Process, ProcessId};
use crate::model::words::count;
use crate::table::value::shown_roughly;
use crate::table::what;
use crate::ui::details::named;
use crate::ui::dialogs::{Entry, Words};
use crate::ui::theme::Role;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn asked(app: &App, asking: &Asking, inspection: Option<&Inspection>) -> Words {
    let mut body = match asking.only() {
        Some(proposal) => family(app, asking, proposal),
        None => asking
            .proposals
            .iter()
            .flat_map(|proposal| port(app, asking, proposal))
            .collect(),
    };
    let essential = essential(&body);
    body.push(plain("Also closes", also_closes(app, asking, inspection)));
    if let Some(proposal) = asking.only() {
        body.extend(starters(proposal, inspection));
        let back = proposal.bringing_back();
        body.extend(
            (!back.is_empty())
                .then(|| plain("Brought back", format!("perhaps by {}", back.join(" and ")))),
        );
    }
    let why = asking
        .typing()
        .map(|typing| format!("{}.", typing.why.join(", ")));
    let proposals = asking.proposals.iter();
    let warnings = proposals.flat_map(|proposal| proposal.warnings(asking.targets));
    let warnings = why
        .into_iter()
        .chain(warnings)
        .chain(asking.left_out.clone());
    body.extend(warnings.enumerate().map(|(place, text)| {
        let label = if place == 0 { "Beware" } else { "" };
        (label.to_owned(), text, Role::Warning)
    }));
    Words {
        title: title(asking),
        body,
        pinned: demanded(asking),
        essential,
    }
}

/// The labels of those who get the signal.
const ENDS: &str = "Ends";
const WAKES: &str = "Wakes";

fn verb(asking: &Asking) -> &'static str {
    if asking.signal == Signal::Continue {
        WAKES
    } else {
        ENDS
    }
}

/// All entries up to the last that names somebody who would end.
fn essential(body: &[Entry]) -> usize {
    let mut is_ending = false;
    let mut last = 0;
    for (place, (label, ..)) in body.iter().enumerate() {
        is_ending =
            label.starts_with(ENDS) || label.starts_with(WAKES) || label.is_empty() && is_ending;
        if is_ending {
            last = place + 1;
        }
    }
    last
}

fn plain(label: &str, text: String) -> Entry {
    (label.to_owned(), text, Role::Plain)
}

fn title(asking: &Asking) -> String {
    match asking.proposals.as_slice() {
        [one] => format!("Free {} :{} on {}?", one.protocol, one.port, one.host),
        many => {
            let host = many.first().map_or("", |one| one.host.as_str());
            format!("Free {} ports on {host}?", many.len())
        }
    }
}

/// Who started the holders that stand at the top, each chain once.
fn starters(proposal: &Proposal, inspection: Option<&Inspection>) -> Vec<Entry> {
    let topmost = proposal.holders.iter().filter(|holder| holder.is_topmost);
    let holders: Vec<&Holder> = topmost.collect();
    let chain_of = |holder: &Holder| {
        let kin = inspection.and_then(|inspection| inspection.kin_of(holder.process.id));
        kin.map_or_else(|| "…".to_owned(), Kin::chain)
    };
    let mut chains: Vec<(String, Vec<&Holder>)> = Vec::new();
    for holder in &holders {
        let chain = chain_of(holder);
        match chains.iter_mut().find(|(known, _)| *known == chain) {
            Some((_, of)) => of.push(holder),
            None => chains.push((chain, vec![holder])),
        }
    }
    let is_one = chains.len() == 1;
    let whose = |(chain, of): (String, Vec<&Holder>)| {
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
const DESCRIBED: usize = 6;

/// A line for each process of the tree, or all their names where they are many or there is little room.
fn family(app: &App, asking: &Asking, proposal: &Proposal) -> Vec<Entry> {
    let members = proposal.family(asking.targets);
    let label = |member: &Member| {
        if member.is_target {
            verb(asking)
        } else {
            "Also hold it"
        }
    };
    let most = if app.frame().is_low { 1 } else { DESCRIBED };
    if members.len() > most {
        let (ended, spared): (Vec<&Member>, Vec<&Member>) =
            members.iter().partition(|member| member.is_target);
        let lists = [(verb(asking), ended), ("Also hold it", spared)].into_iter();
        let lists = lists.filter(|(_, list)| !list.is_empty());
        return lists
            .map(|(label, list)| plain(label, listed(&list)))
            .collect();
    }
    let mut before = "";
    let line = |member: &Member| {
        let own = label(member);
        let shown = if own == before { "" } else { own };
        before = own;
        plain(shown, described(app, proposal, member))
    };
    members.iter().map(line).collect()
}

/// Who would end so that one of several ports is free, behind that port.
fn port(app: &App, asking: &Asking, proposal: &Proposal) -> Vec<Entry> {
    let members = proposal.family(asking.targets);
    let ended: Vec<&Member> = members.iter().filter(|member| member.is_target).collect();
    let text = match ended.as_slice() {
        [one] => described(app, proposal, one),
        many => listed(many),
    };
    let protocol = match proposal.protocol {
        Protocol::Tcp => String::new(),
        Protocol::Udp => format!("/{}", proposal.protocol),
    };
    vec![plain(
        &format!("{} :{}{protocol}", verb(asking), proposal.port),
        text,
    )]
}

/// `node 4242`, `3 processes: node 4242, node 4243, sh 4244`
fn listed(members: &[&Member]) -> String {
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
fn demanded(asking: &Asking) -> Vec<Entry> {
    if asking.is_cut {
        let words =
            "Not all who would end fit here: a taller screen names them, and so does portmon free.";
        return vec![(String::new(), words.to_owned(), Role::Warning)];
    }
    let typing = asking.typing().filter(|_| !asking.is_choosing);
    let line = typing.map(|typing| {
        let (port, typed) = (typing.port, &asking.typed);
        let words = format!("Type {port} and Enter to end it: {typed}_");
        ("Sure?".to_owned(), words, Role::Warning)
    });
    line.into_iter().collect()
}

/// `node 3977   vite · ~/code/shop-old   dev   up 3d`; the address too where there are several. Below its parent a
/// process tells only what is its own.
fn described(app: &App, proposal: &Proposal, member: &Member) -> String {
    let around = app.surroundings();
    let process = &member.process;
    let name = format!("{}{process}", member.branch);
    let Some(holder) = &member.holder else {
        return format!("{name}   holds no socket of it");
    };
    let on = places(proposal, holder);
    let what = what::of_process(process, &around).joined(&around);
    let user = process.user.as_ref().map(ToString::to_string);
    // The blanks within a part are ones that no line is broken at.
    let up = process
        .started_at
        .map(|at| format!("up\u{a0}{}", shown_roughly(around.now.since(at))));
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
fn places(proposal: &Proposal, holder: &Holder) -> Option<String> {
    let addresses = |sockets: &[Socket]| -> BTreeSet<String> {
        sockets.iter().map(Socket::local_address).collect()
    };
    let own: Vec<String> = addresses(&holder.sockets).into_iter().collect();
    let has_several = addresses(&proposal.sockets).len() > 1;
    has_several.then(|| format!("on\u{a0}{}", own.join(",\u{a0}")))
}

/// How many other ports are named before they are only counted.
const NAMED: usize = 4;

/// What else goes when these processes end: other ports, connections, children.
fn also_closes(app: &App, asking: &Asking, inspection: Option<&Inspection>) -> String {
    let ports = other_ports(asking);
    let named_ports = ports
        .iter()
        .take(NAMED)
        .map(|other| format!("{} {}", other.protocol, other.local));
    let mut words: Vec<String> = named_ports.collect();
    if ports.len() > NAMED {
        words.push(count(ports.len() - NAMED, "more port"));
    }
    match connections(app, asking) {
        0 => {}
        connections => words.push(count(connections, "connection")),
    }
    let Some(inspection) = inspection else {
        words.push("…".to_owned());
        return words.join(", ");
    };
    let children = children(asking, inspection);
    let holders = asking.process_ids();
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
    let proposals: Vec<&Proposal> = asking.proposals.iter().collect();
    closes_words(&words, &proposals, asking.targets)
}

/// The ports that close beside those that are asked about.
fn other_ports(asking: &Asking) -> Vec<&OtherPort> {
    let is_asked = |other: &OtherPort| {
        let mut proposals = asking.proposals.iter();
        proposals.any(|one| (one.protocol, one.port) == (other.protocol, other.local.port()))
    };
    let proposals = asking.proposals.iter();
    let all = proposals.flat_map(|proposal| proposal.also_closes(asking.targets));
    let mut others: Vec<&OtherPort> = all.filter(|other| !is_asked(other)).collect();
    let mut seen = BTreeSet::new();
    others.retain(|other| seen.insert((other.protocol, other.local)));
    others
}

/// The processes that would be signalled.
fn ended(asking: &Asking) -> Vec<ProcessId> {
    let proposals = asking.proposals.iter();
    let targets = proposals.flat_map(|proposal| proposal.targets(asking.targets));
    targets.map(|target| target.id()).collect()
}

/// How many connections the processes have that would end.
fn connections(app: &App, asking: &Asking) -> usize {
    let ended = ended(asking);
    let is_theirs = |endpoint: &&Endpoint| {
        let owners = endpoint.socket.owners.known();
        !endpoint.socket.is_standing() && owners.iter().any(|owner| ended.contains(&owner.id))
    };
    app.listing.endpoints().filter(is_theirs).count()
}

/// The children of those that would end, other than those that end themselves.
fn children(asking: &Asking, inspection: &Inspection) -> Vec<Arc<Process>> {
    let ended = ended(asking);
    let kin = ended.iter().filter_map(|id| inspection.kin_of(*id));
    let mut children: Vec<Arc<Process>> = kin
        .flat_map(|kin| kin.descendants.iter().cloned())
        .collect();
    children.retain(|child| !ended.contains(&child.id));
    children
}
