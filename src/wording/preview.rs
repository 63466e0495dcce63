//! What freeing a port would do, as labeled lines for the dialog and for `portmon free`.

use super::warning::{typing_reason, unknown_text, warning};
use super::{count, duration_cell, list, origin};
use crate::free::{
    AlsoCloses, Confirmation, PortPreview, Preview, Restarter, StartedBy, TargetSet, TreeNode,
};
use crate::model::Moment;
use crate::model::process::{Process, Signal, Unit};
use crate::model::socket::Socket;
use crate::model::text::escaped;
use std::collections::BTreeSet;
use std::fmt::Display;

/// A labeled line. Blanks at which a part must not break are no-break spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewLine {
    /// Empty if the label of the line above applies.
    pub label: String,
    pub text: String,
    pub kind: LineKind,
    /// The depth of a process in the tree, and whether no sibling follows it.
    pub depth: usize,
    pub is_last: bool,
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// Names processes that get the signal.
    Target,
    Fact,
    /// A command to run instead.
    Command,
    Warning,
}

/// How processes are described.
pub struct Describer<'a> {
    /// More processes than this are only named.
    pub most: usize,
    pub now: Moment,
    /// Returns what the table says of a process: `vite · ~/code/shop`.
    pub describe: &'a dyn Fn(&Process) -> String,
}

/// Names beyond this number are only counted, unless they get the signal.
const MAX_NAMED: usize = 6;

/// `Free port 3000 on build-07?`
pub fn preview_title(preview: &Preview) -> String {
    match preview.ports.as_slice() {
        [one] => format!(
            "Free port {} on {}?",
            super::target(one.port.protocol, one.port.number),
            preview.host
        ),
        many => format!("Free {} ports on {}?", many.len(), preview.host),
    }
}

/// Returns all lines in the order in which they are shown.
pub fn preview_lines(preview: &Preview, describer: &Describer) -> Vec<PreviewLine> {
    let mut lines = match preview.ports.as_slice() {
        [one] => process_lines(preview, one, describer),
        many => many
            .iter()
            .map(|port| port_line(preview, port, describer))
            .collect(),
    };
    lines.extend(also_closes_lines(&preview.also_closes));
    lines.extend(started_by_lines(&preview.started_by));
    let restarters = preview.restarted_by.iter();
    lines.extend(restarters.map(|one| line("Restarted by", restarter(one), LineKind::Fact)));
    let command = preview.stop_command.iter();
    lines.extend(command.map(|one| line("To stop it", escaped(one), LineKind::Command)));
    if let Confirmation::TypePort { why, .. } = &preview.confirmation {
        let why = why.iter();
        lines.extend(why.map(|one| line("Warning", typing_reason(one), LineKind::Warning)));
    }
    let warnings = preview.warnings.iter();
    lines.extend(warnings.map(|one| line("Warning", warning(one), LineKind::Warning)));
    drop_repeated_labels(&mut lines);
    lines
}

/// Returns a line outside of the tree.
pub fn line(label: &str, text: impl Into<String>, kind: LineKind) -> PreviewLine {
    PreviewLine {
        label: label.to_owned(),
        text: text.into(),
        kind,
        depth: 0,
        is_last: true,
    }
}

pub fn drop_repeated_labels(lines: &mut [PreviewLine]) {
    let mut above = String::new();
    for line in lines {
        if line.label == above {
            line.label.clear();
        } else if !line.label.is_empty() {
            above.clone_from(&line.label);
        }
    }
}

fn target_label(preview: &Preview) -> &'static str {
    if preview.signal == Signal::Continue {
        "Resumes"
    } else {
        "Stops"
    }
}

/// Returns a line for each process of the tree, or only their names if they are many.
fn process_lines(preview: &Preview, port: &PortPreview, describer: &Describer) -> Vec<PreviewLine> {
    let role_of = |node: &TreeNode| (node.is_target, node.is_target || node.shares_socket);
    if port.tree.len() > describer.most {
        return [(true, true), (false, true), (false, false)]
            .into_iter()
            .filter_map(|role| {
                let nodes = port.tree.iter().filter(|node| role_of(node) == role);
                let processes: Vec<&Process> = nodes.map(|node| &*node.process).collect();
                (!processes.is_empty()).then(|| tree_line(preview, role, process_list(&processes)))
            })
            .collect();
    }
    port.tree
        .iter()
        .map(|node| PreviewLine {
            depth: node.depth,
            is_last: node.is_last,
            ..tree_line(
                preview,
                role_of(node),
                process_text(preview, port, node, describer),
            )
        })
        .collect()
}

fn tree_line(preview: &Preview, role: (bool, bool), text: String) -> PreviewLine {
    match role {
        (true, _) => line(target_label(preview), text, LineKind::Target),
        (false, true) => line("Shared with", text, LineKind::Fact),
        (false, false) => {
            let text = format!("{text}   not signaled, may keep the port");
            line("Held by", text, LineKind::Fact)
        }
    }
}

