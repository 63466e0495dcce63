//! The details of the row under the cursor.

mod owner;
mod traffic;

use crate::app::keymap::{Movement, TableCommand, key_of};
use crate::app::{App, PastOwner};
use crate::model::process::{ExitStatus, Inspection, Process};
use crate::model::socket::{Age, Endpoint, Family, Reach, SocketRole};
use crate::table::description::describe_process;
use crate::table::fields::{Column, field};
use crate::table::row::{DisplayContext, Row};
use crate::ui::labeled_text::{self, LabelColumn, LabeledText};
use crate::ui::theme::{Role, Theme};
use crate::ui::truncate;
use crate::wording::{self, CONNECTED_TO_ITSELF, screen};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Padding, Widget};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

const LABELS: LabelColumn = LabelColumn {
    width: 12,
    role: Role::Dim,
};

/// Stands for what is still being looked up.
const PENDING: &str = "…";

/// Below this width the title has no room for keys.
const MIN_HINT_WIDTH: u16 = 61;

/// `── tcp 127.0.0.1:3000 ─────────────── [ ] scroll · Esc close ──` above the labeled lines.
pub fn draw(app: &App, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (title, entries) = match app.current_row() {
        Some(row) => (title(row), detail_lines(app, row)),
        None => ("no row".to_owned(), Vec::new()),
    };
    let title = truncate::at_end(
        &format!(" {title} "),
        usize::from(area.width).saturating_sub(4),
    );
    let line = || theme.span(Role::Border, "──");
    let mut block = Block::new()
        .borders(Borders::TOP)
        .border_style(theme.style(Role::Border))
        .padding(Padding::left(1))
        .title(Line::from(vec![line(), theme.span(Role::Title, title)]));
    let body = block.inner(area);
    let lines = LABELS.lines(&entries, body.width.into(), theme);
    if area.width >= MIN_HINT_WIDTH {
        let [up, down] = [Movement::ScrollUp, Movement::ScrollDown].map(key_of);
        let close = key_of(TableCommand::Back);
        let hint = if lines.len() > usize::from(body.height) {
            format!(" {up} {down} scroll · {close} close ")
        } else {
            format!(" {close} close ")
        };
        let hint = Line::from(vec![theme.span(Role::Dim, hint), line()]);
        block = block.title(hint.right_aligned());
    }
    block.render(area, buffer);
    labeled_text::draw(lines, app.details.scroll, body, buffer);
}

fn title(row: &Row) -> String {
    format!(
        "{} {}",
        row.endpoint.socket.protocol,
        row.endpoint.socket.local_end()
    )
}

/// The row with what its lines are made from.
struct DetailsView<'a> {
    app: &'a App,
    row: &'a Row,
    context: DisplayContext<'a>,
    inspection: Option<&'a Inspection>,
}

/// A line of the details, if there is something to tell.
fn entry(label: &'static str, text: Option<String>) -> Option<LabeledText> {
    text.map(|text| LabeledText::new(label, text))
}

/// The lines of the details, the most important first: a low pane shows only the beginning.
pub(super) fn detail_lines(app: &App, row: &Row) -> Vec<LabeledText> {
    let endpoint = &row.endpoint;
    let view = DetailsView {
        app,
        row,
        context: app.display_context(),
        inspection: app.details.inspection(endpoint.id()),
    };
    let port = endpoint.socket.port();
    let service = (field(Column::Service).value)(row, &view.context);
    let service = service
        .is_known()
        .then(|| format!("{service} (by port number)"));
    let lines = [
        vec![
            entry("socket", Some(view.socket())),
            entry("closed", view.closed()),
            entry("remote", view.remote()),
            entry("reachable", view.reachable()),
            entry("clients", view.clients()),
            entry("note", view.note()),
        ],
        traffic::traffic_lines(&view),
        owner::owner_lines(&view),
        vec![
            entry(
                "range",
                Some(screen::port_range(port, app.environment.ephemeral)),
            ),
            entry("service", service),
            entry("seen", Some(screen::seen(endpoint.since, view.context.now))),
            entry("previous", view.previous_owner()),
        ],
    ];
    lines.into_iter().flatten().flatten().collect()
}

