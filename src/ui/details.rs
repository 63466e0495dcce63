//! The details of the row under the cursor.

mod owner;
mod supervisor;
mod traffic;

use crate::app::App;
use crate::app::keymap::{Movement, TableCommand, key_of};
use crate::model::port::PortClass;
use crate::model::process::Inspection;
use crate::model::socket::{Age, Endpoint, Family, Reach, Since, SocketRole};
use crate::table::fields::{Column, address_text, field};
use crate::table::row::{DisplayContext, Row};
use crate::table::value::Value;
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::past_owner;
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use std::collections::BTreeMap;
use std::net::IpAddr;

const LABELS: LabelColumn = LabelColumn {
    width: 12,
    role: Role::Dim,
};

pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (title, entries) = match app.current_row() {
        Some(row) => (title(row), detail_lines(app, row)),
        None => ("no row".to_owned(), Vec::new()),
    };
    let body = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(1),
        height: area.height.saturating_sub(1),
    };
    let lines = LABELS.lines(&entries, usize::from(body.width), theme);
    let is_scrollable = lines.len() > usize::from(body.height);
    draw_title(&title, is_scrollable, theme, area, buffer);
    labeled_text::draw(lines, app.details.scroll, body, buffer);
}

fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// `── tcp 127.0.0.1:3000 ─────────────── [ ] scroll ──`
fn draw_title(title: &str, is_scrollable: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    buffer.set_stringn(
        area.x,
        area.y,
        "─".repeat(width),
        width,
        theme.style(Role::Border),
    );
    let title = truncate::at_end(&format!(" {title} "), width.saturating_sub(4));
    buffer.set_stringn(area.x + 2, area.y, title, width, theme.style(Role::Title));
    let close = key_of(TableCommand::Back);
    let [up, down] = [Movement::ScrollUp, Movement::ScrollDown].map(key_of);
    let hint = if is_scrollable {
        format!(" {up} {down} scroll · {close} close ")
    } else {
        format!(" {close} close ")
    };
    if width > 60 {
        let style = theme.style(Role::Dim).remove_modifier(Modifier::BOLD);
        buffer.set_stringn(
            area.right() - cells(hint.chars().count()) - 2,
            area.y,
            hint,
            width,
            style,
        );
    }
}

fn title(row: &Row) -> String {
    format!("{} {}", row.endpoint.socket.protocol, address_text(row))
}

/// The row with what its lines are made from.
pub struct DetailsView<'a> {
    app: &'a App,
    row: &'a Row,
    context: DisplayContext<'a>,
    inspection: Option<&'a Inspection>,
}

/// The lines of the details, the most important first: a low pane shows only the beginning.
pub(super) fn detail_lines(app: &App, row: &Row) -> Vec<LabeledText> {
    let context = app.display_context();
    let endpoint = &row.endpoint;
    let inspection = app.details.inspection(endpoint.id());
    let view = DetailsView {
        app,
        row,
        context,
        inspection,
    };
    let mut entries = vec![LabeledText::new("socket", socket(row, &context))];
    entries.extend(closed(app, row).map(|closed| LabeledText::new("closed", closed)));
    let other_end = endpoint.socket.remote.map(|remote| remote.to_string());
    entries.extend(other_end.map(|remote| LabeledText::new("remote", with_peer(row, remote))));
    if endpoint.socket.is_exposed() {
        entries.push(LabeledText::new(
            "reachable",
            reachable(endpoint, inspection),
        ));
    }
    if endpoint.relation.role == SocketRole::Unconnected {
        entries.push(LabeledText::new("clients", clients(app, endpoint)));
    }
    entries.extend(remark(row).map(|note| LabeledText::new("note", note)));
    entries.extend(traffic::traffic(&view));
    entries.extend(owner::owner_lines(&view));
    entries.push(LabeledText::new("range", range(app, row)));
    let service = (field(Column::Service).value)(row, &context);
    if service != Value::Unknown {
        entries.push(LabeledText::new(
            "service",
            format!("{service}, by its number"),
        ));
    }
    entries.push(LabeledText::new("seen", since_text(endpoint, &context)));
    entries.extend(before(app, row).map(|before| LabeledText::new("previous", before)));
    entries
}

/// `LISTEN · user dev · age at most 9 min`
fn socket(row: &Row, context: &DisplayContext) -> String {
    let of = |column| (field(column).value)(row, context).to_string();
    let state = if row.is_closed() {
        "closed".to_owned()
    } else {
        of(Column::State)
    };
    // A closed socket does not get older.
    let closed = row.change_mark.at().filter(|_| row.is_closed());
    let now = closed.map_or(context.now, |at| context.now.at(at));
    format!(
        "{state} · user {} · age {}",
        of(Column::User),
        wording::age(Age::of_socket(
            row.endpoint.since,
            row.endpoint.socket.owners.known(),
            now
        ))
    )
}

