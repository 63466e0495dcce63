//! What freeing a port would do, as labeled lines for the dialog and for `portmon free`.

mod process_lines;

use super::warning::{typing_reason, unknown_text, warning};
use super::{count, joined, list};
use crate::free::{AlsoCloses, Preview, Restarter};
use crate::model::Moment;
use crate::model::port::Port;
use crate::model::process::{Process, Unit};
use crate::model::text::escaped;
use process_lines::{port_line, process_lines, started_by_lines};

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
    lines.extend(started_by_lines(&preview.started_by, describer));
    let restarters = preview.restarted_by.iter();
    lines.extend(restarters.map(|one| line("Restarted by", restarter(one), LineKind::Fact)));
    let command = preview.stop_command.iter();
    lines.extend(command.map(|one| line("To stop it", escaped(one), LineKind::Command)));
    let why = preview.confirmation.reasons().iter();
    lines.extend(why.map(|one| line("Warning", typing_reason(one), LineKind::Warning)));
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
