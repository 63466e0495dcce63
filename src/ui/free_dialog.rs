//! The dialog that frees a port.
//!
//! ```text
//! ┌ Free port 5173 on build-07? ───────────────────────────────────────────┐
//! │ Stops        node 3977   vite · ~/code/shop-old   dev   up 3d          │
//! │ Also closes  nothing else                                              │
//! │ Started by   npm 3970 ← zsh 3801 (pts/4)                               │
//! │ [ Cancel ]   y stop it (SIGTERM)                                       │
//! └────────────────────────────────────────────────────────────────────────┘
//! ```

mod buttons;
mod preview;

use crate::app::App;
use crate::app::overlay::free_dialog::{DialogPhase, FreeDialog};
use crate::free::{
    Batch, Explanation, FreeMachine, KillRequest, NextAction, Signal, Verdict, VerdictKind,
};
use crate::model::endpoint::Endpoint;
use crate::model::inspection::Inspection;
use crate::model::process::Process;
use crate::ui::dialog_frame;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::collections::BTreeSet;

const WIDTH: u16 = 78;
const LOW_HEIGHT: u16 = 9;

#[derive(Clone, Debug)]
struct DialogLine {
    label: String,
    text: String,
    role: Role,
    /// True if it names processes that get the signal: nobody may confirm without having seen it.
    is_target: bool,
}

impl DialogLine {
    fn new(text: String, role: Role) -> Self {
        Self {
            label: String::new(),
            text,
            role,
            is_target: false,
        }
    }
}

/// What a dialog says: on a low screen the body is cut, the pinned lines are not.
struct DialogText {
    title: String,
    body: Vec<DialogLine>,
    pinned: Vec<DialogLine>,
}

pub fn draw(app: &App, dialog: &FreeDialog, theme: &Theme, buffer: &mut Buffer) {
    let words = words(app, dialog);
    let layout = DialogLayout::of(app, dialog, (buffer.area.width, buffer.area.height));
    let (label, lines) = fitted(&words, layout.columns, layout.lines);
    let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let high = cells(lines.len() + 2 + layout.buttons.len());
    let area = dialog_frame::open(&words.title, layout.width, high, theme, buffer);
    let last = Rect {
        y: area.bottom().saturating_sub(cells(layout.buttons.len())),
        height: cells(layout.buttons.len()),
        ..area
    };
    for (y, line) in (area.top()..last.y).zip(&lines) {
        buffer.set_stringn(area.x, y, &line.label, label, theme.style(Role::Dim));
        let x = area.x + u16::try_from(label).unwrap_or(0);
        let room = usize::from(area.width).saturating_sub(label);
        let text = truncate::at_end(&line.text, room);
        buffer.set_stringn(x, y, text, room, theme.style(line.role));
    }
    buttons::draw(app, dialog, &layout.buttons, theme, last, buffer);
}

/// Returns true if the dialog names every target on the screen.
pub fn shows_all_targets(app: &App, dialog: &FreeDialog) -> bool {
    let words = words(app, dialog);
    let layout = DialogLayout::of(app, dialog, app.size);
    let width = layout.columns.saturating_sub(label_width(&words));
    let lines = layout_lines(&words.body, width);
    let pinned = layout_lines(&words.pinned, width);
    let last_target = lines.iter().rposition(|line| line.is_target);
    let room = layout.lines.saturating_sub(pinned.len());
    // The last line may say that more is cut.
    let is_truncated = lines.len() > room;
    last_target.is_none_or(|last| last < room.saturating_sub(usize::from(is_truncated)))
}

fn words(app: &App, dialog: &FreeDialog) -> DialogText {
    match &dialog.phase {
        DialogPhase::Confirming(prompt) => preview::preview(app, prompt),
        DialogPhase::Explaining(explanation) => explained(explanation, dialog.inspection.as_ref()),
        DialogPhase::Running(batch) => progress(app, batch),
    }
}

/// The dialog's outer width, the columns and lines for its text, and its buttons.
struct DialogLayout {
    width: u16,
    columns: usize,
    lines: usize,
    buttons: Vec<Vec<(usize, String)>>,
}

impl DialogLayout {
    fn of(app: &App, dialog: &FreeDialog, screen: (u16, u16)) -> Self {
        let (width, height) = screen;
        let width = WIDTH.min(width);
        let is_low = app.layout().is_low;
        let height = if is_low {
            LOW_HEIGHT.min(height)
        } else {
            height
        };
        let columns = usize::from(width).saturating_sub(4);
        let buttons = buttons::layout_lines(dialog, columns);
        Self {
            width,
            columns,
            lines: usize::from(height).saturating_sub(2 + buttons.len()),
            buttons,
        }
    }
}

