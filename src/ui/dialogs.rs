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

mod asked;
mod buttons;

use crate::app::App;
use crate::app::free_dialog::{FreeDialog, Phase};
use crate::model::endpoint::Endpoint;
use crate::model::freeing::{Batch, Explanation, Freeing, Kind, Order};
use crate::model::inspection::Inspection;
use crate::model::process::Process;
use crate::ui::cut;
use crate::ui::popup;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::BTreeSet;

const WIDTH: u16 = 78;
const LOW_HEIGHT: u16 = 9;

/// A label, the text it belongs to and the role of the text.
type Entry = (String, String, Role);

/// What a dialog says: the body gives way on a low screen, what asks for an answer does not.
struct Words {
    title: String,
    body: Vec<Entry>,
    pinned: Vec<Entry>,
    /// How many entries of the body, from the first, nobody may answer without having seen.
    essential: usize,
}

pub fn draw(app: &App, dialog: &FreeDialog, theme: &Theme, buffer: &mut Buffer) {
    let words = words(app, dialog);
    let shape = Shape::of(app, dialog, (buffer.area.width, buffer.area.height));
    let (label, lines) = fitted(&words, shape.columns, shape.lines);
    let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let high = cells(lines.len() + 2 + shape.buttons.len());
    let area = popup::open(&words.title, shape.width, high, theme, buffer);
    let last = Rect {
        y: area.bottom().saturating_sub(cells(shape.buttons.len())),
        height: cells(shape.buttons.len()),
        ..area
    };
    for (y, (left, text, role)) in (area.top()..last.y).zip(&lines) {
        buffer.set_stringn(area.x, y, left, label, theme.style(Role::Dim));
        let x = area.x + u16::try_from(label).unwrap_or(0);
        let room = usize::from(area.width).saturating_sub(label);
        let text = cut::end(text, room);
        buffer.set_stringn(x, y, text, room, theme.style(*role));
    }
    buttons::draw(app, dialog, &shape.buttons, theme, last, buffer);
}

/// Whether the dialog shows everyone whom it would end.
pub fn names_everyone(app: &App, dialog: &FreeDialog) -> bool {
    let words = words(app, dialog);
    let shape = Shape::of(app, dialog, app.size);
    let label = label_width(&words);
    let width = shape.columns.saturating_sub(label);
    let essential = words.body.get(..words.essential).unwrap_or(&words.body);
    let needed = laid_out(essential, width).len();
    let room = shape
        .lines
        .saturating_sub(laid_out(&words.pinned, width).len());
    // The last line may say that more is cut.
    let is_cut = laid_out(&words.body, width).len() > room;
    needed <= room.saturating_sub(usize::from(is_cut))
}

fn words(app: &App, dialog: &FreeDialog) -> Words {
    match &dialog.phase {
        Phase::Asking(asking) => asked::asked(app, asking, dialog.inspection.as_ref()),
        Phase::Explaining(explanation) => explained(explanation, dialog.inspection.as_ref()),
        Phase::Working(batch) => told(app, batch),
    }
}

/// The dialog's outer width, the columns and lines for its words, and its buttons.
struct Shape {
    width: u16,
    columns: usize,
    lines: usize,
    buttons: Vec<Vec<(usize, String)>>,
}

impl Shape {
    fn of(app: &App, dialog: &FreeDialog, screen: (u16, u16)) -> Self {
        let (width, height) = screen;
        let width = WIDTH.min(width);
        let is_low = app.frame().is_low;
        let height = if is_low {
            LOW_HEIGHT.min(height)
        } else {
            height
        };
        let columns = usize::from(width).saturating_sub(4);
        let buttons = buttons::laid_out(dialog, columns);
        Self {
            width,
            columns,
            lines: usize::from(height).saturating_sub(2 + buttons.len()),
            buttons,
        }
    }
}

/// The lines that there is room for, one blank above the buttons if it fits, and the width of their labels. What does
/// not fit is not left out silently.
fn fitted(words: &Words, width: usize, room: usize) -> (usize, Vec<Entry>) {
    let label = label_width(words);
    let mut lines = laid_out(&words.body, width.saturating_sub(label));
    let pinned = laid_out(&words.pinned, width.saturating_sub(label));
    let for_body = room.saturating_sub(pinned.len());
    if lines.len() > for_body {
        lines.truncate(for_body.saturating_sub(1));
        let more = "… more: needs a taller screen".to_owned();
        lines.push((String::new(), more, Role::Warning));
    }
    lines.extend(pinned);
    if lines.len() < room {
        lines.push((String::new(), String::new(), Role::Plain));
    }
    (label, lines)
}

fn label_width(words: &Words) -> usize {
    let entries = words.body.iter().chain(&words.pinned);
    let longest = entries.map(|(label, ..)| label.len()).max();
    let longest = longest.filter(|longest| *longest > 0);
    longest.map_or(0, |longest| longest + 2)
}

/// What goes on, or what became of each port.
fn told(app: &App, batch: &Batch) -> Words {
    let host = &app.setup.host;
    let freeings = batch.freeings();
    let what = match freeings {
        [one] => format!("{} :{}", one.order().protocol(), one.order().port()),
        many => format!("{} ports", many.len()),
    };
    let is_only = freeings.len() == 1;
    let entry = |freeing: &Freeing| {
        let (words, role) = told_of(app, freeing, is_only);
        (String::new(), words, role)
    };
    Words {
        title: format!("Freeing {what} on {host}"),
        body: freeings.iter().map(entry).collect(),
        pinned: Vec::new(),
        essential: 0,
    }
}

/// Where there are several ports, what a key does is said once, by its button.
fn told_of(app: &App, freeing: &Freeing, is_only: bool) -> (String, Role) {
    match freeing.verdict() {
        Some(verdict) if verdict.kind() == Kind::Free && !freeing.is_settled() => {
            (format!("{verdict} Watching 2 s more…"), Role::Good)
        }
        Some(verdict) if verdict.kind() == Kind::Nothing => (
            format!("{verdict}{}", held_now(app, freeing.order())),
            Role::Error,
        ),
        Some(verdict) if is_only => (verdict.to_string(), role_of(verdict.kind())),
        Some(verdict) => (verdict.without_offer(), role_of(verdict.kind())),
        None => (freeing.progress(app.now), Role::Plain),
    }
}

fn role_of(kind: Kind) -> Role {
    match kind {
        Kind::Free => Role::Good,
        Kind::Held | Kind::Taken | Kind::Nothing => Role::Error,
    }
}

/// Who holds the port by the last look, where that is somebody else than was asked about: an ending that was not sent
/// must not read as if the port were free.
fn held_now(app: &App, order: &Order) -> String {
    let is_on_port = |endpoint: &&Endpoint| {
        let socket = &endpoint.socket;
        socket.is_standing() && socket.protocol == order.protocol() && socket.port() == order.port()
    };
    let sockets: Vec<&Endpoint> = app.listing.endpoints().filter(is_on_port).collect();
    let is_target = |process: &Process| {
        order
            .targets()
            .iter()
            .any(|target| target.id() == process.id)
    };
    let holders = sockets
        .iter()
        .flat_map(|endpoint| endpoint.socket.owners.known());
    let others: BTreeSet<String> = holders
        .filter(|process| !is_target(process))
        .map(ToString::to_string)
        .collect();
    let others: Vec<String> = others.into_iter().collect();
    match (sockets.is_empty(), others.is_empty()) {
        (true, _) => format!(" Nothing holds :{} now.", order.port()),
        (false, true) => String::new(),
        (false, false) => format!(" :{} is held by {} now.", order.port(), others.join(", ")),
    }
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
        essential: 0,
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
