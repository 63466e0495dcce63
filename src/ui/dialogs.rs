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
use crate::model::freeing::{Demand, Explanation, Holder, Kind, Targets};
use crate::model::inspection::Inspection;
use crate::model::process::Process;
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
use std::sync::Arc;

const WIDTH: u16 = 78;
const LOW_HEIGHT: u16 = 9;

/// A label, the text it belongs to and the role of the text.
type Entry = (String, String, Role);

pub fn draw(app: &App, dialog: &FreeDialog, theme: &Theme, buffer: &mut Buffer) {
    let width = WIDTH.min(buffer.area.width);
    let (title, entries) = match &dialog.phase {
        Phase::Asking(asking) => (
            question(asking),
            asked(app, asking, dialog.inspection.as_ref()),
        ),
        Phase::Explaining(explanation) => (
            explanation.title.clone(),
            explained(explanation, dialog.inspection.as_ref()),
        ),
        Phase::Working(freeing) => {
            let order = freeing.order();
            let title = format!(
                "Freeing {} :{} on {}",
                order.protocol(),
                order.port(),
                app.setup.host
            );
            let (words, role) = match freeing.verdict() {
                Some(verdict) => (verdict.to_string(), role_of(verdict.kind())),
                None => (freeing.progress(app.now), Role::Plain),
            };
            let settling = freeing
                .verdict()
                .is_some_and(|verdict| verdict.kind() == Kind::Free)
                && !freeing.is_settled();
            let words = if settling {
                format!("{words} Watching 2 s more…")
            } else {
                words
            };
            (title, vec![(String::new(), words, role)])
        }
    };
    let label = entries
        .iter()
        .map(|(label, ..)| label.len())
        .max()
        .map_or(0, |longest| if longest == 0 { 0 } else { longest + 2 });
    let lines = laid_out(&entries, usize::from(width).saturating_sub(4 + label));
    let is_low = app.frame().is_low;
    let wanted = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(4);
    let most = if is_low {
        LOW_HEIGHT.min(buffer.area.height)
    } else {
        buffer.area.height
    };
    let area = popup::open(&title, width, wanted.min(most), theme, buffer);
    let room = usize::from(area.height).saturating_sub(if wanted > most { 1 } else { 2 });
    for (y, (left, text, role)) in (area.top()..).zip(lines.iter().take(room)) {
        buffer.set_stringn(area.x, y, left, label, theme.style(Role::Dim));
        let x = area.x + u16::try_from(label).unwrap_or(0);
        buffer.set_stringn(x, y, text, usize::from(area.width), theme.style(*role));
    }
    let last = Rect {
        y: area.bottom().saturating_sub(1),
        height: 1,
        ..area
    };
    draw_buttons(app, dialog, theme, last, buffer);
}

fn question(asking: &Asking) -> String {
    let proposal = &asking.proposal;
    format!(
        "Free {} :{} on {}?",
        proposal.protocol, proposal.port, proposal.host
    )
}

fn role_of(kind: Kind) -> Role {
    match kind {
        Kind::Free => Role::Good,
        Kind::Held | Kind::Taken | Kind::Nothing => Role::Error,
    }
}

fn asked(app: &App, asking: &Asking, inspection: Option<&Inspection>) -> Vec<Entry> {
    let proposal = &asking.proposal;
    let targets = proposal.targets(asking.targets);
    let plain = |label: &str, text: String| (label.to_owned(), text, Role::Plain);
    let mut entries: Vec<Entry> = targets
        .iter()
        .enumerate()
        .map(|(place, holder)| plain(if place == 0 { "Ends" } else { "" }, described(app, holder)))
        .collect();
    let spared: Vec<String> = proposal
        .holders
        .iter()
        .filter(|holder| {
            !targets
                .iter()
                .any(|target| target.process.id == holder.process.id)
        })
        .map(|holder| holder.process.to_string())
        .collect();
    if !spared.is_empty() {
        entries.push(plain("Also hold it", spared.join(", ")));
    }
    entries.push(plain("Also closes", also_closes(asking, inspection)));
    for holder in &targets {
        let kin = inspection.and_then(|inspection| inspection.kin_of(holder.process.id));
        entries.push(plain(
            "Started by",
            kin.map_or_else(|| "…".to_owned(), chain),
        ));
    }
    entries.extend(
        proposal
            .warnings()
            .into_iter()
            .map(|text| (String::new(), text, Role::Warning)),
    );
    if let Demand::TypePort { why } = asking.demand() {
        let words = format!(
            "{}. Type {} and Enter to end it: {}_",
            why.join(", "),
            proposal.port,
            asking.typed
        );
        entries.push(("Sure?".to_owned(), words, Role::Warning));
    }
    entries
}

/// `node 3977   vite · ~/code/shop-old   dev   up 3d`
fn described(app: &App, holder: &Holder) -> String {
    let around = app.surroundings();
    let process = &holder.process;
    let what = what::of_process(process, &around).joined(&around);
    let user = process.user.as_ref().map(ToString::to_string);
    // The blank is one that no line is broken at.
    let up = process
        .started_at
        .map(|at| format!("up\u{a0}{}", shown_roughly(around.now.since(at))));
    let parts = [Some(process.to_string()), Some(what), user, up];
    parts.into_iter().flatten().collect::<Vec<_>>().join("   ")
}

/// The other ports and the children that end with it.
fn also_closes(asking: &Asking, inspection: Option<&Inspection>) -> String {
    let ports = asking.proposal.also_closes(asking.targets);
    let mut words: Vec<String> = ports
        .iter()
        .map(|other| format!("{} {}", other.protocol, other.local))
        .collect();
    let Some(inspection) = inspection else {
        words.push("…".to_owned());
        return words.join(", ");
    };
    let holders = asking.proposal.process_ids();
    for holder in asking.proposal.targets(asking.targets) {
        let kin = inspection.kin_of(holder.process.id);
        let children = kin
            .map(|kin| kin.descendants.as_slice())
            .unwrap_or_default();
        // Children that hold the port too are named above.
        let others: Vec<Arc<Process>> = children
            .iter()
            .filter(|child| !holders.contains(&child.id))
            .cloned()
            .collect();
        if !others.is_empty() {
            words.push(format!("perhaps its children {}", named(&others)));
        }
    }
    if words.is_empty() {
        "nothing else (no other port, no child)".to_owned()
    } else {
        words.join(", ")
    }
}

fn explained(explanation: &Explanation, inspection: Option<&Inspection>) -> Vec<Entry> {
    let plain = |text: String| (String::new(), text, Role::Plain);
    let mut entries: Vec<Entry> = explanation.lines.iter().cloned().map(plain).collect();
    let unused = inspection.and_then(|inspection| inspection.unused);
    entries.extend(unused.map(Explanation::unused_words).map(plain));
    entries
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