/// `2 s ago · ended 0.4 s after portmon sent SIGTERM`, of a closed row.
fn closed(app: &App, row: &Row) -> Option<String> {
    let at = row.change_mark.at().filter(|_| row.is_closed())?;
    let ago = wording::duration(app.moment().instant.saturating_duration_since(at));
    let owner = row.endpoint.socket.owners.first();
    let exit_status = owner.and_then(|owner| past_owner::exit_status(app, owner));
    let exit_status = exit_status
        .map(|exit_status| format!(" · {exit_status}"))
        .unwrap_or_default();
    Some(format!("{ago} ago{exit_status}"))
}

/// The previous owner of the port of this listener, if that was another process.
fn before(app: &App, row: &Row) -> Option<String> {
    let past = app.previous_owner(row).filter(|_| !row.is_closed())?;
    Some(past_owner::description(app, past))
}

fn with_peer(row: &Row, remote: String) -> String {
    match &row.endpoint.relation.peer {
        Some(peer) => format!("{remote} · {peer}"),
        None => remote,
    }
}

/// `registered (IANA) · ephemeral on this machine (32768–60999)`
fn range(app: &App, row: &Row) -> String {
    let port = row.endpoint.socket.port();
    let class = format!("{} (IANA)", PortClass::of(port).name());
    if app.environment.ephemeral.contains(port) {
        format!(
            "{class} · ephemeral on this machine ({})",
            app.environment.ephemeral
        )
    } else {
        class
    }
}

fn since_text(endpoint: &Endpoint, context: &DisplayContext) -> String {
    let ago = |at| wording::duration(context.now.instant.saturating_duration_since(at));
    match endpoint.since {
        Since::Opened(at) => format!("opened {} ago", ago(at)),
        Since::Before(at) => format!("open before portmon started, {} ago", ago(at)),
    }
}

/// A second owner of the port, or what the source cannot tell.
fn remark(row: &Row) -> Option<String> {
    let socket = &row.endpoint.socket;
    let is_any_v6 =
        socket.family() == Family::Ipv6 && socket.reach() == Reach::Wildcard && socket.holds_port();
    if row.endpoint.relation.shares_port {
        Some(format!(
            "another process holds {} on another local address",
            socket.port()
        ))
    } else if is_any_v6 && socket.v6only.is_none() {
        Some("the system does not tell whether it accepts IPv4 too".to_owned())
    } else {
        None
    }
}

fn reachable(endpoint: &Endpoint, inspection: Option<&Inspection>) -> String {
    let socket = &endpoint.socket;
    let Some(inspection) = inspection else {
        return "…".to_owned();
    };
    if socket.reach() == Reach::Address {
        return socket.local.to_string();
    }
    let is_of_family =
        |ip: &&IpAddr| ip.is_ipv6() == socket.local.is_ipv6() || socket.is_dual_stack();
    let written = |ip: &IpAddr| std::net::SocketAddr::new(*ip, socket.port()).to_string();
    let addresses: Vec<String> = inspection
        .addresses
        .iter()
        .filter(is_of_family)
        .map(written)
        .collect();
    if addresses.is_empty() {
        "only from this machine, which has no other address".to_owned()
    } else {
        addresses.join("  ")
    }
}

/// The clients of the port, counted by process or address.
fn clients(app: &App, endpoint: &Endpoint) -> String {
    let port = endpoint.socket.port();
    let is_accepted = |other: &&Endpoint| {
        other.socket.protocol == endpoint.socket.protocol
            && other.socket.port() == port
            && other.relation.role == SocketRole::Server
            && (other.socket.local.ip() == endpoint.socket.local.ip()
                || endpoint.socket.reach() == Reach::Wildcard)
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for other in app.listing.endpoints().filter(is_accepted) {
        let name = match (&other.relation.peer, other.socket.remote) {
            (Some(peer), _) => peer.to_string(),
            (None, Some(remote)) if Reach::of(remote.ip()) != Reach::Loopback => {
                remote.ip().to_string()
            }
            (None, _) => "unknown".to_owned(),
        };
        *counts.entry(name).or_default() += 1;
    }
    let words: Vec<String> = counts
        .into_iter()
        .map(|(name, count)| format!("{count} from {name}"))
        .collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

#[cfg(test)]
mod tests;