/// Returns the targets of one of several ports, labeled with the port.
fn port_line(preview: &Preview, port: &PortPreview, describer: &Describer) -> PreviewLine {
    let targets: Vec<&TreeNode> = port.tree.iter().filter(|node| node.is_target).collect();
    let text = match targets.as_slice() {
        [one] => process_text(preview, port, one, describer),
        many => process_list(&many.iter().map(|node| &*node.process).collect::<Vec<_>>()),
    };
    let label = format!("{} {}", target_label(preview), port.port);
    line(&label, text, LineKind::Target)
}

/// `node 4242`, `3 processes: node 4242, node 4243, sh 4244`
fn process_list(processes: &[&Process]) -> String {
    match processes {
        [one] => one.to_string(),
        many => format!("{} processes: {}", many.len(), joined(many)),
    }
}

/// `node 3977   on 127.0.0.1   vite · ~/code/shop   dev   up 3d`; below its parent only what is its own.
fn process_text(
    preview: &Preview,
    port: &PortPreview,
    node: &TreeNode,
    describer: &Describer,
) -> String {
    let process = &*node.process;
    let what = (describer.describe)(process);
    let up = process
        .started_at
        .map(|at| format!("up\u{a0}{}", duration_cell(describer.now.since(at))));
    let is_top = node.depth == 0;
    let sockets = node.owner.as_ref().map(|owner| &owner.sockets);
    let addresses = sockets
        .filter(|_| port.has_several_addresses)
        .map(|sockets| {
            let addresses: BTreeSet<String> = sockets.iter().map(Socket::local_address).collect();
            let addresses: Vec<String> = addresses.into_iter().collect();
            format!("on\u{a0}{}", addresses.join(",\u{a0}"))
        });
    let not_owner = match preview.targets {
        _ if node.owner.is_some() => None,
        TargetSet::Parent(_) => Some("not an owner (parent process)"),
        TargetSet::Group | TargetSet::Topmost | TargetSet::All => {
            Some("not an owner (same process group)")
        }
    };
    let parts = [
        Some(process.to_string()),
        addresses.or(not_owner.map(str::to_owned)),
        Some(what).filter(|_| is_top),
        process
            .user
            .as_ref()
            .filter(|_| is_top)
            .map(ToString::to_string),
        up,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("   ")
}

fn also_closes_lines(closes: &AlsoCloses) -> Vec<PreviewLine> {
    let mut parts: Vec<String> = closes
        .ports
        .iter()
        .take(MAX_NAMED)
        .map(|other| format!("{} {}", other.protocol, other.local))
        .collect();
    if closes.ports.len() > MAX_NAMED {
        parts.push(count(closes.ports.len() - MAX_NAMED, "more port"));
    }
    if closes.connections > 0 {
        parts.push(count(closes.connections, "connection"));
    }
    let mut text = parts.join(", ");
    let has_children = !closes.children.is_empty() || closes.workers > 0;
    if !closes.is_inspected {
        text.push_str(if text.is_empty() { "…" } else { ", …" });
    } else if let Some(unknown) = unknown_text(closes) {
        let separator = if text.is_empty() { "" } else { "; " };
        text = format!("{text}{separator}{unknown}");
    } else if text.is_empty() && closes.knows_children && !has_children {
        "nothing else".clone_into(&mut text);
    } else if text.is_empty() {
        "no other port".clone_into(&mut text);
    }
    let mut lines = vec![line("Also closes", text, LineKind::Fact)];
    let workers = (closes.workers > 0).then(|| format!("its {}", count(closes.workers, "worker")));
    let children: Vec<&Process> = closes.children.iter().map(|child| &**child).collect();
    let children = (!children.is_empty()).then(|| children_text(&children));
    let children: Vec<String> = workers.into_iter().chain(children).collect();
    if !children.is_empty() {
        lines.push(line("May also stop", list(&children), LineKind::Fact));
    }
    lines
}

/// `its child esbuild 4000`, `its children sh 1, sh 2`
fn children_text(children: &[&Process]) -> String {
    let (named, rest) = children.split_at(children.len().min(MAX_NAMED));
    let noun = if children.len() == 1 {
        "child"
    } else {
        "children"
    };
    let more = match rest.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("its {noun} {}{more}", joined(named))
}

fn started_by_lines(entries: &[StartedBy]) -> Vec<PreviewLine> {
    let text = |entry: &StartedBy| {
        let from = entry.origin.as_ref().map_or_else(|| "…".to_owned(), origin);
        if entries.len() == 1 {
            from
        } else {
            format!("{}: {from}", joined(&entry.processes))
        }
    };
    entries
        .iter()
        .map(|entry| line("Started by", text(entry), LineKind::Fact))
        .collect()
}

fn restarter(restarter: &Restarter) -> String {
    match restarter {
        Restarter::Unit(unit) => unit_text(unit),
        Restarter::Container(container) => container.to_string(),
    }
}

/// `shop.service (user), Restart=always`
pub fn unit_text(unit: &Unit) -> String {
    match &unit.restart {
        Some(when) => format!("{unit}, Restart={when}"),
        None => unit.to_string(),
    }
}

fn joined<T: Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

#[cfg(test)]
mod tests;
