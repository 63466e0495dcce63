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
use crate::app::keymap::{Button, key_of};
use crate::app::overlay::free_dialog::{DialogPhase, FreeDialog};
use crate::free::{Batch, Explanation, FreeMachine, KillRequest, Verdict, VerdictKind};
use crate::model::port::Port;
use crate::model::process::{Inspection, ProcessId, Signal};
use crate::model::socket::Endpoint;
use crate::ui::dialogs::frame;
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout};
use ratatui::text::Line;
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr;

const WIDTH: u16 = 78;
const SHORT_HEIGHT: u16 = 9;

/// What a dialog says: on a low screen the body is truncated, the pinned lines are not.
struct DialogText {
    title: String,
    body: Vec<LabeledText>,
    /// Number of entries of the body up to the last that names a process to be signalled: nobody may confirm without
    /// having seen them.
    targets: usize,
    pinned: Vec<LabeledText>,
}

impl DialogText {
    fn new(title: String, body: Vec<LabeledText>) -> Self {
        Self {
            title,
            body,
            targets: 0,
            pinned: Vec::new(),
        }
    }

    fn labels(&self) -> LabelColumn {
        let lines = self.body.iter().chain(&self.pinned);
        let longest = lines.map(|line| line.label.width()).max().unwrap_or(0);
        LabelColumn {
            width: if longest > 0 { longest + 2 } else { 0 },
            role: Role::Dim,
        }
    }
}

pub fn draw(app: &App, dialog: &FreeDialog, theme: &Theme, buffer: &mut Buffer) {
    let words = words(app, dialog);
    let layout = DialogLayout::of(app, dialog, (buffer.area.width, buffer.area.height));
    let lines = fitted(&words, &layout, theme);
    let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let high = cells(lines.len() + 2 + layout.buttons.len());
    let area = frame::open(&words.title, layout.width, high, theme, buffer);
    let [text, buttons] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(cells(layout.buttons.len())),
    ])
    .areas(area);
    labeled_text::draw(lines, 0, text, buffer);
    buttons::draw(app, dialog, &layout.buttons, theme, buttons, buffer);
}

/// Returns true if the dialog names every target on the screen.
pub fn shows_all_targets(app: &App, dialog: &FreeDialog) -> bool {
    let words = words(app, dialog);
    let layout = DialogLayout::of(app, dialog, app.size);
    let count = |entries: &[LabeledText]| {
        let lines = words
            .labels()
            .lines(entries, layout.columns, Theme::of(app));
        lines.len()
    };
    let room = layout.lines.saturating_sub(count(&words.pinned));
    // The last line may say that more is cut.
    let is_truncated = count(&words.body) > room;
    let targets = words.body.get(..words.targets).map_or(0, count);
    targets == 0 || targets <= room.saturating_sub(usize::from(is_truncated))
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
            SHORT_HEIGHT.min(height)
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

/// Returns the lines that fit, with a blank one above the buttons if there is room. A last line says if some do not fit.
fn fitted(words: &DialogText, layout: &DialogLayout, theme: &Theme) -> Vec<Line<'static>> {
    let labels = words.labels();
    let mut lines = labels.lines(&words.body, layout.columns, theme);
    let pinned = labels.lines(&words.pinned, layout.columns, theme);
    let for_body = layout.lines.saturating_sub(pinned.len());
    if lines.len() > for_body {
        lines.truncate(for_body.saturating_sub(1));
        let room = layout.columns.saturating_sub(labels.width);
        let more = truncate::at_end("… more: needs a taller screen", room);
        let more = LabeledText::new("", more).role(Role::Warning);
        lines.extend(labels.lines(&[more], layout.columns, theme));
    }
    lines.extend(pinned);
    if lines.len() < layout.lines {
        lines.push(Line::default());
    }
    lines
}

/// Returns the progress or the verdict of each port.
fn progress(app: &App, batch: &Batch) -> DialogText {
    let host = &app.environment.host;
    let freeings = batch.machines();
    let what = match freeings {
        [one] => {
            let port = one.port();
            format!("port {}", wording::target(port.protocol, port.number))
        }
        many => format!("{} ports", many.len()),
    };
    let is_only = freeings.len() == 1;
    let entry = |freeing: &FreeMachine| {
        let (words, role) = freeing_text(app, freeing, is_only);
        LabeledText::new("", words).role(role)
    };
    DialogText::new(
        format!("Freeing {what} on {host}"),
        freeings.iter().map(entry).collect(),
    )
}

/// Where there are several ports, what a key does is said once, by its button.
fn freeing_text(app: &App, freeing: &FreeMachine, is_only: bool) -> (String, Role) {
    match freeing.verdict() {
        Some(verdict) if verdict.kind() == VerdictKind::Free && !freeing.is_settled() => (
            format!(
                "{} {}",
                wording::verdict(verdict),
                wording::progress(&freeing.progress(app.now))
            ),
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
        offer: Some(signal),
        ..
    } = verdict
    else {
        return None;
    };
    let button = match signal {
        Signal::Interrupt => Button::Interrupt,
        _ => Button::Kill,
    };
    Some(format!(
        ". {}",
        wording::escalation(&key_of(button), *signal)
    ))
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
    let port = request.port();
    let is_on_port =
        |endpoint: &&Endpoint| endpoint.socket.holds_port() && Port::of(&endpoint.socket) == port;
    let sockets: Vec<&Endpoint> = app.listing.endpoints().filter(is_on_port).collect();
    let holders = sockets
        .iter()
        .flat_map(|endpoint| endpoint.socket.owners.known());
    let others: BTreeMap<ProcessId, String> = holders
        .filter(|process| !request.has_target(process.id))
        .map(|process| (process.id, process.to_string()))
        .collect();
    let others: Vec<String> = others.into_values().collect();
    match (sockets.is_empty(), others.is_empty()) {
        (true, _) => format!(" Nothing holds :{} now.", port.number),
        (false, true) => String::new(),
        (false, false) => format!(" :{} is held by {} now.", port.number, others.join(", ")),
    }
}

fn explained(explanation: &Explanation, inspection: Option<&Inspection>) -> DialogText {
    let unused = inspection.and_then(|inspection| inspection.unused);
    let lines = wording::explanation_lines(explanation, unused);
    let plain = |text: String| LabeledText::new("", text);
    DialogText::new(
        wording::explanation_title(explanation),
        lines.into_iter().map(plain).collect(),
    )
}
