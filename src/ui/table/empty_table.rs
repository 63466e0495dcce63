//! The message of an empty table: why nothing is shown, and how to change that.

use crate::app::keymap::{KeyCommand, TableCommand, chip_key, key_of};
use crate::app::panes::filter_box::FilterBox;
use crate::app::{App, PastOwner};
use crate::model::process::shell::restart_command;
use crate::model::socket::Endpoint;
use crate::table::listing::{Chip, Hidden};
use crate::ui::past_owner;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width).saturating_sub(4);
    let lines = truncate::wrap(&message(app), width);
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        buffer.set_stringn(area.x + 2, y, line, width, theme.style(Role::Dim));
    }
}

fn message(app: &App) -> String {
    if app.sampling.last_poll.is_none() {
        return "reading the socket tables…".to_owned();
    }
    let hidden = app.listing.hidden();
    let query = &app.listing.filter().query;
    if hidden.total == 0 && query.is_empty() {
        return nothing_at_all(app);
    }
    if let Some(port) = query.sole_local_port() {
        return nothing_on(app, port);
    }
    if let Some(past) = app.last_owner_of_filtered_port() {
        return nothing_since(app, past);
    }
    format!(
        "nothing matches {} ({}) · {}",
        active_filter(&app.filter_box),
        hidden_text(&hidden),
        how_to_clear(&app.filter_box)
    )
}

fn nothing_at_all(app: &App) -> String {
    match app.listing.counts().out_of_scope {
        0 => "nothing listens or is connected on this machine".to_owned(),
        count => format!(
            "no local socket on this machine · {count} remote: {}",
            chip_key(Chip::All)
        ),
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
        return hidden_by_filter(app, first, more.len());
    }
    if let Some(past) = app.last_owner_of_filtered_port() {
        return nothing_since(app, past);
    }
    let holder = app
        .listing
        .endpoints()
        .flat_map(|endpoint| endpoint.socket.owners.known())
        .find(|process| process.pid().0 == u32::from(port));
    let Some(holder) = holder else {
        return format!("nothing on {port} now · {}", how_to_clear(&app.filter_box));
    };
    let mut ports: Vec<u16> = app
        .listing
        .endpoints()
        .filter(|endpoint| {
            endpoint.socket.holds_port() && endpoint.socket.owners.known().contains(holder)
        })
        .map(|endpoint| endpoint.socket.port())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    let holds = if ports.is_empty() {
        "has connections".to_owned()
    } else {
        format!("holds {}", wording::list(&ports))
    };
    format!(
        "no port {port} · process {port} ({}) {holds} · pid:{port} shows them",
        holder.name
    )
}

/// `nothing on 62893 now · last: python3 9130 (debugpy · ~/code/api), closed 62 s ago after 4 min 12 s · it has exited`
fn nothing_since(app: &App, past: &PastOwner) -> String {
    let can_restart = past
        .owners
        .first()
        .is_some_and(|it| restart_command(it).is_ok());
    // In the filter line it is a letter.
    let key = key_of(KeyCommand::Table(TableCommand::CopyRestart));
    let offer = if can_restart && !app.filter_box.is_typing() {
        format!(" · {key} copies the command that starts it again")
    } else {
        String::new()
    };
    format!(
        "nothing on {} now · last: {}{offer} · {}",
        past.port,
        past_owner::description(app, past),
        how_to_clear(&app.filter_box)
    )
}

/// `3000 is in use (tcp 127.0.0.1:3000, node 4242), but not shown by [c connected] + 3000`
fn hidden_by_filter(app: &App, endpoint: &Endpoint, more: usize) -> String {
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
    let wanted = active_filter(&app.filter_box);
    let use_of = format!("{} {}{holder}{more}", socket.protocol, socket.local);
    format!(
        "{} is in use ({use_of}), but not shown by {wanted} · {}",
        socket.port(),
        how_to_clear(&app.filter_box)
    )
}

/// `[d dynamic] + postgres`
fn active_filter(filter: &FilterBox) -> String {
    let chips = narrowing_chips(filter).map(|chip| format!("[{} {}]", chip_key(chip), chip.name()));
    let text = Some(filter.shown()).filter(|text| !text.is_empty());
    chips.chain(text).collect::<Vec<_>>().join(" + ")
}

/// `19 hidden: 17 by d`
fn hidden_text(hidden: &Hidden) -> String {
    let by: Vec<String> = hidden
        .by_chip
        .iter()
        .map(|(chip, count)| format!("{count} by {}", chip_key(*chip)))
        .collect();
    let total = format!("{} hidden", hidden.total);
    if by.is_empty() {
        total
    } else {
        format!("{total}: {}", by.join(", "))
    }
}

/// `Esc clears the text, d the chip`
fn how_to_clear(filter: &FilterBox) -> String {
    let clear = key_of(KeyCommand::Table(TableCommand::Back));
    let chips: Vec<String> = narrowing_chips(filter).map(chip_key).collect();
    let chips = chips.join(", ");
    match (filter.shown().is_empty(), chips.is_empty()) {
        (true, _) => format!("{chips} clears the chip"),
        (false, true) => format!("{clear} clears the text"),
        (false, false) => format!("{clear} clears the text, {chips} the chip"),
    }
}

/// The active chips, without the one that widens the scope.
fn narrowing_chips(filter: &FilterBox) -> impl Iterator<Item = Chip> {
    let is_narrowing = |chip: &Chip| *chip != Chip::All && filter.chips.is_on(*chip);
    Chip::ALL.into_iter().filter(is_narrowing)
}
