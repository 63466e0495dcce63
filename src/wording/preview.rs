//! What freeing a port would do, as labeled lines for the dialog and for `portmon free`.

use super::warning::{typing_reason, unknown_text, warning};
use super::{count, duration_cell, joined, list, origin};
use crate::free::{
    AlsoCloses, Confirmation, PortPreview, Preview, Restarter, StartedBy, TargetSet, TreeNode,
};
use crate::model::Moment;
use crate::model::port::Port;
use crate::model::process::{Process, Signal, Unit};
use crate::model::socket::Socket;
use crate::model::text::escaped;
use std::collections::BTreeSet;

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
    let ports: Vec<Port> = preview.ports.iter().map(|one| one.port).collect();
    format!("Free {} on {}?", ports_text(&ports), preview.host)
}

/// `Freeing port 3000 on build-07`, and `Port 3000 on build-07` once every port has a verdict.
pub fn freeing_title(ports: &[Port], host: &str, has_verdicts: bool) -> String {
    let ports_text = ports_text(ports);
    match ports {
        [one] if has_verdicts => {
            format!("Port {} on {host}", super::target(one.protocol, one.number))
        }
        _ if has_verdicts => format!("{ports_text} on {host}"),
        _ => format!("Freeing {ports_text} on {host}"),
    }
}

/// What follows if a target does not fit on the screen.
pub const UNSEEN_TARGETS: &str = "Not all targets fit. Use a taller terminal or `portmon free`.";

/// `Type 3000, then Enter, to confirm: 30_`
pub fn type_port(port: u16, typed: &str) -> String {
    format!("Type {port}, then Enter, to confirm: {typed}_")
}

fn ports_text(ports: &[Port]) -> String {
    match ports {
        [one] => format!("port {}", super::target(one.protocol, one.number)),
        many => format!("{} ports", many.len()),
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
    if port.tree.len() > describer.most {
        let rank = |node: &&TreeNode| (!node.is_target, !node.shares_socket);
        let mut nodes: Vec<&TreeNode> = port.tree.iter().collect();
        nodes.sort_by_key(rank);
        let groups = nodes.chunk_by(|one, next| label(preview, one) == label(preview, next));
        return groups
            .filter_map(|nodes| {
                let processes: Vec<&Process> = nodes.iter().map(|node| &*node.process).collect();
                Some(tree_line(preview, nodes.first()?, process_list(&processes)))
            })
            .collect();
    }
    let nodes = port.tree.iter();
    nodes
        .map(|node| PreviewLine {
            depth: node.depth,
            is_last: node.is_last,
            ..tree_line(preview, node, process_text(preview, port, node, describer))
        })
        .collect()
}

fn label(preview: &Preview, node: &TreeNode) -> &'static str {
    if node.is_target {
        target_label(preview)
    } else if node.shares_socket {
        "Shared with"
    } else {
        "Held by"
    }
}

fn tree_line(preview: &Preview, node: &TreeNode, mut text: String) -> PreviewLine {
    if !node.is_target && !node.shares_socket {
        text.push_str("   not signaled, may keep the port");
    }
    let kind = if node.is_target {
        LineKind::Target
    } else {
        LineKind::Fact
    };
    line(label(preview, node), text, kind)
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
        many => format!("{} processes: {}", many.len(), joined(many, ", ")),
    }
}

/// `node 3977   on 127.0.0.1   vite · ~/code/shop   dev   up 3d`; a process below its parent without description and user.
fn process_text(
    preview: &Preview,
    port: &PortPreview,
    node: &TreeNode,
    describer: &Describer,
) -> String {
    let process = &*node.process;
    let mut parts = vec![process.to_string()];
    match &node.owner {
        Some(owner) if port.has_several_addresses => {
            let addresses = owner.sockets.iter().map(Socket::local_address);
            let addresses: Vec<String> = addresses.collect::<BTreeSet<_>>().into_iter().collect();
            parts.push(format!("on\u{a0}{}", addresses.join(",\u{a0}")));
        }
        Some(_) => {}
        None => {
            let relation = match preview.targets {
                TargetSet::Parent(_) => "parent process",
                TargetSet::Group | TargetSet::Topmost | TargetSet::All => "same process group",
            };
            parts.push(format!("not an owner ({relation})"));
        }
    }
    if node.depth == 0 {
        parts.push((describer.describe)(process));
        parts.extend(process.user.as_ref().map(ToString::to_string));
    }
    let up = |at| format!("up\u{a0}{}", duration_cell(describer.now.since(at)));
    parts.extend(process.started_at.map(up));
    parts.join("   ")
}

fn also_closes_lines(closes: &AlsoCloses) -> Vec<PreviewLine> {
    let ports = closes.ports.iter().take(MAX_NAMED);
    let ports =
        ports.map(|other| format!("{} {}", other.socket.protocol, other.socket.local_end()));
    let more = closes.ports.len().saturating_sub(MAX_NAMED);
    let counts = [(more, "more port"), (closes.connections, "connection")].into_iter();
    let counts = counts.filter(|(number, _)| *number > 0);
    let counts = counts.map(|(number, noun)| count(number, noun));
    let mut text = ports.chain(counts).collect::<Vec<_>>().join(", ");
    let children = children(closes);
    if !closes.is_inspected {
        text.push_str(if text.is_empty() { "…" } else { ", …" });
    } else if let Some(unknown) = unknown_text(closes) {
        let separator = if text.is_empty() { "" } else { "; " };
        text = format!("{text}{separator}{unknown}");
    } else if text.is_empty() {
        let is_nothing = closes.knows_children && children.is_empty();
        text.push_str(if is_nothing {
            "nothing else"
        } else {
            "no other port"
        });
    }
    let mut lines = vec![line("Also closes", text, LineKind::Fact)];
    if !children.is_empty() {
        lines.push(line("May also stop", list(&children), LineKind::Fact));
    }
    lines
}

/// `its 3 workers`, `its child esbuild 4000`, `its children sh 1, sh 2`
fn children(closes: &AlsoCloses) -> Vec<String> {
    let mut parts = Vec::new();
    if closes.workers > 0 {
        parts.push(format!("its {}", count(closes.workers, "worker")));
    }
    match closes.children.as_slice() {
        [] => {}
        [one] => parts.push(format!("its child {one}")),
        many => {
            let named = many.get(..MAX_NAMED).unwrap_or(many);
            let more = match many.len() - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            parts.push(format!("its children {}{more}", joined(named, ", ")));
        }
    }
    parts
}

fn started_by_lines(entries: &[StartedBy]) -> impl Iterator<Item = PreviewLine> {
    entries.iter().map(|entry| {
        let mut text = entry.origin.as_ref().map_or_else(|| "…".to_owned(), origin);
        if entries.len() > 1 {
            text = format!("{}: {text}", joined(&entry.processes, ", "));
        }
        line("Started by", text, LineKind::Fact)
    })
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

#[cfg(test)]
mod tests;