impl DetailsView<'_> {
    /// `LISTEN · user dev · age at most 9 min`
    fn socket(&self) -> String {
        let of = |column| (field(column).value)(self.row, &self.context).to_string();
        let state = if self.row.is_closed() {
            "closed".to_owned()
        } else {
            of(Column::State)
        };
        // A closed socket does not get older.
        let closed = self.row.change_mark.at().filter(|_| self.row.is_closed());
        let now = closed.map_or(self.context.now, |at| self.context.now.at(at));
        let endpoint = &self.row.endpoint;
        let age = Age::of_socket(endpoint.since, endpoint.socket.owners.known(), now);
        let user = format!("user {}", of(Column::User));
        let age = wording::known_age(age).map(|age| format!("age {age}"));
        [state, user]
            .into_iter()
            .chain(age)
            .collect::<Vec<_>>()
            .join(" · ")
    }

    /// `2 s ago · ended 0.4 s after portmon sent SIGTERM`, of a closed row.
    fn closed(&self) -> Option<String> {
        let at = self.row.change_mark.at().filter(|_| self.row.is_closed())?;
        let owner = self.row.endpoint.socket.owners.first();
        let exit_status = owner.map_or(ExitStatus::Unknown, |owner| {
            self.app.port_history.exit_status(owner.id)
        });
        let ago = self.context.now.instant.saturating_duration_since(at);
        Some(screen::closed(ago, None, exit_status))
    }

    fn remote(&self) -> Option<String> {
        let remote = self.row.endpoint.socket.remote_end()?;
        let Endpoint {
            socket, relation, ..
        } = &self.row.endpoint;
        let peer = relation.peer.as_ref().map(ToString::to_string);
        let itself = || CONNECTED_TO_ITSELF.to_owned();
        let peer = socket.is_connected_to_itself().then(itself).or(peer);
        let peer = peer.map(|peer| format!(" · {peer}"));
        Some(format!("{remote}{}", peer.unwrap_or_default()))
    }

    /// The addresses at which others reach an exposed socket.
    fn reachable(&self) -> Option<String> {
        let socket = &self.row.endpoint.socket;
        if !socket.is_exposed() {
            return None;
        }
        let Some(inspection) = self.inspection else {
            return Some(PENDING.to_owned());
        };
        if socket.reach() == Reach::Address {
            return Some(screen::reachable_at(socket));
        }
        let is_of_family =
            |ip: &&IpAddr| ip.is_ipv6() == socket.local.is_ipv6() || socket.is_dual_stack();
        let addresses = inspection.addresses.iter().filter(is_of_family);
        let addresses = addresses.map(|ip| SocketAddr::new(*ip, socket.port()));
        Some(screen::reachable(&addresses.collect::<Vec<_>>()))
    }

    /// The clients of the port, counted by process or address.
    fn clients(&self) -> Option<String> {
        let endpoint = &self.row.endpoint;
        if endpoint.relation.role != SocketRole::Unconnected {
            return None;
        }
        let socket = &endpoint.socket;
        let is_accepted = |other: &&Endpoint| {
            other.socket.protocol == socket.protocol
                && other.socket.port() == socket.port()
                && other.relation.role == SocketRole::Server
                && socket.covers(other.socket.local.ip())
                && (socket.interface.is_none() || socket.interface == other.socket.interface)
        };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for other in self.app.listing.endpoints().filter(is_accepted) {
            let name = match (&other.relation.peer, other.socket.remote) {
                (Some(peer), _) => peer.to_string(),
                (None, Some(remote)) if Reach::of(remote.ip()) != Reach::Loopback => {
                    remote.ip().to_string()
                }
                (None, _) => "unknown".to_owned(),
            };
            *counts.entry(name).or_default() += 1;
        }
        Some(screen::clients(&counts))
    }

    /// A second owner of the port, or what the source cannot tell.
    fn note(&self) -> Option<String> {
        let socket = &self.row.endpoint.socket;
        let is_any_v6 = socket.family() == Family::Ipv6 && socket.local.ip().is_unspecified();
        if self.row.endpoint.relation.shares_port {
            Some(screen::shared_port(socket.port()))
        } else {
            let is_unknown = is_any_v6 && socket.holds_port() && socket.v6only.is_none();
            is_unknown.then(|| screen::UNKNOWN_V6ONLY.to_owned())
        }
    }

    /// The previous owner of the port of this listener, if that was another process.
    fn previous_owner(&self) -> Option<String> {
        let past = self
            .app
            .port_history
            .previous_owner(&self.row.endpoint)
            .filter(|_| !self.row.is_closed())?;
        Some(past_owner(self.app, past))
    }
}

/// `python3 9130 (debugpy · ~/code/api), closed 62 s ago · ended 0.4 s after portmon sent SIGTERM`
pub fn past_owner(app: &App, past: &PastOwner) -> String {
    let context = app.display_context();
    let describe = |process: &Process| describe_process(process, &context).text(&context);
    let owners = screen::past_owners(&past.owners, past.user.as_ref(), &describe);
    let first = past.owners.first();
    let exit_status = first.map_or(ExitStatus::Unknown, |owner| {
        app.port_history.exit_status(owner.id)
    });
    let now = context.now;
    let age = Age::of_socket(past.since, past.owners.known(), now.at(past.closed));
    let ago = now.instant.saturating_duration_since(past.closed);
    let closed = screen::closed(ago, Some(age), exit_status);
    screen::past_owner(&owners, past.port.protocol, &closed)
}

#[cfg(test)]
mod tests;
