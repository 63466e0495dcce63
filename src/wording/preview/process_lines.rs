//! Lines of the preview that describe processes: the targets and owners as a tree, and the parent.

use super::{Describer, LineKind, PreviewLine, line};
use crate::free::{Confirmation, PortOwner, PortPreview, Preview, StartedBy, TargetSet, TreeNode};
use crate::model::process::{Origin, Process, Signal};
use crate::model::socket::Socket;
use crate::wording::process::{chain, on_terminal, process_and_thread};
use crate::wording::{duration_cell, joined, origin};
use std::collections::BTreeSet;
use std::iter;
use std::sync::Arc;

fn target_label(preview: &Preview) -> &'static str {
    if preview.signal == Signal::Continue {
        "Resumes"
    } else {
        "Stops"
    }
}

/// Returns a line for each process of the tree, or only their names if they are many.
pub(super) fn process_lines(
    preview: &Preview,
    port: &PortPreview,
    describer: &Describer,
) -> Vec<PreviewLine> {
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
    let is_candidate = node.owner.as_ref().is_some_and(PortOwner::is_candidate);
    let is_choice =
        matches!(&preview.confirmation, Confirmation::TypePid { pids, .. } if pids.len() > 1);
    if node.is_target && is_choice {
        "One of"
    } else if node.is_target {
        target_label(preview)
    } else if is_candidate {
        "Or"
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
pub(super) fn port_line(
    preview: &Preview,
    port: &PortPreview,
    describer: &Describer,
) -> PreviewLine {
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

/// `node 3977   on 127.0.0.1   vite · ~/code/shop   dev   up 3d`; a process below its parent only with what differs from it.
fn process_text(
    preview: &Preview,
    port: &PortPreview,
    node: &TreeNode,
    describer: &Describer,
) -> String {
    let process = &*node.process;
    let mut parts = vec![process_and_thread(process)];
    match &node.owner {
        Some(owner) if port.has_several_addresses => {
            let addresses = owner.sockets.iter().map(Socket::local_address);
            let addresses: Vec<String> = addresses.collect::<BTreeSet<_>>().into_iter().collect();
            parts.push(format!("on\u{a0}{}", addresses.join(",\u{a0}")));
        }
        Some(_) => {}
        None => {
            let relation = match preview.targets {
                TargetSet::WithAncestors(_) => "parent process",
                TargetSet::Group
                | TargetSet::Topmost
                | TargetSet::All
                | TargetSet::Candidate(_) => "same process group",
            };
            parts.push(format!("not an owner ({relation})"));
        }
    }
    let parent = port
        .tree
        .iter()
        .find(|one| node.depth > 0 && Some(one.process.pid()) == process.parent);
    let is_like_parent = parent.is_some_and(|parent| {
        let text = |process| (describer.describe)(process);
        parent.process.uid == process.uid && text(&parent.process) == text(process)
    });
    if !is_like_parent {
        parts.extend(what_and_user(process, describer));
    }
    parts.extend(uptime(process, describer));
    parts.join("   ")
}

/// What a process runs, where, and as whom.
fn what_and_user(process: &Process, describer: &Describer) -> impl Iterator<Item = String> {
    let user = process.user.as_ref().map(ToString::to_string);
    iter::once((describer.describe)(process)).chain(user)
}

fn uptime(process: &Process, describer: &Describer) -> Option<String> {
    let up = |at| format!("up\u{a0}{}", duration_cell(describer.now.since(at)));
    process.started_at.map(up)
}

pub(super) fn started_by_lines(
    entries: &[StartedBy],
    describer: &Describer,
) -> impl Iterator<Item = PreviewLine> {
    entries.iter().map(move |entry| {
        let mut text = match &entry.origin {
            None => "…".to_owned(),
            Some(Origin::Ancestors(ancestors)) => ancestors_text(entry, ancestors, describer),
            Some(other) => origin(other),
        };
        if entries.len() > 1 {
            text = format!("{}: {text}", joined(&entry.processes, ", "));
        }
        line("Started by", text, LineKind::Fact)
    })
}

/// `npm 3970   run dev · ~/shop   dev   up 3d   may restart it   ← zsh 3801 (pts/4)`: the parent as an owner is shown.
fn ancestors_text(entry: &StartedBy, ancestors: &[Arc<Process>], describer: &Describer) -> String {
    let Some((parent, above)) = ancestors.split_first() else {
        return String::new();
    };
    let mut parts = vec![on_terminal(parent)];
    parts.extend(what_and_user(parent, describer));
    parts.extend(uptime(parent, describer));
    parts.extend(entry.may_restart.then(|| "may restart it".to_owned()));
    if !above.is_empty() {
        parts.push(format!("← {}", chain(above)));
    }
    parts.join("   ")
}
