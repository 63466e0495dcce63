//! The message of an empty table: why nothing is shown, and how to change that.

use crate::app::keymap::{FilterCommand, TableCommand, chip_key, key_of};
use crate::app::{App, NamedPids, PastOwner};
use crate::model::process::shell::restart_command;
use crate::model::socket::Socket;
use crate::table::listing::Chip;
use crate::ui::details::past_owner;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording::screen;
use ratatui::buffer::Buffer;
use ratatui::layout::{Margin, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};
use std::collections::BTreeSet;

pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let area = area.inner(Margin::new(2, 0));
    let lines = truncate::wrap(&message(app), area.width.into()).into_iter();
    let text: Vec<Line> = lines.map(Line::raw).collect();
    Paragraph::new(text)
        .style(theme.style(Role::Dim))
        .render(area, buffer);
}

fn message(app: &App) -> String {
    let (hidden, query) = (app.listing.hidden(), &app.listing.filter().query);
    if app.sampling.last_poll.is_none() {
        screen::READING.to_owned()
    } else if hidden.total == 0 && query.is_empty() {
        screen::no_sockets(app.listing.counts().out_of_scope, &chip_key(Chip::All))
    } else if let Some(found) = app.pids_in_filter() {
        numbers_are_pids(app, &found)
    } else if let Some(port) = query.sole_local_port() {
        nothing_on(app, port)
    } else if let Some(past) = app.last_owner_of_filtered_port() {
        nothing_since(app, past)
    } else {
        let by_chip = hidden
            .by_chip
            .iter()
            .map(|(chip, count)| (chip_key(*chip), *count));
        let by_chip: Vec<_> = by_chip.collect();
        screen::no_match(
            &active_filter(app),
            hidden.total,
            &by_chip,
            &how_to_clear(app),
        )
    }
}

/// A port that is only hidden is never said to be empty.
fn nothing_on(app: &App, port: u16) -> String {
    let sockets = || app.listing.endpoints().map(|endpoint| &endpoint.socket);
    let mut hidden: Vec<&Socket> = sockets().filter(|socket| socket.port() == port).collect();
    hidden.sort_by_key(|socket| (socket.owners.first().is_none(), socket.local));
    if let Some((first, more)) = hidden.split_first() {
        return screen::hidden_by_filter(
            first,
            more.len(),
            &active_filter(app),
            &how_to_clear(app),
        );
    }
    if let Some(past) = app.last_owner_of_filtered_port() {
        return nothing_since(app, past);
    }
    screen::nothing_on(port, &how_to_clear(app))
}

/// The ports of processes whose pids are the filter, and the key that shows them.
fn numbers_are_pids(app: &App, found: &NamedPids) -> String {
    let is_of_them = |socket: &&Socket| {
        let owners = socket.owners.known();
        socket.holds_port()
            && found
                .processes
                .iter()
                .any(|process| owners.contains(process))
    };
    let sockets = app.listing.endpoints().map(|endpoint| &endpoint.socket);
    let ports: BTreeSet<u16> = sockets.filter(is_of_them).map(Socket::port).collect();
    let key = if app.filter_box.is_typing() {
        key_of(FilterCommand::Keep)
    } else {
        key_of(TableCommand::Details)
    };
    screen::numbers_are_pids(
        &found.processes,
        &Vec::from_iter(ports),
        &key,
        &found.filter,
    )
}

fn nothing_since(app: &App, past: &PastOwner) -> String {
    let owner = past.owners.first();
    let can_restart = owner.is_some_and(|owner| restart_command(owner).is_ok());
    let key = key_of(TableCommand::CopyRestart);
    // In the filter line it is a letter.
    let key = (can_restart && !app.filter_box.is_typing()).then_some(key.as_str());
    screen::nothing_since(
        past.port.number,
        &past_owner(app, past),
        key,
        &how_to_clear(app),
    )
}

/// `[d dynamic] + postgres`
fn active_filter(app: &App) -> String {
    let chips = narrowing_chips(app).map(|chip| format!("[{} {}]", chip_key(chip), chip.name()));
    let text = Some(app.filter_box.shown()).filter(|text| !text.is_empty());
    chips.chain(text).collect::<Vec<_>>().join(" + ")
}

fn how_to_clear(app: &App) -> String {
    let key = key_of(TableCommand::Back);
    let has_text = !app.filter_box.shown().is_empty();
    let chips: Vec<String> = narrowing_chips(app).map(chip_key).collect();
    screen::how_to_clear(has_text.then_some(key.as_str()), &chips)
}

/// The active chips, without the one that widens the scope.
fn narrowing_chips(app: &App) -> impl Iterator<Item = Chip> {
    let is_narrowing = |chip: &Chip| *chip != Chip::All && app.filter_box.chips.is_on(*chip);
    Chip::ALL.into_iter().filter(is_narrowing)
}

#[cfg(test)]
mod tests;
