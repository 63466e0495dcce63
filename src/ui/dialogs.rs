//! The dialog that frees a port.
//!
//! ```text
//! ┌ Free tcp :5173 on build-07? ───────────────────────────────────────────┐
//! │ Ends         node 3977   vite · ~/code/shop-old   dev   up 3d          │
//! │ Also closes  nothing else (no other port, no child)                    │
//! │ Started by   npm 3970 ← zsh 3801 (pts/4)                               │
//! │ [ Cancel ]   y end it (SIGTERM)                                        │
//! └────────────────────────────────────────────────────────────────────────┘
//! ```

use crate::app::App;
use crate::app::free_dialog::{Asking, Button, FreeDialog, Phase};
use crate::model::endpoint::{Endpoint, Socket};
use crate::model::freeing::{Demand, Explanation, Freeing, Holder, Kind, Targets};
use crate::model::inspection::Inspection;
use crate::model::process::{Process, ProcessId};
use crate::model::text::escaped;
use crate::table::value::shown_roughly;
use crate::table::what;
use crate::ui::cut;
use crate::ui::details::{chain, named};
use crate::ui::popup;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use std::collections::BTreeSet;
use std::sync::Arc;

const WIDTH: u16 = 78;
const LOW_HEIGHT: u16 = 9;

/// A label, the text it belongs to and the role of the text.
type Entry = (String, String, Role);

/// What a dialog says: the body gives way on a low screen, what asks for an answer does not.
struct Words {
    title: String,
    body: Vec<Entry>,
    pinned: Vec<Entry>,
}

pub fn draw(app: &App, dialog: &FreeDialog, theme: &Theme, buffer: &mut Buffer) {
    let words = match &dialog.phase {
        Phase::Asking(asking) => asked(app, asking, dialog.inspection.as_ref()),
        Phase::Explaining(explanation) => explained(explanation, dialog.inspection.as_ref()),
        Phase::Working(freeing) => told(app, freeing),
    };
    let screen = buffer.area;
    let width = WIDTH.min(screen.width);
    let most = if app.frame().is_low {
        LOW_HEIGHT
    } else {
        screen.height
    };
    let room = usize::from(most.min(screen.height)).saturating_sub(3);
    let (label, lines) = fitted(&words, usize::from(width).saturating_sub(4), room);
    let high = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(3);
    let area = popup::open(&words.title, width, high, theme, buffer);
    let last = Rect {
        y: area.bottom().saturating_sub(1),
        height: 1,
        ..area
    };
    for (y, (left, text, role)) in (area.top()..last.y).zip(&lines) {
        buffer.set_stringn(area.x, y, left, label, theme.style(Role::Dim));
        let x = area.x + u16::try_from(label).unwrap_or(0);
        buffer.set_stringn(x, y, text, usize::from(area.width), theme.style(*role));
    }
    draw_buttons(app, dialog, theme, last, buffer);
}

/// The lines that there is room for, one blank above the buttons if it fits, and the width of their labels. What does
/// not fit is not left out silently.
fn fitted(words: &Words, width: usize, room: usize) -> (usize, Vec<Entry>) {
    let labels = words
        .body
        .iter()
        .chain(&words.pinned)
        .map(|(label, ..)| label.len());
    let label = labels
        .max()
        .filter(|longest| *longest > 0)
        .map_or(0, |longest| longest + 2);
    let mut lines = laid_out(&words.body, width.saturating_sub(label));
    let pinned = laid_out(&words.pinned, width.saturating_sub(label));
    let for_body = room.saturating_sub(pinned.len());
    if lines.len() > for_body {
        lines.truncate(for_body.saturating_sub(1));
        let more = "… more than fits: a taller terminal shows it".to_owned();
        lines.push((String::new(), more, Role::Warning));
    }
    lines.extend(pinned);
    if lines.len() < room {
        lines.push((String::new(), String::new(), Role::Plain));
    }
    (label, lines)
}