/// Returns the width of the labels and the lines that fit, with a blank one above the buttons if there is room. A last
/// line says if some do not fit.
fn fitted(words: &DialogText, width: usize, room: usize) -> (usize, Vec<DialogLine>) {
    let label = label_width(words);
    let mut lines = layout_lines(&words.body, width.saturating_sub(label));
    let pinned = layout_lines(&words.pinned, width.saturating_sub(label));
    let for_body = room.saturating_sub(pinned.len());
    if lines.len() > for_body {
        lines.truncate(for_body.saturating_sub(1));
        let more = "… more: needs a taller screen".to_owned();
        lines.push(DialogLine::new(more, Role::Warning));
    }
    lines.extend(pinned);
    if lines.len() < room {
        lines.push(DialogLine::new(String::new(), Role::Plain));
    }
    (label, lines)
}

fn label_width(words: &DialogText) -> usize {
    let lines = words.body.iter().chain(&words.pinned);
    let longest = lines.map(|line| line.label.len()).max().unwrap_or(0);
    if longest > 0 { longest + 2 } else { 0 }
}

/// Returns the progress or the verdict of each port.
fn progress(app: &App, batch: &Batch) -> DialogText {
    let host = &app.environment.host;
    let freeings = batch.machines();
    let what = match freeings {
        [one] => {
            let request = one.request();
            format!(
                "port {}",
                wording::target(request.protocol(), request.port())
            )
        }
        many => format!("{} ports", many.len()),
    };
    let is_only = freeings.len() == 1;
    let entry = |freeing: &FreeMachine| {
        let (words, role) = freeing_text(app, freeing, is_only);
        DialogLine::new(words, role)
    };
    DialogText {
        title: format!("Freeing {what} on {host}"),
        body: freeings.iter().map(entry).collect(),
        pinned: Vec::new(),
    }
}

/// Where there are several ports, what a key does is said once, by its button.
fn freeing_text(app: &App, freeing: &FreeMachine, is_only: bool) -> (String, Role) {
    match freeing.verdict() {
        Some(verdict) if verdict.kind() == VerdictKind::Free && !freeing.is_settled() => (
            format!("{} Watching 2 s more…", wording::verdict(verdict)),
            Role::Good,
        ),
        Some(verdict) if verdict.kind() == VerdictKind::NothingSent => (
            format!(
                "{}{}",
                wording::verdict(verdict),
                current_owner_text(app, freeing.request())
            ),
            Role::Error,
        ),
        Some(verdict) => {
            let offer = escalation(verdict).filter(|_| is_only).unwrap_or_default();
            let text = format!("{}{offer}", wording::verdict(verdict));
            (text, role_of(verdict.kind()))
        }
        None => (wording::progress(&freeing.progress(app.now)), Role::Plain),
    }
}

/// `. K sends SIGKILL`, where a stronger signal is left.
fn escalation(verdict: &Verdict) -> Option<String> {
    let Verdict::NotEnded {
        next: NextAction::Offer(signal),
        ..
    } = verdict
    else {
        return None;
    };
    let key = if *signal == Signal::Interrupt {
        'I'
    } else {
        'K'
    };
    Some(format!(". {}", wording::escalation(key, *signal)))
}

fn role_of(kind: VerdictKind) -> Role {
    match kind {
        VerdictKind::Free => Role::Good,
        VerdictKind::Held | VerdictKind::Taken | VerdictKind::NothingSent => Role::Error,
    }
}

/// Who holds the port by the last look, where that is somebody else than was asked about: an ending that was not sent
/// must not read as if the port were free.
fn current_owner_text(app: &App, request: &KillRequest) -> String {
    let is_on_port = |endpoint: &&Endpoint| {
        let socket = &endpoint.socket;
        socket.holds_port()
            && socket.protocol == request.protocol()
            && socket.port() == request.port()
    };
    let sockets: Vec<&Endpoint> = app.listing.endpoints().filter(is_on_port).collect();
    let is_target = |process: &Process| {
        request
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
        (true, _) => format!(" Nothing holds :{} now.", request.port()),
        (false, true) => String::new(),
        (false, false) => format!(" :{} is held by {} now.", request.port(), others.join(", ")),
    }
}

fn explained(explanation: &Explanation, inspection: Option<&Inspection>) -> DialogText {
    let plain = |text: String| DialogLine::new(text, Role::Plain);
    let unused = inspection.and_then(|inspection| inspection.unused);
    let lines = wording::explanation_lines(explanation, unused);
    DialogText {
        title: wording::explanation_title(explanation),
        body: lines.into_iter().map(plain).collect(),
        pinned: Vec::new(),
    }
}

/// Wraps the lines; only the first line of each has its label.
fn layout_lines(lines: &[DialogLine], width: usize) -> Vec<DialogLine> {
    let wrap = |line: &DialogLine| {
        let (mut label, line) = (line.label.clone(), line.clone());
        truncate::wrap(&line.text, width)
            .into_iter()
            .map(move |text| DialogLine {
                label: std::mem::take(&mut label),
                text: text.replace('\u{a0}', " "),
                ..line.clone()
            })
            .collect::<Vec<_>>()
    };
    lines.iter().flat_map(wrap).collect()
}
