//! What an empty table says: why, and the way out.

use crate::app::App;
use crate::app::filter_box::FilterBox;
use crate::model::endpoint::Endpoint;
use crate::model::memory::Past;
use crate::model::shell::restart;
use crate::table::listing::{Chip, Hidden};
use crate::ui::cut;
use crate::ui::last;
use crate::ui::theme::{Role, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width).saturating_sub(4);
    let lines = cut::wrapped(&words(app), width);
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        buffer.set_stringn(area.x + 2, y, line, width, theme.style(Role::Dim));
    }
}

fn words(app: &App) -> String {
    if app.sampling.last.is_none() {
        return "looking at the socket tables…".to_owned();
    }
    let hidden = app.listing.hidden();
    let query = &app.listing.filter().query;
    if hidden.total == 0 && query.is_empty() {
        return nothing_at_all(app);
    }
    if let Some(port) = query.meant_local_port() {
        return nothing_on(app, port);
    }
    if let Some(past) = app.last_of_meant_port() {
        return nothing_since(app, past);
    }
    format!(
        "nothing matches {} ({}) · {}",
        wanted(&app.filter_box),
        hidden_words(&hidden),
        way_out(&app.filter_box)
    )
}

fn nothing_at_all(app: &App) -> String {
    match app.listing.counts().outside {
        0 => "no listening or connected endpoint on this machine".to_owned(),
        count => format!("no local endpoint on this machine · {count} remote: a"),
    }
}

/// `nothing on 62893 now`; a port that is only hidden is never said to be empty, and a number that is a pid says so.
fn nothing_on(app: &App, port: u16) -> String {
    let mut hidden: Vec<&Endpoint> = app
        .listing
        .endpoints()
        .filter(|endpoint| endpoint.socket.port() == port)
        .collect();
    hidden.sort_by_key(|endpoint| {
        (
            endpoint.socket.owners.first().is_none(),
            endpoint.socket.local,
        )
    });
    if let Some((first, more)) = hidden.split_first() {
        return held_elsewhere(app, first, more.len());
    }
    if let Some(past) = app.last_of_meant_port() {
        return nothing_since(app, past);
    }
    let holder = app
        .listing
        .endpoints()
        .flat_map(|endpoint| endpoint.socket.owners.known())
        .find(|process| process.pid().0 == u32::from(port));
    let Some(holder) = holder else {
        return format!("nothing on {port} now · {}", way_out(&app.filter_box));
    };
    let mut ports: Vec<u16> = app
        .listing
        .endpoints()
        .filter(|endpoint| {
            endpoint.socket.is_standing() && endpoint.socket.owners.known().contains(holder)
        })
        .map(|endpoint| endpoint.socket.port())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    let shown: Vec<String> = ports.iter().map(ToString::to_string).collect();
    let holds = if shown.is_empty() {
        "has connections".to_owned()
    } else {
        format!("holds {}", shown.join(" and "))
    };
    format!(
        "no port {port} · process {port} ({}) {holds} · / pid:{port} shows them",
        holder.name
    )
}

/// `nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 62 s ago after 4m12s · it has ended`
fn nothing_since(app: &App, past: &Past) -> String {
    let can_restart = past.owners.first().is_some_and(|it| restart(it).is_ok());
    // In the filter line it is a letter.
    let offer = if can_restart && !app.filter_box.is_typing() {
        " · Y copies the command that starts it again"
    } else {
        ""
    };
    format!(
        "nothing on {} now · last: {}{offer} · {}",
        past.port,
        last::described(app, past),
        way_out(&app.filter_box)
    )
}

/// `3000 is in use (tcp 127.0.0.1:3000, node 4242), but not shown by [c connected] + 3000`
fn held_elsewhere(app: &App, endpoint: &Endpoint, more: usize) -> String {
    let socket = &endpoint.socket;
    let holder = socket
        .owners
        .first()
        .map(|process| format!(", {process}"))
        .unwrap_or_default();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let wanted = wanted(&app.filter_box);
    let use_of = format!("{} {}{holder}{more}", socket.protocol, socket.local);
    format!(
        "{} is in use ({use_of}), but not shown by {wanted} · {}",
        socket.port(),
        way_out(&app.filter_box)
    )
}

/// `[d dynamic] + postgres`
fn wanted(filter: &FilterBox) -> String {
    let chips = NAMES
        .iter()
        .filter(|(chip, _)| filter.chips.is_on(*chip))
        .map(|(_, name)| format!("[{name}]"));
    let text = Some(filter.shown()).filter(|text| !text.is_empty());
    chips.chain(text).collect::<Vec<_>>().join(" + ")
}

/// `19 hidden: 17 by d`
fn hidden_words(hidden: &Hidden) -> String {
    let by: Vec<String> = hidden
        .by_chip
        .iter()
        .map(|(chip, count)| format!("{count} by {}", key_of(*chip)))
        .collect();
    let total = format!("{} hidden", hidden.total);
    if by.is_empty() {
        total
    } else {
        format!("{total}: {}", by.join(", "))
    }
}

/// `Esc clears the text, d the chip`
fn way_out(filter: &FilterBox) -> String {
    let chips: Vec<String> = NAMES
        .iter()
        .filter(|(chip, _)| filter.chips.is_on(*chip))
        .map(|(chip, _)| key_of(*chip).to_owned())
        .collect();
    match (filter.shown().is_empty(), chips.is_empty()) {
        (true, _) => format!("{} clears the chip", chips.join(", ")),
        (false, true) => "Esc clears the text".to_owned(),
        (false, false) => format!("Esc clears the text, {} the chip", chips.join(", ")),
    }
}

const NAMES: [(Chip, &str); 5] = [
    (Chip::Listening, "l listening"),
    (Chip::Connected, "c connected"),
    (Chip::Dynamic, "d dynamic"),
    (Chip::Exposed, "e exposed"),
    (Chip::Mine, "m mine"),
];

fn key_of(chip: Chip) -> &'static str {
    NAMES
        .iter()
        .find(|(other, _)| *other == chip)
        .and_then(|(_, name)| name.get(..1))
        .unwrap_or("a")
}