/// What goes on, or what became of it.
fn told(app: &App, freeing: &Freeing) -> Words {
    let order = freeing.order();
    let host = &app.setup.host;
    let (words, role) = match freeing.verdict() {
        Some(verdict) if verdict.kind() == Kind::Free && !freeing.is_settled() => {
            (format!("{verdict} Watching 2 s more…"), Role::Good)
        }
        Some(verdict) => (verdict.to_string(), role_of(verdict.kind())),
        None => (freeing.progress(app.now), Role::Plain),
    };
    Words {
        title: format!("Freeing {} :{} on {host}", order.protocol(), order.port()),
        body: vec![(String::new(), words, role)],
        pinned: Vec::new(),
    }
}

fn role_of(kind: Kind) -> Role {
    match kind {
        Kind::Free => Role::Good,
        Kind::Held | Kind::Taken | Kind::Nothing => Role::Error,
    }
}

fn asked(app: &App, asking: &Asking, inspection: Option<&Inspection>) -> Words {
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

/// A line for each process that would end, or all their names where they are many.
fn ends(app: &App, asking: &Asking) -> Vec<Entry> {
    let targets = asking.proposal.targets(asking.targets);
    let entry = |label: &str, text| (label.to_owned(), text, Role::Plain);
    if targets.len() > DESCRIBED {
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
    if !children.is_empty() {
        words.push(format!("perhaps its children {}", named(&children)));
    }
    if words.is_empty() {
        "nothing else that is seen (no other port, connection or child)".to_owned()
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

fn explained(explanation: &Explanation, inspection: Option<&Inspection>) -> Words {
    let plain = |text: String| (String::new(), text, Role::Plain);
    let unused = inspection.and_then(|inspection| inspection.unused);
    let lines = explanation.lines.iter().cloned();
    Words {
        title: explanation.title.clone(),
        body: lines
            .chain(unused.map(Explanation::unused_words))
            .map(plain)
            .collect(),
        pinned: Vec::new(),
    }
}

fn laid_out(entries: &[Entry], width: usize) -> Vec<Entry> {
    let mut lines = Vec::new();
    for (label, text, role) in entries {
        for (place, line) in cut::wrapped(text, width).into_iter().enumerate() {
            lines.push((
                if place == 0 {
                    label.clone()
                } else {
                    String::new()
                },
                line.replace('\u{a0}', " "),
                *role,
            ));
        }
    }
    lines
}

/// `[ Cancel ]   y end it (SIGTERM)   a all 3 holders`; dim until they count.
fn draw_buttons(app: &App, dialog: &FreeDialog, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let is_armed = dialog.is_armed(app.now);
    let mut spans = Vec::new();
    for (place, button) in dialog.buttons().into_iter().enumerate() {
        let words = words_of(dialog, button);
        let text = if place == dialog.focus {
            format!("[ {words} ]")
        } else {
            format!("  {words}  ")
        };
        let role = match (is_armed, place == dialog.focus) {
            (false, _) => Role::Dim,
            (true, true) => Role::Active,
            (true, false) => Role::Plain,
        };
        spans.push(Span::styled(text, theme.style(role)));
        spans.push(Span::raw(" "));
    }
    Line::from(spans).render(area, buffer);
}

fn words_of(dialog: &FreeDialog, button: Button) -> String {
    match (button, &dialog.phase) {
        (Button::Cancel, Phase::Asking(_) | Phase::Explaining(_)) => "Cancel".to_owned(),
        (Button::Cancel, Phase::Working(_)) => "Close".to_owned(),
        (Button::End, Phase::Asking(asking)) if asking.demand() != Demand::Key => {
            format!("end it ({})", crate::model::freeing::Signal::Terminate)
        }
        (Button::End, _) => format!("y end it ({})", crate::model::freeing::Signal::Terminate),
        (Button::Targets, Phase::Asking(asking)) => match asking.targets {
            Targets::Topmost => format!(
                "a all {} holders",
                asking.proposal.targets(Targets::All).len()
            ),
            Targets::All => "a only the topmost".to_owned(),
        },
        (Button::Copy, Phase::Explaining(explanation)) => {
            format!(
                "c copy: {}",
                escaped(explanation.offer.as_deref().unwrap_or_default())
            )
        }
        (Button::GoTo, _) => "l go to the listener".to_owned(),
        (Button::Kill, _) => format!("K {}", crate::model::freeing::Signal::Kill),
        (Button::Targets | Button::Copy, _) => String::new(),
    }
}
